"""Tables and lines that fit where they are printed: a terminal, a serial console without a size, a pipe."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chargebyte_fw.kernel.text import text_lines

COLUMNS, LINES = 80, 24
"""Size of a terminal that does not know its own, as a serial console."""
PIPED = 240
"""Columns of a table that is printed to a pipe or a file."""
PIPED_LINE = 1000
"""Columns of a listing with one line an entry in a pipe: `grep` finds an entry whole."""
GAP = "  "
HANGING = "    "
"""Before the further lines of one that was folded."""
LONGEST_WORD = 30
"""A column gets no narrower than its longest word, up to this; longer words are broken."""
LEAST = 8
"""A column whose cells are cut gets no narrower than this."""


class Size(NamedTuple):
    """Of a screen, in characters."""

    columns: int
    lines: int


def size(stream: Any = None, piped: int = PIPED) -> Size:
    """Return the size of the terminal; `COLUMNS` and `LINES` of the environment stand above it.

    `piped` are the columns where the stream (standard output) is no terminal.
    """
    stream = sys.stdout if stream is None else stream
    columns, lines = _number("COLUMNS"), _number("LINES")
    if is_terminal(stream):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            found = os.get_terminal_size(stream.fileno())
            columns, lines = columns or found.columns, lines or found.lines
        return Size(columns or COLUMNS, lines or LINES)
    return Size(columns or piped, lines or LINES)


def _number(name: str) -> int:
    text = os.environ.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def is_terminal(stream: Any = None) -> bool:
    """Return whether a stream (standard output) is a terminal."""
    stream = sys.stdout if stream is None else stream
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False


def is_plain(stream: Any = None) -> bool:
    """Return whether colours and movements of the cursor are unwanted there: pipes, `TERM=dumb`, `NO_COLOR`."""
    return not is_terminal(stream) or os.environ.get("TERM", "dumb") == "dumb" or bool(os.environ.get("NO_COLOR"))


def sign(stream: Any = None) -> str:
    """Return the sign for what was cut: `…`, or `...` where the stream's encoding lacks it."""
    encoding = getattr(sys.stdout if stream is None else stream, "encoding", None) or "utf-8"
    try:
        "…".encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "..."
    return "…"


def width_of(text: str) -> int:
    """Return how many columns a text takes: two for a wide character, none for an accent that joins the one before."""
    if text.isascii():
        return len(text)
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    import unicodedata

    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int, *, keeps_end: bool = False) -> str:
    """Return one line of at most so many columns, with a sign where something is missing: its end, or its beginning."""
    text = printable(text)
    if width_of(text) <= columns:
        return text
    mark = sign()
    room = max(0, columns - len(mark))
    if keeps_end:
        return mark[: max(0, columns)] + _head(text[::-1], room)[::-1]
    return _head(text, room) + mark[: max(0, columns)]


def printable(text: str) -> str:
    """Return a text as one line: line ends and tabs as blanks, other control characters escaped."""
    if text.isprintable():
        return text
    blanks = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in blanks)


def _head(text: str, columns: int) -> str:
    if text.isascii():
        return text[:columns]
    taken = 0
    for place, character in enumerate(text):
        taken += _width(character)
        if taken > columns:
            return text[:place]
    return text


def fold(text: str, columns: int, indent: str = "") -> list[str]:
    """Return a text as lines of at most so many columns, broken at blanks; all but the first begin with the indent."""
    lines = [part for given in _lines(text) for part in _fold_line(given, columns, len(indent))]
    return [lines[0], *(indent + line for line in lines[1:])]


def paragraph(text: str, stream: Any = None) -> str:
    """Return text for a stream (standard output): folded on a terminal, bounded lines in a pipe."""
    columns = size(stream, PIPED_LINE).columns
    if is_terminal(stream) or _number("COLUMNS"):
        return "\n".join(line for given in _lines(text) for line in fold(given, columns, HANGING))
    return "\n".join(cut(line, columns) for line in _lines(text))


