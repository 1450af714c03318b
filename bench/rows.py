"""The row of the benchmark table, and how times are taken."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import NamedTuple


class Row(NamedTuple):
    """One measured figure beside its bound (`bound` None: for information)."""

    name: str
    value: float
    unit: str
    bound: float | None
    ok: bool


def at_most(name: str, value: float, unit: str, bound: float) -> Row:
    """Make a row whose figure must not pass `bound`."""
    return Row(name, value, unit, bound, value <= bound)


def info(name: str, value: float, unit: str) -> Row:
    """Make a row that has no bound: a peer's figure, a ratio."""
    return Row(name, value, unit, None, True)


def median_us(call: Callable[[], object], rounds: int = 2000, warm_up: int = 200) -> float:
    """Return the median duration of `call` in microseconds."""
    for _ in range(warm_up):
        call()
    clock = time.perf_counter_ns
    samples = []
    for _ in range(rounds):
        began = clock()
        call()
        samples.append(clock() - began)
    return statistics.median(samples) / 1000
