"""What the machines of an EVSE want done, beside commands and published values (`kernel/effects.py`)."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.composite import received_by
from chargebyte_fw.kernel.faults import Severity


class StartMeter(msgspec.Struct, frozen=True):
    """Effect: ask the billing meter to begin; answer with MeterStarted."""

    session_id: str
    token: ProvidedIdToken
    tariff_text: str | None


class StopMeter(msgspec.Struct, frozen=True):
    """Effect: ask the billing meter to end; answer with MeterStopped."""

    session_id: str


class StoreSessionId(msgspec.Struct, frozen=True):
    """Effect: remember the id of the running transaction over a loss of power; empty forgets it."""

    session_id: str


class PublishSessionEvent(msgspec.Struct, frozen=True):
    """Effect: publish a session event; a meter value without time is stamped by the owner."""

    event: SessionEventEnum
    session_id: str
    extra: dict[str, Any]


@received_by("energy", "offer", owner=True)
class SessionChanged(msgspec.Struct, frozen=True):
    """Effect: the session's id, empty without one (the log and the EV's data follow it)."""

    session_id: str


@received_by("offer")
class SetUpSession(msgspec.Struct, frozen=True):
    """Set HLC's payment options: everything configured, or external payment only."""

    external_only: bool


@received_by("fault_policy", owner=True)
class RaiseFault(msgspec.Struct, frozen=True):
    """Effect: raise a fault of the EVSE."""

    name: str
    message: str
    sub_type: str = ""
    severity: Severity = Severity.High
    vendor_id: str = ""
    description: str = ""


@received_by("fault_policy", owner=True)
class ClearFault(msgspec.Struct, frozen=True):
    """Effect: clear a fault of the EVSE, with every sub-type; an empty name clears what a replug clears."""

    name: str


class LogLine(msgspec.Struct, frozen=True):
    """Effect: a line for the log."""

    text: str
    level: str = "info"


class SessionLogLine(msgspec.Struct, frozen=True):
    """Effect: a line of the session's log only. `origin`: EVSE, CAR or SYS."""

    text: str
    origin: str = "EVSE"
    iso15118: bool = False


def number(value: float) -> str:
    """Return a number in as few digits as it takes: 0, 0.022, 900000."""
    return str(int(value)) if value == int(value) else repr(value)


def isolation_line(resistance_Ohm: float, *, valid: bool) -> SessionLogLine:
    """Return the line of an insulation measurement, as EVerest writes it."""
    return SessionLogLine(f"Isolation measurement {'Ok' if valid else 'FAULT'} R_F {resistance_Ohm:.12g}.")


@received_by("energy")
class LimitsChanged(msgspec.Struct, frozen=True):
    """The current per phase and the phases that the EV may use, below zero where it is to return energy.

    There are no phases before the first budget.
    """

    limit_A: float
    phases: int | None


class RequestEnergy(msgspec.Struct, frozen=True):
    """Effect: request at once from the energy management what is wanted."""

    priority: bool = True
    """It is to be answered before the next round."""


class ShowEnforcedLimits(msgspec.Struct, frozen=True):
    """Effect: publish the limits of the energy management that hold from now on."""


class DelayCountdown(msgspec.Struct, frozen=True):
    """Effect: publish the random delay's countdown."""

    remaining_s: int
    after_A: float
    during_A: float
    started: bool
    """It has begun just now."""
