"""The terminal: its size, colour and signs, its keys, and a screen that leaves it as it was found."""

from __future__ import annotations

import contextlib
import os
from typing import Any

COLUMNS, ROWS = 80, 24
"""Of a terminal that does not know its size, as a serial console."""
LEAST_COLUMNS, LEAST_ROWS = 20, 4
_CODES = {"bold": "1", "good": "32", "bad": "1;31", "warn": "33", "dim": "2"}


def size(stream: Any) -> tuple[int, int]:
    """Return columns and rows: `COLUMNS` and `LINES` of the environment, the terminal's own, or 80 by 24."""
    found = (0, 0)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        found = os.get_terminal_size(stream.fileno())
    columns, rows = (_number(name) or at for name, at in zip(("COLUMNS", "LINES"), found, strict=True))
    return max(columns or COLUMNS, LEAST_COLUMNS), max(rows or ROWS, LEAST_ROWS)


def _number(name: str) -> int:
    given = os.environ.get(name, "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 6 else 0


def wants_colour(stream: Any) -> bool:
    """Return whether to colour: a terminal that is not a dumb one, and no NO_COLOR (no-color.org)."""
    return bool(stream.isatty()) and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")


def sign_of_a_cut(stream: Any) -> str:
    """Return what a text that was cut ends with, in what the stream can encode."""
    try:
        "…".encode(stream.encoding or "ascii")
    except (UnicodeError, LookupError):
        return "~"
    return "…"


def styled(text: str, style: str) -> str:
    """Return the text in one of the styles `bold`, `good`, `bad`, `warn`, `dim`; as it is for any other."""
    code = _CODES.get(style)
    return text if code is None or not text else f"\x1b[{code}m{text}\x1b[0m"
