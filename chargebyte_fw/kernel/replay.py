"""Plays recorded inputs to a machine again and compares what it does with what was recorded (docs/trace.md).

Events are fed at the recorded times, and deadlines pass when the recorder saw them pass: the order of two things of the
same moment may be what a field problem is about. A deadline that was not recorded passes SLACK_S late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

import msgspec

from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.kernel.trace import Entry

T = TypeVar("T")

SLACK_S = 0.25
"""How late a busy charger may wake a machine after its deadline, in s."""
MOST_OVERDUE = 10_000


class Player:
    """Takes the place of the pump: `act(effect, now)` carries out each effect, in order."""

    def __init__(self, machine: Machine, act: Callable[[Any, float], None]) -> None:
        self.machine = machine
        self._act = act
        self._waiting: deque[Any] = deque()
        self._busy = False

    def feed(self, event: Any, now: float) -> None:
        """Feed the machine an event; one that an effect causes comes after all effects."""
        self._waiting.append(event)
        self._work(now)

    def _work(self, now: float) -> None:
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                for effect in self.machine.feed(self._waiting.popleft(), now):
                    self._act(effect, now)
        finally:
            self._busy = False

    def _wake(self, now: float) -> None:
        self._busy = True
        try:
            for effect in self.machine.wake(now):
                self._act(effect, now)
        finally:
            self._busy = False
        self._work(now)

    def woken(self, now: float) -> None:
        """Wake the machine as recorded, at `now`."""
        deadline = self.machine.deadline
        if deadline is not None and deadline <= now + SLACK_S:
            self._wake(max(now, deadline))

    def overdue(self, now: float) -> None:
        """Let deadlines pass that must have passed before `now`, whatever was recorded.

        Raises ValueError after MOST_OVERDUE of them: a time is damaged, or a part of the recording is missing.
        """
        for _ in range(MOST_OVERDUE):
            deadline = self.machine.deadline
            if deadline is None or deadline >= now - SLACK_S:
                return
            self._wake(deadline)
        raise ValueError(f"nothing is recorded for a long time before {now:.3f} s")


class Difference(msgspec.Struct, frozen=True):
    """The first output of one stream (`frames`, `variables`) that is not the recorded one; empty: there is none."""

    t_s: float
    stream: str
    recorded: str
    replayed: str

    def __str__(self) -> str:
        recorded, replayed = self.recorded or "nothing", self.replayed or "nothing"
        return f"{self.t_s:.3f} s, {self.stream}: recorded is {recorded}, replayed is {replayed}"


class Outcome(msgspec.Struct):
    """The result of playing one part of a trace."""

    what: str
    """Which part: a module and, where it has several, which dialogue."""
    inputs: int = 0
    outputs: int = 0
    """Equal outputs."""
    difference: Difference | None = None
    remark: str = ""
    """Why it could not be played, or not to its end."""


def ring_begins(entries: Sequence[Entry]) -> int:
    """Return the index of the first entry of the ring: after the head and the last entries from before it."""
    if entries and entries[0][1] == "trace" and isinstance(entries[0][3], dict):
        past = entries[0][3].get("past")
        return min(1 + past, len(entries)) if isinstance(past, int) and past >= 0 else 1
    return 0


def recordings_of(entries: Sequence[Entry], having: str) -> list[tuple[str, Sequence[Entry]]]:
    """Return the recordings of the machines whose `start` entry has this field, from its first start in the ring on.

    A machine that was made again (its module was started again) begins a recording of its own.
    """
    begin = ring_begins(entries)
    places: dict[str, list[int]] = {}
    for place, (_, kind, source, data) in enumerate(entries):
        if place < begin or kind != "start" or not isinstance(data, dict) or having not in data:
            continue
        if data.get("fresh") or source not in places:
            places.setdefault(source, []).append(place)
    found = []
    for source, begins in places.items():
        for place, end in zip(begins, [*begins[1:], len(entries)], strict=True):
            found.append((source, entries[place:end]))
    return found


def made(outcome: Outcome, make: Callable[[], T]) -> T | None:
    """Return the machine in its recorded state; None, with a remark in `outcome`, when that cannot be read."""
    try:
        return make()
    except Exception as error:
        outcome.remark = f"what was known at the beginning cannot be read: {type(error).__name__}: {error}"
        return None


def play(outcome: Outcome, entries: Iterable[Entry], take: Callable[[float, str, str, Any], None]) -> None:
    """Give each entry to `take`; an error of a machine or of a damaged entry is the outcome's remark."""
    for entry in entries:
        try:
            take(*entry)
        except Exception as error:
            t_s, kind, source, _ = entry
            outcome.remark = f"fails at {t_s:.3f} s with {kind} of {source}: {type(error).__name__}: {error}"
            return


class Comparison:
    """Recorded and replayed outputs by stream. `describe(stream, data)` returns one as text, `same` compares two."""

    def __init__(
        self,
        describe: Callable[[str, Any], str],
        same: Callable[[Any, Any], bool] = lambda recorded, replayed: recorded == replayed,
    ) -> None:
        self._describe = describe
        self._same = same
        self._rows: dict[str, tuple[deque[tuple[float, Any]], deque[tuple[float, Any]]]] = {}
        self._differences: dict[str, Difference] = {}
        self.outputs = 0

    def _row(self, stream: str) -> tuple[deque[tuple[float, Any]], deque[tuple[float, Any]]]:
        return self._rows.setdefault(stream, (deque(), deque()))

    def recorded(self, stream: str, t_s: float, data: Any) -> None:
        """Take an output of the trace."""
        self._row(stream)[0].append((t_s, data))
        self._compare(stream)

    def replayed(self, stream: str, t_s: float, data: Any) -> None:
        """Take an output of the machine."""
        self._row(stream)[1].append((t_s, data))
        self._compare(stream)

    def _compare(self, stream: str) -> None:
        theirs, ours = self._rows[stream]
        while theirs and ours:
            (t_s, recorded), (_, replayed) = theirs.popleft(), ours.popleft()
            if stream in self._differences:
                continue
            if self._same(recorded, replayed):
                self.outputs += 1
            else:
                texts = self._describe(stream, recorded), self._describe(stream, replayed)
                self._differences[stream] = Difference(t_s, stream, *texts)

    def first_difference(self, end_s: float) -> Difference | None:
        """Return the earliest one; `end_s` is where the trace ends: what follows it closely may not be in it."""
        for stream, (theirs, ours) in self._rows.items():
            if stream in self._differences:
                continue
            if theirs:
                self._differences[stream] = Difference(theirs[0][0], stream, self._describe(stream, theirs[0][1]), "")
            elif ours and ours[0][0] < end_s - SLACK_S:
                self._differences[stream] = Difference(ours[0][0], stream, "", self._describe(stream, ours[0][1]))
        return min(self._differences.values(), key=lambda one: one.t_s, default=None)


class Part(Protocol):
    """Plays one part of a trace."""

    inputs: int
    comparison: Comparison

    def take(self, t_s: float, kind: str, source: str, data: Any, /) -> None:
        """Take the next entry, as input or as the output that is expected."""


def played(entries: Sequence[Entry], what: str, stand: Callable[[Sequence[Entry]], Part]) -> Outcome:
    """Play `entries` with the part that `stand` makes of them; return the result."""
    outcome = Outcome(what)
    part = made(outcome, lambda: stand(entries))
    if part is None:
        return outcome
    play(outcome, entries[1:], part.take)
    outcome.inputs, outcome.outputs = part.inputs, part.comparison.outputs
    outcome.difference = part.comparison.first_difference(entries[-1][0])
    return outcome
