"""Pauses between attempts at something that fails: they grow, and are short again after it has held long enough."""

from __future__ import annotations

from collections.abc import Sequence


class Backoff:
    """One row of pauses, in seconds; the last one repeats.

    `steady_s`: what held for so many seconds before it failed again begins with the first pause.
    """

    def __init__(self, pauses_s: Sequence[float], steady_s: float = float("inf")) -> None:
        self._pauses_s = tuple(pauses_s)
        self._steady_s = steady_s
        self.failures = 0
        """Failures since the last `reset`."""

    def fail(self, held_s: float = 0.0) -> float:
        """Return the pause after a failure of what held for `held_s` seconds before it."""
        if held_s >= self._steady_s:
            self.reset()
        pause_s = self.pause_s
        self.failures += 1
        return pause_s

    @property
    def pause_s(self) -> float:
        """The pause that the next failure is followed by, in seconds."""
        return self._pauses_s[min(self.failures, len(self._pauses_s) - 1)]

    def reset(self) -> None:
        """Begin with the first pause again."""
        self.failures = 0


def doubling(first_s: float, longest_s: float) -> tuple[float, ...]:
    """Return pauses from `first_s` on, each twice as long as the one before, up to `longest_s`."""
    pauses_s = [first_s]
    while pauses_s[-1] < longest_s:
        pauses_s.append(min(2 * pauses_s[-1], longest_s))
    return tuple(pauses_s)
