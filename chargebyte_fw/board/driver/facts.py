"""What the driver knows, by lifetime: each struct is replaced whole when its life ends."""

from __future__ import annotations

import msgspec

from chargebyte_fw.board.driver.board_events import BoardEvents
from chargebyte_fw.board.driver.events import STATE_X1, PilotOutput
from chargebyte_fw.board.driver.wiring import Orders
from chargebyte_fw.board.link.messages.charge_som import ChargeControl, ChargeState, Pt1000State


class HostOrders(msgspec.Struct):
    """What was ordered of the driver; until it is halted."""

    enabled: bool = False
    pilot: PilotOutput = STATE_X1
    permitted: bool = False
    """The contactors are permitted to close in state C."""


class ControllerFacts(msgspec.Struct):
    """What the controller has reported; from its reset to the next one or a lost link."""

    charge_state: ChargeState | None = None
    temperatures: Pt1000State | None = None
    published: BoardEvents = msgspec.field(default_factory=BoardEvents)


class BoardSnapshot(msgspec.Struct, frozen=True):
    """What is read of the driver outside its machine."""

    charge_state: ChargeState | None
    temperatures: Pt1000State | None
    control: ChargeControl
    contactor_orders: Orders
    permitted: bool
    at_rest: bool
    """Nothing is on: contactors open and no PWM, or no link to report otherwise."""
