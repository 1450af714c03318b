"""Log lines that somebody on the power line can cause at will: a few a minute, the rest is counted."""

from __future__ import annotations

import logging

from chargebyte_fw.kernel.log import ModuleLog

LINES = 20
PERIOD_S = 60.0


class NoiseLog:
    """Writes warnings about what peers did, at most `LINES` in `PERIOD_S`."""

    def __init__(self, log: ModuleLog) -> None:
        self._log = log
        self._since_s = 0.0
        self._lines = 0

    def warning(self, text: str, now: float) -> None:
        """Write a line at monotonic second `now`, or count it."""
        if now - self._since_s >= PERIOD_S:
            if self._lines > LINES:
                self._log.warning("%d more bad frames were left out here", self._lines - LINES)
            self._since_s, self._lines = now, 0
        self._lines += 1
        self._log.log(logging.WARNING if self._lines <= LINES else logging.DEBUG, "%s", text)
