"""The one state-machine idiom: events and time in, effects out; no socket, no file, no clock."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, ClassVar, TypeVar

import msgspec

Handler = Callable[..., "list[Any] | None"]
H = TypeVar("H", bound=Handler)


class Timeout(msgspec.Struct, frozen=True):
    """The machine's deadline has passed."""


class Unexpected(msgspec.Struct, frozen=True):
    """Effect: this input has no row in this state. The owner counts it and logs it once; it is never an exception."""

    state: Enum
    event: Any


def on(*states: Enum, event: type) -> Callable[[H], H]:
    """Make the method below the row of the table for these states (none given: every state) and this event type."""

    def mark(method: H) -> H:
        rows = list(getattr(method, "rows", ()))
        rows += [(state, event) for state in states] or [(None, event)]
        method.rows = rows  # type: ignore[attr-defined]
        return method

    return mark


class Machine:
    """Events in, effects out. Subclasses declare rows with `on`; the table is what the decorators collected.

    `state` is the current state, `deadline` the monotonic second at which `wake` wants to be called (None: never).
    A row for a given state wins over a row for every state.
    """

    table: ClassVar[dict[tuple[Enum | None, type], str]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        table: dict[tuple[Enum | None, type], str] = {}
        for base in reversed(cls.__mro__):
            for name, method in vars(base).items():
                for row in getattr(method, "rows", ()):
                    table[row] = name
        cls.table = table

    def __init__(self, state: Enum) -> None:
        self.state = state
        self.deadline: float | None = None

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event at monotonic second `now`; return the effects the owner must carry out, in order."""
        name = self.table.get((self.state, type(event))) or self.table.get((None, type(event)))
        if name is None:
            return [Unexpected(self.state, event)]
        effects: list[Any] | None = getattr(self, name)(event, now)
        return effects or []

    def wake(self, now: float) -> list[Any]:
        """Let time pass up to `now`: feeds `Timeout` once if the deadline is over."""
        if self.deadline is None or now < self.deadline:
            return []
        self.deadline = None
        return self.feed(Timeout(), now)

    def enter(self, state: Enum, *effects: Any, until: float | None = None) -> list[Any]:
        """Go to `state` with the deadline `until` and return `effects`."""
        self.state, self.deadline = state, until
        return list(effects)
