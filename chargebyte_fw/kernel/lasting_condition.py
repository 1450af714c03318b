"""Log lines of a condition that lasts: one when it begins, one when it ends, however often it is seen in between."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

CHANGES = 4
"""Beginnings, ends and new texts that are logged within one period; a condition that comes and goes has no more."""
PERIOD_S = 60.0


class LastingCondition:
    """One condition of one owner, for example a full disk or a lost link.

    Call `set` as often as the condition is found to be there or not. Use from the event loop's thread. `log` is the
    module's log, `level` the level of the beginning; the end has level INFO.
    """

    def __init__(self, log: logging.LoggerAdapter[Any] | logging.Logger, level: int = logging.WARNING) -> None:
        self._log = log
        self._level = level
        self.active = False
        """Whether the condition was there when it was last looked for."""
        self.text = ""
        """What it was when it was last found."""
        self._logged = (False, "")
        self._latest = (False, "")
        self._changes = 0
        self._unlogged = 0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, active: bool, text: str) -> bool:
        """Note whether the condition is there. Returns whether it began, ended or became another one just now.

        `text` is the whole line: what is wrong, or, when not active, that it is over. A condition that was not there
        and is not there logs nothing. Beyond `CHANGES` within `PERIOD_S` changes are counted; at the end of the period
        the state of that time is logged with the count.
        """
        if active == self.active and (not active or text == self.text):
            return False
        self.active = active
        if active:
            self.text = text
        self._latest = (active, text)
        self._changes += 1
        self._start_period()
        if self._changes <= CHANGES:
            self._write("")
        else:
            self._unlogged += 1
        return True

    def begin(self, text: str) -> bool:
        """Short for `set(True, text)`."""
        return self.set(True, text)

    def end(self, text: str) -> bool:
        """Short for `set(False, text)`."""
        return self.set(False, text)

    def close(self) -> None:
        """Log the state if the last change was only counted, and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        self._period_over()

    def _start_period(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(PERIOD_S, self._period_over)

    def _period_over(self) -> None:
        self._timer = None
        self._changes = 0
        if self._unlogged:
            count, self._unlogged = self._unlogged, 0
            if self._latest != self._logged:
                self._write(f" (changed {count} more times within {PERIOD_S:g} s)")
            else:
                self._log.log(logging.INFO, f"{self._latest[1]} (changed {count} times within {PERIOD_S:g} s)")

    def _write(self, count: str) -> None:
        active, text = self._logged = self._latest
        # The whole text as the statement: the bound on lines of one kind (`kernel/line_limit.py`) counts statements.
        self._log.log(self._level if active else logging.INFO, text + count)


class LastingConditions:
    """The conditions of one kind, each with its own key (an EVSE, a file, a client)."""

    def __init__(self, log: logging.LoggerAdapter[Any] | logging.Logger, level: int = logging.WARNING) -> None:
        self._log = log
        self._level = level
        self._conditions: dict[Any, LastingCondition] = {}

    def set(self, key: Any, active: bool, text: str) -> bool:
        """As `LastingCondition.set`, for the condition `key`."""
        if key not in self._conditions:
            if not active:
                return False
            self._conditions[key] = LastingCondition(self._log, self._level)
        return self._conditions[key].set(active, text)

    def active(self, key: Any) -> bool:
        """Return whether the condition `key` was there when it was last looked for."""
        return key in self._conditions and self._conditions[key].active

    def drop(self, key: Any) -> None:
        """Forget `key`: what it belonged to is gone."""
        if (condition := self._conditions.pop(key, None)) is not None:
            condition.close()

    def close(self) -> None:
        """Log what was only counted, stop the timers."""
        for condition in self._conditions.values():
            condition.close()
