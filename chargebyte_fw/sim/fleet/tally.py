"""What a fleet has done, in numbers that can be added up over processes."""

from __future__ import annotations

import math

import msgspec

MOST_KINDS = 40
OTHERS = "other kinds"
BUCKETS_A_DECADE = 20
"""Latencies are kept in classes, each 12 % wider than the one before, from 0.1 ms on."""
SHORTEST_S = 1e-4


class Latencies:
    """How long answers took."""

    def __init__(self, classes: dict[int, int] | None = None) -> None:
        self.classes: dict[int, int] = {} if classes is None else classes

    def add(self, latency_s: float) -> None:
        """Count one."""
        number = 0 if latency_s <= SHORTEST_S else math.ceil(BUCKETS_A_DECADE * math.log10(latency_s / SHORTEST_S))
        self.classes[number] = self.classes.get(number, 0) + 1

    def within_s(self, share: float) -> float | None:
        """Return the time within which this share of all answers came, None without any."""
        total, counted = sum(self.classes.values()), 0
        for number in sorted(self.classes):
            counted += self.classes[number]
            if counted >= share * total:
                return float(SHORTEST_S * 10 ** (number / BUCKETS_A_DECADE))
        return None


class Tally(msgspec.Struct):
    """Counters of some stations; those of the first group are of now."""

    stations: int = 0
    connected: int = 0
    booted: int = 0
    charging: int = 0
    waiting: int = 0
    """Messages in queues."""
    were_connected: int = 0
    """Stations that have been so at least once, as the next two."""
    were_booted: int = 0
    have_charged: int = 0
    connections: int = 0
    transactions: int = 0
    """That have ended."""
    requests: int = 0
    """Of stations, which were answered."""
    commands: int = 0
    """Requests of the CSMS."""
    sent: int = 0
    """Frames."""
    received: int = 0
    errors: dict[str, int] = {}
    """By kind."""
    latencies: dict[int, int] = {}
    """Of the answers to requests of stations, by class (`Latencies`)."""
    memory_kB: int = 0
    """That the processes have more than before their stations."""

    def error(self, kind: str) -> None:
        """Count an error."""
        if kind not in self.errors and len(self.errors) >= MOST_KINDS:
            kind = OTHERS
        self.errors[kind] = self.errors.get(kind, 0) + 1


def total(parts: list[Tally]) -> Tally:
    """Return the sum."""
    found = Tally()
    for part in parts:
        for name in Tally.__struct_fields__:
            mine, theirs = getattr(found, name), getattr(part, name)
            if isinstance(theirs, dict):
                for key, value in theirs.items():
                    mine[key] = mine.get(key, 0) + value
            else:
                setattr(found, name, mine + theirs)
    return found
