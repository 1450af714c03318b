"""EVerest type file `ev_board_support`."""

from __future__ import annotations

from enum import StrEnum


class EvCpState(StrEnum):
    """EVerest enumeration `EvCpState`."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
