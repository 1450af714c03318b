"""Which profiles OCPP 2.0.1 and 2.1 accept, and the reasonCode of what they do not (K01 to K05, Q05 to Q10)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.periods_v2 import Supply, checked
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    STATION,
    Installed,
    Kind,
    Mode,
    Profile,
    Purpose,
    Schedule,
    same_transaction,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import V21, EvseState, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.timeline import FOREVER
from chargebyte_fw.modules.ocpp.smart_charging.verdict import (
    Reason,
    Rejected,
    Requested,
    check_numbers,
    check_periods,
    check_room,
)

ALL_MODES = frozenset(Mode)
MODES = {
    Purpose.TX: ALL_MODES,
    Purpose.TX_DEFAULT: ALL_MODES,
    Purpose.PRIORITY: frozenset({Mode.CHARGING_ONLY}),
    Purpose.STATION_MAX: frozenset({Mode.CHARGING_ONLY}),
    Purpose.EXTERNAL: frozenset({Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS, Mode.EXTERNAL_SETPOINT}),
    Purpose.LOCAL_GENERATION: frozenset({Mode.CHARGING_ONLY, Mode.EXTERNAL_LIMITS}),
}
"""The operation modes of each purpose (OCPP 2.1)."""
ADDITIONAL = frozenset({Purpose.PRIORITY, Purpose.LOCAL_GENERATION})
DELAYED = frozenset({Purpose.TX, Purpose.TX_DEFAULT})
CSO = "CSO"


def accepted(
    request: Requested,
    others: Sequence[Installed],
    evses: dict[int, EvseState],
    rules: SmartChargingRules,
    *,
    last_update_s: int | None = None,
) -> Profile:
    """Return the profile as it is to be installed; raises Rejected.

    `others` are the profiles that stay installed beside it, `last_update_s` is when one of its purpose was accepted.
    """
    profile = request.profile
    if request.evse_id != STATION and request.evse_id not in evses:
        raise Rejected(Reason.INVALID_VALUE, f"there is no EVSE {request.evse_id}")  # K01.FR.28
    _check_purpose(request, rules)
    if last_update_s is not None and request.now_s - last_update_s < rules.update_rate_limit_s:
        raise Rejected(Reason.RATE_LIMIT, f"{profile.purpose} again within {rules.update_rate_limit_s} s")
    _check_id(request, others, rules)
    _check_kind(profile, rules)
    if not profile.schedules:
        raise Rejected(Reason.INVALID_SCHEDULE, "no chargingSchedule")
    supply = _supply(request.evse_id, evses)
    schedules = tuple(_checked(one, request, supply, rules) for one in profile.schedules)
    profile = msgspec.structs.replace(profile, schedules=schedules)
    check_room(profile, others, rules)
    match profile.purpose:
        case Purpose.TX:
            return _of_transaction(profile, request, others, evses)
        case Purpose.STATION_MAX:
            if request.evse_id != STATION:
                raise Rejected(Reason.INVALID_VALUE, "ChargingStationMaxProfile holds for EVSE 0")  # K04.FR.03
            if profile.kind is Kind.RELATIVE:
                raise Rejected(Reason.INVALID_VALUE, "ChargingStationMaxProfile is not relative")  # K01.FR.38
        case Purpose.TX_DEFAULT:
            _check_default(profile, request.evse_id, others)
    _check_duplicate(profile, request.evse_id, others)
    return profile


def _check_purpose(request: Requested, rules: SmartChargingRules) -> None:
    purpose = request.profile.purpose
    if request.in_remote_start and purpose is not Purpose.TX:
        raise Rejected(Reason.INVALID_VALUE, f"RequestStartTransaction with a {purpose}")  # K05.FR.02
    if purpose is Purpose.EXTERNAL and request.source == CSO:
        # K01.FR.22: such a profile is set by an external system.
        raise Rejected(Reason.INVALID_VALUE, "ChargingStationExternalConstraints from the CSMS")
    if purpose in ADDITIONAL and (rules.version != V21 or purpose not in rules.additional_purposes):
        raise Rejected(Reason.UNSUPPORTED_PURPOSE, f"{purpose} is not supported")


def _check_id(request: Requested, others: Sequence[Installed], rules: SmartChargingRules) -> None:
    profile = request.profile
    if request.source != CSO:
        return
    if rules.max_external_id is not None and rules.version == V21 and profile.id <= rules.max_external_id:
        # K01.FR.81: these ids belong to external systems.
        raise Rejected(Reason.INVALID_PROFILE_ID, f"id {profile.id}, at most {rules.max_external_id} is reserved")
    if any(one.profile.id == profile.id and one.profile.purpose is Purpose.EXTERNAL for one in others):
        raise Rejected(Reason.DUPLICATE_PROFILE, f"id {profile.id} is that of an external constraint")  # K01.FR.05


def _check_kind(profile: Profile, rules: SmartChargingRules) -> None:
    if profile.kind is Kind.DYNAMIC:
        if rules.version != V21 or not rules.dynamic:
            raise Rejected(Reason.UNSUPPORTED_KIND, "dynamic profiles are not supported")
        if len(profile.schedules) != 1 or len(profile.schedules[0].periods) != 1:
            raise Rejected(Reason.INVALID_SCHEDULE, "a dynamic profile has one schedule with one period")
    elif profile.update_interval_s or profile.updated_s is not None:
        raise Rejected(Reason.INVALID_PROFILE, f"dynUpdateInterval or dynUpdateTime in a profile of {profile.kind}")
    if profile.kind is Kind.RECURRING and profile.recurrency is None:
        raise Rejected(Reason.INVALID_PROFILE, "Recurring without recurrencyKind")


def _supply(evse_id: int, evses: dict[int, EvseState]) -> Supply:
    if evse_id != STATION:
        evse = evses[evse_id]
        return Supply(evse.phases, evse.phases_of_DC)
    of_all = [evse for number, evse in evses.items() if number != STATION]
    return Supply(max((one.phases for one in of_all), default=3), any(one.phases_of_DC for one in of_all))


def _checked(schedule: Schedule, request: Requested, supply: Supply, rules: SmartChargingRules) -> Schedule:
    profile = request.profile
    check_periods(schedule.periods)  # K01.FR.31, K01.FR.35
    if schedule.unit not in rules.units:
        raise Rejected(Reason.UNSUPPORTED_UNIT, f"chargingRateUnit {schedule.unit}")  # K01.FR.26
    has_start = schedule.start_s is not None
    if profile.kind in (Kind.ABSOLUTE, Kind.RECURRING) and not has_start:
        raise Rejected(Reason.INVALID_SCHEDULE, f"{profile.kind} without startSchedule")  # K01.FR.40
    if profile.kind is Kind.RELATIVE and has_start:
        raise Rejected(Reason.INVALID_SCHEDULE, "Relative with startSchedule")  # K01.FR.41
    if schedule.duration_s is not None:
        if schedule.duration_s < 0:
            raise Rejected(Reason.INVALID_SCHEDULE, f"duration {schedule.duration_s}")
        if profile.purpose is Purpose.PRIORITY:
            raise Rejected(Reason.INVALID_SCHEDULE, "PriorityCharging with a duration")  # K01.FR.70
    check_numbers(schedule.min_rate)
    _check_features(schedule, profile, rules)
    _check_single_phases(schedule, profile, request)
    allowed = MODES[profile.purpose]
    periods = tuple(checked(one, schedule, supply, rules, allowed, request.source != CSO) for one in schedule.periods)
    return msgspec.structs.replace(schedule, periods=periods)


def _check_features(schedule: Schedule, profile: Profile, rules: SmartChargingRules) -> None:
    """Raise Rejected for what the station does not support (K01.FR.120 to 126)."""
    if schedule.local_time and not rules.local_time:
        raise Rejected(Reason.INVALID_SCHEDULE, "useLocalTime is not supported")
    if schedule.randomized_delay_s:
        if not rules.randomized_delay or schedule.randomized_delay_s < 0:
            raise Rejected(Reason.INVALID_SCHEDULE, "randomizedDelay is not supported")
        if profile.purpose not in DELAYED:
            raise Rejected(Reason.INVALID_SCHEDULE, f"randomizedDelay in a {profile.purpose}")  # K01.FR.95
    if schedule.limit_at_soc is not None:
        if not rules.limit_at_soc:
            raise Rejected(Reason.INVALID_SCHEDULE, "limitAtSoC is not supported")
        check_numbers(schedule.limit_at_soc.limit)


def _check_single_phases(schedule: Schedule, profile: Profile, request: Requested) -> None:
    """Raise Rejected for values of single phases (`_L2`, `_L3`) where there can be none (errata 2025-06)."""
    for period in schedule.periods:
        extras = period.extras
        split = [one for one in (period.limits, extras.discharge, extras.setpoint, extras.reactive) if one.split]
        if any(one.value is None for one in split):
            raise Rejected(Reason.PHASE_CONFLICT, "a value of L2 or L3 without that of L1")  # K01.FR.146, V2X.07
        if split and profile.purpose is not Purpose.TX and request.source == CSO:
            # K01.FR.144, V2X.10: only a car that has named its needs has phases of its own.
            raise Rejected(Reason.PHASE_CONFLICT, f"values of single phases in a {profile.purpose}")


def _of_transaction(
    profile: Profile, request: Requested, others: Sequence[Installed], evses: dict[int, EvseState]
) -> Profile:
    if request.evse_id == STATION:
        raise Rejected(Reason.INVALID_VALUE, "TxProfile holds for an EVSE above 0")  # K01.FR.16
    if request.in_remote_start:
        # K05.FR.03: it has the id of the transaction once there is one.
        return msgspec.structs.replace(profile, transaction_id=None)
    if profile.transaction_id is None:
        raise Rejected(Reason.MISSING_PARAM, "TxProfile without transactionId")  # K01.FR.03
    evse = evses[request.evse_id]
    if not evse.transaction:
        raise Rejected(Reason.TX_NOT_FOUND, f"no transaction on EVSE {request.evse_id}")  # K01.FR.09
    if not same_transaction(evse.transaction_id, profile.transaction_id):
        # K01.FR.33: it does not run, or runs on another EVSE.
        raise Rejected(Reason.TX_NOT_FOUND, f"transaction {profile.transaction_id} is not on EVSE {request.evse_id}")
    for other in others:
        if (
            other.profile.purpose is Purpose.TX
            and same_transaction(other.profile.transaction_id, profile.transaction_id)
            and other.profile.stack_level == profile.stack_level
        ):
            raise Rejected(Reason.INVALID_STACK_LEVEL, f"profile {other.profile.id} has the same level")  # K01.FR.39
    return profile


def _check_default(profile: Profile, evse_id: int, others: Sequence[Installed]) -> None:
    """K01.FR.52, 53: on one level, TxDefaultProfiles are for the station or for single EVSEs."""
    for other in others:
        if (
            other.profile.purpose is Purpose.TX_DEFAULT
            and other.profile.stack_level == profile.stack_level
            and (other.evse_id == STATION) != (evse_id == STATION)
        ):
            raise Rejected(Reason.DUPLICATE_PROFILE, f"profile {other.profile.id} is for EVSE {other.evse_id}")


def _check_duplicate(profile: Profile, evse_id: int, others: Sequence[Installed]) -> None:
    """K01.FR.06: profiles of one purpose, level and EVSE are not valid at the same time."""
    first, end = _validity(profile)
    for other in others:
        if (
            other.profile.purpose is profile.purpose
            and other.profile.stack_level == profile.stack_level
            and other.evse_id == evse_id
        ):
            other_first, other_end = _validity(other.profile)
            if first <= other_end and other_first <= end:
                raise Rejected(Reason.DUPLICATE_PROFILE, f"profile {other.profile.id} is valid at the same time")


def _validity(profile: Profile) -> tuple[int, int]:
    first = profile.valid_from_s if profile.valid_from_s is not None else -FOREVER
    return first, profile.valid_to_s if profile.valid_to_s is not None else FOREVER
