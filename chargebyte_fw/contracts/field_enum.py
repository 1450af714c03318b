"""Enumerations without a name in EVerest's files."""

from __future__ import annotations

from enum import StrEnum


class FieldEnum(StrEnum):
    """Base of an enumeration that EVerest's type files write out at the one field that has it."""
