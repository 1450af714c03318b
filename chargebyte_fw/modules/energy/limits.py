"""Limits of one node in one slot: the lower value wins and its source with it; equal values share their sources."""

from __future__ import annotations

import math

import msgspec

from chargebyte_fw.contracts.types.energy import IntegerWithSource, LimitsReq, NumberWithSource, ScheduleReqEntry

MAX_PHASES = 3


class Cap(msgspec.Struct, frozen=True):
    """An upper limit and who set it."""

    value: float
    source: str


class NodeLimit(msgspec.Struct, frozen=True):
    """What may pass a node in one direction; None means that the node does not limit it."""

    current_A: Cap | None = None
    power_W: Cap | None = None
    max_phases: Cap | None = None
    min_phases: int = 1
    min_current_A: float = 0.0
    active_phases: int | None = None
    can_switch_phases: bool = False
    in_watts: bool = False
    """A direct-current leaf: its limits are in W only."""


def lower(first: Cap | None, second: Cap | None) -> Cap | None:
    """Return the lower of two caps."""
    if first is None or second is None:
        return first or second
    if first.value == second.value:
        known = first.source.split(",")
        return Cap(first.value, ",".join(known + [name for name in second.source.split(",") if name not in known]))
    return first if first.value < second.value else second


def lowered(limit: NodeLimit, *, current_A: Cap | None = None, power_W: Cap | None = None) -> NodeLimit:
    """Return `limit` with further caps."""
    return msgspec.structs.replace(
        limit, current_A=lower(limit.current_A, current_A), power_W=lower(limit.power_W, power_W)
    )


def closed(source: str) -> NodeLimit:
    """Return the limit of a node that asks for nothing."""
    return NodeLimit(current_A=Cap(0.0, source), power_W=Cap(0.0, source))


def limit_of(entry: ScheduleReqEntry, *, exporting: bool) -> NodeLimit:
    """Bring both sides of an entry to the root side and let the tighter one hold.

    What the leaves may import costs more at the root side (losses), what they export arrives there reduced.
    """
    root, leaves = entry.limits_to_root, entry.limits_to_leaves
    efficiency = entry.conversion_efficiency or 1.0
    behind = _cap(leaves.total_power_W)
    if behind is not None:
        behind = msgspec.structs.replace(
            behind, value=behind.value * efficiency if exporting else behind.value / efficiency
        )
    active = root.ac_number_of_active_phases or leaves.ac_number_of_active_phases
    return NodeLimit(
        current_A=lower(_cap(root.ac_max_current_A), _cap(leaves.ac_max_current_A)),
        power_W=lower(_cap(root.total_power_W), behind),
        max_phases=lower(_cap(root.ac_max_phase_count), _cap(leaves.ac_max_phase_count)),
        min_phases=max(_number(root.ac_min_phase_count, 1), _number(leaves.ac_min_phase_count, 1)),
        min_current_A=max(_amount(root.ac_min_current_A), _amount(leaves.ac_min_current_A)),
        active_phases=active,
        can_switch_phases=_switches(root) or _switches(leaves),
        in_watts=leaves.total_power_W is not None and leaves.ac_max_current_A is None,
    )


def _switches(side: LimitsReq) -> bool:
    return bool(side.ac_supports_changing_phases_during_charging)


def _cap(number: NumberWithSource | IntegerWithSource | None) -> Cap | None:
    """A limit that is no number or below zero allows nothing."""
    if number is None:
        return None
    value = float(number.value)
    return Cap(max(0.0, value) if not math.isnan(value) else 0.0, number.source)


def _amount(number: NumberWithSource | None) -> float:
    cap = _cap(number)
    return cap.value if cap is not None else 0.0


def _number(number: IntegerWithSource | None, absent: int) -> int:
    return number.value if number is not None else absent