def _fold_line(text: str, columns: int, indent: int) -> list[str]:
    """Fold one line, whose blanks at the beginning stay."""
    text = text.rstrip()
    if width_of(text) <= columns:
        return [text]
    lines: list[str] = []
    line = text[: len(text) - len(text.lstrip())][: columns // 2]
    room = columns
    for word in text.split():
        joined = f"{line} {word}" if line.strip() else line + word
        if width_of(joined) <= room:
            line = joined
            continue
        if line.strip():
            lines.append(line)
            room = max(1, columns - indent)
            line = ""
        else:
            word = joined
        while width_of(word) > room:
            part = _head(word, room) or word[0]
            lines.append(part)
            word = word[len(part) :]
            room = max(1, columns - indent)
        line = word
    return [*lines, line] if line else lines


class Column(NamedTuple):
    """The head of a column and what becomes of its cells where the table does not fit."""

    title: str
    cut: bool = False
    """Cut with a sign; otherwise folded into further lines."""
    right: bool = False
    """Numbers stand at the right."""


def table(head: Sequence[str | Column], rows: Sequence[Sequence[str]], columns: int | None = None) -> str:
    """Return rows below a head, as wide as they need, or folded and cut to what fits.

    Where even that has no room, each row becomes a block: its first cell, and the others below it, each with its title.
    """
    if columns is None:
        columns = size().columns
    heads = [one if isinstance(one, Column) else Column(one) for one in head]
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [
        max((width_of(part) for text in (one.title, *(row[i] for row in cells)) for part in _lines(text)), default=0)
        for i, one in enumerate(heads)
    ]
    if not _fits(widths, columns):
        # Where room is lacking, a column that is empty in every row is left away.
        kept = [i for i in range(len(heads)) if any(row[i] for row in cells) or i == 0]
        heads = [heads[i] for i in kept]
        cells = [[row[i] for i in kept] for row in cells]
        widths = [widths[i] for i in kept]
    least = [_least(one, [row[i] for row in cells], widths[i]) for i, one in enumerate(heads)]
    if not _fits(least, columns):
        return "\n".join(_blocks(heads, cells, columns))
    _shrink(widths, least, columns)
    titles = [one.title for one in heads]
    ruler = GAP.join("-" * width for width in widths)
    return "\n".join([*_row(heads, titles, widths, title=True), ruler, *_body(heads, cells, widths)])


def _lines(text: str) -> list[str]:
    return [printable(line) for line in text_lines(text)] or [""]


def _fits(widths: Sequence[int], columns: int) -> bool:
    return sum(widths) + len(GAP) * (len(widths) - 1) <= columns


def _least(column: Column, cells: Sequence[str], natural: int) -> int:
    if column.cut:
        return min(natural, max(LEAST, width_of(column.title)))
    words = [width_of(word) for text in (column.title, *cells) for word in text.split()]
    return min(natural, LONGEST_WORD, max(words, default=0))


def _shrink(widths: list[int], least: Sequence[int], columns: int) -> None:
    """Take columns from the widest one until the table fits."""
    while not _fits(widths, columns):
        widest = max((i for i in range(len(widths)) if widths[i] > least[i]), key=widths.__getitem__)
        widths[widest] -= 1


def _body(heads: Sequence[Column], cells: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterable[str]:
    for row in cells:
        yield from _row(heads, row, widths)


def _row(heads: Sequence[Column], row: Sequence[str], widths: Sequence[int], *, title: bool = False) -> list[str]:
    parts = []
    for one, text, width in zip(heads, row, widths, strict=True):
        parts.append([cut(text, width)] if one.cut and not title else fold(text, width))
    height = max(map(len, parts))
    lines = []
    for number in range(height):
        line = []
        for one, part, width in zip(heads, parts, widths, strict=True):
            text = part[number] if number < len(part) else ""
            blanks = " " * (width - width_of(text))
            line.append(blanks + text if one.right else text + blanks)
        lines.append(GAP.join(line).rstrip())
    return lines


def _blocks(heads: Sequence[Column], cells: Sequence[Sequence[str]], columns: int) -> Iterable[str]:
    for row in cells:
        yield from fold(row[0], columns, GAP)
        shown = [(one.title, text) for one, text in zip(heads[1:], row[1:], strict=True) if text]
        for line in _pairs(shown, columns - len(GAP)):
            yield GAP + line


def pairs(rows: Sequence[tuple[str, str]], columns: int | None = None) -> str:
    """Return a label and its value a line, the values below each other and folded to what fits."""
    return "\n".join(_pairs(rows, size().columns if columns is None else columns))


def _pairs(rows: Sequence[tuple[str, str]], columns: int) -> list[str]:
    width = max((width_of(label) for label, _ in rows), default=0)
    indent = " " * (width + len(GAP))
    if columns < 2 * len(indent):
        return [line for label, value in rows for line in fold(f"{label}: {value}", columns, GAP)]
    lines = []
    for label, value in rows:
        label += " " * (width - width_of(label))
        first, *others = fold(value, columns - len(indent))
        lines += [f"{label}{GAP}{first}".rstrip(), *(indent + other for other in others)]
    return lines


class Block(NamedTuple):
    """Some lines of a screen that belong together."""

    rank: int
    """What has the greatest is left away first, where lines lack."""
    lines: Sequence[str]


def fit(blocks: Sequence[Block], screen: Size) -> str:
    """Return blocks as one screen: folded; closer together, then without the least important ones, where lines lack."""
    folded = [
        Block(one.rank, [part for line in one.lines for part in fold(line, screen.columns, HANGING)]) for one in blocks
    ]
    spaced = "\n\n".join("\n".join(one.lines) for one in folded)
    if len(_lines(spaced)) <= screen.lines:
        return spaced
    kept = list(folded)
    while sum(len(one.lines) for one in kept) + (len(kept) < len(folded)) > screen.lines and len(kept) > 1:
        kept.remove(max(reversed(kept), key=lambda one: one.rank))
    lines = [line for one in kept for line in one.lines]
    if len(kept) < len(folded):
        lines.append(sign())
    if len(lines) > screen.lines:
        lines = [*lines[: screen.lines - 1], sign()]
    return "\n".join(lines)
