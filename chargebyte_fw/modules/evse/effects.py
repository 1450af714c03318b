"""What the machines of an EVSE want done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.faults import Severity


@dataclass(frozen=True, slots=True)
class Call:
    """Effect: a command to a neighbour (`bsp`, `hlc`, `slac`, `supply`, `imd`, `monitor`, `lock`)."""

    peer: str
    command: str
    args: tuple[Any, ...] = ()
    urgent: bool = False
    """Overtake, and drop, what still waits for this neighbour."""


@dataclass(frozen=True, slots=True)
class StartMeter:
    """Effect: ask the billing meter to begin; answer with MeterStarted."""

    session_id: str
    token: ProvidedIdToken
    tariff_text: str | None


@dataclass(frozen=True, slots=True)
class StopMeter:
    """Effect: ask the billing meter to end; answer with MeterStopped."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Keep:
    """Effect: remember the id of the running transaction over a loss of power; empty forgets it."""

    session_id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Effect: publish a session event; a meter value without time is stamped by the owner."""

    event: SessionEventEnum
    session_id: str
    extra: dict[str, Any]


@dataclass(frozen=True, slots=True)
class SessionIs:
    """Effect: the session's id, empty without one (the log and the EV's data follow it)."""

    session_id: str


@dataclass(frozen=True, slots=True)
class OfferToken:
    """Effect: publish a token."""

    token: ProvidedIdToken


@dataclass(frozen=True, slots=True)
class SetUpSession:
    """Effect: tell HLC the payment options: everything configured, or external payment only."""

    external_only: bool


@dataclass(frozen=True, slots=True)
class Raise:
    """Effect: raise a fault of the EVSE."""

    name: str
    message: str
    sub_type: str = ""
    severity: Severity = Severity.High
    vendor_id: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Clear:
    """Effect: clear a fault of the EVSE, with every sub-type; an empty name clears all but Inoperative."""

    name: str


@dataclass(frozen=True, slots=True)
class Say:
    """Effect: a line for the log."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class LimitsChanged:
    """Effect: current and phases that the EV may use."""

    limit_A: float
    phases: int


@dataclass(frozen=True, slots=True)
class AskEnergy:
    """Effect: tell the energy management at once what is wanted."""


@dataclass(frozen=True, slots=True)
class CancelReservation:
    """Effect: the reservation cannot be kept."""
