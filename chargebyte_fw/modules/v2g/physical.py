"""PhysicalValueType: a number as value times ten to the power of a multiplier (-3 to 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.messages import common

T = TypeVar("T")
_LARGEST = 32767


def physical(kind: type[T], value: float, unit: Any) -> T:
    """Return a physical value with one decimal where it fits, coarser where it must; clipped beyond the range."""
    multiplier = -1 if value != int(value) else 0
    scaled = value * 10 if multiplier else value
    while abs(scaled) > _LARGEST and multiplier < 3:
        scaled /= 10
        multiplier += 1
    whole = max(-_LARGEST - 1, min(_LARGEST, round(scaled)))
    return kind(Multiplier=multiplier, Unit=unit, Value=whole)  # type: ignore[call-arg]


def number(value: common.PhysicalValueType | None) -> float:
    """Return the value in its unit; 0 for None."""
    if value is None:
        return 0.0
    scaled: float = value.Value * 10.0**value.Multiplier
    return round(scaled, 3)
