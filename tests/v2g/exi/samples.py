"""Random messages, made from the declarations: every type, every optional field, lists up to their limits."""

from __future__ import annotations

from random import Random
from typing import Any

from chargebyte_fw.modules.v2g.exi.grammar import Field, fields_of, is_simple
from chargebyte_fw.modules.v2g.messages.model import Coding, Particle, Type

_LETTERS = "abzABZ09 /.:#-äß€漢🚗"


def sample(cls: type[Type], random: Random, depth: int = 0) -> Any:
    """Make one object of a type; deep down optional things become rare."""
    fields = {field.name: field for field in fields_of(cls)}
    held: dict[str, Any] = {}
    if cls.model is not None:
        _particle(cls.model, fields, random, held, depth)
    for field in fields.values():
        if cls.model is not None and field.kind == "element":
            continue
        if field.is_list:
            held[field.name] = [_one(field, random, depth) for _ in range(_count(field.low, field.high, random, depth))]
        elif field.low or random.random() < 0.5 / (depth / 4 + 1):
            held[field.name] = _one(field, random, depth)
    return cls(**held)


def _count(low: int, high: int | None, random: Random, depth: int) -> int:
    most = low + 2 if high is None else high
    return random.choice([low, random.randint(low, min(most, low + 2)), most if most < 30 and depth < 6 else low])


def _one(field: Field, random: Random, depth: int) -> Any:
    if field.members:
        return sample(random.choice([cls for _, cls in field.members if cls is not None]), random, depth + 1)
    if field.within is not None:
        (inner,) = fields_of(field.within)
        return None if random.random() < 0.02 else _one(inner, random, depth)
    return _of(field.type, random, depth)


def _of(kind: Any, random: Random, depth: int) -> Any:
    return value(kind, random) if is_simple(kind) else sample(kind, random, depth + 1)


def value(kind: Any, random: Random) -> Any:
    """Make a simple value, its bounds more often than chance would."""
    if not isinstance(kind, Coding):
        return random.choice(list(kind))
    if kind.kind == "bool":
        return random.random() < 0.5
    if kind.kind in ("nbit", "uint", "int"):
        low = -(2**150) if kind.low is None else kind.low
        high = 2**150 if kind.high is None else kind.high
        return random.choice([low, high, random.randint(low, high), max(low, min(high, random.randint(-200, 200)))])
    most = 40 if kind.longest is None else kind.longest
    length = random.choice([kind.shortest, most, random.randint(kind.shortest, most)])
    if kind.kind == "bin":
        return random.randbytes(length)
    return "".join(random.choices(_LETTERS[:12] if random.random() < 0.7 else _LETTERS, k=length))


def _particle(part: Particle, fields: dict[str, Field], random: Random, held: dict[str, Any], depth: int) -> None:
    for _ in range(_count(part.low, part.high, random, depth)):
        if part.kind == "element":
            field = fields.get(part.name)
            if field is None:
                held.setdefault("content", []).append((part.name, _of(_coding(part.type), random, depth)))
            elif field.is_list:
                held.setdefault(part.name, []).append(_one(field, random, depth))
            else:
                held[part.name] = _one(field, random, depth)
        elif part.kind == "choice":
            spoken = [branch for branch in part.parts if branch.kind != "any"]
            _particle(random.choice(spoken), fields, random, held, depth)
        else:
            for inner in part.parts:
                if inner.kind != "any":
                    _particle(inner, fields, random, held, depth)


def _coding(kind: Any) -> Any:
    return next((mark for mark in getattr(kind, "__metadata__", ()) if isinstance(mark, Coding)), kind)
