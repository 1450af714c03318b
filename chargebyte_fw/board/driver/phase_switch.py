"""From three phases to one and back while a car charges: the sequence on the pilot that takes the car off the grid.

The car is asked to stop (+12 V without PWM, IEC 61851-1 annex A), gets the time that the standard gives it, is
disconnected, stays disconnected for a while, and begins anew.
"""

from __future__ import annotations

import logging
from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.effects import Log
from chargebyte_fw.kernel.machine import Machine, on

HLC_DUTY_PERCENT = (3.0, 7.0)
"""A duty cycle between: the car learns by high-level communication what it may draw (IEC 61851-1 table A.7)."""


class Switching(Enum):
    """Where the sequence is."""

    IDLE = auto()
    STOPPING = auto()
    """+12 V is on the pilot; contactors stay closed until the car has stopped."""
    OPENING = auto()
    PAUSING = auto()
    """The car is disconnected."""


_S = Switching
_UNDER_WAY = (_S.STOPPING, _S.OPENING, _S.PAUSING)


class SwitchTo(msgspec.Struct, frozen=True):
    """Event: three phases are wanted, or one. `connected`: a contactor is closed or ordered to be."""

    three: bool
    connected: bool
    permitted: bool
    """The contactors are permitted to close."""


class Observed(msgspec.Struct, frozen=True):
    """Event: what the controller reports of the car and the contactors."""

    drawing: bool
    """The car is in state C or D."""
    disconnected: bool
    """Every contactor is open and ordered to be."""


class Abort(msgspec.Struct, frozen=True):
    """Event: the controller has opened everything by itself: the rest of the sequence is done."""


class PhaseSwitch(Machine):
    """Changes `three`, never while a contactor is closed."""

    initial = Switching.IDLE

    def __init__(self, three: bool = True) -> None:
        super().__init__()
        self.three = three
        """Three phases are to be connected, or one."""
        self._wanted = three
        self._was_charging = False

    @property
    def holds_pilot(self) -> bool:
        """Whether +12 V is on the pilot in place of what is ordered."""
        return self.state is not _S.IDLE and self._was_charging

    @property
    def holds_contactors(self) -> bool:
        """Whether the contactors stay open whatever is permitted."""
        return self.state in (_S.OPENING, _S.PAUSING)

    @on(_S.IDLE, event=SwitchTo, to=(_S.STOPPING, _S.OPENING))
    def _begin(self, event: SwitchTo, now: float) -> list[Any]:
        """Switch at once where nothing is connected; let a car that may charge stop first."""
        self._wanted = event.three
        if event.three is self.three:
            return []
        if not event.connected:
            self.three = event.three
            return []
        self._was_charging = event.permitted
        if not event.permitted:
            return self.enter(_S.OPENING)
        self.start("car stops", now + timing.SWITCH_STOP_S)
        return self.enter(_S.STOPPING)

    @on(*_UNDER_WAY, event=SwitchTo)
    def _change_goal(self, event: SwitchTo, now: float) -> None:
        """Change where the sequence leads."""
        self._wanted = event.three

    @on(_S.STOPPING, event=Observed, to=_S.OPENING)
    def _stopped(self, event: Observed, now: float) -> list[Any]:
        """Open the contactors when the car has stopped drawing."""
        return [] if event.drawing else self.enter(_S.OPENING)

    @on(_S.STOPPING, timer="car stops", to=_S.OPENING)
    def _does_not_stop(self, now: float) -> list[Any]:
        """Open the contactors although the car draws."""
        late = "the car did not stop within %g s: its phases are switched all the same"
        return self.enter(_S.OPENING, Log(logging.WARNING, late, (timing.SWITCH_STOP_S,)))

    @on(_S.OPENING, event=Observed, to=(_S.IDLE, _S.PAUSING))
    def _opened(self, event: Observed, now: float) -> list[Any]:
        """Switch phases while nothing is connected; keep a car that was charging off the grid for a while."""
        if not event.disconnected:
            return []
        self.three = self._wanted
        if not self._was_charging:
            return self.enter(_S.IDLE)
        self.start("pause", now + timing.SWITCH_PAUSE_S)
        return self.enter(_S.PAUSING)

    @on(_S.PAUSING, timer="pause", to=_S.IDLE)
    def _over(self, now: float) -> list[Any]:
        """Let the car begin anew."""
        return self._end()

    @on(_S.IDLE, *_UNDER_WAY, event=Abort, to=_S.IDLE)
    def _abort(self, _: Abort, now: float) -> list[Any]:
        """End the sequence where it leads."""
        return self._end()

    def _end(self) -> list[Any]:
        self._was_charging = False
        self.three = self._wanted
        return self.enter(_S.IDLE)

    @on(_S.IDLE, _S.PAUSING, event=Observed)
    def _nothing_to_do(self, _: Observed, now: float) -> None:
        """Wait."""
