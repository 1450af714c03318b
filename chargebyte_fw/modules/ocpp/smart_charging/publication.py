"""Composite schedules for the stack: limits of energy nodes, and EVerest's `charging_schedules`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from chargebyte_fw.contracts.types import energy, ocpp
from chargebyte_fw.contracts.types.energy import (
    ExternalLimits,
    IntegerWithSource,
    LimitsReq,
    NumberWithSource,
    ScheduleReqEntry,
    ScheduleSetpointEntry,
    SetpointType,
)
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite, CompositePeriod
from chargebyte_fw.modules.ocpp.smart_charging.layers import default_limit
from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode, Phases, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of

NO_LIMIT = 1e12
"""Default limit of a computation in which an EVSE without a profile is not limited."""
SETPOINT_SOURCE = "OCPP"
CSMS_PRIORITY, EXTERNAL_PRIORITY = 0, 1000


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The module's configuration of what it publishes."""

    interval_s: float = 30.0
    """Schedules are computed again at least so often; 0: at changes only."""
    duration_s: int = 600
    """How far they look ahead."""
    unit: RateUnit = RateUnit.A
    source: str = "ocpp/OCPP_set_external_limits"
    """Who set a limit, in the stack of limits."""


def external_limits(
    composite: Composite,
    source: str,
    voltage_V: float,
    *,
    setpoints: bool = False,
    priority: int = CSMS_PRIORITY,
    signal: int | None = None,
) -> ExternalLimits:
    """Return a composite schedule as limits of an energy node; a period without limits has none.

    The last entry holds for ever, so the schedule is sent again before it is over.
    """
    return ExternalLimits(
        schedule_import=[
            ScheduleReqEntry(
                timestamp=_at(composite, period),
                limits_to_root=_limits(composite, period, source, voltage_V),
                limits_to_leaves=LimitsReq(),
            )
            for period in composite.periods
        ],
        schedule_export=[
            ScheduleReqEntry(
                timestamp=_at(composite, period),
                limits_to_root=_discharge(composite, period, source),
                limits_to_leaves=LimitsReq(),
            )
            for period in composite.periods
        ]
        if any(period.discharge.given for period in composite.periods)
        else [],
        schedule_setpoints=[
            ScheduleSetpointEntry(
                timestamp=_at(composite, period), setpoint=_setpoint(composite, period, priority, signal)
            )
            for period in composite.periods
        ]
        if setpoints and any(period.extras.mode is not Mode.CHARGING_ONLY for period in composite.periods)
        else [],
    )


def _at(composite: Composite, period: CompositePeriod) -> str:
    return rfc3339(date_of(composite.start_s + period.start_s))


def _lowest(limit: Phases) -> float | None:
    return min(limit.given, default=None)


def _limits(composite: Composite, period: CompositePeriod, source: str, voltage_V: float) -> LimitsReq:
    """The node has one current for all phases: the lowest."""
    limit = _lowest(period.limit)
    phases = IntegerWithSource(value=period.phases, source=source) if period.phases else None
    if limit is None or limit >= NO_LIMIT:
        return LimitsReq(ac_max_phase_count=phases if not period.is_default else None)
    if composite.unit is RateUnit.W:
        total_W = limit * len(period.limit.given)
        return LimitsReq(
            total_power_W=NumberWithSource(value=total_W, source=source),
            # Phases that differ bound the current of each.
            ac_max_current_A=NumberWithSource(value=limit / voltage_V, source=source) if period.limit.split else None,
            ac_max_phase_count=phases,
        )
    rate = composite.min_rate
    return LimitsReq(
        ac_max_current_A=NumberWithSource(value=limit, source=source),
        ac_min_current_A=NumberWithSource(value=rate, source=source) if rate else None,
        ac_max_phase_count=phases,
    )


def _discharge(composite: Composite, period: CompositePeriod, source: str) -> LimitsReq:
    """How much the car may give back: limits of discharge are negative, the one nearest to zero holds."""
    nearest = max(period.discharge.given, default=None)
    if nearest is None:
        return LimitsReq()
    amount = max(0.0, -nearest)
    if composite.unit is RateUnit.W:
        total_W = amount * len(period.discharge.given)
        return LimitsReq(total_power_W=NumberWithSource(value=total_W, source=source))
    return LimitsReq(ac_max_current_A=NumberWithSource(value=amount, source=source))


