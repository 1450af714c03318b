"""Orders to the driver: the commands of its interfaces as events, and which of its machines receives them."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from chargebyte_fw.board.link.events import DRIVER, PLUG_LOCK
from chargebyte_fw.kernel.composite import received_by


class PilotOutput(NamedTuple):
    """What the controller puts on the control pilot (IEC 61851-1 annex A)."""

    pwm_active: bool
    duty_percent: float


STATE_E = PilotOutput(False, 0.0)
"""0 V: CHARGE_CONTROL with the PWM bit at 0.

EVerest's driver stops the link and resets the controller instead, which then holds 0 V until the next control frame.
Meanwhile emergency stops and faults are not received, and the next `pwm_on` finds a dead link. Here the link, and with
it the supervision of both sides, goes on; a pilot that does not follow is logged ("pilot did not follow").
"""
STATE_F = PilotOutput(True, 0.0)
"""-12 V."""
STATE_X1 = PilotOutput(True, 100.0)
"""+12 V."""


@received_by(DRIVER)
class Enable(msgspec.Struct, frozen=True):
    """Order: switch the port on, or (`value` False) to state F with contactors open."""

    value: bool


@received_by(DRIVER)
class SetPilot(msgspec.Struct, frozen=True):
    """Order: put this on the control pilot."""

    output: PilotOutput


@received_by(DRIVER)
class AllowPowerOn(msgspec.Struct, frozen=True):
    """Order: permit the contactors to close in state C, or open them."""

    allowed: bool
    reason: str = ""


@received_by(DRIVER)
class SwitchPhases(msgspec.Struct, frozen=True):
    """Order: connect the car to three phases, or to one."""

    three: bool


@received_by(PLUG_LOCK)
class MovePlugLock(msgspec.Struct, frozen=True):
    """Order: lock (`close`) or unlock the plug."""

    close: bool


@received_by(DRIVER)
class StartSelfTest(msgspec.Struct, frozen=True):
    """Order: test the residual current monitor."""


@received_by(DRIVER)
class ResetTrip(msgspec.Struct, frozen=True):
    """Order: forget that the residual current monitor has tripped (`ac_rcd.reset`)."""


@received_by(DRIVER)
class Halt(msgspec.Struct, frozen=True):
    """Order: pilot F, contactors open; no later order counts."""
