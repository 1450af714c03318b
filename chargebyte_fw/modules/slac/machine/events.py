"""What goes into the machines of both sides, and what comes out. A received `Frame` is an event, too."""

from __future__ import annotations

from dataclasses import dataclass

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.modules.slac.messages import Frame


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Event: the interface to the modem works; this is its address (ours)."""

    mac: bytes


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Event: the interface to the modem is gone."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Event: leave the network, forget the match, begin anew (charger: new key; car: unplugged)."""


@dataclass(frozen=True, slots=True)
class EnterBcd:
    """Event (charger): the control pilot went from A, E or F to B, C or D."""


@dataclass(frozen=True, slots=True)
class LeaveBcd:
    """Event (charger): the control pilot went back to A, E or F."""


@dataclass(frozen=True, slots=True)
class TriggerMatching:
    """Event (car): plugged in and 5 % seen; find the charger."""


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send this frame."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class StateIs:
    """Effect: the matching state to be published."""

    state: State


@dataclass(frozen=True, slots=True)
class DlinkReady:
    """Effect: the powerline link to the other side is up or down."""

    up: bool


@dataclass(frozen=True, slots=True)
class EvMac:
    """Effect (charger): the address of the EV."""

    mac: bytes


@dataclass(frozen=True, slots=True)
class RequestErrorRoutine:
    """Effect (charger): ask the charging logic for a new start of the match by E/F."""


@dataclass(frozen=True, slots=True)
class ModemAnswers:
    """Effect (charger): the local modem stopped confirming its key, or does so again."""

    answers: bool


@dataclass(frozen=True, slots=True)
class Matched:
    """Effect (car): the charger that was chosen, and the network it shares."""

    evse_mac: bytes
    nid: bytes
    attenuation_dB: float
    """Average over all carrier groups."""


@dataclass(frozen=True, slots=True)
class MatchingFailed:
    """Effect (car): no charger; the reason in words."""

    reason: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Effect: a peer broke a rule, and what it sent was ignored; a line in words for the log."""

    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Effect: a line for the log; `level` is one of `logging`'s."""

    level: int
    text: str