def _setpoint(composite: Composite, period: CompositePeriod, priority: int, signal: int | None) -> SetpointType | None:
    extras = period.extras
    if extras.mode is Mode.IDLE:
        return SetpointType(priority=priority, source=SETPOINT_SOURCE, total_power_W=0.0)
    if extras.mode is Mode.LOCAL_FREQUENCY and extras.frequency_curve:
        baseline_W = extras.baseline_W or 0.0
        table = [
            energy.FrequencyWattPoint(frequency_Hz=hertz, total_power_W=baseline_W + power_W)
            for hertz, power_W in sorted(extras.frequency_curve)
        ]
        return SetpointType(priority=priority, source=SETPOINT_SOURCE, frequency_table=table)
    if extras.mode is Mode.CENTRAL_FREQUENCY and extras.signal_curve and signal is not None:
        power_W = (extras.baseline_W or 0.0) + power_of(extras.signal_curve, signal)
        return SetpointType(priority=priority, source=SETPOINT_SOURCE, total_power_W=power_W)
    if not period.setpoint.given:
        return None
    if composite.unit is RateUnit.W:
        total_W = sum(period.setpoint.given)
        return SetpointType(priority=priority, source=SETPOINT_SOURCE, total_power_W=total_W)
    nearest_A = min(period.setpoint.given, key=abs)
    return SetpointType(priority=priority, source=SETPOINT_SOURCE, ac_current_A=nearest_A)


def power_of(curve: Sequence[tuple[int, float]], signal: int) -> float:
    """Return the power of a signal: linear between the points of the curve, the outer ones beyond them."""
    points = sorted(curve)
    for (low, low_W), (high, high_W) in pairwise(points):
        if low < signal < high:
            return low_W + (high_W - low_W) * (signal - low) / (high - low)
    below = [power_W for point, power_W in points if point <= signal]
    return below[-1] if below else points[0][1]


def charging_schedules(composites: Iterable[Composite], rules: SmartChargingRules) -> ocpp.ChargingSchedules:
    """Return the schedules of the station (first) and its EVSEs as EVerest publishes them.

    EVerest's periods always have a limit: where a mode has none, it is the default.
    """
    return ocpp.ChargingSchedules(schedules=[_schedule(one, rules) for one in composites])


def _schedule(composite: Composite, rules: SmartChargingRules) -> ocpp.ChargingSchedule:
    default = default_limit(rules, composite.unit)
    # EVerest has them for 1.6 alone.
    has_levels = rules.version == V16
    return ocpp.ChargingSchedule(
        evse=composite.evse_id,
        charging_rate_unit=composite.unit.value,
        charging_schedule_period=[_period(one, default, has_levels) for one in composite.periods],
        duration=composite.duration_s,
        start_schedule=rfc3339(date_of(composite.start_s)),
        min_charging_rate=composite.min_rate,
    )


def _period(period: CompositePeriod, default: float, has_levels: bool) -> ocpp.ChargingSchedulePeriod:
    extras, limit, discharge = period.extras, period.limit, period.discharge
    setpoint, reactive = period.setpoint, period.reactive
    mode = extras.mode
    return ocpp.ChargingSchedulePeriod(
        start_period=period.start_s,
        limit=limit.value if limit.value is not None else default,
        limit_L2=limit.L2,
        limit_L3=limit.L3,
        number_phases=period.phases,
        stack_level=period.stack_level if has_levels else None,
        phase_to_use=period.phase_to_use,
        discharge_limit=discharge.value,
        discharge_limit_L2=discharge.L2,
        discharge_limit_L3=discharge.L3,
        setpoint=setpoint.value,
        setpoint_L2=setpoint.L2,
        setpoint_L3=setpoint.L3,
        setpoint_reactive=reactive.value,
        setpoint_reactive_L2=reactive.L2,
        setpoint_reactive_L3=reactive.L3,
        evse_sleep=extras.sleep or None,
        v2x_baseline=extras.baseline_W,
        operation_mode=None if mode is Mode.CHARGING_ONLY else ocpp.ChargingSchedulePeriodOperationMode(mode.value),
        v2x_freq_watt_curve=[
            ocpp.V2XFreqWattPointType(frequency=hertz, power=power_W) for hertz, power_W in extras.frequency_curve
        ]
        or None,
        v2x_signal_watt_curve=[
            ocpp.V2XSignalWattPointCurve(signal=signal, power=power_W) for signal, power_W in extras.signal_curve
        ]
        or None,
    )
