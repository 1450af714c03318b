"""One node of the energy tree: its fuse, the limits others set on it, its meter, and the requests of its children."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

import msgspec

from chargebyte_fw.contracts.types import energy, powermeter
from chargebyte_fw.contracts.types.energy import IntegerWithSource, LimitsReq, NumberWithSource, ScheduleReqEntry
from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule, PricePerkWh
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.energy.schedule import Entry, active_at, full_hour, in_order, require_at

_Sourced = TypeVar("_Sourced", NumberWithSource, IntegerWithSource)
_Timed = TypeVar("_Timed", bound=Entry)


class Fuse(msgspec.Struct, frozen=True):
    """What a node can carry by itself."""

    current_A: float
    phase_count: int = 3
    voltage_V: float = 230.0

    @property
    def power_W(self) -> float:
        """Return the greatest power; a node without phases counts as one."""
        return self.current_A * self.voltage_V * max(self.phase_count, 1)


class NodeBook:
    """Everything a node knows; `request` makes of it what the node asks of those above."""

    def __init__(self, uuid: str, fuse: Fuse, *, enhance: bool = False) -> None:
        self.uuid = uuid
        self.fuse = fuse
        self.meter: powermeter.Powermeter | None = None
        self.prices: EnergyPriceSchedule | None = None
        self._enhance = enhance
        self._source = f"{uuid}/module_config"
        self._external: energy.ExternalLimits | None = None
        self._children: dict[str, energy.EnergyFlowRequest] = {}

    def take_child(self, request: energy.EnergyFlowRequest) -> None:
        """Keep a child's newest request in place of its last one."""
        self._children[request.uuid] = request

    def set_external(self, limits: energy.ExternalLimits) -> None:
        """Keep limits set from outside; empty schedules give the fuse back. Raises ValueError for a bad time."""
        for schedule in (limits.schedule_import, limits.schedule_export, limits.schedule_setpoints):
            for entry in schedule:
                require_at(entry.timestamp)
        self._external = limits

    def capabilities(self) -> energy.CapabilityLimits:
        """Return what the node can carry by itself."""
        return energy.CapabilityLimits(
            max_current_A=self.fuse.current_A,
            max_phase_count=self.fuse.phase_count,
            nominal_voltage_V=self.fuse.voltage_V,
            total_power_W=self.fuse.power_W,
        )

    def request(self, now_at: datetime) -> energy.EnergyFlowRequest:
        """Return the node's request with its children in it."""
        external = self._external
        prices = self.prices
        return energy.EnergyFlowRequest(
            children=list(self._children.values()),
            uuid=self.uuid,
            node_type=energy.NodeType.Generic,
            schedule_import=self._schedule(
                external.schedule_import if external else [], prices.schedule_import if prices else [], now_at
            ),
            schedule_export=self._schedule(
                external.schedule_export if external else [], prices.schedule_export if prices else [], now_at
            ),
            schedule_setpoints=_present(external.schedule_setpoints, now_at) if external else [],
            energy_usage_root=self.meter,
        )

    def _schedule(
        self, external: Sequence[ScheduleReqEntry], prices: Sequence[PricePerkWh], now_at: datetime
    ) -> list[ScheduleReqEntry]:
        entries = [self._capped(entry) for entry in _present(external, now_at)]
        if not entries:
            own = self._own_limits()
            entries = [ScheduleReqEntry(timestamp=rfc3339(full_hour(now_at)), limits_to_root=own, limits_to_leaves=own)]
        return with_prices(entries, prices, now_at)

    def _own_limits(self) -> LimitsReq:
        """The fuse; a node without phases (a direct-current bus) reports what it carries in W as well."""
        fuse, source = self.fuse, self._source
        return LimitsReq(
            ac_max_current_A=NumberWithSource(value=fuse.current_A, source=source),
            ac_max_phase_count=IntegerWithSource(value=fuse.phase_count, source=source) if fuse.phase_count else None,
            total_power_W=None if fuse.phase_count else NumberWithSource(value=fuse.power_W, source=source),
        )

    def _capped(self, entry: ScheduleReqEntry) -> ScheduleReqEntry:
        root, leaves = entry.limits_to_root, entry.limits_to_leaves
        if self._enhance:
            root, leaves = self._enhanced(root), self._enhanced(leaves)
        own = self._own_limits()
        root = msgspec.structs.replace(
            root,
            ac_max_current_A=_lower(root.ac_max_current_A, own.ac_max_current_A),
            ac_max_phase_count=_lower(root.ac_max_phase_count, own.ac_max_phase_count),
            total_power_W=_lower(root.total_power_W, own.total_power_W),
        )
        return msgspec.structs.replace(entry, limits_to_root=root, limits_to_leaves=leaves)

    def _enhanced(self, side: LimitsReq) -> LimitsReq:
        """Derive the current from a power that comes without one."""
        power = side.total_power_W
        if power is None or side.ac_max_current_A is not None:
            return side
        phases = side.ac_max_phase_count.value if side.ac_max_phase_count is not None else self.fuse.phase_count
        current_A = power.value / (self.fuse.voltage_V * max(phases, 1))
        return msgspec.structs.replace(side, ac_max_current_A=NumberWithSource(value=current_A, source=power.source))


def _lower(first: _Sourced | None, second: _Sourced | None) -> _Sourced | None:
    """Return the lower limit; one that is no number or below zero allows nothing."""
    if first is None or second is None:
        return first or second
    if isinstance(first, NumberWithSource) and (math.isnan(first.value) or first.value < 0):
        return NumberWithSource(value=0.0, source=first.source)
    return second if second.value < first.value else first


def _present(entries: Sequence[_Timed], now_at: datetime) -> list[_Timed]:
    """Leave out what is over: the entry that holds now comes first."""
    timed = in_order(entries)
    holding = active_at(timed, now_at)
    return [entry for begin, entry in timed if entry is holding or begin > now_at]


def with_prices(
    entries: Sequence[ScheduleReqEntry], prices: Sequence[PricePerkWh], now_at: datetime
) -> list[ScheduleReqEntry]:
    """Write the price that holds into each entry; where only the price changes, an entry is repeated with it."""
    if not prices:
        return list(entries)
    timed = in_order(entries)
    priced = in_order(_present(prices, now_at))
    begins = sorted({begin for begin, _ in timed} | {begin for begin, _ in priced if begin > now_at})
    merged = []
    for begin in begins:
        entry, price = active_at(timed, begin), active_at(priced, max(begin, now_at))
        if entry is not None:
            merged.append(msgspec.structs.replace(entry, timestamp=rfc3339(begin), price_per_kwh=price))
    return merged
