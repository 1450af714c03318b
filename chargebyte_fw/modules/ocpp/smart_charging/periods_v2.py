"""Which periods OCPP 2.0.1 and 2.1 accept: phases, operation modes, and the values that each mode has."""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import PLAIN, Extras, Mode, Period, Phases, RateUnit, Schedule
from chargebyte_fw.modules.ocpp.smart_charging.rules import V201, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason, Rejected, check_numbers


class Supply(NamedTuple):
    """What an EVSE is fed from."""

    phases: int
    """0: DC."""
    phases_of_DC: bool = False
    """The phases of a DC EVSE may be chosen (`DCInputPhaseControl`, OCPP 2.1)."""


class Values(NamedTuple):
    """Which values a period of an operation mode has."""

    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


LIMIT, DISCHARGE, SETPOINT, REACTIVE = "limit", "dischargeLimit", "setpoint", "setpointReactive"
VALUES = {
    Mode.CHARGING_ONLY: Values(frozenset({LIMIT})),
    Mode.CENTRAL_SETPOINT: Values(frozenset({SETPOINT}), frozenset({LIMIT, DISCHARGE, REACTIVE})),
    Mode.CENTRAL_FREQUENCY: Values(frozenset({SETPOINT}), frozenset({LIMIT, DISCHARGE})),
    Mode.EXTERNAL_SETPOINT: Values(optional=frozenset({LIMIT, DISCHARGE})),
    Mode.EXTERNAL_LIMITS: Values(),
    Mode.LOCAL_FREQUENCY: Values(),
    Mode.LOCAL_LOAD_BALANCING: Values(),
    Mode.IDLE: Values(),
}
"""Table of the operation modes of OCPP 2.1 (part 2, block Q)."""
ANY = Values(optional=frozenset({LIMIT, DISCHARGE, SETPOINT, REACTIVE}))
"""What an external system sets: the limits and setpoints that the other modes leave to it."""
MIN_CURVE_POINTS = 2


def checked(
    period: Period,
    schedule: Schedule,
    supply: Supply,
    rules: SmartChargingRules,
    allowed: frozenset[Mode],
    is_external: bool,
) -> Period:
    """Return the period with its number of phases; raises Rejected."""
    if period.extras is PLAIN:
        return _plain(period, supply, rules)
    check_numbers(*period.limits, *period.extras.discharge, *period.extras.setpoint, *period.extras.reactive)
    _check_mode(period, schedule, rules, allowed)
    values = ANY if is_external and period.mode is not Mode.CHARGING_ONLY else VALUES[period.mode]
    _check_values(period, values)
    if period.extras.sleep and not rules.evse_sleep:
        raise Rejected(Reason.INVALID_SCHEDULE, "evseSleep is not supported")
    return _with_phases(period, supply, rules)


def _plain(period: Period, supply: Supply, rules: SmartChargingRules) -> Period:
    """Check a period that has a limit and perhaps phases, as most do."""
    limit = period.limit
    if limit is None or not 0 <= limit < math.inf:
        raise Rejected(Reason.INVALID_SCHEDULE, f"limit {limit}")
    if period.phases is None and supply.phases:
        return Period(period.start_s, limit, supply.phases)  # K01.FR.49
    return _with_phases(period, supply, rules)


def _check_mode(period: Period, schedule: Schedule, rules: SmartChargingRules, allowed: frozenset[Mode]) -> None:
    mode = period.mode
    if mode is Mode.CHARGING_ONLY:
        return
    if mode not in allowed:
        raise Rejected(Reason.INVALID_SCHEDULE, f"operationMode {mode} in a profile of this purpose")
    if rules.modes is None or mode not in rules.modes:
        reason = Reason.UNSUPPORTED_PARAM if mode is Mode.LOCAL_LOAD_BALANCING else Reason.INVALID_MODE
        raise Rejected(reason, f"operationMode {mode} is not supported")
    if mode is Mode.LOCAL_FREQUENCY:
        if schedule.unit is not RateUnit.W:
            raise Rejected(Reason.UNSUPPORTED_UNIT, "LocalFrequency in A")  # Q08.FR.05
        extras = period.extras
        points = [value for point in extras.frequency_curve for value in point]
        check_numbers(extras.baseline_W, *points)
        if extras.baseline_W is None or len(extras.frequency_curve) < MIN_CURVE_POINTS:
            raise Rejected(Reason.NO_FREQUENCY_CURVE, "LocalFrequency without v2xBaseline or v2xFreqWattCurve")


