"""The optimiser: reads the whole tree anew each turn and limits what every leaf may draw, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.energy import phases
from chargebyte_fw.modules.energy.limits import MAX_PHASES
from chargebyte_fw.modules.energy.market import (
    EPSILON,
    Market,
    Node,
    NodeEntries,
    Purchase,
    build,
    phases_of,
    share_out,
)
from chargebyte_fw.modules.energy.schedule import active_at, in_order, requests_of, time_axis

VALID_INTERVALS = 10
"""A limit holds for this many update intervals; who is not refreshed in time must stop."""


class Rules(msgspec.Struct, frozen=True):
    """The configuration of the optimiser."""

    voltage_V: float = 230.0
    update_interval_s: float = 1.0
    interval: timedelta = timedelta(minutes=60)
    total: timedelta = timedelta(hours=1)
    slice_A: float = 0.5
    slice_W: float = 500.0
    switching: phases.PhaseRules = msgspec.field(default_factory=phases.PhaseRules)


class Requested(msgspec.Struct, frozen=True):
    """The trunk's request, and the wall time at which it came."""

    request: energy.EnergyFlowRequest
    wall_at: datetime


class WallSet(msgspec.Struct, frozen=True):
    """The wall clock was set to `wall_at`: other entries of the schedules hold now."""

    wall_at: datetime


class Enforce(msgspec.Struct, frozen=True):
    """Effect: send these limits down the tree."""

    limits: energy.EnforcedLimits


class Silent(msgspec.Struct, frozen=True):
    """Effect: no request came for as long as a limit holds; what was granted runs out."""


class State(Enum):
    """What the optimiser knows."""

    WAITING = "no request"
    SHARING = "sharing"


