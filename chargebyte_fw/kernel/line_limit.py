"""A bound for log lines of one kind, in the log of every module: whatever repeats them, the log stays readable."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

LINES = 10
"""Lines of one kind that a module may log within one period; one session has one or two of most."""
PERIOD_S = 60.0
_MAX_KINDS = 200


class LineLimit:
    """Counts the lines of one module by kind and bounds each kind; lines of level DEBUG are not bounded.

    A kind is the statement in the code at INFO, and the whole text from WARNING on: two faults are two kinds.
    """

    def __init__(self) -> None:
        self._counts: dict[Any, int] = {}
        self._end_s = 0.0

    def passes(self, level: int, msg: Any, args: tuple[Any, ...]) -> bool:
        """Count a line; returns whether it is logged."""
        if level <= logging.DEBUG:
            return True
        kind: Any = msg if level < logging.WARNING else (msg, str(args))
        if kind not in self._counts and len(self._counts) >= _MAX_KINDS:
            kind = None
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        return count <= LINES

    def over(self) -> list[str]:
        """Return what to log about the lines left out once their period is over."""
        now = _now_s()
        if now < self._end_s:
            return []
        left_out = [(kind, count - LINES) for kind, count in self._counts.items() if count > LINES]
        self._counts.clear()
        self._end_s = now + PERIOD_S
        return [f"{count} more lines of this kind within {PERIOD_S:g} s: {_text(kind)}" for kind, count in left_out]


def _text(kind: Any) -> str:
    if kind is None:
        return "various"
    return str(kind[0] if isinstance(kind, tuple) else kind)[:100]


def _now_s() -> float:
    try:
        return asyncio.get_running_loop().time()
    except RuntimeError:
        # In a thread of a driver there is no loop; its clock is the monotonic one.
        return time.monotonic()
