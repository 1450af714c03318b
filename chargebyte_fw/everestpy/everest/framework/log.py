"""The log functions of EVerest's Python API, on Python's `logging`.

A program that `RuntimeSession()` finds in a process of its own gets a handler that writes to stderr. In a test program
(the old form of RuntimeSession) the lines go wherever that program sends its log.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path

LOGGER = logging.getLogger("everest.framework")
VERBOSE = 5
LEVELS = {
    "VERB": VERBOSE,
    "DEBG": logging.DEBUG,
    "INFO": logging.INFO,
    "WARN": logging.WARNING,
    "ERRO": logging.ERROR,
    "CRIT": logging.CRITICAL,
}
_FILTER = re.compile(r"^\s*Filter\s*=.*%Severity%\s*>=\s*([A-Z]{4})", re.MULTILINE)
_DISABLED = re.compile(r"^\s*DisableLogging\s*=\s*true", re.MULTILINE | re.IGNORECASE)
_process_name = ""


def update_process_name(process_name: str) -> None:
    """Set the name that stands in each line, `<id>` or `<id>:<Name>`."""
    global _process_name
    _process_name = process_name


def verbose(message: str) -> None:
    """Log at the lowest level."""
    LOGGER.log(VERBOSE, "%s", message)


def debug(message: str) -> None:
    """Log what helps to find a mistake."""
    LOGGER.debug("%s", message)


def info(message: str) -> None:
    """Log what an operator may want to know."""
    LOGGER.info("%s", message)


def warning(message: str) -> None:
    """Log what is unusual."""
    LOGGER.warning("%s", message)


def error(message: str) -> None:
    """Log what failed."""
    LOGGER.error("%s", message)


def critical(message: str) -> None:
    """Log what ends the program."""
    LOGGER.critical("%s", message)


class _Format(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        name = next((name for name, level in LEVELS.items() if level == record.levelno), record.levelname[:4])
        stamp = f"{self.formatTime(record, '%Y-%m-%d %H:%M:%S')}.{int(record.msecs):03d}"
        line = f"{stamp} [{name}] {_process_name:<15.15} :: {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def write_to_stderr(configuration: Path, process_name: str) -> None:
    """Write lines to stderr, by the level in EVerest's logging file (Boost.Log): `Filter="%Severity% >= INFO"`."""
    update_process_name(process_name)
    text = configuration.read_text("utf-8", errors="replace")
    found = _FILTER.search(text)
    level = LEVELS.get(found.group(1), logging.INFO) if found else logging.INFO
    LOGGER.setLevel(logging.CRITICAL + 1 if _DISABLED.search(text) else level)
    if not LOGGER.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(_Format())
        LOGGER.addHandler(handler)
        LOGGER.propagate = False
