"""The charge stop: an input that ends a session softly, as a press of a button beside the cable does.

It is no emergency stop (those go to the safety controller): a level counts when it has held for a while, and one that
is there from the start counts when it comes anew.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.kernel.machine import Machine, on


class StopLevel(Enum):
    """The level that counts."""

    UNKNOWN = auto()
    RELEASED = auto()
    PRESSED = auto()


_L = StopLevel


class LevelRead(msgspec.Struct, frozen=True):
    """Event: the input's level; None: it cannot be read now."""

    active: bool | None


class StopPressed(msgspec.Struct, frozen=True):
    """Effect: the input was pressed."""


class PressedFromStart(msgspec.Struct, frozen=True):
    """Effect: the input is active from the start; it counts when it is pressed anew."""


class StopInput(Machine):
    """Debounces one input."""

    initial = StopLevel.UNKNOWN

    def __init__(self) -> None:
        super().__init__()
        self._read: bool | None = None
        """The level read last."""

    @on(_L.UNKNOWN, event=LevelRead)
    def _first(self, event: LevelRead, now: float) -> None:
        """Let the first level hold for a while."""
        self._debounce(event.active, None, now)

    @on(_L.RELEASED, event=LevelRead)
    def _released(self, event: LevelRead, now: float) -> None:
        """Let an active level hold for a while."""
        self._debounce(event.active, False, now)

    @on(_L.PRESSED, event=LevelRead)
    def _pressed(self, event: LevelRead, now: float) -> None:
        """Let an inactive level hold for a while."""
        self._debounce(event.active, True, now)

    def _debounce(self, active: bool | None, counts: bool | None, now: float) -> None:
        before, self._read = self._read, active
        if active is None or active is counts:
            self.stop("debounce")
        elif active is not before:
            self.start("debounce", now + timing.STOP_INPUT_DEBOUNCE_S)

    @on(_L.UNKNOWN, timer="debounce", to=(_L.RELEASED, _L.PRESSED))
    def _known(self, now: float) -> list[Any]:
        """Take the first level; a press is none."""
        return self.enter(_L.PRESSED, PressedFromStart()) if self._read else self.enter(_L.RELEASED)

    @on(_L.RELEASED, timer="debounce", to=_L.PRESSED)
    def _press(self, now: float) -> list[Any]:
        """A press."""
        return self.enter(_L.PRESSED, StopPressed())

    @on(_L.PRESSED, timer="debounce", to=_L.RELEASED)
    def _release(self, now: float) -> list[Any]:
        """Wait for the next press."""
        return self.enter(_L.RELEASED)
