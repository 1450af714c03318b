"""A value of any type of a contract: small, valid, always the same."""

from __future__ import annotations

from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

TEXTS = {
    "timestamp": "2026-01-01T12:00:00.000Z",
    "uuid": "b5dd0c5e-5b4c-4a5b-9a4e-2f6c5a9c0001",
    "mac": "00:11:22:33:44:55",
}
PATTERNS = ("2026-01-01T12:00:00.000Z", "00:11:22:33:44:55", "DE*CHB*E1*1", "EUR", "a", "A1", "0", "ab12", "#112233")
"""Texts for types with a pattern: the first that fits."""


def sample(kind: Any, name: str = "") -> Any:
    """Return a value of a type; `name` is the field's, for a text that fits it."""
    bounds: list[msgspec.Meta] = []
    while get_origin(kind) is Annotated:
        kind, *notes = get_args(kind)
        bounds += [one for one in notes if isinstance(one, msgspec.Meta)]
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return sample(next(part for part in parts if part is not type(None)), name)
    if origin is Literal:
        return parts[0]
    if origin in (list, tuple):
        return [sample(parts[0], name)] if parts else []
    if origin is dict:
        return {}
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct):
        # A generic type: its fields are lists of its parameter.
        return origin(**{info.name: [sample(parts[0], info.name)] for info in msgspec.structs.fields(origin)})
    if kind in (None, type(None), Any):
        return None
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        needed = [info for info in msgspec.structs.fields(kind) if info.required]
        chosen = needed or list(msgspec.structs.fields(kind))[:1]
        return kind(**{info.name: sample(info.type, info.name) for info in chosen})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return next(iter(kind))
    if kind is bool:
        return True
    if kind in (int, float):
        return _number(kind, bounds)
    return _text(name, bounds)


def _number(kind: Any, bounds: list[msgspec.Meta]) -> Any:
    value = 1
    for one in bounds:
        if one.ge is not None:
            value = max(value, int(one.ge))
        if one.gt is not None:
            value = max(value, int(one.gt) + 1)
        if one.le is not None:
            value = min(value, int(one.le))
        if one.lt is not None:
            value = min(value, int(one.lt) - 1)
    return kind(value)


def _text(name: str, bounds: list[msgspec.Meta]) -> str:
    candidates = [text for part, text in TEXTS.items() if part in name.lower()] + ["text", *PATTERNS]
    for text in candidates:
        long = text
        for one in bounds:
            if one.min_length is not None:
                long = long.ljust(one.min_length, "0")
            if one.max_length is not None:
                long = long[: one.max_length]
        if all(_fits(long, one) for one in bounds):
            return long
    raise ValueError(f"no text for {name} with {bounds}: add one to PATTERNS")


def _fits(text: str, bound: msgspec.Meta) -> bool:
    try:
        msgspec.convert(text, Annotated[str, bound])
    except msgspec.ValidationError:
        return False
    return True
