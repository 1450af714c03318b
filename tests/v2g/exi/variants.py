"""Every message with one thing changed: a field left out, at its bounds, of another member; from the declarations."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from chargebyte_fw.modules.v2g.exi.grammar import Field, fields_of, is_simple
from chargebyte_fw.modules.v2g.messages.model import Coding
from tests.v2g.exi.samples import sample

Change = Callable[[Any], None]


def variants(message: Any, but: tuple[str, ...] = ("SessionID",)) -> Iterator[tuple[str, Any]]:
    """Yield the place and a changed copy, one change a time; fields named in `but` stay."""
    for place, change in _changes(type(message), message, "", but):
        changed = copy.deepcopy(message)
        change(changed)
        yield place, changed


def _changes(cls: type[Any], held: Any, place: str, but: tuple[str, ...]) -> Iterator[tuple[str, Change]]:
    for field in fields_of(cls):
        if field.name in but:
            continue
        where = f"{place}.{field.name}" if place else field.name
        value = getattr(held, field.name)
        for what, other in _others(field, value):
            yield f"{where} {what}", _setting(field.name, other)
        for number, inner in enumerate(value if isinstance(value, list) else [value]):
            if not hasattr(type(inner), "model"):
                continue
            for below, change in _changes(type(inner), inner, where, but):
                yield below, _within(field.name, number if isinstance(value, list) else None, change)


def _setting(name: str, value: Any) -> Change:
    return lambda holder: setattr(holder, name, copy.deepcopy(value))


def _within(name: str, number: int | None, change: Change) -> Change:
    def apply(holder: Any) -> None:
        inner = getattr(holder, name)
        change(inner if number is None else inner[number])

    return apply


def _others(field: Field, value: Any) -> Iterator[tuple[str, Any]]:
    if field.is_list:
        if not field.low and value:
            yield "absent", []
        yield "doubled", [*value, *value]
        return
    if value is not None and not field.low:
        yield "absent", None
    if field.members:
        for name, cls in field.members:
            if cls is not None and type(value) is not cls:
                yield f"a {name}", sample(cls, Random(name))
    elif field.within is None and is_simple(field.type):
        yield from ((repr(one)[:20], one) for one in _values(field.type) if one != value)
    elif field.within is None and value is None:
        yield "present", sample(field.type, Random(field.name))


def _values(kind: Any) -> list[Any]:
    if not isinstance(kind, Coding):
        members = list(kind)
        return [members[0], members[len(members) // 2], members[-1]]
    if kind.kind == "bool":
        return [False, True]
    if kind.kind in ("nbit", "uint", "int"):
        low = kind.low if kind.low is not None else -(2**62)
        high = kind.high if kind.high is not None else 2**62
        return sorted({low, max(low, min(high, 0)), high})
    longest = 200 if kind.longest is None else kind.longest
    if kind.kind == "bin":
        return [b"\xff" * kind.shortest, bytes(longest)]
    return ["-" * kind.shortest, "漢" * longest]
