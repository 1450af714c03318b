"""External limits as an integrator words them: amperes, watts, phases; positive charges, negative discharges."""

from __future__ import annotations

from datetime import datetime

from chargebyte_fw.contracts.types.energy import (
    ExternalLimits,
    IntegerWithSource,
    LimitsReq,
    NumberWithSource,
    ScheduleReqEntry,
)
from chargebyte_fw.kernel.clock import rfc3339


def _both_ways(positive: bool, set_: LimitsReq, zero: LimitsReq, at: datetime) -> ExternalLimits:
    def entry(limits: LimitsReq) -> list[ScheduleReqEntry]:
        return [ScheduleReqEntry(timestamp=rfc3339(at), limits_to_root=limits, limits_to_leaves=LimitsReq())]

    wanted, other = entry(set_), entry(zero)
    return ExternalLimits(
        schedule_import=wanted if positive else other,
        schedule_export=other if positive else wanted,
        schedule_setpoints=[],
    )


def current_limit(current_A: float, source: str, at: datetime) -> ExternalLimits:
    """Limit the current per phase; the other direction is closed."""
    return _both_ways(
        current_A >= 0,
        LimitsReq(ac_max_current_A=NumberWithSource(value=abs(current_A), source=source)),
        LimitsReq(ac_max_current_A=NumberWithSource(value=0.0, source=source)),
        at,
    )


def power_limit(power_W: float, source: str, at: datetime) -> ExternalLimits:
    """Limit the power; the other direction is closed."""
    return _both_ways(
        power_W >= 0,
        LimitsReq(total_power_W=NumberWithSource(value=abs(power_W), source=source)),
        LimitsReq(total_power_W=NumberWithSource(value=0.0, source=source)),
        at,
    )


def phase_limit(current_A: float, phases: int, source: str, at: datetime) -> ExternalLimits:
    """Limit the current per phase and fix the number of phases."""
    return with_phases(current_limit(current_A, source, at), phases, source)


def with_phases(limits: ExternalLimits, phases: int, source: str) -> ExternalLimits:
    """Fix the number of phases in limits that were made here."""
    count = IntegerWithSource(value=phases, source=source)
    for entry in (*limits.schedule_import, *limits.schedule_export):
        entry.limits_to_root.ac_max_phase_count = count
        entry.limits_to_root.ac_min_phase_count = count
    return limits
