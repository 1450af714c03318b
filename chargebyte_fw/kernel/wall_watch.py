"""Watches for the wall clock being set: by NTP after the boot, by a back end, by hand.

Absolute times (an expiry, a time of installation) stay absolute and are compared with the wall clock when they are
judged. A timer that waits for one counts monotonic seconds, so it must be set anew when the wall clock is set.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chargebyte_fw.kernel.clock import ClockLoop

COMPARE_S = 1.0
"""Time between two comparisons of the clocks, in s. timerfd, which reports it at once, is in Python from 3.13 on."""
TOLERANCE_S = 0.25
"""Difference that counts as set, in s: a clock that is slewed (at most 0.5 ms a second) stays below it."""


class WallWatch:
    """Calls `was_set` on the running loop each time the wall clock is set, until `close`."""

    def __init__(self, was_set: Callable[[], None]) -> None:
        self._was_set = was_set
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        if isinstance(self._loop, ClockLoop):
            # Its wall time is counted from its monotonic time: it moves only when `set_wall` is called.
            self._loop.on_wall_set.append(was_set)
        else:
            self._offset_s = _offset_s()
            self._timer = self._loop.call_later(COMPARE_S, self._compare)

    def close(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
        elif isinstance(self._loop, ClockLoop) and self._was_set in self._loop.on_wall_set:
            self._loop.on_wall_set.remove(self._was_set)

    def _compare(self) -> None:
        self._timer = self._loop.call_later(COMPARE_S, self._compare)
        offset_s = _offset_s()
        if abs(offset_s - self._offset_s) > TOLERANCE_S:
            self._offset_s = offset_s
            self._was_set()


def _offset_s() -> float:
    """Return the wall clock's seconds at monotonic second 0; changes when the clock is set, and with a suspend."""
    return time.time() - time.monotonic()
