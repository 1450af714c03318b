"""Log lines that anybody on the link can cause at will: the first few of a minute are said, the rest is counted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LINES = 5
PERIOD_S = 60.0


class Flood:
    """Counts one kind of happening. `after(delay_s, call)` is a timer, `tell(count, period_s)` says what was not."""

    def __init__(self, after: Callable[[float, Callable[[], None]], Any], tell: Callable[[int, float], None]) -> None:
        self._after = after
        self._tell = tell
        self._count = 0

    def counts(self) -> bool:
        """Count one more; returns whether it is among those that are said."""
        if self._count == 0:
            self._after(PERIOD_S, self._over)
        self._count += 1
        return self._count <= LINES

    def close(self) -> None:
        """Say what is left to be said."""
        if self._count > LINES:
            self._tell(self._count - LINES, PERIOD_S)
        self._count = 0

    def _over(self) -> None:
        self.close()
