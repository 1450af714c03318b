"""The state of a machine as plain data, and a machine from it: a recorded machine goes on from there.

What a machine was made of (its configuration, functions) is left out: it is restored into one that is made alike.
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
"""Key for the kind of a dictionary: a class, or one of the containers below."""
ITEMS = "="
OURS = "chargebyte_fw."
_PLAIN = (bool, int, float, str, bytes, type(None))
_CONTAINERS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset, "deque": deque}


def taken(owner: Any, made_of: Sequence[Any] = ()) -> dict[str, Any]:
    """Return an object's attributes as plain data, without `made_of` and without functions."""
    return {
        name: data
        for name, value in vars(owner).items()
        if not any(value is one for one in made_of) and (data := _plain(value, made_of)) is not _LEFT_OUT
    }


_LEFT_OUT = object()


def _plain(value: Any, made_of: Sequence[Any] = ()) -> Any:
    if isinstance(value, Enum):
        return {KIND: _name(type(value)), ITEMS: value.name}
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, msgspec.Struct):
        return {KIND: _name(type(value)), **{name: _plain(getattr(value, name)) for name in value.__struct_fields__}}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {KIND: "dict", ITEMS: [[_plain(key), _plain(one)] for key, one in value.items()]}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {KIND: _name(type(value)), **{name: _plain(getattr(value, name)) for name in value._fields}}
    if isinstance(value, tuple | set | frozenset | deque):
        return {KIND: type(value).__name__, ITEMS: [_plain(one) for one in value]}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {KIND: _name(type(value)), **{field.name: _plain(getattr(value, field.name)) for field in fields}}
    if hasattr(value, "__dict__") and not callable(value) and type(value).__module__.startswith(OURS):
        return {KIND: "object", ITEMS: taken(value, made_of)}
    return _LEFT_OUT


def _name(kind: type) -> str:
    return f"{kind.__module__.removeprefix(OURS)}:{kind.__qualname__}"


def restored(owner: Any, data: dict[str, Any], constants: Sequence[Any] = ()) -> None:
    """Set the attributes of an object to those of `taken`. One that the object no longer has is left out.

    `constants` are objects that the machine compares by identity. Raises ValueError for what `taken` cannot have made.
    """
    for name, item in data.items():
        if name not in vars(owner):
            continue
        if isinstance(item, dict) and item.get(KIND) == "object":
            restored(getattr(owner, name), item[ITEMS], constants)
        else:
            setattr(owner, name, _value(item, constants))


def _value(data: Any, constants: Sequence[Any]) -> Any:
    if isinstance(data, list):
        return [_value(one, constants) for one in data]
    if not isinstance(data, dict):
        return data
    kind = data.get(KIND)
    if kind == "dict":
        return {_value(key, constants): _value(one, constants) for key, one in data[ITEMS]}
    if kind in _CONTAINERS:
        return _CONTAINERS[kind](_value(one, constants) for one in data[ITEMS])
    found = _class(kind)
    if issubclass(found, Enum):
        return found[data[ITEMS]]
    made = found(**{name: _value(one, constants) for name, one in data.items() if name != KIND})
    return next((constant for constant in constants if type(constant) is found and constant == made), made)


def _class(name: Any) -> type:
    """Return the data class of this package with this name; raises ValueError."""
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
