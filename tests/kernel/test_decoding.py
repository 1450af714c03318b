"""Input from outside: whatever it is, it is decoded or it is one kind of error, in one line and in bounded time."""

from __future__ import annotations

import json
import time
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.decoding import (
    DEPTH_LIMIT,
    SIZE_LIMIT_BYTES,
    _depth,
    _shallow,
    convert,
    decode_json,
    decode_yaml,
    shorten,
)

DEEP = b"[" * 1000 + b"]" * 1000
HOSTILE = [
    b"",
    b"{",
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b"\xff",
    DEEP,
    b'{"a":' * 1000 + b"1" + b"}" * 1000,
    b"[" * 200_000,
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"1" * 20,
    b"-" + b"9" * 5000,
    b'"\\ud800 and more"',
    b'{"\\udc00 and more": 1}',
    b"[" + b"1," * 200_000 + b"1]",
    b'"' + b"\\" * 100_001,
]


@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: f"{data[:12]!r}-{len(data)}")
def test_what_cannot_be_read_is_a_decode_error_in_one_short_line(data: bytes) -> None:
    began = time.process_time()
    with pytest.raises(msgspec.DecodeError) as caught:
        decode_json(data)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)
    assert time.process_time() - began < 1


def test_deep_and_large_values_within_the_limits_are_read() -> None:
    deep = b"[" * DEPTH_LIMIT + b"]" * DEPTH_LIMIT
    assert json.dumps(decode_json(deep)).encode() == deep
    with pytest.raises(msgspec.DecodeError, match="nested more than 64 levels deep"):
        decode_json(b"[" + deep + b"]")
    wide = b"[" + b"[]," * 1000 + b"[]]"
    assert len(decode_json(wide)) == 1001
    brackets = msgspec.json.encode({"a": "[" * 500 + '"' + "{" * 500})
    assert decode_json(brackets)["a"].startswith("[[")


@given(st.integers(0, 200), st.integers(0, 3), st.binary(max_size=200))
def test_the_quick_look_at_brackets_never_passes_what_is_too_deep(deep: int, step: int, tail: bytes) -> None:
    opening = (b"[{", b"{", b"[[{", b"[")[step]
    pairs = {ord("["): b"]", ord("{"): b"}"}
    closing = b"".join(pairs[octet] for octet in reversed(opening))
    for octets in (opening * deep + b'"]\\"}"' + closing * deep, opening * deep + tail, tail * deep):
        assert not _shallow(octets) or _depth(octets) <= DEPTH_LIMIT


def test_integers_have_64_bit_and_long_texts_of_digits_are_texts() -> None:
    assert decode_json(b"[-9223372036854775807, 1234567890123456789]") == [-9223372036854775807, 1234567890123456789]
    with pytest.raises(msgspec.DecodeError, match="19 digits"):
        decode_json(b'{"limit": 12345678901234567890}')
    assert decode_json(b'{"id": "123456789012345678901234567890"}')["id"].startswith("1234")
    assert decode_json(b"0.12345678901234567890123") == pytest.approx(0.12345678901234568)


def test_the_size_is_bounded_before_anything_is_decoded() -> None:
    with pytest.raises(msgspec.DecodeError, match="at most are read"):
        decode_json(b'"' + b"a" * SIZE_LIMIT_BYTES + b'"')
    with pytest.raises(msgspec.DecodeError, match="10 at most"):
        decode_json('"0123456789"', limit_bytes=10)


def test_a_value_of_another_kind_names_it_without_repeating_all_of_it() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_json(b'{"mode": "x"}', dict[str, int])
    with pytest.raises(msgspec.ValidationError) as caught:
        decode_json(b'"' + b"a" * 100_000 + b'"', int)
    assert len(str(caught.value)) < 300


def test_a_value_that_is_nested_too_deeply_for_the_converter_is_a_validation_error() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(msgspec.ValidationError):
        convert(value, list[int])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"a": "\xed\xa0\x80"}')
def test_any_octets_are_decoded_or_refused_and_what_is_decoded_can_be_written_again(data: bytes) -> None:
    try:
        value = decode_json(data)
    except msgspec.DecodeError:
        return
    assert decode_json(msgspec.json.encode(value)) == value


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(b"a: 2001-14-45")
@example(b"a: !!python/object:os.system x")
@example(b"? [1, 2]\n: 3")
@example(b"a: &a [*a]")
@example(b"a: .nan")
@example(b"1: 2")
@example(b"0xFFFFFFFFFFFFFFFFFFFFFFFF: 1")
def test_any_octets_are_yaml_or_refused(data: bytes) -> None:
    try:
        value = decode_yaml(data)
    except ValueError as error:
        assert "\n" not in str(error)
        return
    msgspec.json.encode(value)


def test_yaml_that_multiplies_itself_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(ValueError, match="aliases"):
        decode_yaml("\n".join(lines).encode())
    with pytest.raises(ValueError, match="nested"):
        decode_yaml(b"[" * 5000)
    assert decode_yaml(b"vendor: chargebyte\nport: 8080\n") == {"vendor": "chargebyte", "port": 8080}
    assert decode_yaml(b".nan") is None


def test_a_text_for_a_log_line_is_short_and_printable() -> None:
    assert shorten("a\nb\x1b[31m\u2028") == "a\\nb\\x1b[31m\\u2028"
    assert shorten("x" * 1000) == "x" * 200 + "... (1000 characters)"
    assert shorten("\ud800") == "\\ud800"
