"""What the driver's machine is told and what it tells: the words between commands, rules and the bus."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from chargebyte_fw.board.link.messages.charge_som import ActionId, ChargeControl
from chargebyte_fw.contracts.types.board_support_common import BspEventEvent, ProximityPilotAmpacity


class Implementation(StrEnum):
    """Which implementation's faults are meant."""

    BOARD = "evse_board_support"
    RCD = "ac_rcd"
    TEMPERATURES = "temperatures"
    LOCK = "connector_lock"


class PilotOutput(NamedTuple):
    """What shall be on the pilot."""

    pwm_active: bool
    duty_percent: float


STATE_E = PilotOutput(False, 0.0)
"""0 V by the controller's own word for it: CHARGE_CONTROL with the PWM bit at 0.

EVerest's driver stops the link and resets the controller instead, which then holds 0 V until the next control frame.
Meanwhile nobody hears of an emergency stop or a fault, and the next `pwm_on` finds a dead link. Here the link, and with
it the supervision of both sides, goes on; an order that is not followed is told ("pilot did not follow").
"""
STATE_F = PilotOutput(True, 0.0)
STATE_X1 = PilotOutput(True, 100.0)


class FaultKey(NamedTuple):
    """One fault of this driver."""

    book: Implementation
    type: str
    sub_type: str = ""


class Enable(msgspec.Struct, frozen=True):
    """Event: the port is switched on or off."""

    value: bool


class SetPilot(msgspec.Struct, frozen=True):
    """Event: something else shall be on the pilot."""

    wish: PilotOutput


class AllowPowerOn(msgspec.Struct, frozen=True):
    """Event: the contactors may close, or must open."""

    allowed: bool
    reason: str = ""


class SwitchPhases(msgspec.Struct, frozen=True):
    """Event: the car shall have three phases, or one."""

    three: bool


class MovePlugLock(msgspec.Struct, frozen=True):
    """Event: the plug lock shall close, or open."""

    close: bool


class StartSelfTest(msgspec.Struct, frozen=True):
    """Event: the residual current monitor shall test itself."""


class ResetTrip(msgspec.Struct, frozen=True):
    """Order: what tripped the residual current monitor is mended (`ac_rcd.reset`)."""


class Halt(msgspec.Struct, frozen=True):
    """Event: the driver ends: pilot F, contactors open, and no order counts any more."""


class SetControl(msgspec.Struct, frozen=True):
    """Effect: this is what the safety controller shall hear from now on."""

    control: ChargeControl


class ResetController(msgspec.Struct, frozen=True):
    """Effect: reset the safety controller."""

    why: str


class RequestAction(msgspec.Struct, frozen=True):
    """Effect: ask the safety controller for an action."""

    action: ActionId


class SelfTestAnswered(msgspec.Struct, frozen=True):
    """Effect: whether the commanded self-test was accepted."""

    accepted: bool


class BoardEvent(msgspec.Struct, frozen=True):
    """Effect: publish a board event."""

    event: BspEventEvent


class Ampacity(msgspec.Struct, frozen=True):
    """Effect: publish what the cable may carry."""

    ampacity: ProximityPilotAmpacity


class PhasesAvailable(msgspec.Struct, frozen=True):
    """Effect: publish how many phases the car gets, and whether that can be changed while it charges."""

    three: bool
    switchable: bool


class RaiseFault(msgspec.Struct, frozen=True):
    """Effect: raise a fault."""

    key: FaultKey
    message: str


class ClearFault(msgspec.Struct, frozen=True):
    """Effect: clear a fault."""

    key: FaultKey


class Log(msgspec.Struct, frozen=True):
    """Effect: one line for people; `level` as in logging."""

    level: int
    text: str
    values: tuple[Any, ...] = ()
