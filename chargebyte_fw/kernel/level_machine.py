"""The second idiom: states that follow from what is true now, for facts whose events race (docs/level-triggered.md).

Rows only update facts. After each event the present state looks at the facts and names the state that follows, if any;
that repeats until a state stays. In which order two racing events came does then not matter, and an event that is lost
and seen again later has the same effect.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, ClassVar, Generic, TypeVar

from chargebyte_fw.kernel.machine import Machine, MachineError, on

MAX_STEPS = 25
"""States entered for one event. More is a loop: two states that each see a reason for the other."""

M = TypeVar("M", bound="LevelMachine")


class LevelState(Generic[M]):
    """One state of a level-triggered machine. It keeps nothing: the facts are the machine's."""

    to: ClassVar[tuple[Enum, ...]] = ()
    """The states that may follow."""

    def enter(self, machine: M, now: float) -> None:
        """Do what the state begins with."""

    def next(self, machine: M, now: float) -> Enum | None:
        """Look at the facts; return the state that follows, or None to stay.

        A state that stays for a time calls `machine.look_again(at_s)`.
        """
        return None


class LevelMachine(Machine):
    """Facts, and states that follow from them."""

    states: ClassVar[Mapping[Enum, LevelState[Any]]]

    def __init__(self, state: Enum | None = None) -> None:
        super().__init__(state)
        self.entered_s = 0.0
        """When the present state was entered."""
        self._effects: list[Any] = []

    def emit(self, *effects: Any) -> None:
        """Add effects, in order."""
        self._effects.extend(effects)

    def look_again(self, at_s: float) -> None:
        """Let the present state look at the facts again at `at_s`; the earliest of several times holds."""
        due_s = self.due("look")
        if due_s is None or at_s < due_s:
            self.start("look", at_s)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Update the facts from one event, then let the states follow."""
        self.emit(*super().feed(event, now))
        self._settle(now)
        return self._taken()

    def wake(self, now: float) -> list[Any]:
        """Run the timers that are over, then let the states follow."""
        if self.deadline is None or now < self.deadline:
            return []
        self.emit(*super().wake(now))
        self._settle(now)
        return self._taken()

    def _taken(self) -> list[Any]:
        effects, self._effects = self._effects, []
        return effects

    @on(timer="look")
    def look(self, now: float) -> None:
        """Time alone is no fact: the states look at it."""

    def _settle(self, now: float) -> None:
        self.before_states(now)
        for _ in range(MAX_STEPS):
            self.stop("look")
            present = self.states[self.state]
            state = present.next(self, now)
            if state is None or state is self.state:
                break
            if state not in present.to:
                raise MachineError(f"{type(self).__qualname__}: {self.state.name} does not declare {state.name}")
            self.change(state, now)
        else:
            self.does_not_settle(now)
        self.after_states(now)

    def change(self, state: Enum, now: float) -> None:
        """Leave the present state for `state`; extended where a change has effects in every state."""
        self.state, self.entered_s = state, now
        self.states[state].enter(self, now)

    def before_states(self, now: float) -> None:
        """Rules that hold in every state and come before its own."""

    def after_states(self, now: float) -> None:
        """Rules that hold in every state and come after its own."""

    def does_not_settle(self, now: float) -> None:
        """More than MAX_STEPS states for one event: stay where the machine is, and look again with the next one."""
