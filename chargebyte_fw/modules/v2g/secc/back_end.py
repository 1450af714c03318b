"""A schedule of the back end for the car (OCPP 2.x K15 to K18): what it limits when, and the wait for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

LONGEST_WAIT_S = 25.0
"""How long a car gets Ongoing for its schedule; it gives up after 60 s (V2G_EVCC_Ongoing_Timeout)."""


ROUNDING_S = 2.0
"""Two schedules that differ for no longer than this are the same."""


class Limit(msgspec.Struct, frozen=True):
    """What the back end allows from a time on; None where it does not limit."""

    from_s: float
    """Seconds since 1970."""
    current_A: float | None = None
    """Per phase."""
    power_W: float | None = None


class BackEnd(msgspec.Struct):
    """What a back end has for cars."""

    answers_needs: bool = False
    """It answers the needs of a car: the schedule waits for that."""
    limits: tuple[Limit, ...] = ()
    """In the order of their times; the first holds before its time, the last for ever. Empty: no limits."""


class Span(msgspec.Struct, frozen=True):
    """A stretch of a schedule."""

    start_s: int
    """Since the begin of the schedule."""
    power_W: float


def spans(
    limits: Sequence[Limit], begin_s: float, duration_s: int, most_W: float, power_of: Callable[[Limit], float | None]
) -> tuple[Span, ...]:
    """Return a schedule that begins at `begin_s`: no more than `most_W`, and no more than the back end allows.

    `power_of` returns the power of a limit, None where it does not limit. Entries of one power are one.
    """
    found: list[Span] = []
    for place, limit in enumerate(limits):
        start_s = max(0, round(limit.from_s - begin_s)) if place else 0
        power_W = power_of(limit)
        span = Span(start_s, most_W if power_W is None else max(0.0, min(most_W, power_W)))
        if start_s >= duration_s:
            break
        if found and found[-1].start_s == start_s:
            found.pop()
        if not found or found[-1].power_W != span.power_W:
            found.append(span)
    return tuple(found) or (Span(0, most_W),)


def at_most(entries: tuple[Span, ...], count: int) -> tuple[Span, ...]:
    """Return no more than `count` entries: the last one has the lowest power of all that it stands for."""
    if len(entries) <= count:
        return entries
    kept, rest = entries[: count - 1], entries[count - 1 :]
    return (*kept, Span(rest[0].start_s, min(one.power_W for one in rest)))


def power_at(entries: Sequence[Span], since_s: float) -> float:
    """Return the power that holds `since_s` after the begin."""
    power_W = entries[0].power_W
    for one in entries:
        if one.start_s > since_s:
            break
        power_W = one.power_W
    return power_W


def lowest_within(entries: Sequence[Span], start_s: float, end_s: float) -> float:
    """Return the lowest power of a stretch."""
    inside = [one.power_W for one in entries if start_s < one.start_s < end_s]
    return min([power_at(entries, start_s), *inside])


def differ(one: Sequence[Span], one_begin_s: float, other: Sequence[Span], other_begin_s: float) -> bool:
    """Return whether two schedules differ by more than rounding from the later begin on."""
    from_s = max(one_begin_s, other_begin_s)
    times = {one_begin_s + span.start_s for span in one} | {other_begin_s + span.start_s for span in other}
    steps = [from_s, *sorted(at_s for at_s in times if at_s > from_s)]
    for at_s, until_s in pairwise([*steps, steps[-1] + 60.0]):
        if until_s - at_s <= ROUNDING_S:
            continue  # breakpoints were rounded to seconds
        middle_s = (at_s + until_s) / 2.0
        first, second = power_at(one, middle_s - one_begin_s), power_at(other, middle_s - other_begin_s)
        if abs(first - second) > 0.01 * abs(first) + 1.0:
            return True
    return False


def with_durations(entries: Sequence[Span], duration_s: int) -> list[tuple[Span, int]]:
    """Return each entry with its duration; the last one ends with the schedule."""
    starts = [*(one.start_s for one in entries), duration_s]
    return [(span, after - start) for span, (start, after) in zip(entries, pairwise(starts), strict=True)]


class Wait:
    """The wait of a session for the schedule of the back end."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    @property
    def begun(self) -> bool:
        """Whether the car waits."""
        return self._since_s is not None

    def goes_on(self, back_end: BackEnd, answered: bool, now: float) -> bool:
        """Begin the wait where there is a back end; return whether the car has to wait still."""
        if self._since_s is None:
            if not back_end.answers_needs:
                return False
            self._since_s = now
            return True
        if back_end.answers_needs and not answered and now - self._since_s < LONGEST_WAIT_S:
            return True
        self._since_s = None
        return False
