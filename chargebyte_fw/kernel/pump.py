"""Runs a machine on asyncio: events in, time in, effects carried out in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.kernel.trace import FullTape, Tape


class Pump:
    """Feeds one machine from callbacks and keeps its timer; `act` carries out each effect, synchronously and in order.

    An event that `act` causes while effects are being carried out is fed after them, never in between.
    """

    def __init__(
        self,
        machine: Machine,
        act: Callable[[Any], None],
        guard: Callable[[BaseException], None],
        tape: Tape | None = None,
    ) -> None:
        self.machine = machine
        self._act = act
        self._guard = guard
        self._tape = None if isinstance(tape, FullTape) else tape
        self._full = tape if isinstance(tape, FullTape) else None
        self._waiting: list[Any] = []
        self._busy = False
        self._closed = False
        self._timer: asyncio.TimerHandle | None = None

    def feed(self, event: Any) -> None:
        """Give the machine an event at the loop's present time."""
        if self._closed:
            return
        self._waiting.append(event)
        if not self._busy:
            self._work()

    def _work(self) -> None:
        loop = asyncio.get_running_loop()
        self._busy = True
        try:
            while self._waiting:
                event, now = self._waiting.pop(0), loop.time()
                if self._full is not None:
                    self._full.fed(event, now)
                effects = self.machine.feed(event, now)
                if self._full is not None:
                    self._full.produced(event, effects, now)
                for effect in effects:
                    self._act(effect)
        except Exception as error:
            self._guard(error)
        finally:
            self._busy = False
        if self._tape is not None:
            self._tape.state(self.machine.state)
        self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        deadline = None if self._closed else self.machine.deadline
        if self._timer is not None:
            # A deadline that moves on with every message keeps its timer: `_wake` finds out that it is too early.
            if deadline is not None and self._timer.when() <= deadline:
                return
            self._timer.cancel()
            self._timer = None
        if deadline is not None:
            self._timer = loop.call_at(deadline, self._wake, deadline)

    def _wake(self, armed_for: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        deadline = self.machine.deadline
        if deadline is None or deadline > armed_for:
            self._arm(loop)
            return
        if self._tape is not None:
            self._tape.woken()
        now = loop.time()
        if self._full is not None:
            self._full.woken_at(now)
        self._busy = True
        try:
            # A timer may fire a clock tick early; the machine's own deadline decides.
            effects = self.machine.wake(max(now, deadline))
            if self._full is not None:
                self._full.produced(None, effects, now)
            for effect in effects:
                self._act(effect)
        except Exception as error:
            self._guard(error)
        finally:
            self._busy = False
        if self._tape is not None:
            self._tape.state(self.machine.state)
        if self._waiting:
            self._work()
        else:
            self._arm(loop)

    def close(self) -> None:
        """Stop the timer; later events are dropped."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
