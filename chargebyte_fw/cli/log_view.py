"""How lines of the log are shown: time, module and text in columns, what is severe marked, folded to the screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chargebyte_fw.cli.log_lines import Line
from chargebyte_fw.cli.table import PIPED_LINE, cut, fold, is_plain, printable, size

MODULE = 18
"""Columns of the module's id; a longer one is cut on a narrow screen, and shifts the text on a wide one."""
MARKS = {"warning": "!", "error": "E", "critical": "E", "debug": "."}
_COLOURS = {"warning": "\x1b[33m", "error": "\x1b[31m", "critical": "\x1b[31m", "debug": "\x1b[2m"}
_PLAIN = "\x1b[0m"
NARROW = 70


class View:
    """Makes the lines of a screen of those of a log."""

    def __init__(self, stream: Any, begin: datetime | None = None) -> None:
        """With `begin` times count from there, in s; otherwise they are times of day (UTC)."""
        self._columns = size(stream, piped=PIPED_LINE).columns
        self._colours = not is_plain(stream)
        self._begin = begin

    def lines(self, line: Line) -> Iterator[str]:
        """Yield the lines of the screen for one of the log, with its session unless all lines are of one."""
        module = 10 if self._columns < NARROW else MODULE
        name = cut(line.module, module) if self._columns < NARROW else printable(line.module)
        where = f"{name:<{module}}"
        if self._begin is None and self._columns >= NARROW:
            where += f" {line.session[:8]:<8}"
        head = f"{self._time(line.time)} {MARKS.get(line.level, ' ')} {where} "
        texts = [
            part for text in line.text.split("\n") for part in fold(printable(text), max(20, self._columns - len(head)))
        ]
        for number, text in enumerate(texts):
            shown = (head if number == 0 else " " * len(head)) + text
            colour = _COLOURS.get(line.level) if self._colours else None
            yield f"{colour}{shown}{_PLAIN}" if colour else shown

    def _time(self, at: datetime | None) -> str:
        if self._begin is not None:
            return " " * 10 if at is None else f"{(at - self._begin).total_seconds():+9.2f}s"
        if self._columns < NARROW:
            return " " * 8 if at is None else f"{at:%H:%M:%S}"
        return " " * 23 if at is None else f"{at:%Y-%m-%d %H:%M:%S.%f}"[:-3]
