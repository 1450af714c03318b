"""Composite schedules and schedules of others as messages of OCPP 2.0.1 and 2.1."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.messages.v2.smart_charging import CompositeScheduleType
from chargebyte_fw.modules.ocpp.messages.v2.types import charging_profile as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import OperationModeEnumType
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite, CompositePeriod
from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode, Phases
from chargebyte_fw.modules.ocpp.smart_charging.rules import V201
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of

DIGITS_201, DIGITS_21 = 1, 3
"""Decimals: OCPP 2.0.1 allows one for a limit (part 2, 2.13)."""


def composite_of(composite: Composite, version: str) -> CompositeScheduleType:
    """Return the composite schedule of GetCompositeScheduleResponse (K08)."""
    return CompositeScheduleType(
        evse_id=composite.evse_id,
        duration_s=composite.duration_s,
        schedule_start=date_of(composite.start_s),
        charging_rate_unit=v2.ChargingRateUnitEnumType(composite.unit),
        charging_schedule_period=periods_of(composite, version),
    )


def schedule_of(composite: Composite, version: str, *, schedule_id: int = 0) -> v2.ChargingScheduleType:
    """Return the schedule of NotifyChargingLimitRequest."""
    return v2.ChargingScheduleType(
        id=schedule_id,
        charging_rate_unit=v2.ChargingRateUnitEnumType(composite.unit),
        start_schedule=date_of(composite.start_s),
        duration_s=composite.duration_s,
        charging_schedule_period=periods_of(composite, version),
    )


def periods_of(composite: Composite, version: str) -> list[v2.ChargingSchedulePeriodType]:
    """Return the periods."""
    digits = DIGITS_201 if version == V201 else DIGITS_21
    return [_period(one, digits) for one in composite.periods]


def _period(period: CompositePeriod, digits: int) -> v2.ChargingSchedulePeriodType:
    extras = period.extras
    limit = _rounded(period.limit, digits)
    discharge = _rounded(period.discharge, digits)
    setpoint = _rounded(period.setpoint, digits)
    reactive = _rounded(period.reactive, digits)
    if extras.mode is Mode.IDLE:
        limit = discharge = setpoint = reactive = Phases()
    return v2.ChargingSchedulePeriodType(
        start_period_s=period.start_s,
        limit=limit.value,
        limit_L2=limit.L2,
        limit_L3=limit.L3,
        number_phases=period.phases,
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
        preconditioning_request=extras.preconditioning,
        evse_sleep=extras.sleep or None,
        v2x_baseline_W=extras.baseline_W,
        operation_mode=OperationModeEnumType(extras.mode) if extras.mode is not Mode.CHARGING_ONLY else None,
        v2x_freq_watt_curve=[v2.V2XFreqWattPointType(frequency_Hz=x, power_W=y) for x, y in extras.frequency_curve]
        or None,
        v2x_signal_watt_curve=[v2.V2XSignalWattPointType(signal=x, power_W=y) for x, y in extras.signal_curve] or None,
    )


def _rounded(value: Phases, digits: int) -> Phases:
    return Phases(*(round(one, digits) if one is not None else None for one in value))
