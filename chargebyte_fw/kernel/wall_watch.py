"""Notices when the wall clock is set: by NTP after the boot, by a back end, by a person.

Absolute times (an expiry, a time of installation) stay absolute and are compared with the wall clock when they are
judged. A timer that waits for one counts monotonic seconds, so it must be set anew when the wall clock is set.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from chargebyte_fw.kernel.clock import ClockLoop

LOOK_S = 1.0
"""How often the clocks are compared: the library knows timerfd, which would report it at once, from Python 3.13 on."""
TOLERANCE_S = 0.25
"""A clock that is slewed towards the right time (at most 0.5 ms a second) need not be followed more closely."""


class WallWatch:
    """Calls `was_set` on the running loop each time the wall clock was set, until `close`."""

    def __init__(self, was_set: Callable[[], None]) -> None:
        self._was_set = was_set
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        if isinstance(self._loop, ClockLoop):
            # Its wall time is counted from its monotonic time: it moves only when `set_wall` is called.
            self._loop.on_wall_set.append(was_set)
        else:
            self._offset_s = _offset_s()
            self._timer = self._loop.call_later(LOOK_S, self._look)

    def close(self) -> None:
        """Stop."""
        if self._timer is not None:
            self._timer.cancel()
        elif isinstance(self._loop, ClockLoop) and self._was_set in self._loop.on_wall_set:
            self._loop.on_wall_set.remove(self._was_set)

    def _look(self) -> None:
        self._timer = self._loop.call_later(LOOK_S, self._look)
        offset_s = _offset_s()
        if abs(offset_s - self._offset_s) > TOLERANCE_S:
            self._offset_s = offset_s
            self._was_set()


def _offset_s() -> float:
    """Return the wall clock's seconds at monotonic second 0; changes when the clock is set, and with a suspend."""
    return time.time() - time.monotonic()