class Optimizer(Machine):
    """Shares out what the trunk can carry, once an interval, and at once for a request with priority."""

    initial = State.WAITING

    def __init__(self, rules: Rules) -> None:
        super().__init__()
        self.rules = rules
        self.contexts: dict[str, phases.LeafContext] = {}
        self._request: energy.EnergyFlowRequest | None = None
        self._requested_s = 0.0
        self._requested_at: datetime | None = None
        self._clock_was_set = False

    @on(State.WAITING, State.SHARING, event=Requested, to=State.SHARING)
    def tree_asks(self, event: Requested, now: float) -> list[Any]:
        """Take a new request; the first one and one with priority are served at once."""
        self._request, self._requested_s, self._requested_at = event.request, now, event.wall_at
        urgent = any(node.priority_request for node in requests_of(event.request))
        # A request from before the clock was set left out what was over by the old time.
        if self.state is State.WAITING or urgent or self._clock_was_set:
            self._clock_was_set = False
            return self._share(now)
        return []

    @on(State.WAITING, event=WallSet)
    def wall_set(self, _event: WallSet, now: float) -> list[Any]:
        """Nothing to judge: the next request brings its own time."""
        return []

    @on(State.SHARING, event=WallSet)
    def share_by_the_new_time(self, event: WallSet, now: float) -> list[Any]:
        """Share again at once: limits must not follow a wrong clock for the rest of the interval."""
        self._requested_at = event.wall_at - timedelta(seconds=now - self._requested_s)
        self._clock_was_set = True
        return self._share(now)

    @on(State.SHARING, timer="interval", to=State.WAITING)
    def interval_is_over(self, now: float) -> list[Any]:
        """Share again, unless the tree has been silent for too long."""
        if now - self._requested_s > VALID_INTERVALS * self.rules.update_interval_s:
            return self.enter(State.WAITING, Silent())
        return self._share(now)

    def _share(self, now: float) -> list[Any]:
        assert self._request is not None and self._requested_at is not None
        wall_at = self._requested_at + timedelta(seconds=now - self._requested_s)
        granted = self.run(self._request, wall_at, now)
        self.start("interval", now + self.rules.update_interval_s)
        return self.enter(State.SHARING, *(Enforce(limits) for limits in granted))

    def run(self, root: energy.EnergyFlowRequest, wall_at: datetime, now: float) -> list[energy.EnforcedLimits]:
        """Return the limits of every leaf of `root` for the present and the slots to come."""
        leaves = [node for node in requests_of(root) if node.node_type is energy.NodeType.Evse]
        for leaf in leaves:
            self._observe(leaf, wall_at)
        known = {leaf.uuid for leaf in leaves}
        self.contexts = {uuid: context for uuid, context in self.contexts.items() if uuid in known}
        schedules: dict[int, list[energy.ScheduleResEntry]] = {id(leaf): [] for leaf in leaves}
        if leaves:
            axis = time_axis(root, wall_at, self.rules.interval, self.rules.total)
            timed = _Timed(root)
            for slot, begin in enumerate(axis):
                for node, result in self._slot(root, timed.at(begin), now, is_present=slot == 0):
                    schedules[id(node)].append(energy.ScheduleResEntry(timestamp=rfc3339(begin), limits_to_root=result))
        valid_s = max(1, round(VALID_INTERVALS * self.rules.update_interval_s))
        return [
            energy.EnforcedLimits(
                uuid=leaf.uuid,
                valid_for=valid_s,
                limits_root_side=schedules[id(leaf)][0].limits_to_root,
                schedule=schedules[id(leaf)],
            )
            for leaf in leaves
        ]

    def _observe(self, leaf: energy.EnergyFlowRequest, wall_at: datetime) -> None:
        entry = active_at(in_order(leaf.schedule_import), wall_at)
        active = entry.limits_to_root.ac_number_of_active_phases if entry is not None else None
        self.contexts.setdefault(leaf.uuid, phases.LeafContext()).observe(leaf.evse_state, active)

    def _slot(
        self, root: energy.EnergyFlowRequest, entries: NodeEntries, now: float, *, is_present: bool
    ) -> list[tuple[energy.EnergyFlowRequest, energy.LimitsRes]]:
        nodes = build(root, entries)
        imports = Market(nodes, exporting=False, voltage_V=self.rules.voltage_V)
        exports = Market(nodes, exporting=True, voltage_V=self.rules.voltage_V)
        purchases = [
            self._first_purchase(node, imports, exports, now, is_present=is_present)
            for node in nodes
            if node.request.node_type is energy.NodeType.Evse
        ]
        share_out([imports, exports], purchases)
        return [(one.leaf.request, self._result(one, exports if one.exporting else imports)) for one in purchases]

    def _first_purchase(
        self, leaf: Node, imports: Market, exports: Market, now: float, *, is_present: bool
    ) -> Purchase:
        """Buy the minimum current or nothing; what does not work on all phases may work on one."""
        path = imports.path_limit(leaf)
        most = phases_of(path)
        if imports.offered_A(leaf, 1) <= 0.0 < exports.offered_A(leaf, MAX_PHASES):
            path = exports.path_limit(leaf)
            return Purchase(leaf, True, MAX_PHASES, self._slice_A(path.in_watts, MAX_PHASES), path=path)
        rules, context = self.rules.switching, self.contexts[leaf.request.uuid]
        chosen = phases.choose(
            rules,
            path,
            context,
            offered_W=imports.offered_W(leaf),
            voltage_V=self.rules.voltage_V,
            now=now,
            is_present=is_present,
        )
        tries = [chosen]
        if chosen > path.min_phases and phases.may_switch(rules, path) and not phases.used_up(rules, context):
            tries.append(path.min_phases)
        minimum_A = path.min_current_A
        for count in tries:
            room = imports.offered_A(leaf, count)
            if room > 0.0 and room + EPSILON >= minimum_A:
                purchase = Purchase(leaf, False, count, self._slice_A(path.in_watts, count), path=path)
                imports.take(purchase, min(minimum_A, room))
                return purchase
        idle = chosen if phases.may_switch(rules, path) else most
        return Purchase(leaf, False, idle, self.rules.slice_A, done=True, path=path)

    def _slice_A(self, in_watts: bool, count: int) -> float:
        return self.rules.slice_W / (count * self.rules.voltage_V) if in_watts else self.rules.slice_A

    def _result(self, purchase: Purchase, market: Market) -> energy.LimitsRes:
        path, count = purchase.path, purchase.phases
        sign = -1.0 if purchase.exporting else 1.0
        source = market.binding_source(purchase.leaf, count)
        current_A = round(purchase.bought_A, 6)
        power_W = round(purchase.bought_A * count * self.rules.voltage_V, 3)
        names = path.max_phases.source if path.max_phases is not None else source
        in_power = path.power_W is not None or path.in_watts
        return energy.LimitsRes(
            total_power_W=energy.NumberWithSource(value=sign * power_W or 0.0, source=source) if in_power else None,
            ac_max_current_A=energy.NumberWithSource(value=sign * current_A or 0.0, source=source),
            ac_max_phase_count=energy.IntegerWithSource(value=count, source=names),
        )


class _Timed:
    """The schedules of a whole tree, read once, looked up for every slot."""

    def __init__(self, root: energy.EnergyFlowRequest) -> None:
        nodes = requests_of(root)
        self._imports = {id(node): in_order(node.schedule_import) for node in nodes}
        self._exports = {id(node): in_order(node.schedule_export) for node in nodes}
        self._orders = {id(node): in_order(node.schedule_setpoints) for node in nodes}

    def at(self, begin: datetime) -> NodeEntries:
        """Return the entries that hold from `begin`."""
        orders = {key: active_at(timed, begin) for key, timed in self._orders.items()}
        return NodeEntries(
            {key: active_at(timed, begin) for key, timed in self._imports.items()},
            {key: active_at(timed, begin) for key, timed in self._exports.items()},
            {key: order.setpoint if order is not None else None for key, order in orders.items()},
        )
