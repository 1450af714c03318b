"""systemd's watchdog (`WatchdogSec=`): notified by the event loop itself, so only while it runs."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.manager.process import notify_systemd

SHARE = 4
"""Notifications in one interval of the watchdog: one that is late does no harm."""


def interval_s() -> float | None:
    """Return the watchdog's interval, None without a watchdog (sd_watchdog_enabled(3))."""
    text, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not text.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 1e6 or None


async def feed(alive: Callable[[], bool] = lambda: True) -> None:
    """Notify the watchdog as long as this loop runs and `alive` returns True; returns at once without a watchdog."""
    wanted_s = interval_s()
    if wanted_s is None:
        return
    while True:
        if alive():
            notify_systemd("WATCHDOG=1")
        # systemd counts real seconds, whatever clock this loop has.
        await asyncio.sleep(wanted_s / SHARE * (loop_speed() or 1.0))