def _check_values(period: Period, values: Values) -> None:
    extras = period.extras
    given = {
        LIMIT: period.limits,
        DISCHARGE: extras.discharge,
        SETPOINT: extras.setpoint,
        REACTIVE: extras.reactive,
    }
    for name, value in given.items():
        if name in values.required and value.value is None:
            raise Rejected(Reason.INVALID_SCHEDULE, f"operationMode {period.mode} without {name}")
        if value.given and name not in values.required | values.optional:
            raise Rejected(Reason.INVALID_SCHEDULE, f"operationMode {period.mode} with {name}")
    if any(value < 0 for value in period.limits.given):
        raise Rejected(Reason.INVALID_SCHEDULE, "a limit below 0")
    if any(value > 0 for value in extras.discharge.given):
        raise Rejected(Reason.INVALID_SCHEDULE, "a dischargeLimit above 0")
    for name in (SETPOINT, REACTIVE):
        signs = {value > 0 for value in given[name].given if value}
        if len(signs) > 1:
            raise Rejected(Reason.INVALID_SCHEDULE, f"{name} has both signs")
    _check_setpoint(extras.setpoint, period.limits, extras.discharge)


def _check_setpoint(setpoint: Phases, limit: Phases, discharge: Phases) -> None:
    for one, most, least in zip(setpoint, limit, discharge, strict=True):
        if one is None:
            continue
        if most is not None and one > most:
            raise Rejected(Reason.INVALID_SCHEDULE, f"setpoint {one:g} above the limit {most:g}")
        if least is not None and one < least:
            raise Rejected(Reason.INVALID_SCHEDULE, f"setpoint {one:g} beyond the dischargeLimit {least:g}")


def _with_phases(period: Period, supply: Supply, rules: SmartChargingRules) -> Period:
    extras, number = period.extras, period.phases
    if supply.phases == 0:
        if (number is not None or extras.phase_to_use is not None) and not supply.phases_of_DC:
            # K01.FR.44: a DC EVSE has no phases to be chosen.
            reason = Reason.INVALID_SCHEDULE if rules.version == V201 else Reason.NO_PHASE_FOR_DC
            raise Rejected(reason, "phases on a DC EVSE")
        return period
    if number is not None and not 1 <= number <= supply.phases:
        raise Rejected(Reason.INVALID_SCHEDULE, f"numberPhases {number} of {supply.phases}")  # K01.FR.45
    if extras.phase_to_use is not None:
        if number != 1:
            raise Rejected(Reason.INVALID_SCHEDULE, "phaseToUse without numberPhases 1")  # K01.FR.19
        if not rules.phase_switching or not 1 <= extras.phase_to_use <= supply.phases:
            raise Rejected(Reason.INVALID_SCHEDULE, "phaseToUse is not supported")  # K01.FR.20, 48
    number = number if number is not None else supply.phases  # K01.FR.49
    _check_split(period.limits, extras, number)
    return period if number == period.phases else msgspec.structs.replace(period, phases=number)


def _check_split(limit: Phases, extras: Extras, number: int) -> None:
    """Values of phases that the period does not have contradict it."""
    for value in (limit, extras.discharge, extras.setpoint, extras.reactive):
        if (value.L2 is not None and number < 2) or (value.L3 is not None and number < 3):
            raise Rejected(Reason.PHASE_CONFLICT, f"values of more phases than numberPhases {number}")
