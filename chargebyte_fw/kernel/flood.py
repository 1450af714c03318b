"""Log lines that anybody at the other end can cause at will: the first few of a minute are said, the rest counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

LINES = 5
PERIOD_S = 60.0


class Flood:
    """Counts one kind of happening. `tell(count, period_s)` says how many were not said."""

    def __init__(self, tell: Callable[[int, float], None], lines: int = LINES) -> None:
        self._tell = tell
        self._lines = lines
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def counts(self) -> bool:
        """Count one more; returns whether it is among those that are said."""
        if self._count == 0:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self.close)
        self._count += 1
        return self._count <= self._lines

    def close(self) -> None:
        """Say what is left to be said."""
        if self._timer is not None:
            self._timer.cancel()
        if self._count > self._lines:
            self._tell(self._count - self._lines, PERIOD_S)
        self._count = 0
