"""Lines end at LF and CRLF only."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.text import read_text_as_is, text_lines

NO_BREAKS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029\r"


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("\n", [""]),
        ("\r\n", [""]),
        ("a", ["a"]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\n", ["a", "b"]),
        ("a\r\r\nb\r", ["a\r", "b\r"]),
        ("a\n\n", ["a", ""]),
        *((f"a{one}b\nc", [f"a{one}b", "c"]) for one in NO_BREAKS),
    ],
)
def test_lines_end_at_lf_and_crlf_only(text: str, lines: list[str]) -> None:
    assert text_lines(text) == lines
    assert text_lines(text.encode()) == [line.encode() for line in lines]
    kept = text_lines(text, keep_ends=True)
    assert "".join(kept) == text and len(kept) == len(lines)


def test_a_file_is_read_with_its_lone_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"# comment\rA\r\nB\n")
    assert text_lines(read_text_as_is(tmp_path / "list")) == ["# comment\rA", "B"]
