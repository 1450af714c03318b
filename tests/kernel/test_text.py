"""Lines end at LF and CRLF only."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chargebyte_fw.kernel.text import read_text_as_is, text_lines, yaml_text

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


@pytest.mark.parametrize("one", ["\x85", "\u2028", "\u2029", "\r"])
def test_a_comment_in_yaml_ends_at_lf_and_crlf_only(one: str) -> None:
    text = f"# comment{one}b: 2\r\na: 1 # more{one}c: 3\n"
    assert len(yaml_text(text)) == len(text)
    assert yaml.safe_load(yaml_text(text)) == {"a": 1}
    assert yaml.safe_load(text) != {"a": 1}, "the reader has changed: is yaml_text still needed?"


def test_a_file_is_read_with_its_lone_carriage_returns(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"# comment\rA\r\nB\n")
    assert text_lines(read_text_as_is(tmp_path / "list")) == ["# comment\rA", "B"]
