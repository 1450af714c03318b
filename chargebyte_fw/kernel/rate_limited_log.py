"""Log lines of events that a peer can cause at will: the first few of a minute are logged, the rest is counted.

Three things bound what the product logs, each for another kind of line:

- `RateLimitedLog`: events from outside (a bad frame, a refused connection), counted by the code that logs them.
- `LastingCondition` (`kernel/lasting_condition.py`): a state that is found again and again (a full disk): one line when
  it begins, one when it ends.
- `LineLimit` (`kernel/line_limit.py`): part of every `ModuleLog`, for lines that neither of the two was used for.
"""

from __future__ import annotations

import asyncio
from logging import DEBUG, WARNING
from typing import Any

from chargebyte_fw.kernel.log import ModuleLog

LINES = 5
PERIOD_S = 60.0


class RateLimitedLog:
    """Lines of one kind in the log of one module.

    `lines` in a period of PERIOD_S are logged at `level`, further ones at DEBUG. At the end of the period `more` is
    logged, at WARNING or above, with the number of further lines and the length of the period in its two places.
    """

    def __init__(
        self,
        log: ModuleLog,
        more: str = "%d more messages were refused within %g s",
        *,
        level: int = WARNING,
        lines: int = LINES,
    ) -> None:
        self._log = log
        self._more = more
        self._level = level
        self._lines = lines
        self._count = 0
        self._timer: asyncio.TimerHandle | None = None

    def write(self, text: str, *values: Any, exc_info: bool = False) -> bool:
        """Log one line; returns whether it was within the limit. Call it on the event loop."""
        if self._count == 0:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self.close)
        self._count += 1
        within = self._count <= self._lines
        self._log.log(self._level if within else DEBUG, text, *values, exc_info=exc_info or None)
        return within

    def close(self) -> None:
        """End the period: log how many further lines there were."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._count > self._lines:
            self._log.log(max(self._level, WARNING), self._more, self._count - self._lines, PERIOD_S)
        self._count = 0
