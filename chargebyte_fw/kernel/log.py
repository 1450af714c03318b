"""Logs: one line a fact, with module and session as fields; the formatter blanks secrets."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, TextIO

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.line_limit import LineLimit
from chargebyte_fw.kernel.redaction import redact

session_id: ContextVar[str] = ContextVar("session_id", default="")
"""The charging session that the running task works for; shown in each line."""

REPEAT_LIMIT = 3
LONGEST_LINE = 2000
"""Characters of a line, beyond which it is cut, unless a configuration asks to see it completely."""
_JOURNAL_LEVEL = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class ModuleLog(logging.LoggerAdapter[logging.Logger]):
    """The log of one module: `log.info("plugged in")`. Stamps the module id and the session id on each record."""

    def __init__(self, module_id: str) -> None:
        super().__init__(logging.getLogger(f"secc.{module_id}"), {"module_id": module_id})
        self.session = ""
        self._limit = LineLimit()

    def log(self, level: int, msg: object, *args: object, **kwargs: Any) -> None:
        """Log a line, unless its kind came too often within the last minute; what was left out is counted."""
        if not self.isEnabledFor(level):
            return
        for text in self._limit.over():
            super().log(logging.INFO, "%s", text)
        if self._limit.passes(level, msg, args):
            kwargs.setdefault("stacklevel", 2)
            super().log(level, msg, *args, **kwargs)

    def every(self, msg: object, *args: object) -> None:
        """Log a line at INFO however often it comes: for what a configuration key asks to see completely."""
        super().log(logging.INFO, msg, *args, stacklevel=2, whole=True)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Add the fields to the record."""
        kwargs["extra"] = {
            "module_id": (self.extra or {})["module_id"],
            "session": self.session or session_id.get(),
            "whole": kwargs.pop("whole", False),
        }
        return msg, kwargs


class LineFormatter(logging.Formatter):
    """`2026-01-01T12:00:00.000Z INFO connector [session] text`; under systemd `<level>` stands in place of the time."""

    def __init__(self, journal: bool = False, bare: bool = False) -> None:
        super().__init__()
        self.journal = journal
        self.bare = bare
        """Time and level are fields of their own."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line (a traceback, if any, follows indented)."""
        module = getattr(record, "module_id", record.name)
        session = getattr(record, "session", "")
        text = record.getMessage()
        where = f"{module} [{session[:8]}]" if session else module
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        text = redact(text)
        if len(text) > LONGEST_LINE and not getattr(record, "whole", False):
            text = "\n".join(
                line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…" for line in text.split("\n")
            )
        text = text.replace("\n", "\n    ")
        if self.bare:
            return f"{where}: {text}"
        if self.journal:
            return f"<{_JOURNAL_LEVEL.get(record.levelno, 6)}>{where}: {text}"
        return f"{rfc3339(utc_now())} {record.levelname:<7} {where}: {text}"


class RepeatFilter(logging.Filter):
    """Passes a repeated line REPEAT_LIMIT times, then counts; the count is added to the module's next other line."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, tuple[str, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Pass the record unless it repeats the module's last line too often."""
        text = record.getMessage()
        last, count = self._last.get(record.name, ("", 0))
        if text == last:
            self._last[record.name] = (text, count + 1)
            return count < REPEAT_LIMIT
        if count > REPEAT_LIMIT:
            record.msg, record.args = f"{text} (the line before came {count - REPEAT_LIMIT} more times)", ()
        self._last[record.name] = (text, 1)
        return True


def set_up(level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send the product's logs to `stream` (standard error), in the journal's form when systemd reads it."""
    journal = stream is None and "JOURNAL_STREAM" in os.environ
    handler: logging.Handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(LineFormatter(journal=journal))
    if journal:
        # Imported for a service only.
        from chargebyte_fw.kernel.journal import SOCKET, JournalHandler

        if os.path.exists(SOCKET):
            handler = JournalHandler(handler)
            handler.setFormatter(LineFormatter(bare=True))
    handler.addFilter(RepeatFilter())
    logger = logging.getLogger("secc")
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
