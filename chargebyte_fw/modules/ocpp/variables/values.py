"""Whether a text is a value of a variable: its data type, limits and values list (OCPP 2.0.1 Part 2, 2.44)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime

from chargebyte_fw.modules.ocpp.variables.declaration import DataType, split

INTEGER_LIMIT = 2**31 - 1
"""Integers of OCPP have 32 bit (2.0.1 Part 2, 2.1)."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,10}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]{0,20})?|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def fault_of(
    text: str,
    data_type: DataType,
    minimum: float | None = None,
    maximum: float | None = None,
    values: Sequence[str] = (),
    separator: str = ",",
) -> str:
    """Return why the text is no value of this kind, in a few words; empty where it is one."""
    match data_type:
        case DataType.BOOLEAN:
            return "" if text in ("true", "false") else "neither true nor false"
        case DataType.INTEGER:
            if _INTEGER.fullmatch(text) is None or abs(int(text)) > INTEGER_LIMIT:
                return "not an integer of 32 bit"
            return _range_fault(int(text), minimum, maximum)
        case DataType.DECIMAL:
            if _DECIMAL.fullmatch(text) is None or not math.isfinite(float(text)):
                return "not a decimal number"
            return _range_fault(float(text), minimum, maximum)
        case DataType.DATE_TIME:
            return "" if is_date_time(text) else "not a date-time of RFC 3339"
        case DataType.OPTION:
            return "" if text in values or not values else f"not one of {','.join(values)}"
        case DataType.MEMBERS | DataType.SEQUENCE:
            return _list_fault(text, data_type, values, separator, maximum)
        case DataType.STRING:
            if minimum is not None and len(text) < minimum:
                return f"shorter than {minimum:g} characters"
            if maximum is not None and len(text) > maximum:
                return f"longer than {maximum:g} characters"
            return ""


def is_date_time(text: str) -> bool:
    """Return whether the text is a date-time of RFC 3339 that exists."""
    if _DATE_TIME.fullmatch(text) is None:
        return False
    try:
        # Fractions of any length are allowed, `fromisoformat` reads up to six digits in Python 3.11.
        datetime.fromisoformat(re.sub(r"\.[0-9]+", "", text.upper()).replace("Z", "+00:00"))
    except ValueError:
        return False
    return True


def _range_fault(number: float, minimum: float | None, maximum: float | None) -> str:
    if minimum is not None and number < minimum:
        return f"less than {minimum:g}"
    if maximum is not None and number > maximum:
        return f"greater than {maximum:g}"
    return ""


def _list_fault(text: str, data_type: DataType, values: Sequence[str], separator: str, maximum: float | None) -> str:
    items = split(text, separator)
    if any(not item for item in items):
        return "an empty item"
    if values and (unknown := [item for item in items if item not in values]):
        return f"{unknown[0]} is not one of the supported values"
    if data_type is DataType.MEMBERS and len(set(items)) < len(items):
        return "an item twice"
    if maximum is not None and len(items) > maximum:
        return f"more than {maximum:g} items"
    return ""
