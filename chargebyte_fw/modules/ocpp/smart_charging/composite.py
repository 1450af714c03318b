"""The composite schedule: what all profiles together allow an EVSE, or the station, over time (ocpp.md 4.11)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.bounds import (
    OPEN,
    UNLIMITED,
    Bounds,
    amount_of,
    bounds_of,
    in_all,
    narrowed,
    rendered,
)
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    NOTHING,
    PLAIN,
    STATION,
    Extras,
    Installed,
    Mode,
    Period,
    Phases,
    Purpose,
    RateUnit,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, Situation, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.timeline import FOREVER, Timeline, is_ignored

MAX_STEPS = 20_000
"""Instants that are looked at: a schedule with more of them ends early. It bounds the time of a computation."""
MAX_PERIODS = 1024
"""Periods of a composite schedule (chargingSchedulePeriod, schema of OCPP 2.x): it ends early with more."""
IDLE_EVSE = EvseState()
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


class Composite(msgspec.Struct, frozen=True):
    """A composite schedule."""

    evse_id: int
    start_s: int
    duration_s: int
    unit: RateUnit
    periods: tuple[CompositePeriod, ...]
    min_rate: float | None = None


Winner = tuple[Period, Installed]


class _Layer:
    """Profiles of one purpose: the highest stack level that has a period wins."""

    def __init__(self, timelines: Iterable[Timeline]) -> None:
        # On the same level, that of the EVSE goes before that of every EVSE.
        self._timelines = sorted(timelines, key=lambda one: (one.stack_level, one.evse_id != STATION), reverse=True)
        self._until_s = -FOREVER
        self._winner: Winner | None = None

    def at(self, at_s: int) -> tuple[Winner | None, int]:
        if at_s >= self._until_s:
            self._winner, self._until_s = None, FOREVER
            for timeline in self._timelines:
                period, until_s = timeline.at(at_s)
                self._until_s = min(self._until_s, until_s)
                if period is not None:
                    self._winner = period, timeline.installed
                    break
        return self._winner, self._until_s

    def bounds(self, at_s: int, voltage_V: float, soc_percent: float | None) -> tuple[Bounds, int]:
        winner, until_s = self.at(at_s)
        return (bounds_of(*winner, voltage_V, soc_percent) if winner is not None else UNLIMITED), until_s


class _Instant(msgspec.Struct):
    """What holds at one instant, and until when."""

    bounds: Bounds
    until_s: int
    winner: Winner | None = None
    external: Winner | None = None


class _Computation:
    """The layers of one computation."""

    def __init__(
        self,
        profiles: Sequence[Installed],
        situation: Situation,
        rules: SmartChargingRules,
        start_s: int,
        *,
        assume_transaction: bool,
    ) -> None:
        self.rules, self.situation = rules, situation
        self._start_s = start_s
        self._assume = assume_transaction
        self._profiles = [one for one in profiles if not is_ignored(one, situation, rules)]
        self.station_max = self._layer(STATION, Purpose.STATION_MAX)
        self.external = self._layer(STATION, Purpose.EXTERNAL)
        self.generation = self._layer(STATION, Purpose.LOCAL_GENERATION)

    def _layer(self, evse_id: int, purpose: Purpose, *, also_station: bool = False) -> _Layer:
        evse = self.situation.evses.get(evse_id, IDLE_EVSE)
        began_s = evse.transaction_start_s if evse.transaction else None
        began_s = began_s if began_s is not None else self._start_s
        ids = {evse_id, STATION} if also_station else {evse_id}
        return _Layer(
            Timeline(one, self.situation, self.rules, transaction_start_s=began_s)
            for one in self._profiles
            if one.profile.purpose is purpose and one.evse_id in ids and self._is_of(one, evse)
        )

    @staticmethod
    def _is_of(installed: Installed, evse: EvseState) -> bool:
        """Return whether the profile is for the transaction of the EVSE, or for any."""
        wanted = installed.profile.transaction_id
        if installed.profile.purpose is not Purpose.TX:
            return True
        return evse.transaction and (wanted is None or evse.transaction_id is None or wanted == evse.transaction_id)

    def layers_of(self, evse_id: int) -> tuple[list[_Layer], _Layer, _Layer]:
        """Return the layers that replace each other, the first one first; local generation; external limits."""
        evse = self.situation.evses.get(evse_id, IDLE_EVSE)
        replacing = []
        if evse.transaction or self._assume:
            if evse.transaction and evse.priority:
                replacing.append(self._layer(evse_id, Purpose.PRIORITY, also_station=True))
            if evse.transaction:
                replacing.append(self._layer(evse_id, Purpose.TX))
            replacing.append(self._layer(evse_id, Purpose.TX_DEFAULT, also_station=True))
        return replacing, self._layer(evse_id, Purpose.LOCAL_GENERATION), self._layer(evse_id, Purpose.EXTERNAL)

    def station(self, at_s: int, bounds: Bounds, until_s: int) -> tuple[Bounds, int, Winner | None]:
        """Narrow `bounds` to what the station may draw."""
        voltage_V = self.rules.voltage_V
        for layer in (self.station_max, self.external):
            more, next_s = layer.bounds(at_s, voltage_V, None)
            bounds, until_s = narrowed(bounds, more), min(until_s, next_s)
        return bounds, until_s, self.external.at(at_s)[0]

    def with_generation(self, at_s: int, bounds: Bounds, until_s: int, layer: _Layer, n: int) -> tuple[Bounds, int]:
        """Add what local generation provides to a limit (OCPP 2.1, K27)."""
        more, next_s = layer.bounds(at_s, self.rules.voltage_V, None)
        if not more.limit.is_open and not bounds.limit.is_open:
            limit = in_all(bounds.limit, more.limit, n, self.rules.voltage_V)
            bounds = msgspec.structs.replace(bounds, limit=limit)
        return bounds, min(until_s, next_s)


class _Evse:
    """The layers of one EVSE."""

    def __init__(self, whole: _Computation, evse_id: int, unit: RateUnit) -> None:
        self._whole = whole
        evse = whole.situation.evses.get(evse_id, IDLE_EVSE)
        self._soc_percent = evse.soc_percent
        self.phases = evse.phases or whole.rules.default_phases
        self.has_phases = evse.phases > 0
        self.default = default_limit(whole.rules, unit)
        self._replacing, self._generation, self._external = whole.layers_of(evse_id)

    def transaction(self, at_s: int) -> tuple[Bounds, int, Winner | None, Winner | None]:
        """Return what the profiles of the EVSE alone allow, until when, and the periods that decide it."""
        bounds, until_s, winner = UNLIMITED, FOREVER, None
        for layer in self._replacing:
            winner, next_s = layer.at(at_s)
            until_s = min(until_s, next_s)
            if winner is not None:
                bounds = bounds_of(*winner, self._whole.rules.voltage_V, self._soc_percent)
                break
        bounds, until_s = self._whole.with_generation(at_s, bounds, until_s, self._generation, self.phases)
        more, next_s = self._external.bounds(at_s, self._whole.rules.voltage_V, None)
        return narrowed(bounds, more), min(until_s, next_s), winner, self._external.at(at_s)[0]

    def at(self, at_s: int) -> _Instant:
        bounds, until_s, winner, external = self.transaction(at_s)
        bounds, until_s = self._whole.with_generation(at_s, bounds, until_s, self._whole.generation, self.phases)
        bounds, until_s, of_station = self._whole.station(at_s, bounds, until_s)
        return _Instant(bounds, until_s, winner, external or of_station)


class _Station:
    """All EVSEs together, in the unit of the schedule."""

    def __init__(self, whole: _Computation, unit: RateUnit) -> None:
        self._whole, self._unit = whole, unit
        self._evses = [_Evse(whole, evse_id, unit) for evse_id in sorted(whole.situation.evses) if evse_id != STATION]
        self.phases = max((evse.phases for evse in self._evses), default=whole.rules.default_phases)
        self.has_phases = not self._evses or any(evse.has_phases for evse in self._evses)
        self._default = default_limit(whole.rules, unit)
        self.default = self._default * max(1, len(self._evses))

    def at(self, at_s: int) -> _Instant:
        """Return what all EVSEs together may draw."""
        whole, until_s = self._whole, FOREVER
        allowed = []
        for evse in self._evses:
            bounds, next_s, _, _ = evse.transaction(at_s)
            allowed.append((evse, bounds))
            until_s = min(until_s, next_s)
        is_open = all(bounds.limit.is_open for _, bounds in allowed)
        of_station, until_s, external = whole.station(at_s, UNLIMITED, until_s)
        if is_open and of_station.limit.is_open:
            return _Instant(of_station, until_s, None, external)
        total, until_s = whole.with_generation(at_s, self._sum(allowed), until_s, whole.generation, self.phases)
        return _Instant(narrowed(total, of_station), until_s, None, external)

    def _sum(self, allowed: list[tuple[_Evse, Bounds]]) -> Bounds:
        """Return the sum; an EVSE without a limit has the default."""
        voltage_V = self._whole.rules.voltage_V
        parts = []
        phases: int | None = 1
        for evse, bounds in allowed:
            if bounds.limit.is_open:
                part = Phases(self._default)
            else:
                part = rendered(bounds.limit, self._unit, bounds.phases or evse.phases, voltage_V)
            parts.append(part)
            phases = None if phases is None or bounds.phases is None else max(phases, bounds.phases)
        if not parts:
            return Bounds(phases=None, limit=amount_of(Phases(self._default), self._unit, voltage_V))
        total = Phases(sum(part.value or 0.0 for part in parts))
        if any(part.split for part in parts):
            of_each = [_each_phase(part, self._unit, self.phases) for part in parts]
            total = Phases(*(sum(values) for values in zip(*of_each, strict=True)))
        return Bounds(amount_of(total, self._unit, voltage_V), OPEN, phases)


def _each_phase(value: Phases, unit: RateUnit, phases: int) -> tuple[float, float, float]:
    """Return what each phase has of a value: of a sum in W, an equal share."""
    first = value.value or 0.0
    if not value.split:
        first = first / phases if unit is RateUnit.W else first
        return first, first, first
    return first, value.L2 if value.L2 is not None else first, value.L3 if value.L3 is not None else first


def default_limit(rules: SmartChargingRules, unit: RateUnit) -> float:
    """Return the limit where no profile applies."""
    return rules.default_limit_A if unit is RateUnit.A else rules.default_limit_W


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
    whole = _Computation(profiles, situation, rules, start_s, assume_transaction=assume_transaction)
    source: _Evse | _Station = _Station(whole, unit) if evse_id == STATION else _Evse(whole, evse_id, unit)
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
    return msgspec.structs.replace(other, start_s=one.start_s) == one


def _period(
    instant: _Instant, start_s: int, unit: RateUnit, rules: SmartChargingRules, source: _Evse | _Station
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
    return CompositePeriod(start_s, limit, bounds.phases, phase_to_use, discharge, setpoint, reactive, extras)


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
        return Phases(*_each_phase(bound, unit, phases))
    return Phases(sum(bound.given) if unit is RateUnit.W else min(bound.given, key=abs))
