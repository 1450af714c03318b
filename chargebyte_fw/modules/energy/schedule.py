"""Time in energy schedules: entries are absolute, the first holds before its time as well, the last one for ever."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.clock import read_at

MAX_SLOTS = 100
"""Where a schedule has more changes to come, the later ones are looked at when they are nearer."""


class Entry(Protocol):
    """Anything that holds from a time on."""

    timestamp: str


E = TypeVar("E", bound=Entry)


def require_at(text: str) -> datetime:
    """Read a time that a peer sent; raises ValueError naming it."""
    at = read_at(text)
    if at is None:
        raise ValueError(f"not an RFC 3339 time: {text!r}")
    return at


def in_order(entries: Iterable[E]) -> list[tuple[datetime, E]]:
    """Return the entries with their times, oldest first, without those whose time cannot be read."""
    timed = [(at, entry) for entry in entries if (at := read_at(entry.timestamp)) is not None]
    return sorted(timed, key=lambda pair: pair[0])


def active_at(timed: Sequence[tuple[datetime, E]], at: datetime) -> E | None:
    """Return the entry that holds at `at`: the last one not later, else the first; None for an empty schedule."""
    if not timed:
        return None
    holding = timed[0][1]
    for begin, entry in timed:
        if begin > at:
            break
        holding = entry
    return holding


def full_hour(at: datetime) -> datetime:
    """Return the beginning of the hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def grid(at: datetime, interval: timedelta, total: timedelta) -> list[datetime]:
    """Return the fixed grid: slots of `interval` from the present full hour on, up to `at + total`."""
    slots = []
    slot = full_hour(at)
    while slot < at + total:
        slots.append(slot)
        slot += interval
    return slots


def requests_of(root: energy.EnergyFlowRequest) -> list[energy.EnergyFlowRequest]:
    """Return every node of the tree, parents before children, children in their order."""
    found: list[energy.EnergyFlowRequest] = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(reversed(node.children))
    return found


def time_axis(root: energy.EnergyFlowRequest, at: datetime, interval: timedelta, total: timedelta) -> list[datetime]:
    """Return the beginnings of all slots from the one that holds now on, sorted and unique, at most `MAX_SLOTS`."""
    times = set(grid(at, interval, total))
    for node in requests_of(root):
        for schedule in (node.schedule_import, node.schedule_export, node.schedule_setpoints):
            times.update(begin for begin, _ in in_order(schedule))
    begun = [time for time in times if time <= at]
    return [max(begun, default=at), *sorted(time for time in times if time > at)][:MAX_SLOTS]
