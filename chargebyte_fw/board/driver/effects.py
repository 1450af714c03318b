"""Effects of the driver's machines. Faults are in `fault_table.py`, values of its interfaces in `kernel/effects.py`."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.board.link.messages.charge_som import ActionId, ChargeControl


class SetControl(msgspec.Struct, frozen=True):
    """Effect: send this control image, now and in every cycle."""

    control: ChargeControl


class ResetController(msgspec.Struct, frozen=True):
    """Effect: reset the safety controller."""

    why: str


class RequestAction(msgspec.Struct, frozen=True):
    """Effect: ask the safety controller for an action; the answer is ActionResult."""

    action: ActionId


class SelfTestAnswered(msgspec.Struct, frozen=True):
    """Effect: the ordered self-test was accepted, or not."""

    accepted: bool


class PhasesAvailable(msgspec.Struct, frozen=True):
    """Effect: publish how many phases the car gets, and whether that can be changed while it charges."""

    three: bool
    switchable: bool


class Log(msgspec.Struct, frozen=True):
    """Effect: log a line; `level` and `text` with `values` as in logging."""

    level: int
    text: str
    values: tuple[Any, ...] = ()
