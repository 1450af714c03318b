"""Which faults are raised: groups of faults that follow a state, and what differs between two looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec


class Implementation(StrEnum):
    """The implementation of the driver whose fault it is."""

    BOARD = "evse_board_support"
    RCD = "ac_rcd"
    TEMPERATURES = "temperatures"
    LOCK = "connector_lock"


class FaultKey(NamedTuple):
    """One fault: EVerest's error type and sub-type of one implementation."""

    implementation: Implementation
    type: str
    sub_type: str = ""


class RaiseFault(msgspec.Struct, frozen=True):
    """Effect: raise a fault."""

    key: FaultKey
    message: str


class ClearFault(msgspec.Struct, frozen=True):
    """Effect: clear a fault."""

    key: FaultKey


Faults = Mapping[FaultKey, str]
"""Faults with their messages."""


class FaultTable:
    """The faults that are raised, by group.

    Nothing is cleared that was not raised; what was cleared is forgotten, so that it can be raised again.
    """

    def __init__(self) -> None:
        self._groups: dict[str, Faults] = {}

    def raised(self, group: str) -> Faults:
        """Return the raised faults of a group."""
        return self._groups.get(group, {})

    def settle(self, group: str, wanted: Faults) -> list[Any]:
        """Make `wanted` the faults of a group: clear what is over, raise what is new."""
        before = self.raised(group)
        self._groups[group] = wanted
        over = [ClearFault(key) for key in before if key not in wanted]
        return [*over, *(RaiseFault(key, text) for key, text in wanted.items() if key not in before)]
