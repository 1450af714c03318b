"""The present limits of one EVSE: from the requests of the energy tree, and from what was enforced."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from chargebyte_fw.contracts.limit_sources import IDLE, rule_of
from chargebyte_fw.contracts.types.energy import EnergyFlowRequest, EnforcedLimits, LimitsReq, LimitsRes
from chargebyte_fw.contracts.types.energy import ScheduleReqEntry as Entry
from chargebyte_fw.kernel.clock import read_at, rfc3339
from chargebyte_fw.manager.status.model import Limit

QUANTITIES = {"current": "ac_max_current_A", "power": "total_power_W", "phases": "ac_max_phase_count"}
DEEP = 32
"""Nodes from the root to a leaf at most."""


def limits_of(
    evse: str, requests: Mapping[str, EnergyFlowRequest], enforced: EnforcedLimits | None, now: datetime | None
) -> list[Limit]:
    """Return the limits on the way from the root to this EVSE; those that hold come first, then the lowest."""
    held = {} if enforced is None else dict(_held(enforced.limits_root_side))
    exporting = any(value < 0 for value, _ in held.values())
    found: dict[tuple[str, str], Limit] = {}
    for node in path_to(evse, requests):
        schedule = node.schedule_export if exporting else node.schedule_import
        for limit in _of_schedule(schedule, now):
            known = found.get((limit.quantity, limit.source))
            if known is None or limit.value < known.value:
                found[limit.quantity, limit.source] = limit
    for quantity, (value, source) in held.items():
        places = [found[quantity, part] for part in source.split(",") if (quantity, part) in found]
        ends = [place for place in places if place.until]
        first = min(ends, key=lambda place: place.until, default=None)
        for place in places:
            del found[quantity, place.source]
        found[quantity, source] = Limit(
            quantity=quantity,
            value=value,
            source=source,
            who=rule_of(source),
            rules=True,
            until="" if first is None else first.until,
            ends_in_s=None if first is None else first.ends_in_s,
        )
    order = list(QUANTITIES)
    return sorted(found.values(), key=lambda one: (not one.rules, order.index(one.quantity), one.value, one.source))


def path_to(evse: str, requests: Mapping[str, EnergyFlowRequest]) -> list[EnergyFlowRequest]:
    """Return the nodes from the root to a leaf; a request repeats those below it, which are newer by themselves."""
    parents = {child: node for one in requests.values() for node, child in _edges(one)}
    path: list[EnergyFlowRequest] = []
    at = evse
    known = {uuid: node for one in requests.values() for uuid, node in _nodes(one)} | dict(requests)
    while at in known and len(path) < DEEP:
        path.append(known[at])
        at = parents.get(at, "")
    return path[::-1]


def _edges(node: EnergyFlowRequest, deep: int = 0) -> Iterator[tuple[str, str]]:
    for child in node.children if deep < DEEP else ():
        yield node.uuid, child.uuid
        yield from _edges(child, deep + 1)


def _nodes(node: EnergyFlowRequest, deep: int = 0) -> Iterator[tuple[str, EnergyFlowRequest]]:
    yield node.uuid, node
    for child in node.children if deep < DEEP else ():
        yield from _nodes(child, deep + 1)


def _held(limits: LimitsRes) -> Iterator[tuple[str, tuple[float, str]]]:
    for quantity, name in QUANTITIES.items():
        if (number := getattr(limits, name)) is not None:
            yield quantity, (number.value, number.source)


def _of_schedule(schedule: Sequence[Entry], now: datetime | None) -> Iterator[Limit]:
    read = ((read_at(entry.timestamp), entry) for entry in schedule)
    timed = sorted(((begin, entry) for begin, entry in read if begin is not None), key=lambda one: one[0])
    if not timed:
        return
    present = max((at for at, (begin, _) in enumerate(timed) if now is None or begin <= now), default=0)
    sides: tuple[Callable[[Entry], LimitsReq], ...] = (lambda e: e.limits_to_root, lambda e: e.limits_to_leaves)
    for side in sides:
        limits = side(timed[present][1])
        for quantity, name in QUANTITIES.items():
            number = getattr(limits, name)
            if number is None or number.source == IDLE:
                continue
            later = (begin for begin, entry in timed[present + 1 :] if getattr(side(entry), name) != number)
            end = next(later, None)
            yield Limit(
                quantity=quantity,
                value=number.value,
                source=number.source,
                who=rule_of(number.source),
                until="" if end is None else rfc3339(end),
                ends_in_s=None if end is None or now is None else max(0.0, (end - now).total_seconds()),
            )
