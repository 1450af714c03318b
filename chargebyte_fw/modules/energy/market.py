"""One slot of the energy tree: every leaf buys in turn, slice by slice, what each node above it can still carry.

Currents are per phase; one-phase loads count as if all were on the same phase. Import and export are separate markets:
what one leaf gives back is not promised to another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.modules.energy import setpoints
from chargebyte_fw.modules.energy.limits import MAX_PHASES, NodeLimit, closed, limit_of, lower

EPSILON = 1e-9


class Node(msgspec.Struct):
    """A node of the tree in one slot."""

    request: energy.EnergyFlowRequest
    path: tuple[int, ...]
    """Places of this node and those above it, the trunk first."""
    imports: NodeLimit
    exports: NodeLimit


class Purchase(msgspec.Struct):
    """What one leaf has in one slot."""

    leaf: Node
    exporting: bool
    phases: int
    slice_A: float
    bought_A: float = 0.0
    done: bool = False
    path: NodeLimit = msgspec.field(default_factory=NodeLimit)
    """The tightest limits from the trunk to the leaf."""


class Market:
    """The tree of one slot in one direction, and what has been sold at each node."""

    def __init__(self, nodes: Sequence[Node], *, exporting: bool, voltage_V: float) -> None:
        self.exporting = exporting
        self._voltage_V = voltage_V
        self.limits = [node.exports if exporting else node.imports for node in nodes]
        self._left_A = [limit.current_A.value if limit.current_A else math.inf for limit in self.limits]
        self._left_W = [limit.power_W.value if limit.power_W else math.inf for limit in self.limits]

    def path_limit(self, leaf: Node) -> NodeLimit:
        """Return the tightest limits on the way from the trunk to `leaf`, sold or not."""
        tightest = NodeLimit()
        for place in leaf.path:
            limit = self.limits[place]
            tightest = msgspec.structs.replace(
                tightest,
                current_A=lower(tightest.current_A, limit.current_A),
                power_W=lower(tightest.power_W, limit.power_W),
                max_phases=lower(tightest.max_phases, limit.max_phases),
                min_phases=max(tightest.min_phases, limit.min_phases),
                min_current_A=max(tightest.min_current_A, limit.min_current_A),
            )
        own = self.limits[leaf.path[-1]]
        return msgspec.structs.replace(
            tightest,
            active_phases=own.active_phases,
            can_switch_phases=own.can_switch_phases,
            in_watts=own.in_watts,
            min_current_A=0.0 if own.in_watts else tightest.min_current_A,
        )

    def offered_W(self, leaf: Node) -> float:
        """Return the power that all nodes above still have (infinite where none counts power)."""
        return min(self._left_W[place] for place in leaf.path)

    def offered_A(self, leaf: Node, phases: int) -> float:
        """Return the current per phase that every node above can still carry on `phases` phases (0: no node limits)."""
        room = min(min(self._left_A[place], self._left_W[place] / (phases * self._voltage_V)) for place in leaf.path)
        return room if math.isfinite(room) and room > EPSILON else 0.0

    def binding_source(self, leaf: Node, phases: int) -> str:
        """Name who has the least left on the way to `leaf`: it is they who keep it from more."""
        rooms: list[tuple[float, str]] = []
        for place in leaf.path:
            current, power = self.limits[place].current_A, self.limits[place].power_W
            if current is not None:
                rooms.append((self._left_A[place], current.source))
            if power is not None:
                rooms.append((self._left_W[place] / (phases * self._voltage_V), power.source))
        least = min((room for room, _ in rooms), default=0.0)
        names = [name for room, source in rooms if room <= least + EPSILON for name in source.split(",")]
        return ",".join(dict.fromkeys(names)) or "no limit is known"

    def take(self, purchase: Purchase, current_A: float) -> None:
        """Sell `current_A` on the purchase's phases at each node of its path."""
        power_W = current_A * purchase.phases * self._voltage_V
        for place in purchase.leaf.path:
            self._left_A[place] = max(0.0, self._left_A[place] - current_A)
            self._left_W[place] = max(0.0, self._left_W[place] - power_W)
        purchase.bought_A += current_A

    def whole_rounds(self, purchases: Sequence[Purchase]) -> int:
        """Return how many rounds everybody can buy a full slice before some node runs short."""
        wanted_A: dict[int, float] = {}
        wanted_W: dict[int, float] = {}
        for purchase in purchases:
            power_W = purchase.slice_A * purchase.phases * self._voltage_V
            for place in purchase.leaf.path:
                wanted_A[place] = wanted_A.get(place, 0.0) + purchase.slice_A
                wanted_W[place] = wanted_W.get(place, 0.0) + power_W
        rounds = min(
            (min(self._left_A[place] / wanted_A[place], self._left_W[place] / wanted_W[place]) for place in wanted_A),
            default=0.0,
        )
        return int(rounds + EPSILON) if math.isfinite(rounds) else 0


def share_out(markets: Sequence[Market], purchases: Sequence[Purchase]) -> None:
    """Let all leaves buy their slices in turn until none can buy any more."""
    for market in markets:
        active = [one for one in purchases if one.exporting is market.exporting and not one.done]
        while active:
            rounds = market.whole_rounds(active)
            for one in active:
                if rounds:
                    market.take(one, rounds * one.slice_A)
                    continue
                room = market.offered_A(one.leaf, one.phases)
                one.done = room <= one.slice_A + EPSILON
                market.take(one, min(room, one.slice_A))
            active = [one for one in active if not one.done]


def build(root: energy.EnergyFlowRequest, active: NodeEntries) -> list[Node]:
    """Make the nodes of one slot; `active` is the index of the entry of a schedule that holds in it."""
    nodes: list[Node] = []
    waiting: list[tuple[energy.EnergyFlowRequest, tuple[int, ...]]] = [(root, ())]
    while waiting:
        request, above = waiting.pop()
        path = (*above, len(nodes))
        imports, exports = active.limits(request)
        nodes.append(Node(request, path, imports, exports))
        waiting.extend((child, path) for child in reversed(request.children))
    return nodes


class NodeEntries:
    """The entries of every node that hold in one slot."""

    def __init__(
        self,
        imports: dict[int, energy.ScheduleReqEntry | None],
        exports: dict[int, energy.ScheduleReqEntry | None],
        orders: dict[int, energy.SetpointType | None],
    ) -> None:
        self._imports = imports
        self._exports = exports
        self._orders = orders

    def limits(self, request: energy.EnergyFlowRequest) -> tuple[NodeLimit, NodeLimit]:
        """Return the node's import and export limit; no schedule means nothing."""
        key = id(request)
        nothing = closed(f"{request.uuid} asks for nothing")
        entry = self._imports.get(key)
        imports = limit_of(entry, exporting=False) if entry is not None else nothing
        entry = self._exports.get(key)
        exports = limit_of(entry, exporting=True) if entry is not None else nothing
        order = self._orders.get(key)
        if order is None:
            return imports, exports
        return setpoints.apply(order, imports, exports, frequency_of(request))


def frequency_of(request: energy.EnergyFlowRequest) -> float | None:
    """Return the grid frequency that the node's meter measured on L1."""
    usage = request.energy_usage_root
    frequency = usage.frequency_Hz if usage is not None else None
    return frequency.L1 if frequency is not None and math.isfinite(frequency.L1) else None


def phases_of(path: NodeLimit) -> int:
    """Return the greatest number of phases of the path."""
    return max(1, min(MAX_PHASES, int(path.max_phases.value))) if path.max_phases is not None else MAX_PHASES
