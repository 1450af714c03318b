"""Enumerations of EVerest and of OCPP that have the same words."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)


def named(kind: type[E], value: object, default: E) -> E:
    """Return the member of `kind` with the word of `value`; `default` for anything else, as a command that failed."""
    if not isinstance(value, StrEnum):
        return default
    return next((member for member in kind if member.value == value.value), default)
