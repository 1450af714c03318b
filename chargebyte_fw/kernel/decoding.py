"""JSON and YAML from outside (broker, client, file, another program): bounded, and with one family of errors.

Size, nesting and integers are bounded before anything is built from the input. What the libraries can raise besides
their own errors (RecursionError, OverflowError, UnicodeError, ValueError of a date) comes out as one of these two:
`msgspec.DecodeError` from `decode_json`, `ValueError` from `decode_yaml`; both with a text of at most a line.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar, overload

import msgspec

T = TypeVar("T")

SIZE_LIMIT_BYTES = 256 * 1024
"""The shipped broker's limit (`message_size_limit`); readers of other sources give a limit of their own."""
DEPTH_LIMIT = 64
"""Levels of objects and lists. EVerest's deepest type is a tree of energy nodes, which takes two a node."""
NODE_LIMIT = 20_000
"""Values of a YAML document, aliases counted as often as they are used."""
LONGEST_INTEGER = 19
"""Digits of the largest integer that JSON's readers, SQLite and C++ agree on (64 bit)."""
TEXT_LIMIT = 200

_BRACKET = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[{]|[\]}]', re.DOTALL)
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(octet for octet in range(256) if octet not in b"[]{}")
_LONG_NUMBER = re.compile(rb"[0-9]{%d}" % (LONGEST_INTEGER + 1))
_STRING_OR_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[-+0-9.eE]{%d,}' % (LONGEST_INTEGER + 1), re.DOTALL)
_INTEGER = re.compile(rb"-?[0-9]{%d,}" % (LONGEST_INTEGER + 1))


def shorten(text: str, limit: int = TEXT_LIMIT) -> str:
    """Return a text from outside as a log line can carry it: bounded, control characters escaped."""
    cut = text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode("ascii") for c in cut)


@overload
def decode_json(data: bytes | str, *, limit_bytes: int = ...) -> Any: ...


@overload
def decode_json(data: bytes | str, kind: type[T], *, limit_bytes: int = ...) -> T: ...


def decode_json(data: bytes | str, kind: Any = Any, *, limit_bytes: int = SIZE_LIMIT_BYTES) -> Any:
    """Return the value of a JSON text, checked against `kind`; raises msgspec.DecodeError for everything else.

    (msgspec.ValidationError, where it is JSON and not of this kind, is one.) Duplicate keys count with the last value,
    as in EVerest; NaN and Infinity are no JSON.
    """
    try:
        octets = data.encode() if isinstance(data, str) else data
        _check(octets, limit_bytes)
        return msgspec.json.decode(octets, type=kind)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(shorten(str(error))) from None
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(shorten(str(error))) from None
    except (RecursionError, OverflowError, UnicodeError) as error:
        raise msgspec.DecodeError(shorten(str(error))) from None


def convert(value: Any, kind: Any, *, strict: bool = True) -> Any:
    """Return a decoded value as `kind`; raises msgspec.ValidationError, with a text of at most a line."""
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(shorten(str(error))) from None
    except (RecursionError, OverflowError, UnicodeError) as error:
        raise msgspec.ValidationError(shorten(str(error))) from None


def _check(octets: bytes, limit_bytes: int) -> None:
    if len(octets) > limit_bytes:
        raise msgspec.DecodeError(f"{len(octets)} bytes, {limit_bytes} at most are read")
    # Counting is quick, and text below the limit needs no closer look.
    if octets.count(b"[") + octets.count(b"{") > DEPTH_LIMIT and not _shallow(octets) and _depth(octets) > DEPTH_LIMIT:
        raise msgspec.DecodeError(f"nested more than {DEPTH_LIMIT} levels deep")
    if _LONG_NUMBER.search(octets) is not None:
        _check_integers(octets)


def _shallow(octets: bytes) -> bool:
    """Whether pairs of brackets without content, removed again and again, soon leave nothing.

    A pass removes at most one level of each kind. Several times quicker than `_depth`, which decides where this fails.
    """
    brackets = _STRING.sub(b"", octets).translate(None, _NO_BRACKETS)
    for _ in range(DEPTH_LIMIT // 2):
        if not brackets:
            return True
        brackets = brackets.replace(b"[]", b"").replace(b"{}", b"")
    return not brackets


def _depth(octets: bytes) -> int:
    depth = deepest = 0
    for found in _BRACKET.finditer(octets):
        first = octets[found.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
    return deepest


def _check_integers(octets: bytes) -> None:
    for found in _STRING_OR_NUMBER.finditer(octets):
        if _INTEGER.fullmatch(found[0]):
            raise msgspec.DecodeError(f"an integer of more than {LONGEST_INTEGER} digits")


def decode_yaml(data: bytes, *, limit_bytes: int = SIZE_LIMIT_BYTES) -> Any:
    """Return the value of a YAML document (JSON is one) as JSON would have it; raises ValueError, in one line."""
    import yaml

    from chargebyte_fw.kernel import yaml_text

    if len(data) > limit_bytes:
        raise ValueError(f"{len(data)} bytes, {limit_bytes} at most are read")
    try:
        text = yaml_text.decode(data)
        depth = 0
        # Events first: they are read one by one, however deep the document is.
        for event in yaml_text.events(text):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_LIMIT:
                raise ValueError(f"nested more than {DEPTH_LIMIT} levels deep")
        value = yaml_text.load(text)
    except yaml_text.NotYaml as error:
        raise ValueError(f"not YAML: {shorten(' '.join(str(error.cause).split()))}") from None
    except (RecursionError, OverflowError, TypeError, AttributeError, KeyError) as error:
        raise ValueError(f"not YAML that can be read: {shorten(str(error) or type(error).__name__)}") from None
    _count(value)
    try:
        return msgspec.json.decode(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError, OverflowError) as error:
        raise ValueError(f"not plain data: {shorten(str(error))}") from None


def _count(value: Any) -> None:
    """Raise ValueError where aliases multiply, or lead back to where they stand."""
    waiting = [value]
    count = 0
    while waiting:
        one = waiting.pop()
        count += 1
        if count > NODE_LIMIT:
            raise ValueError(f"more than {NODE_LIMIT} values, or aliases that lead in a circle")
        if isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, list | set | tuple):
            waiting.extend(one)
