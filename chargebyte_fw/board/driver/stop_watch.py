"""Reads the charge stop: waits for edges of a GPIO line, or asks an input without edges from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargebyte_fw.board import timing
from chargebyte_fw.board.driver.stop_input import LevelRead, PressedFromStart, StopInput, StopPressed
from chargebyte_fw.board.gpio import Input
from chargebyte_fw.kernel.log import ModuleLog


async def watch(name: str, line: Input, press: Callable[[], None], log: ModuleLog) -> None:
    """Call `press` for each press of the input `name`, until cancelled."""
    loop = asyncio.get_running_loop()
    stop, changed = StopInput(), asyncio.Event()
    if line.events is not None:
        loop.add_reader(line.events, changed.set)
    try:
        while True:
            changed.clear()
            # Read before the timer: a level counts only if it is still there at the end of its time.
            now = loop.time()
            for effect in stop.feed(LevelRead(line.get()), now) + stop.wake(now):
                if isinstance(effect, StopPressed):
                    press()
                elif isinstance(effect, PressedFromStart):
                    log.warning("charge stop %s is active from the start: it counts when it is pressed anew", name)
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
