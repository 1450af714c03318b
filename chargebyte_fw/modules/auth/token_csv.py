"""CSV as spreadsheets write it: records of one or several lines, a separator that the file may name itself."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.text import text_lines

LONGEST_RECORD = 4096
DELIMITERS = ",;\t"
"""Of a file that does not name its separator; a German Excel writes semicolons."""
_BLANKS = " \t\r\n"
_NAMED = re.compile(r'"?sep=(.*?)"?\r?\n?', re.IGNORECASE | re.DOTALL)
_NO_SEPARATOR = re.compile(r"[\w\s\"#]")


class Record(NamedTuple):
    """One row of cells; lines count from 1."""

    first_line: int
    last_line: int
    cells: list[str]


class Layout(NamedTuple):
    """The head of a file: its columns and dialect."""

    columns: list[str]
    """In lower case; empty: the file has no head yet."""
    delimiter: str
    line: int
    """Of the columns."""


def layout(text: str, name: str) -> Layout:
    """Return columns and separator of a file; raises ConfigError."""
    head, _ = _begin(text, name)
    return head


def records(text: str, name: str) -> Iterator[Record]:
    """Return the head (names in lower case) and each record below it; raises ConfigError where it is no CSV.

    Empty lines and lines that begin with `#` between the records are passed over. The file may name its separator in a
    line `sep=;` before the head, as spreadsheets write it.
    """
    head, rest = _begin(text, name)
    if not head.columns:
        return
    yield Record(head.line, head.line, head.columns)
    yield from _records(rest, name, head.delimiter)


def _begin(text: str, name: str) -> tuple[Layout, Iterator[tuple[int, str]]]:
    lines = enumerate(text_lines(text, keep_ends=True), 1)
    delimiter = ""
    for number, line in lines:
        if _is_nothing(line):
            continue
        named = _NAMED.fullmatch(line.strip(" "))
        if named is not None and not delimiter:
            delimiter = named[1]
            if len(delimiter) != 1 or (_NO_SEPARATOR.match(delimiter) and delimiter != "\t"):
                what = f"sep= names no separator: {delimiter[:20]!r}"
                raise ConfigError([Finding(f"{name}:{number}", what, "one of , ; | or a tab", number="C407")])
            continue
        delimiter = delimiter or max(DELIMITERS, key=line.count)
        cells = _cells(number, iter([(number, line)]), name, delimiter).cells
        return Layout([cell.lower() for cell in cells], delimiter, number), lines
    return Layout([], delimiter or DELIMITERS[0], 0), lines


def _records(lines: Iterator[tuple[int, str]], name: str, delimiter: str) -> Iterator[Record]:
    for number, line in lines:
        if not _is_nothing(line):
            yield _cells(number, _followed(number, line, lines), name, delimiter)


def _followed(number: int, line: str, rest: Iterator[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    yield number, line
    yield from rest


def _cells(first: int, lines: Iterator[tuple[int, str]], name: str, delimiter: str) -> Record:
    """Read one record; takes as many lines as its quotes need."""
    where = f"{name}:{first}"
    last, length = first, 0

    def feed() -> Iterator[str]:
        nonlocal last, length
        for number, line in lines:
            last, length = number, length + len(line)
            if length > LONGEST_RECORD:
                what = f"the line has more than {LONGEST_RECORD} characters"
                raise ConfigError([Finding(where, what, number="C406")])
            yield line

    try:
        cells = next(csv.reader(feed(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        open_quote = "unexpected end of data" in str(error)
        what = "the quote that opens in this line is not closed" if open_quote else str(error)
        raise ConfigError([Finding(where, f"not CSV: {what}", number="C406")]) from error
    return Record(first, last, [cell.strip(_BLANKS) for cell in cells])


def _is_nothing(line: str) -> bool:
    bare = line.strip(_BLANKS)
    return not bare or bare.startswith("#")
