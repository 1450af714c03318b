"""Profiles of OCPP 2.0.1 and 2.1 as the model of all versions."""

from __future__ import annotations

from operator import attrgetter

from chargebyte_fw.modules.ocpp.messages.v2.types import charging_profile as v2
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    NOTHING,
    PLAIN,
    Extras,
    Kind,
    LimitAtSoC,
    Mode,
    Period,
    Phases,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.seconds import local_seconds_of, optional_seconds_of, seconds_of

RECURRENCIES = {
    v2.RecurrencyKindEnumType.Daily: Recurrency.DAILY,
    v2.RecurrencyKindEnumType.Weekly: Recurrency.WEEKLY,
}


def profile_of(profile: v2.ChargingProfileType) -> Profile:
    """Return a profile of a message."""
    recurrency = profile.recurrency_kind
    return Profile(
        id=profile.id,
        stack_level=profile.stack_level,
        purpose=Purpose(profile.charging_profile_purpose),
        kind=Kind(profile.charging_profile_kind),
        recurrency=RECURRENCIES[recurrency] if recurrency is not None else None,
        valid_from_s=optional_seconds_of(profile.valid_from),
        valid_to_s=optional_seconds_of(profile.valid_to),
        transaction_id=profile.transaction_id,
        max_offline_s=profile.max_offline_duration_s,
        ends_offline=bool(profile.invalid_after_offline_duration),
        update_interval_s=profile.dyn_update_interval_s or 0,
        updated_s=optional_seconds_of(profile.dyn_update_time),
        schedules=tuple(_schedule(one) for one in profile.charging_schedule),
    )


def _schedule(schedule: v2.ChargingScheduleType) -> Schedule:
    local, start, at_soc = bool(schedule.use_local_time), schedule.start_schedule, schedule.limit_at_soc
    start_s = None
    if start is not None:
        start_s = local_seconds_of(start) if local else seconds_of(start)
    return Schedule(
        id=schedule.id,
        unit=RateUnit(schedule.charging_rate_unit),
        duration_s=schedule.duration_s,
        start_s=start_s,
        min_rate=schedule.min_charging_rate,
        local_time=local,
        randomized_delay_s=schedule.randomized_delay_s or 0,
        limit_at_soc=LimitAtSoC(at_soc.soc_percent, at_soc.limit) if at_soc is not None else None,
        periods=tuple(
            Period(one.start_period_s, one.limit, one.number_phases, _extras(one))
            for one in schedule.charging_schedule_period
        ),
    )


EXTRAS = (
    "limit_L2", "limit_L3", "phase_to_use",
    "discharge_limit", "discharge_limit_L2", "discharge_limit_L3",
    "setpoint", "setpoint_L2", "setpoint_L3",
    "setpoint_reactive", "setpoint_reactive_L2", "setpoint_reactive_L3",
    "preconditioning_request", "evse_sleep", "v2x_baseline_W", "operation_mode",
    "v2x_freq_watt_curve", "v2x_signal_watt_curve",
)  # fmt: skip
"""Members of a period that most periods lack."""
_extra_values = attrgetter(*EXTRAS)
_NO_VALUES = (None,) * len(EXTRAS)


def _phases(value: float | None, L2: float | None, L3: float | None) -> Phases:
    return NOTHING if value is None and L2 is None and L3 is None else Phases(value, L2, L3)


def _extras(period: v2.ChargingSchedulePeriodType) -> Extras:
    if _extra_values(period) == _NO_VALUES:
        return PLAIN
    mode, curve, signals = period.operation_mode, period.v2x_freq_watt_curve, period.v2x_signal_watt_curve
    extras = Extras(
        limit_L2=period.limit_L2,
        limit_L3=period.limit_L3,
        phase_to_use=period.phase_to_use,
        discharge=_phases(period.discharge_limit, period.discharge_limit_L2, period.discharge_limit_L3),
        setpoint=_phases(period.setpoint, period.setpoint_L2, period.setpoint_L3),
        reactive=_phases(period.setpoint_reactive, period.setpoint_reactive_L2, period.setpoint_reactive_L3),
        preconditioning=period.preconditioning_request,
        sleep=bool(period.evse_sleep),
        baseline_W=period.v2x_baseline_W,
        mode=Mode(mode) if mode is not None else Mode.CHARGING_ONLY,
        frequency_curve=tuple((one.frequency_Hz, one.power_W) for one in curve or ()),
        signal_curve=tuple((one.signal, one.power_W) for one in signals or ()),
    )
    return PLAIN if extras == PLAIN else extras
