"""Log lines that anybody at the other end can cause at will: the first few of a minute are said, the rest counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from logging import DEBUG, WARNING
from typing import Any

from chargebyte_fw.kernel.log import ModuleLog

LINES = 5
PERIOD_S = 60.0


class RateLimit:
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


class RateLimitedLog:
    """Warnings of one module about what comes from outside; `more` is logged with a count and a period in its place."""

    def __init__(self, log: ModuleLog, more: str = "%d more messages were refused within %g s") -> None:
        self._log = log
        self._flood = RateLimit(lambda count, period_s: log.warning(more, count, period_s))

    def warn(self, text: str, *values: Any) -> None:
        """Log one; beyond the first few of a minute for debugging only."""
        self._log.log(WARNING if self._flood.counts() else DEBUG, text, *values)

    def close(self) -> None:
        """Log the count of what was left out."""
        self._flood.close()
