"""The composite schedule: what all profiles together allow an EVSE, or the station (OCPP 1.6 §3.13, 2.x K08)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.bounds import amount_of, each_phase, rendered
from chargebyte_fw.modules.ocpp.smart_charging.layers import (
    Computation,
    EvseLayers,
    Instant,
    StationLayers,
    Winner,
)
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    NOTHING,
    PLAIN,
    STATION,
    Extras,
    Installed,
    Mode,
    Phases,
    RateUnit,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import Situation, SmartChargingRules

MAX_STEPS = 4096
"""Instants that are looked at: a schedule with more of them ends early. It bounds the time of a computation."""
MAX_PERIODS = 1024
"""Periods of a composite schedule (chargingSchedulePeriod, schema of OCPP 2.x): it ends early with more."""
EXTERNAL_MODES = frozenset({Mode.EXTERNAL_SETPOINT, Mode.EXTERNAL_LIMITS})
WITHOUT_VALUES: dict[str, Any] = {
    "limit_L2": None,
    "limit_L3": None,
    "phase_to_use": None,
    "discharge": NOTHING,
    "setpoint": NOTHING,
    "reactive": NOTHING,
}


class CompositePeriod(msgspec.Struct, frozen=True):
    """A stretch of a composite schedule."""

    start_s: int
    """Since the start of the schedule."""
    limit: Phases
    phases: int | None = None
    phase_to_use: int | None = None
    discharge: Phases = NOTHING
    setpoint: Phases = NOTHING
    reactive: Phases = NOTHING
    extras: Extras = PLAIN
    """Mode, curves and requests to the car of the period that wins."""
    is_default: bool = False
    """No profile limits here: the limit is the configured default."""
    stack_level: int = 0
    """Of the profile that wins; 0 where none does, and for the station."""


class Composite(msgspec.Struct, frozen=True):
    """A composite schedule."""

    evse_id: int
    start_s: int
    duration_s: int
    unit: RateUnit
    periods: tuple[CompositePeriod, ...]
    min_rate: float | None = None


def composite(
    profiles: Sequence[Installed],
    evse_id: int,
    duration_s: int,
    unit: RateUnit,
    situation: Situation,
    rules: SmartChargingRules,
    *,
    assume_transaction: bool = True,
) -> Composite:
    """Return the composite schedule of an EVSE, or of the station (0), from now on.

    `assume_transaction` lets TxDefaultProfiles count on an EVSE without a transaction. The schedule is shorter than
    asked for where it would have more than `MAX_PERIODS`.
    """
    start_s = at_s = situation.now_s
    whole = Computation(profiles, situation, rules, start_s, assume_transaction=assume_transaction)
    source: EvseLayers | StationLayers
    source = StationLayers(whole, unit) if evse_id == STATION else EvseLayers(whole, evse_id, unit)
    end_s, steps = start_s + duration_s, 0
    periods: list[CompositePeriod] = []
    min_rate: float | None = None
    while True:
        instant = source.at(at_s)
        period = _period(instant, at_s - start_s, unit, rules, source)
        if not periods or not _same(periods[-1], period):
            if len(periods) >= MAX_PERIODS:
                end_s = at_s
                break
            periods.append(period)
            rate = _min_rate(instant.winner, unit, source.phases, rules)
            min_rate = rate if min_rate is None or (rate is not None and rate > min_rate) else min_rate
        at_s, steps = instant.until_s, steps + 1
        if at_s >= end_s:
            break
        if steps >= MAX_STEPS:
            end_s = at_s
            break
    return Composite(evse_id, start_s, end_s - start_s, unit, tuple(periods), min_rate)


def _min_rate(winner: Winner | None, unit: RateUnit, phases: int, rules: SmartChargingRules) -> float | None:
    schedule = winner[1].schedule if winner is not None else None
    if schedule is None or schedule.min_rate is None:
        return None
    rate = amount_of(Phases(schedule.min_rate), schedule.unit, rules.voltage_V)
    return rendered(rate, unit, phases, rules.voltage_V).value


def _same(one: CompositePeriod, other: CompositePeriod) -> bool:
    return msgspec.structs.replace(other, start_s=one.start_s, stack_level=one.stack_level) == one


def _period(
    instant: Instant, start_s: int, unit: RateUnit, rules: SmartChargingRules, source: EvseLayers | StationLayers
) -> CompositePeriod:
    bounds, voltage_V = instant.bounds, rules.voltage_V
    setting = _setting(instant.winner, instant.external)
    leading = instant.winner
    if leading is None or leading[0].mode is Mode.CHARGING_ONLY:
        leading = setting or leading
    extras = leading[0].extras if leading is not None else PLAIN
    number = bounds.phases or source.phases
    if bounds.limit.is_open and extras.mode is Mode.CHARGING_ONLY:
        phases = bounds.phases or (rules.default_phases if source.has_phases else None)
        return CompositePeriod(start_s, Phases(source.default), phases, is_default=True)
    limit = rendered(bounds.limit, unit, number, voltage_V)
    discharge = rendered(bounds.discharge, unit, number, voltage_V, max)
    if limit.split:
        discharge = _like(discharge, limit, unit, number)
    setpoint = reactive = NOTHING
    if setting is not None:
        period, installed = setting
        of = installed.schedule.unit
        setpoint = rendered(amount_of(period.extras.setpoint, of, voltage_V), unit, number, voltage_V)
        if limit.split:
            setpoint = _like(setpoint, limit, unit, number)
        setpoint = _clamped(setpoint, limit, discharge, unit, number)
        reactive = rendered(amount_of(period.extras.reactive, of, voltage_V), unit, number, voltage_V)
    if extras is not PLAIN:
        # Limits and setpoints stand beside: two periods that differ in nothing else are one.
        extras = msgspec.structs.replace(extras, **WITHOUT_VALUES)
    phase_to_use = bounds.phase_to_use if number == 1 else None
    level = instant.winner[1].profile.stack_level if instant.winner is not None else 0
    return CompositePeriod(
        start_s, limit, bounds.phases, phase_to_use, discharge, setpoint, reactive, extras, stack_level=level
    )


def _setting(winner: Winner | None, external: Winner | None) -> Winner | None:
    """Return the period whose setpoint holds: an external system's where the mode leaves it to that (Q05, Q06)."""
    if winner is not None and winner[0].mode is not Mode.CHARGING_ONLY:
        return external if winner[0].mode in EXTERNAL_MODES else winner
    return external if external is not None and external[0].extras.setpoint.given else None


def _clamped(setpoint: Phases, limit: Phases, discharge: Phases, unit: RateUnit, phases: int) -> Phases:
    """Return the setpoint within the limits of charge and discharge, phase by phase where it has phases."""
    if not setpoint.given:
        return setpoint
    most = _like(limit, setpoint, unit, phases)
    least = _like(discharge, setpoint, unit, phases)
    return Phases(*(_within(one, top, low) for one, top, low in zip(setpoint, most, least, strict=True)))


def _within(value: float | None, most: float | None, least: float | None) -> float | None:
    if value is None:
        return None
    value = value if most is None else min(value, most)
    return value if least is None else max(value, least)


def _like(bound: Phases, value: Phases, unit: RateUnit, phases: int) -> Phases:
    """Return a bound per phase, or for all phases, as the value is."""
    if not bound.given or bound.split == value.split:
        return bound
    if value.split:
        return Phases(*each_phase(bound, unit, phases))
    return Phases(sum(bound.given) if unit is RateUnit.W else min(bound.given, key=abs))
