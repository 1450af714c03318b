"""systemd's watchdog (`WatchdogSec=`): told only while the event loop that charges turns, and by that loop itself."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.manager.process import notify_systemd

SHARE = 4
"""So many times in the watchdog's interval it is told: one late turn of the loop is not the end."""


def interval_s() -> float | None:
    """Return the watchdog's interval, None when nobody watches this process (sd_watchdog_enabled(3))."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1e6 or None


async def feed(alive: Callable[[], bool] = lambda: True) -> None:
    """Tell the watchdog as long as this loop turns and `alive` says so; returns at once when nobody watches."""
    wanted_s = interval_s()
    if wanted_s is None:
        return
    while True:
        if alive():
            notify_systemd("WATCHDOG=1")
        # systemd's seconds are the world's, whatever clock this loop has.
        await asyncio.sleep(wanted_s / SHARE * (loop_speed() or 1.0))
