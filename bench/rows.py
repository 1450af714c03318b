"""The row of the benchmark table, how times are taken, and the share of the processor that is ours."""

from __future__ import annotations

import contextlib
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

NICE = -9
"""What `CPUWeight=800` of everest.service is beside programs without one, as a nice value."""


class Row(NamedTuple):
    """One measured figure beside its bound (`bound` None: for information) and beside a figure of another program."""

    name: str
    value: float
    unit: str
    bound: float | None
    ok: bool
    beside: str = ""


def at_most(name: str, value: float, unit: str, bound: float, beside: str = "") -> Row:
    """Make a row whose figure must not pass `bound`."""
    return Row(name, value, unit, bound, value <= bound, beside)


def at_least(name: str, value: float, unit: str, bound: float, beside: str = "") -> Row:
    """Make a row whose figure must reach `bound`."""
    return Row(name, value, unit, bound, value >= bound, beside)


def info(name: str, value: float, unit: str, beside: str = "") -> Row:
    """Make a row that has no bound."""
    return Row(name, value, unit, None, True, beside)


def times_less(value: float, other: float, whose: str, unit: str) -> str:
    """Write how much less `value` is than the figure of a peer or of a naive way."""
    return f"{whose}: {other:.3g} {unit}, {other / value:.3g} times"


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not pass."""
    return sorted(values)[max(0, min(len(values) - 1, -int(-share * len(values) // 1) - 1))]


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


def favour(pid: int, nice: int = NICE) -> bool:
    """Give a process, and what it starts, the weight of the service; returns whether the system allows it."""
    try:
        os.setpriority(os.PRIO_PROCESS, pid, nice)
    except (PermissionError, ProcessLookupError):
        return False
    # Where the kernel groups processes by session, the group's value counts and not the process'.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    return True


def keep_time() -> None:
    """Give this process precedence, which is a clock outside the charger (where the system allows it)."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))


@contextlib.contextmanager
def favoured() -> Iterator[bool]:
    """Give this process the weight of the service for a while; yields whether the system allows it."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    allowed = favour(os.getpid())
    try:
        yield allowed
    finally:
        if allowed:
            favour(os.getpid(), before)
