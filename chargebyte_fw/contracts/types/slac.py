"""EVerest type file `slac`."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """EVerest enumeration `State`."""

    UNMATCHED = "UNMATCHED"
    MATCHING = "MATCHING"
    MATCHED = "MATCHED"
