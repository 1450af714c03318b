"""Numbers for people: rounded to a step, then to decimal places, through whole objects."""

from __future__ import annotations

from typing import Any


def rounded(value: float, decimal_places: int, step: float = 0.0) -> float:
    """Round to the nearest multiple of `step` (0: none), then to `decimal_places`."""
    if step > 0:
        value = round(value / step) * step
    return round(value, decimal_places)


def round_all(value: Any, decimal_places: int, step: float = 0.0) -> Any:
    """Round every float in plain data (dicts, lists); text and whole numbers stay."""
    if isinstance(value, float):
        return rounded(value, decimal_places, step)
    if isinstance(value, dict):
        return {key: round_all(item, decimal_places, step) for key, item in value.items()}
    if isinstance(value, list):
        return [round_all(item, decimal_places, step) for item in value]
    return value
