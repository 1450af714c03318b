"""What a machine knows at one moment, as plain data, and the way back: a recorded machine goes on from there.

What a machine was made of (its configuration, functions) is not written: the way back begins with one made alike.
"""

from __future__ import annotations

import dataclasses
import importlib
from collections import deque
from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

KIND = "~"
"""Key of what a dictionary stands for: a class, or one of the containers below."""
ITEMS = "="
OURS = "chargebyte_fw."
_PLAIN = (bool, int, float, str, bytes, type(None))
_CONTAINERS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}


def taken(owner: Any, made_of: Sequence[Any] = ()) -> dict[str, Any]:
    """Return an object's attributes as plain data, without `made_of` and without what is none (functions)."""
    return {
        name: told
        for name, value in vars(owner).items()
        if not any(value is one for one in made_of) and (told := _told(value, made_of)) is not _UNTOLD
    }


_UNTOLD = object()


def _told(value: Any, made_of: Sequence[Any] = ()) -> Any:
    if isinstance(value, Enum):
        return {KIND: _name(type(value)), ITEMS: value.name}
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, msgspec.Struct):
        return {KIND: _name(type(value)), **{name: _told(getattr(value, name)) for name in value.__struct_fields__}}
    if isinstance(value, list):
        return [_told(one) for one in value]
    if isinstance(value, dict):
        return {KIND: "dict", ITEMS: [[_told(key), _told(one)] for key, one in value.items()]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {KIND: _name(type(value)), **{name: _told(getattr(value, name)) for name in value._fields}}
    if isinstance(value, tuple | set | frozenset | deque):
        return {KIND: type(value).__name__, ITEMS: [_told(one) for one in value]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {KIND: _name(type(value)), **{field.name: _told(getattr(value, field.name)) for field in fields}}
    if hasattr(value, "__dict__") and not callable(value) and type(value).__module__.startswith(OURS):
        return {KIND: "object", ITEMS: taken(value, made_of)}
    return _UNTOLD


def _name(kind: type) -> str:
    return f"{kind.__module__.removeprefix(OURS)}:{kind.__qualname__}"


def restored(owner: Any, data: dict[str, Any], constants: Sequence[Any] = ()) -> None:
    """Give an object the attributes of `taken`. An attribute that it has no more is let go.

    `constants` are objects that the machine compares by identity. Raises ValueError for what `taken` cannot have made.
    """
    for name, told in data.items():
        if name not in vars(owner):
            continue
        if isinstance(told, dict) and told.get(KIND) == "object":
            restored(getattr(owner, name), told[ITEMS], constants)
        else:
            setattr(owner, name, _value(told, constants))


def _value(told: Any, constants: Sequence[Any]) -> Any:
    if isinstance(told, list):
        return [_value(one, constants) for one in told]
    if not isinstance(told, dict):
        return told
    kind = told.get(KIND)
    if kind == "dict":
        return {_value(key, constants): _value(one, constants) for key, one in told[ITEMS]}
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](_value(one, constants) for one in told[ITEMS])
    found = _class(kind)
    if issubclass(found, Enum):
        return found[told[ITEMS]]
    made = found(**{name: _value(one, constants) for name, one in told.items() if name != KIND})
    return next((constant for constant in constants if type(constant) is found and constant == made), made)


def _class(name: Any) -> type:
    """Find a class of ours that is nothing but data."""
    if not isinstance(name, str) or ":" not in name:
        raise ValueError(f"{name!r} is no class")
    module, _, path = name.partition(":")
    try:
        found = getattr(importlib.import_module(OURS + module), path)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no class {name} any more") from error
    data = isinstance(found, type) and (
        issubclass(found, msgspec.Struct | Enum) or dataclasses.is_dataclass(found) or hasattr(found, "_fields")
    )
    if not data:
        raise ValueError(f"{name} is no data")
    return found  # type: ignore[no-any-return]
