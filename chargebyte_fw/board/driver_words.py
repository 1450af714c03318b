"""What the driver's machine is told and what it tells: the words between commands, rules and the bus."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from chargebyte_fw.board.messages import ActionId, ChargeControl
from chargebyte_fw.contracts.types.board_support_common import BspEventEvent, ProximityPilotAmpacity


class Book(StrEnum):
    """Which implementation's faults are meant."""

    BOARD = "evse_board_support"
    RCD = "ac_rcd"
    TEMPERATURES = "temperatures"


class Wish(NamedTuple):
    """What shall be on the pilot."""

    pwm_active: bool
    duty_percent: float


STATE_E = Wish(False, 0.0)
STATE_F = Wish(True, 0.0)
STATE_X1 = Wish(True, 100.0)


class FaultKey(NamedTuple):
    """One fault of this driver."""

    book: Book
    type: str
    sub_type: str = ""


@dataclass(frozen=True, slots=True)
class Enable:
    """Event: the port is switched on or off."""

    value: bool


@dataclass(frozen=True, slots=True)
class SetPilot:
    """Event: something else shall be on the pilot."""

    wish: Wish


@dataclass(frozen=True, slots=True)
class Permit:
    """Event: the contactors may close, or must open."""

    allowed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Event: the residual current monitor shall test itself."""


@dataclass(frozen=True, slots=True)
class Halt:
    """Event: the driver ends: pilot F, contactors open, and no order counts any more."""


@dataclass(frozen=True, slots=True)
class SetImage:
    """Effect: this is what the safety controller shall hear from now on."""

    control: ChargeControl


@dataclass(frozen=True, slots=True)
class ResetController:
    """Effect: reset the safety controller."""

    why: str


@dataclass(frozen=True, slots=True)
class RunAction:
    """Effect: ask the safety controller for an action."""

    action: ActionId


@dataclass(frozen=True, slots=True)
class SelfTestBegun:
    """Effect: whether the commanded self-test was accepted."""

    accepted: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Effect: publish a board event."""

    event: BspEventEvent


@dataclass(frozen=True, slots=True)
class Ampacity:
    """Effect: publish what the cable may carry."""

    ampacity: ProximityPilotAmpacity


@dataclass(frozen=True, slots=True)
class Raise:
    """Effect: raise a fault."""

    key: FaultKey
    message: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Effect: clear a fault."""

    key: FaultKey


@dataclass(frozen=True, slots=True)
class Say:
    """Effect: one line for people; `level` as in logging."""

    level: int
    text: str
    values: tuple[Any, ...] = ()
