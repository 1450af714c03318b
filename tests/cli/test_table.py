"""Tables and lines fit the terminal: as they are, folded, cut with a sign, or as blocks."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from chargebyte_fw.cli.table import (
    COLUMNS,
    LINES,
    PIPED_LINE,
    Block,
    Column,
    Size,
    cut,
    fit,
    fold,
    is_plain,
    pairs,
    paragraph,
    sign,
    size,
    table,
    width_of,
)

HEAD = ("module", "from", Column("count", right=True), "provides")
ROWS = [
    ["EvseManager", "chargebyte_fw", "12", "evse:evse_manager energy_grid:energy token_provider:auth_token_provider"],
    ["API", "chargebyte_fw", "3", "main:empty"],
]


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


def test_a_table_with_room_is_as_wide_as_its_cells() -> None:
    assert table(("a", Column("b", right=True)), [["xx", "1"], ["y", "22"]], 80) == "a    b\n--  --\nxx   1\ny   22"


def test_at_80_columns_the_widest_column_is_folded_at_blanks() -> None:
    assert table(HEAD, ROWS, 80).split("\n") == [
        "module       from           count  provides",
        "-----------  -------------  -----  ---------------------------------------------",
        "EvseManager  chargebyte_fw     12  evse:evse_manager energy_grid:energy",
        "                                   token_provider:auth_token_provider",
        "API          chargebyte_fw      3  main:empty",
    ]


def test_at_60_columns_each_row_is_a_block() -> None:
    assert table(HEAD, ROWS, 60).split("\n") == [
        "EvseManager",
        "  from      chargebyte_fw",
        "  count     12",
        "  provides  evse:evse_manager energy_grid:energy",
        "            token_provider:auth_token_provider",
        "API",
        "  from      chargebyte_fw",
        "  count     3",
        "  provides  main:empty",
    ]


def test_a_column_that_is_cut_keeps_a_row_on_one_line() -> None:
    shown = table(("id", Column("why", cut=True)), [["1", "the car has left without a word"]], 20)
    assert shown.split("\n") == ["id  why", "--  ----------------", "1   the car has lef…"]


def test_a_column_without_content_gives_its_place_away() -> None:
    rows = [["04A1B2C3D4", "", "Ada Lovelace", ""]]
    assert table(("token", "type", "name", "parent"), rows, 30).split("\n")[0] == "token       name"


@pytest.mark.parametrize("columns", [20, 40, 60, 80, 120, 240])
def test_no_line_is_longer_than_the_screen(columns: int) -> None:
    rows = [
        *ROWS,
        ["x" * 3000, "", "1", "y " * 1500],
        ["", "", "", ""],
        ["schön", "日本語" * 40, "-1", "a\tb\x1b[0m\nc"],
    ]
    for shown in (table(HEAD, rows, columns), pairs([("label", "v" * 3000), ("other", "a b " * 900)], columns)):
        assert max(width_of(line) for line in shown.split("\n")) <= columns
        assert "\x1b" not in shown


def test_text_is_folded_at_blanks_and_cut_with_a_sign() -> None:
    assert fold("one two three", 8) == ["one two", "three"]
    assert fold("  one two three", 8, "    ") == ["  one", "    two", "    thre", "    e"]
    assert cut("one two three", 8) == "one two…"
    assert cut("a\nb", 8) == "a b"


def test_a_paragraph_is_folded_on_a_screen_and_bounded_in_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe = io.StringIO()
    assert paragraph("a.yaml:1:2: error: " + "x " * 2000, pipe).count("\n") == 0
    assert len(paragraph("x" * 3000, pipe)) == PIPED_LINE
    monkeypatch.setenv("COLUMNS", "20")
    assert paragraph("a.yaml:1:2: error: no such key", pipe).split("\n") == ["a.yaml:1:2: error:", "    no such key"]


def test_blocks_come_closer_before_the_least_important_is_left_away() -> None:
    blocks = [Block(0, ["a", "b"]), Block(2, ["c"]), Block(1, ["d"])]
    assert fit(blocks, Size(10, 6)) == "a\nb\n\nc\n\nd"
    assert fit(blocks, Size(10, 5)) == "a\nb\nc\nd"
    assert fit(blocks, Size(10, 4)) == "a\nb\nc\nd"
    assert fit(blocks, Size(10, 3)) == "a\nb\n…"
    assert fit([Block(0, ["a", "b", "c"])], Size(10, 2)) == "a\n…"


def test_labels_stand_beside_their_values() -> None:
    assert pairs([("state", "connected"), ("last reason", "the CSMS closed")], 22).split("\n") == [
        *("state: connected", "last reason: the CSMS", "  closed"),
    ]
    assert pairs([("state", "connected"), ("CSMS", "wss://a b")], 20).split("\n") == [
        *("state  connected", "CSMS   wss://a b"),
    ]


class Terminal(io.StringIO):
    """A stream that is the given descriptor."""

    def __init__(self, descriptor: int, encoding: str = "utf-8") -> None:
        super().__init__()
        self.descriptor = descriptor
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def fileno(self) -> int:
        return self.descriptor

    def isatty(self) -> bool:
        return os.isatty(self.descriptor)


@contextmanager
def serial_console() -> Iterator[Terminal]:
    """A terminal that does not know its size."""
    ours, theirs = pty.openpty()
    try:
        yield Terminal(theirs, "ascii")
    finally:
        os.close(ours)
        os.close(theirs)


def test_the_size_is_the_terminals_or_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    with serial_console() as console:
        assert size(console) == (COLUMNS, LINES)
        monkeypatch.setenv("COLUMNS", "132")
        assert size(console) == (132, LINES)
    monkeypatch.setenv("COLUMNS", "wide")
    assert size(io.StringIO(), piped=500) == (500, LINES)


def test_what_a_console_lacks_is_left_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with serial_console() as console:
        assert sign(console) == "..."
        monkeypatch.setenv("TERM", "vt220")
        assert not is_plain(console)
        monkeypatch.setenv("NO_COLOR", "1")
        assert is_plain(console)
        monkeypatch.delenv("NO_COLOR")
        monkeypatch.setenv("TERM", "dumb")
        assert is_plain(console)
    assert is_plain(io.StringIO())
    assert sign(io.StringIO()) == "…"
