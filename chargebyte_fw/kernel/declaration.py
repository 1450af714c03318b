"""Frozen structs of classes whose fields are declared with more than a default, such as a place in a frame."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

import msgspec

T = TypeVar("T")


def struct_of(cls: type[T], defaults: Mapping[str, Any]) -> type[T]:
    """Return `cls` as a frozen struct of these fields, which it or its bases annotate, with these defaults."""
    left_out = {"__dict__", "__weakref__", "__annotations__", *defaults}
    kinds: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        kinds.update(vars(base).get("__annotations__", {}))
    made = msgspec.defstruct(
        cls.__name__,
        [(name, kinds[name], default) for name, default in defaults.items()],
        bases=(*cls.__bases__, msgspec.Struct),
        namespace={name: value for name, value in vars(cls).items() if name not in left_out},
        frozen=True,
    )
    return cast(type[T], made)
