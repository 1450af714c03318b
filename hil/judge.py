"""Was the reaction right, and in time? Watches the recorder's samples from an event on."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from hil import conditions
from hil.scenario import Expectation, Keeping

TICK_S = 1e-6
"""Deadlines are compared with this much tolerance: sums of floats."""


class Verdict(StrEnum):
    """What became of one expectation, or of a scenario (the worst of its expectations)."""

    PASSED = "passed"
    LATE = "late"
    WRONG = "wrong"
    SKIPPED = "skipped"
    FAILED = "rig failed"

    @property
    def bad(self) -> bool:
        """Whether it makes the run's exit status 1."""
        return self in (Verdict.LATE, Verdict.WRONG, Verdict.FAILED)


class Finding(msgspec.Struct, frozen=True):
    """One judged expectation. Times count from its event, except `event_at_s`."""

    step: int
    that: str
    clause: str
    verdict: Verdict
    event_at_s: float
    deadline_s: float
    measured_s: float | None = None
    from_s: float = 0.0
    """Where its deadline counts from, from the event on."""
    note: str = ""
    kept: bool = False
    """Something that had to stay so, in place of something that had to become so."""


class Watch:
    """One expectation under observation."""

    def __init__(
        self,
        step: int,
        expectation: Expectation,
        event_at_s: float,
        before: Mapping[str, Any],
        resolution_s: float = 0.0,
    ) -> None:
        self._resolution_s = resolution_s
        self.expectation = expectation
        self.step = step
        self.event_at_s = event_at_s
        self._after = conditions.parse(expectation.after) if expectation.after else None
        self._from_s: float | None = event_at_s if self._after is None else None
        # What was so already before the event is no reaction to it: the scenario would prove nothing.
        self._was_so = self._after is None and expectation.condition.true(before)
        self._seen_s: float | None = None
        self._closed = False

    def close(self) -> None:
        """Give up: what comes from now on belongs to another event."""
        self._closed = True

    @property
    def patience_s(self) -> float:
        """How long after the event to look for a late reaction."""
        waited_s = 0.0 if self._from_s is None else self._from_s - self.event_at_s
        return waited_s + self.expectation.within_s * 2 + 2.0

    @property
    def done(self) -> bool:
        """Whether nothing more can come."""
        return self._was_so or self._seen_s is not None

    def look(self, at_s: float, now: Mapping[str, Any]) -> None:
        """Take a sample."""
        if self._closed:
            return
        if at_s < self.event_at_s - TICK_S:
            # Stamped before the event, received after it.
            self._was_so = self._was_so or (self._after is None and self.expectation.condition.true(now))
            return
        if self._from_s is None and self._after is not None and self._after.true(now):
            self._from_s = at_s
        if not self.done and self._from_s is not None and self.expectation.condition.true(now):
            self._seen_s = at_s

    def finding(self) -> Finding:
        """Judge."""
        expectation = self.expectation
        verdict, note, measured_s = Verdict.PASSED, "", None
        from_s = self._from_s
        if self._was_so:
            verdict, note = Verdict.WRONG, "it was so before the event: this shows no reaction"
        elif from_s is None:
            verdict, note = Verdict.WRONG, f"it was never so that {expectation.after}"
        elif self._seen_s is None:
            verdict, note = Verdict.WRONG, "it never happened"
        else:
            measured_s = self._seen_s - from_s
            if measured_s > expectation.within_s + TICK_S:
                verdict, note = Verdict.LATE, f"{measured_s - expectation.within_s:.3g} s after the deadline"
            elif measured_s < expectation.not_before_s - self._resolution_s - TICK_S:
                verdict, note = Verdict.WRONG, f"{expectation.not_before_s - measured_s:.3g} s too early"
        return Finding(
            self.step,
            expectation.condition.text,
            expectation.clause,
            verdict,
            self.event_at_s,
            expectation.within_s,
            measured_s,
            0.0 if from_s is None else from_s - self.event_at_s,
            note,
        )


class Guard:
    """One thing that must stay so, under observation."""

    def __init__(self, step: int, keeping: Keeping, event_at_s: float) -> None:
        self.keeping = keeping
        self.step = step
        self.event_at_s = event_at_s
        self.from_s = event_at_s + keeping.after_s
        self.until_s = self.from_s + keeping.for_s
        self._broken_s: float | None = None

    def look(self, at_s: float, now: Mapping[str, Any]) -> None:
        """Take a sample."""
        inside = self.from_s - TICK_S <= at_s <= self.until_s + TICK_S
        if inside and self._broken_s is None and not self.keeping.condition.true(now):
            self._broken_s = at_s

    def finding(self) -> Finding:
        """Judge."""
        keeping = self.keeping
        broken = self._broken_s is not None
        return Finding(
            self.step,
            keeping.condition.text,
            keeping.clause,
            Verdict.WRONG if broken else Verdict.PASSED,
            self.event_at_s,
            keeping.after_s + keeping.for_s,
            None if self._broken_s is None else self._broken_s - self.event_at_s,
            keeping.after_s,
            "it did not stay so" if broken else "",
            kept=True,
        )


def worst(findings: list[Finding]) -> Verdict:
    """Return the verdict on everything together."""
    for verdict in (Verdict.WRONG, Verdict.LATE):
        if any(finding.verdict is verdict for finding in findings):
            return verdict
    return Verdict.PASSED
