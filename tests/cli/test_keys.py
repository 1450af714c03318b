"""Keys of a terminal, and a screen of which only what has changed is written."""

from __future__ import annotations

import pytest

from chargebyte_fw.cli.keys import KeyNames, Painter


@pytest.mark.parametrize(
    ("pieces", "names"),
    [
        (["q"], ["q"]),
        ([" ?1\r"], ["space", "?", "1", "enter"]),
        (["\x1b[A\x1b[B\x1b[C\x1b[D"], ["up", "down", "right", "left"]),
        (["\x1bOC"], ["right"]),
        (["\x1b", "[", "C", "q"], ["right", "q"]),
        (["\x1b[1;5Cq"], ["right", "q"]),
        (["\x1b[15~q"], ["q"]),
        (["\x1b", "q", "q"], ["q"]),
        (["\x1b\x1b[Cq"], ["right", "q"]),
        (["\x1b[" + "1" * 40 + "q"], ["1"] * 26 + ["q"]),
        (["\x00\x07\x7f"], []),
    ],
)
def test_what_a_terminal_sends_has_names(pieces: list[str], names: list[str]) -> None:
    keys = KeyNames()
    assert [name for piece in pieces for name in keys.take(piece)] == names


def test_only_lines_that_have_changed_are_written() -> None:
    painter = Painter()
    first = painter.paint(["a", "b", "c"], (80, 24))
    assert first.startswith("\x1b[?25l\x1b[2J") and first.count("\x1b[K") == 3
    assert painter.paint(["a", "b", "c"], (80, 24)) == ""
    assert painter.paint(["a", "x", "c"], (80, 24)) == "\x1b[2;1Hx\x1b[K"
    assert painter.paint(["a", "x"], (80, 24)) == "\x1b[3;1H\x1b[J"
    assert painter.paint(["a", "x"], (60, 24)).startswith("\x1b[?25l\x1b[2J"), "another size: everything"
    assert painter.leave() == "\x1b[3;1H\x1b[?25h\x1b[0m\n" and painter.leave() == ""
