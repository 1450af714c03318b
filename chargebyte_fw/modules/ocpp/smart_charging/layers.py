"""The layers of a computation: profiles by purpose and level, of an EVSE and of the station."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.bounds import (
    OPEN,
    UNLIMITED,
    Bounds,
    amount_of,
    bounds_of,
    each_phase,
    in_all,
    narrowed,
    rendered,
)
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    STATION,
    Installed,
    Period,
    Phases,
    Purpose,
    RateUnit,
    same_transaction,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, Situation, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.timeline import FOREVER, Timeline, is_ignored

IDLE_EVSE = EvseState()
Winner = tuple[Period, Installed]


class Layer:
    """Profiles of one purpose: the highest stack level that has a period wins."""

    def __init__(self, timelines: Iterable[Timeline]) -> None:
        # On the same level, that of the EVSE goes before that of every EVSE.
        self._timelines = sorted(timelines, key=lambda one: (one.stack_level, one.evse_id != STATION), reverse=True)
        self._until_s = -FOREVER
        self._winner: Winner | None = None

    def at(self, at_s: int) -> tuple[Winner | None, int]:
        """Return the period that wins, and until when."""
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
        """Return what the period that wins allows, and until when."""
        winner, until_s = self.at(at_s)
        return (bounds_of(*winner, voltage_V, soc_percent) if winner is not None else UNLIMITED), until_s


class Instant(msgspec.Struct):
    """What holds at one instant, and until when."""

    bounds: Bounds
    until_s: int
    winner: Winner | None = None
    external: Winner | None = None


class Computation:
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

    def _layer(self, evse_id: int, purpose: Purpose, *, also_station: bool = False) -> Layer:
        evse = self.situation.evses.get(evse_id, IDLE_EVSE)
        began_s = evse.transaction_start_s if evse.transaction else None
        began_s = began_s if began_s is not None else self._start_s
        ids = {evse_id, STATION} if also_station else {evse_id}
        return Layer(
            Timeline(one, self.situation, self.rules, transaction_start_s=began_s, transaction_id=evse.transaction_id)
            for one in self._profiles
            if one.profile.purpose is purpose and one.evse_id in ids and self._is_of(one, evse)
        )

    @staticmethod
    def _is_of(installed: Installed, evse: EvseState) -> bool:
        """Return whether the profile is for the transaction of the EVSE, or for any."""
        wanted = installed.profile.transaction_id
        if installed.profile.purpose is not Purpose.TX:
            return True
        known = evse.transaction_id
        return evse.transaction and (wanted is None or known is None or same_transaction(wanted, known))

    def layers_of(self, evse_id: int) -> tuple[list[Layer], Layer, Layer]:
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

    def with_generation(self, at_s: int, bounds: Bounds, until_s: int, layer: Layer, n: int) -> tuple[Bounds, int]:
        """Add what local generation provides to a limit (OCPP 2.1, K27)."""
        more, next_s = layer.bounds(at_s, self.rules.voltage_V, None)
        if not more.limit.is_open and not bounds.limit.is_open:
            limit = in_all(bounds.limit, more.limit, n, self.rules.voltage_V)
            bounds = msgspec.structs.replace(bounds, limit=limit)
        return bounds, min(until_s, next_s)


class EvseLayers:
    """The layers of one EVSE."""

    def __init__(self, whole: Computation, evse_id: int, unit: RateUnit) -> None:
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

    def at(self, at_s: int) -> Instant:
        """Return what the EVSE may draw, within the limits of the station."""
        bounds, until_s, winner, external = self.transaction(at_s)
        bounds, until_s = self._whole.with_generation(at_s, bounds, until_s, self._whole.generation, self.phases)
        bounds, until_s, of_station = self._whole.station(at_s, bounds, until_s)
        return Instant(bounds, until_s, winner, external or of_station)


class StationLayers:
    """All EVSEs together, in the unit of the schedule."""

    def __init__(self, whole: Computation, unit: RateUnit) -> None:
        self._whole, self._unit = whole, unit
        numbers = sorted(number for number in whole.situation.evses if number != STATION)
        self._evses = [EvseLayers(whole, number, unit) for number in numbers]
        self.phases = max((evse.phases for evse in self._evses), default=whole.rules.default_phases)
        self.has_phases = not self._evses or any(evse.has_phases for evse in self._evses)
        self._default = default_limit(whole.rules, unit)
        self.default = self._default * max(1, len(self._evses))

    def at(self, at_s: int) -> Instant:
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
            return Instant(of_station, until_s, None, external)
        total, until_s = whole.with_generation(at_s, self._sum(allowed), until_s, whole.generation, self.phases)
        return Instant(narrowed(total, of_station), until_s, None, external)

    def _sum(self, allowed: list[tuple[EvseLayers, Bounds]]) -> Bounds:
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
            of_each = [each_phase(part, self._unit, self.phases) for part in parts]
            total = Phases(*(sum(values) for values in zip(*of_each, strict=True)))
        return Bounds(amount_of(total, self._unit, voltage_V), OPEN, phases)


def default_limit(rules: SmartChargingRules, unit: RateUnit) -> float:
    """Return the limit where no profile applies."""
    return rules.default_limit_A if unit is RateUnit.A else rules.default_limit_W
