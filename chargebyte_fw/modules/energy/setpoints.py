"""Setpoints: how much to take (positive) or to give (negative), as a fixed value or by the grid frequency."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.modules.energy.limits import Cap, NodeLimit, lowered


def power_at(table: Sequence[energy.FrequencyWattPoint], frequency_Hz: float) -> float:
    """Read a frequency-watt table: linear between its points, the outer values beyond them."""
    points = sorted(table, key=lambda point: point.frequency_Hz)
    if frequency_Hz <= points[0].frequency_Hz:
        return points[0].total_power_W
    for low, high in pairwise(points):
        if frequency_Hz <= high.frequency_Hz:
            share = (frequency_Hz - low.frequency_Hz) / (high.frequency_Hz - low.frequency_Hz)
            return low.total_power_W + share * (high.total_power_W - low.total_power_W)
    return points[-1].total_power_W


def apply(
    setpoint: energy.SetpointType, imports: NodeLimit, exports: NodeLimit, frequency_Hz: float | None
) -> tuple[NodeLimit, NodeLimit]:
    """Narrow a node to its setpoint; a current wins over a power, a power over a frequency table.

    A table without a measured frequency orders nothing, nor does one of fewer than two points.
    """
    if setpoint.ac_current_A is not None:
        value, in_watts = setpoint.ac_current_A, False
    elif setpoint.total_power_W is not None:
        value, in_watts = setpoint.total_power_W, True
    elif setpoint.frequency_table and len(setpoint.frequency_table) > 1 and frequency_Hz is not None:
        value, in_watts = power_at(setpoint.frequency_table, frequency_Hz), True
    else:
        return imports, exports

    def narrowed(limit: NodeLimit, amount: float) -> NodeLimit:
        cap = Cap(max(0.0, amount), setpoint.source)
        return lowered(limit, power_W=cap) if in_watts else lowered(limit, current_A=cap)

    return narrowed(imports, value), narrowed(exports, -value)
