"""Profiles of OCPP 1.6 as the model of all versions, and composite schedules as its messages."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.messages.v16 import types as v16
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    Kind,
    Period,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of, optional_seconds_of

PURPOSES = {
    v16.ChargingProfilePurposeType.ChargePointMaxProfile: Purpose.STATION_MAX,
    v16.ChargingProfilePurposeType.TxDefaultProfile: Purpose.TX_DEFAULT,
    v16.ChargingProfilePurposeType.TxProfile: Purpose.TX,
}
RECURRENCIES = {
    v16.RecurrencyKindType.Daily: Recurrency.DAILY,
    v16.RecurrencyKindType.Weekly: Recurrency.WEEKLY,
}
DIGITS = 1
"""Decimals of a limit (§7.14)."""


def profile_of(profile: v16.ChargingProfile) -> Profile:
    """Return a profile of a message."""
    schedule = profile.charging_schedule
    recurrency = profile.recurrency_kind
    return Profile(
        id=profile.charging_profile_id,
        stack_level=profile.stack_level,
        purpose=PURPOSES[profile.charging_profile_purpose],
        kind=Kind(profile.charging_profile_kind),
        recurrency=RECURRENCIES[recurrency] if recurrency is not None else None,
        valid_from_s=optional_seconds_of(profile.valid_from),
        valid_to_s=optional_seconds_of(profile.valid_to),
        # The id may be 0, which is an id like any other.
        transaction_id=str(profile.transaction_id) if profile.transaction_id is not None else None,
        schedules=(
            Schedule(
                unit=RateUnit(schedule.charging_rate_unit),
                duration_s=schedule.duration_s,
                start_s=optional_seconds_of(schedule.start_schedule),
                min_rate=schedule.min_charging_rate,
                periods=tuple(
                    Period(one.start_period_s, one.limit, one.number_phases)
                    for one in schedule.charging_schedule_period
                ),
            ),
        ),
    )


def schedule_of(composite: Composite) -> v16.ChargingSchedule:
    """Return a composite schedule as a message has it."""
    rate = composite.min_rate
    return v16.ChargingSchedule(
        charging_rate_unit=v16.ChargingRateUnitType(composite.unit),
        duration_s=composite.duration_s,
        start_schedule=date_of(composite.start_s),
        min_charging_rate=round(rate, DIGITS) if rate is not None else None,
        charging_schedule_period=[
            v16.ChargingSchedulePeriod(
                start_period_s=one.start_s, limit=round(one.limit.value or 0.0, DIGITS), number_phases=one.phases
            )
            for one in composite.periods
        ],
    )
