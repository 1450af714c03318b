"""YAML text with positions: lines end at LF and CRLF, and every way to be wrong is one error with its place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
import yaml

from chargebyte_fw.kernel import yaml_text
from chargebyte_fw.kernel.yaml_text import NotUtf8, NotYaml, Place, TooDeep, YamlError

TEXT = "a: 1\nb:\n  - x\n"


def read_events(text: str) -> Any:
    return list(yaml_text.events(text))


def read_quickly(text: str) -> Any:
    return list(yaml_text.events(text, quick=True))


READERS = [read_events, read_quickly, yaml_text.compose, yaml_text.load]


@pytest.mark.parametrize("one", ["\x85", "\u2028", "\u2029", "\r"])
def test_a_comment_ends_at_lf_and_crlf_only(one: str) -> None:
    text = f"# comment{one}b: 2\r\na: 1 # more{one}c: 3\n"
    assert len(yaml_text.normalized(text)) == len(text)
    assert yaml_text.load(text) == {"a": 1}
    assert yaml.safe_load(text) != {"a": 1}, "the reader has changed: is `normalized` still needed?"


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("a: [\n", 2, 1),
        ("a: b\n\tc: 1\n", 2, 1),
        ("a: ü\nb: äö\x07\n", 2, 6),
        ("\0", 1, 1),
    ],
)
def test_what_is_not_yaml_has_its_place(read: Callable[[str], Any], text: str, line: int, column: int) -> None:
    with pytest.raises(NotYaml) as caught:
        read(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert caught.value.where("f.yaml") == f"f.yaml:{line}:{column}"
    assert "\n" not in caught.value.problem
    assert str(caught.value) == caught.value.problem


def test_tokens_come_up_to_the_error() -> None:
    tokens = yaml_text.tokens("a: [\n'")
    assert [type(token) for token in islice(tokens, 5)][-1] is yaml.ValueToken
    with pytest.raises(NotYaml):
        list(tokens)


def test_nodes_and_events_have_their_place() -> None:
    node = yaml_text.compose(TEXT)
    assert isinstance(node, yaml.MappingNode)
    assert str(yaml_text.place_of(node.value[1][1], "f.yaml")) == "f.yaml:3:3"
    for events in (yaml_text.events(TEXT), yaml_text.events(TEXT, quick=True)):
        scalars = [event for event in events if isinstance(event, yaml.ScalarEvent)]
        assert [yaml_text.place_of(event, "f") for event in scalars] == [
            Place("f", 1, 1),
            Place("f", 1, 4),
            Place("f", 2, 1),
            Place("f", 3, 5),
        ]


def test_an_empty_text_has_no_node() -> None:
    assert yaml_text.compose("# nothing\n") is None


@pytest.mark.parametrize("read", [yaml_text.compose, yaml_text.load])
def test_nesting_without_end_is_an_error_of_its_own(read: Callable[[str], Any]) -> None:
    with pytest.raises(TooDeep, match="nested too deeply") as caught:
        read("[" * 5000)
    assert caught.value.where("f.yaml") == "f.yaml"


@pytest.mark.parametrize(
    ("data", "line", "column", "offset"), [(b"\xff", 1, 1, 0), (b"a: 1\nb: \xfe\n", 2, 4, 8), (b"a\xc3", 1, 2, 1)]
)
def test_bytes_that_are_no_text_have_their_place(data: bytes, line: int, column: int, offset: int) -> None:
    with pytest.raises(NotUtf8) as caught:
        yaml_text.decode(data)
    error = caught.value
    assert (error.line, error.column, error.offset) == (line, column, offset)
    assert isinstance(error, YamlError)


def test_a_byte_order_mark_is_no_content() -> None:
    assert yaml_text.decode(b"\xef\xbb\xbfa: 1") == "a: 1"
