"""The charge stop: an input that ends a session softly, as a press of a button beside the cable does.

It is no emergency stop (those go to the safety controller): a level counts when it has held for a while, and one that
is there from the start counts when it comes anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargebyte_fw.board import timing
from chargebyte_fw.board.gpio import Input
from chargebyte_fw.kernel.log import ModuleLog


class StopInput:
    """Levels and time in, presses out. `name`: of the line, for people."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.deadline: float | None = None
        """When to ask again although no level has changed."""
        self._held: bool | None = None
        """The level that counts; None: none yet."""
        self._seen: bool | None = None
        self._since = 0.0

    def level(self, active: bool | None, now: float) -> bool:
        """Take what the line says now (None: nothing); returns whether that was a press."""
        if active is not self._seen:
            self._seen, self._since = active, now
        self.deadline = None
        if active is None or active is self._held:
            return False
        if now < self._since + timing.STOP_INPUT_DEBOUNCE_S:
            self.deadline = self._since + timing.STOP_INPUT_DEBOUNCE_S
            return False
        before, self._held = self._held, active
        return active and before is False

    @property
    def pressed(self) -> bool:
        """Whether it is held down."""
        return self._held is True


async def watch(line: Input, stop: StopInput, press: Callable[[], None], log: ModuleLog) -> None:
    """Call `press` for each press, until cancelled."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()
    if line.events is not None:
        loop.add_reader(line.events, changed.set)
    warned = False
    try:
        while True:
            changed.clear()
            if stop.level(line.get(), loop.time()):
                press()
            elif stop.pressed and not warned:
                log.warning("charge stop %s is active from the start: it counts when it is pressed anew", stop.name)
            warned = warned or stop.pressed
            if line.events is None:
                await asyncio.sleep(timing.STOP_INPUT_POLL_S)
                continue
            try:
                async with asyncio.timeout_at(stop.deadline):
                    await changed.wait()
            except TimeoutError:
                continue
    finally:
        if line.events is not None:
            loop.remove_reader(line.events)
        line.close()
