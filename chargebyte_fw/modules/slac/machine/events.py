"""What goes into the machines of both sides, and what comes out. A received `Frame` is an event, too."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.modules.slac.messages import Frame


class LinkUp(msgspec.Struct, frozen=True):
    """Event: the interface to the modem works; this is its address (ours)."""

    mac: bytes


class LinkDown(msgspec.Struct, frozen=True):
    """Event: the interface to the modem is gone."""


class Reset(msgspec.Struct, frozen=True):
    """Event: leave the network, forget the match, begin anew (charger: new key; car: unplugged)."""


class EnterBcd(msgspec.Struct, frozen=True):
    """Event (charger): the control pilot went from A, E or F to B, C or D."""


class LeaveBcd(msgspec.Struct, frozen=True):
    """Event (charger): the control pilot went back to A, E or F."""


class TriggerMatching(msgspec.Struct, frozen=True):
    """Event (car): plugged in and 5 % seen; find the charger."""


class Send(msgspec.Struct, frozen=True):
    """Effect: send this frame."""

    frame: Frame


class StateIs(msgspec.Struct, frozen=True):
    """Effect: the matching state to be published."""

    state: State


class DlinkReady(msgspec.Struct, frozen=True):
    """Effect: the powerline link to the other side is up or down."""

    up: bool


class EvMac(msgspec.Struct, frozen=True):
    """Effect (charger): the address of the EV."""

    mac: bytes


class RequestErrorRoutine(msgspec.Struct, frozen=True):
    """Effect (charger): ask the charging logic for a new start of the match by E/F."""


class ModemAnswers(msgspec.Struct, frozen=True):
    """Effect (charger): the local modem stopped confirming its key, or does so again."""

    answers: bool


class KeyRefused(msgspec.Struct, frozen=True):
    """Effect (charger): the local modem refuses its key with `result`; None: it took one again."""

    result: int | None


class Matched(msgspec.Struct, frozen=True):
    """Effect (car): the charger that was chosen, and the network it shares."""

    evse_mac: bytes
    nid: bytes
    attenuation_dB: float
    """Average over all carrier groups."""


class MatchingFailed(msgspec.Struct, frozen=True):
    """Effect (car): no charger; the reason in words."""

    reason: str


class Ignored(msgspec.Struct, frozen=True):
    """Effect: a peer broke a rule, and what it sent was ignored; a line in words for the log."""

    text: str


class Report(msgspec.Struct, frozen=True):
    """Effect: a line for the log; `level` is one of `logging`'s."""

    level: int
    text: str
