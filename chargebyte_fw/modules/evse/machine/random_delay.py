"""The random delay of the UK's smart charge point regulations (2021, schedule 1)."""

from __future__ import annotations

from collections.abc import Callable

SMALL_A = 0.1
AFTER_READY_S = 5.0


class RandomDelay:
    """Holds an old limit for a random time after a change. `draw(longest)` returns a random second, 0 to `longest`."""

    def __init__(self, draw: Callable[[int], int], *, enabled: bool, longest_s: int, any_change: bool) -> None:
        self._draw = draw
        self.enabled = enabled
        self.longest_s = longest_s
        self._any_change = any_change
        self._until_s: float | None = None
        self._held_A = 0.0
        self._last_A = 0.0

    @property
    def running(self) -> bool:
        """Whether a limit is held."""
        return self._until_s is not None

    @property
    def held_A(self) -> float:
        """The limit in A that holds during the delay."""
        return self._held_A

    def remaining_s(self, now: float) -> int:
        """Return how much longer it holds, in whole seconds."""
        return 0 if self._until_s is None else max(0, round(self._until_s - now))

    def limit(self, limit_A: float, now: float, *, active: bool, starting: bool = False) -> float:
        """Return the limit that holds at `now` for a new limit in A; `active`: an EV is charging or about to."""
        if not self.enabled or not active:
            self._until_s = None
            self._last_A = limit_A
            return limit_A
        if self._until_s is None and self.longest_s > 0 and (starting or self._matters(limit_A)):
            self._held_A = 0.0 if starting else self._last_A
            self._until_s = now + self._draw(self.longest_s)
        self._last_A = limit_A
        if self._until_s is not None and now < self._until_s:
            return self._held_A
        self._until_s = None
        return limit_A

    def _matters(self, limit_A: float) -> bool:
        if self._any_change:
            return abs(limit_A - self._last_A) > SMALL_A
        return (limit_A > SMALL_A) is not (self._last_A > SMALL_A)

    def cancel(self) -> None:
        """End the delay now."""
        self._until_s = None
