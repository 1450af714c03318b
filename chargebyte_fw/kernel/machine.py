"""State machines as tables: events and time in, effects out; no socket, no file, no clock.

A machine is a class. A row of its table is a method under `on`: the states it holds in, the event or timer that runs
it, and the states that it may enter::

    class Door(Machine):
        initial = State.SHUT

        @on(State.SHUT, event=Knock, to=State.OPEN)
        def open(self, knock: Knock, now: float) -> list[Any]:
            self.start("close", now + OPEN_S)
            return self.enter(State.OPEN, Unlock())

        @on(State.OPEN, timer="close", to=State.SHUT)
        def close(self, now: float) -> list[Any]:
            return self.enter(State.SHUT)

Whoever subclasses `Machine` is pure (tests/test_house.py). `kernel/level_machine.py` is the second idiom, for states
that follow from what is true now; `kernel/composite.py` couples machines; `kernel/diagram.py` draws the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, ClassVar, NamedTuple, TypeVar

import msgspec

Handler = Callable[..., "list[Any] | None"]
H = TypeVar("H", bound=Handler)
Key = type | str
"""What runs a row: the type of an event, or the name of a timer."""
Marks = tuple[tuple[tuple["Enum | None", ...], Key, frozenset[Enum]], ...]
"""What `on` keeps at a method: the states, the key and the targets of each decorator."""


class Unexpected(msgspec.Struct, frozen=True):
    """Effect: this input has no row in this state. The owner counts it and logs it once; it is never an exception."""

    state: Enum
    event: Any


class MachineError(RuntimeError):
    """A handler did what its row does not declare: an error of the program, not of a peer."""


class Row(NamedTuple):
    """One row of a table; rows of one method that enter the same states are one object."""

    method: str
    to: frozenset[Enum]
    """States that the handler may enter besides the one that it runs in."""


def on(
    *states: Enum, event: type | None = None, timer: str | None = None, to: Enum | Iterable[Enum] | None = None
) -> Callable[[H], H]:
    """Make the method below the row of the table for these states (none given: every state).

    Give `event`, a type, or `timer`, a name. An event's handler takes `(event, now)`, a timer's handler `(now)`; both
    return effects, or None. `to` names the states that the handler may enter besides the one that it is in.
    """
    key = event if timer is None else timer
    if key is None or (event is not None and timer is not None):
        raise TypeError("a row needs either an event or a timer")
    targets = _shared(frozenset([to] if isinstance(to, Enum) else to or ()))

    def mark(method: H) -> H:
        method.rows = (*getattr(method, "rows", ()), (states or (None,), key, targets))  # type: ignore[attr-defined]
        return method

    return mark


_sets: dict[frozenset[Any], frozenset[Any]] = {}


def _shared(members: frozenset[Any]) -> frozenset[Any]:
    """Return the one set of these members: tables have a thousand rows and few different sets."""
    return _sets.setdefault(members, members)


class Machine:
    """Events in, effects out. Subclasses declare rows with `on`; the table is what the decorators collected.

    `state` is the current state. A row for a given state wins over a row for every state.
    """

    table: ClassVar[dict[tuple[Enum | None, Key], Row]] = {}
    initial: ClassVar[Enum]
    """The state that a new machine is in."""
    _timer_states: ClassVar[dict[str, frozenset[Enum | None]]] = {}

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        table: dict[tuple[Enum | None, Key], Row] = {}
        made: dict[Row, Row] = {}
        for name, marks in _marked(cls).items():
            for states, key, to in marks:
                row = Row(name, to)
                row = made.setdefault(row, row)
                for state in states:
                    earlier = table.get((state, key))
                    if earlier is not None:
                        where = "every state" if state is None else state.name
                        what = key if isinstance(key, str) else key.__name__
                        raise TypeError(
                            f"{cls.__qualname__}: {earlier.method} and {name} are both the row of {where} and {what}"
                        )
                    table[state, key] = row
        cls.table = table
        timers = {key for _, key in table if isinstance(key, str)}
        cls._timer_states = {
            timer: _shared(frozenset(state for state, key in table if key == timer)) for timer in timers
        }

    def __init__(self, state: Enum | None = None) -> None:
        self.state = self.initial if state is None else state
        self._timers: dict[str, float] = {}
        self._declared: frozenset[Enum] | None = None

    @property
    def deadline(self) -> float | None:
        """The monotonic second at which `wake` is to be called: that of the earliest timer, None without one."""
        return min(self._timers.values()) if self._timers else None

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event at monotonic second `now`; return the effects that the owner carries out, in order."""
        table = self.table
        row = table.get((self.state, type(event))) or table.get((None, type(event)))
        if row is None:
            return [Unexpected(self.state, event)]
        self._declared = row.to
        effects: list[Any] | None = getattr(self, row.method)(event, now)
        return effects or []

    def wake(self, now: float) -> list[Any]:
        """Let time pass up to `now`: run the row of each timer that is over, earliest first, each at most once."""
        effects: list[Any] = []
        over = sorted((at_s, name) for name, at_s in self._timers.items() if at_s <= now)
        for at_s, name in over:
            if self._timers.get(name) != at_s:
                continue  # stopped, or started again, by the row of an earlier one
            del self._timers[name]
            row = self.table.get((self.state, name)) or self.table.get((None, name))
            if row is None:
                raise MachineError(f"{type(self).__qualname__}: timer {name!r} has no row in {self.state.name}")
            self._declared = row.to
            effects += getattr(self, row.method)(now) or ()
        return effects

    def start(self, timer: str, at_s: float) -> None:
        """Let the row of this timer run at monotonic second `at_s`, in place of the time set before.

        Raises MachineError for a timer that no row of the class has.
        """
        if timer not in self._timer_states:
            raise MachineError(f"{type(self).__qualname__} has no row for a timer {timer!r}")
        self._timers[timer] = at_s

    def stop(self, timer: str) -> None:
        """Stop a timer; one that does not run is left alone."""
        self._timers.pop(timer, None)

    def due(self, timer: str) -> float | None:
        """Return the monotonic second at which the timer is over, None while it does not run."""
        return self._timers.get(timer)

    def enter(self, state: Enum, *effects: Any) -> list[Any]:
        """Go to `state` and return `effects`. Timers without a row in that state are stopped.

        Raises MachineError for a state that the running row does not declare in `to`.
        """
        if self._declared is not None and state not in self._declared and state is not self.state:
            raise MachineError(f"{type(self).__qualname__}: {self.state.name} to {state.name} is declared by no `to`")
        self.state = state
        if self._timers:
            states = self._timer_states
            for timer in [one for one in self._timers if not states[one] & {state, None}]:
                del self._timers[timer]
        return list(effects)


def _marked(cls: type) -> dict[str, Marks]:
    """Return what `on` declared, by method: a method that overrides one without rows of its own has that one's."""
    marked: dict[str, Marks] = {}
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            marks = getattr(member, "rows", None)
            if marks is not None:
                marked[name] = marks
    return marked
