"""Which profiles OCPP 1.6 accepts (§3.13, §5.16, §7.8)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    STATION,
    Installed,
    Kind,
    Profile,
    Purpose,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.verdict import (
    Reason,
    Rejected,
    Requested,
    check_numbers,
    check_periods,
    check_room,
)


def accepted(
    request: Requested, others: Sequence[Installed], evses: dict[int, EvseState], rules: SmartChargingRules
) -> Profile:
    """Return the profile as it is to be installed; raises Rejected.

    `others` are the profiles that stay installed beside it; `evses` has the connectors by their id.
    """
    profile, connector_id = request.profile, request.evse_id
    if profile.purpose not in rules.purposes:
        raise Rejected(Reason.UNSUPPORTED_PURPOSE, f"{profile.purpose} is not supported")
    if connector_id != STATION and connector_id not in evses:
        raise Rejected(Reason.INVALID_VALUE, f"there is no connector {connector_id}")
    if not 0 <= profile.stack_level <= rules.max_stack_level:
        raise Rejected(Reason.INVALID_STACK_LEVEL, f"stackLevel {profile.stack_level}")
    if len(others) >= rules.max_profiles:
        raise Rejected(Reason.OUT_OF_MEMORY, f"{rules.max_profiles} profiles are installed")
    (schedule,) = profile.schedules
    _check_schedule(schedule, rules)
    check_room(profile, others, rules)
    profile = _with_start(profile, request.now_s, rules)
    match profile.purpose:
        case Purpose.STATION_MAX:
            if connector_id != STATION:
                raise Rejected(Reason.INVALID_VALUE, "ChargePointMaxProfile holds for connector 0")
            if profile.kind is Kind.RELATIVE:
                raise Rejected(Reason.INVALID_VALUE, "ChargePointMaxProfile is not relative to a transaction")
        case Purpose.TX:
            return _of_transaction(profile, request, evses)
        case _:
            if request.in_remote_start:
                raise Rejected(Reason.INVALID_VALUE, "RemoteStartTransaction takes a TxProfile")
    return profile


def _check_schedule(schedule: Schedule, rules: SmartChargingRules) -> None:
    if len(schedule.periods) > rules.max_periods:
        raise Rejected(Reason.INVALID_SCHEDULE, f"{len(schedule.periods)} periods, at most {rules.max_periods}")
    check_periods(schedule.periods)
    if schedule.unit not in rules.units:
        raise Rejected(Reason.UNSUPPORTED_UNIT, f"chargingRateUnit {schedule.unit}")
    if schedule.duration_s is not None and schedule.duration_s < 0:
        raise Rejected(Reason.INVALID_SCHEDULE, f"duration {schedule.duration_s}")
    check_numbers(schedule.min_rate)
    for period in schedule.periods:
        check_numbers(period.limit)
        if period.limit is None or period.limit < 0:
            raise Rejected(Reason.INVALID_SCHEDULE, f"limit {period.limit}")
        if period.phases is not None and not 1 <= period.phases <= 3:
            raise Rejected(Reason.INVALID_SCHEDULE, f"numberPhases {period.phases}")


def _with_start(profile: Profile, now_s: int, rules: SmartChargingRules) -> Profile:
    """Return the profile with what its kind needs."""
    (schedule,) = profile.schedules
    if profile.kind is Kind.RELATIVE:
        return profile
    if schedule.start_s is None:
        if not rules.allow_no_start:
            raise Rejected(Reason.INVALID_SCHEDULE, f"{profile.kind} without startSchedule")
        schedule = msgspec.structs.replace(schedule, start_s=now_s)
    if profile.kind is Kind.RECURRING:
        schedule = _capped(schedule, profile.recurrency)
    return msgspec.structs.replace(profile, schedules=(schedule,))


def _capped(schedule: Schedule, recurrency: Recurrency | None) -> Schedule:
    """Return a recurring schedule that is no longer than its period."""
    if recurrency is None:
        raise Rejected(Reason.INVALID_SCHEDULE, "Recurring without recurrencyKind")
    if schedule.duration_s is None or schedule.duration_s > recurrency:
        return msgspec.structs.replace(schedule, duration_s=int(recurrency))
    return schedule


def _of_transaction(profile: Profile, request: Requested, evses: dict[int, EvseState]) -> Profile:
    if request.evse_id == STATION:
        raise Rejected(Reason.INVALID_VALUE, "TxProfile holds for a connector above 0")
    if request.in_remote_start:
        # It has the id of the transaction once there is one.
        return msgspec.structs.replace(profile, transaction_id=None)
    evse = evses[request.evse_id]
    if not evse.transaction:
        raise Rejected(Reason.TX_NOT_FOUND, f"no transaction on connector {request.evse_id}")
    if profile.transaction_id is not None and profile.transaction_id != evse.transaction_id:
        raise Rejected(Reason.TX_NOT_FOUND, f"transaction {profile.transaction_id} does not run")
    return msgspec.structs.replace(profile, transaction_id=evse.transaction_id)
