"""RationalNumberType of ISO 15118-20: a number as value times ten to the power of an exponent (-3 to 3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chargebyte_fw.modules.v2g.messages import iso20_types

_LARGEST = 32767
_EXPONENTS = (0, -1, -2, -3, 1, 2, 3)
"""The plain integer first, then as few decimals as the number has, then as few zeros as it must lose."""


def rational(value: float, rounded: Callable[[float], int] = round) -> iso20_types.RationalNumberType:
    """Return a number; exact where it can be, otherwise as fine as it fits, `rounded` (`math.floor` for a maximum).

    Raises ValueError for a number that is not finite; one beyond the range is clipped.
    """
    from chargebyte_fw.modules.v2g.messages.iso20_types import RationalNumberType

    if not math.isfinite(value):
        raise ValueError(f"{value} is no number of ISO 15118-20")
    for exponent in _EXPONENTS:
        whole = round(value * 10.0**-exponent)
        exact = abs(whole * 10.0**exponent - value) <= 1e-9 * max(1.0, abs(value))
        if exact and -_LARGEST - 1 <= whole <= _LARGEST:
            return RationalNumberType(Exponent=exponent, Value=whole)
    for exponent in range(-3, 4):
        whole = rounded(value * 10.0**-exponent)
        if -_LARGEST - 1 <= whole <= _LARGEST:
            return RationalNumberType(Exponent=exponent, Value=whole)
    return RationalNumberType(Exponent=3, Value=_LARGEST if value > 0 else -_LARGEST - 1)


def maximum(value: float) -> iso20_types.RationalNumberType:
    """Return an upper limit: never more than it is."""
    return rational(value, math.floor)


def minimum(value: float) -> iso20_types.RationalNumberType:
    """Return a lower limit: never less than it is."""
    return rational(value, math.ceil)


def number(value: Any) -> float:
    """Return the value of a RationalNumberType; 0 for None. Any exponent that a byte holds is taken."""
    if value is None:
        return 0.0
    scaled: float = value.Value * 10.0**value.Exponent
    return round(scaled, 3) if value.Exponent >= -3 else scaled


def number_or_none(value: Any) -> float | None:
    """Return the value of an optional RationalNumberType; None where it is absent."""
    return None if value is None else number(value)


def not_negative(value: Any) -> float | None:
    """Return the value of an optional RationalNumberType, at least 0; None where it is absent."""
    return None if value is None else max(0.0, number(value))
