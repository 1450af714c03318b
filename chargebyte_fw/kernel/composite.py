"""Several machines as one: a message of one is received at once, in order, by those that its class names.

A class of messages declares its receivers::

    @received_by("session", "charging", owner=True)
    class PluggedIn(msgspec.Struct, frozen=True):
        "The connector is in the EV."
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeVar

from chargebyte_fw.kernel.machine import Machine, MachineError

MAX_MESSAGES = 1000
"""Messages that one event may cause. More is a loop between machines."""

S = TypeVar("S", bound=type)


class Receivers(NamedTuple):
    """Who gets the messages of a class."""

    machines: tuple[str, ...]
    owner: bool
    """It is an effect for the owner of the composite, too."""


_EFFECT = Receivers((), True)


def received_by(*machines: str, owner: bool = False) -> Callable[[S], S]:
    """Declare which machines of a composite receive the messages of a class, by their names in the composite.

    `owner`: the owner gets them as effects, too. A class without this declaration is an effect.
    """

    def mark(message: S) -> S:
        message.receivers = Receivers(machines, owner)  # type: ignore[attr-defined]
        return message

    return mark


def receivers_of(message: type) -> Receivers:
    """Return who receives the messages of a class: what it declares itself, otherwise the owner alone."""
    declared = vars(message).get("receivers")
    return declared if isinstance(declared, Receivers) else _EFFECT


class Composite(Machine):
    """Named machines that behave like one. Effects are the messages that name the owner, or nothing.

    Messages are received by the machines in the order of `machines`. Names of machines that exist only in other
    assemblies (the power path of a DC charger) are given as `absent`.

    Raises MachineError where a declaration and a table do not agree: a receiver without a row for the message, a row
    for a message that does not name the machine, or a receiver that neither exists nor is known as absent.
    """

    def __init__(self, machines: Mapping[str, Machine], *, absent: Collection[str] = ()) -> None:
        self.machines = dict(machines)
        self._absent = frozenset(absent)
        self._routes: dict[type, tuple[tuple[Machine, ...], bool]] = {}
        keys = [key for machine in self.machines.values() for _, key in machine.table]
        for event in dict.fromkeys(key for key in keys if isinstance(key, type)):
            self._check(event)
            self._routes[event] = self._route(event)

    @property
    def deadline(self) -> float | None:
        """The earliest deadline of the machines, None without one."""
        earliest: float | None = None
        for machine in self.machines.values():
            at_s = machine.deadline
            if at_s is not None and (earliest is None or at_s < earliest):
                earliest = at_s
        return earliest

    def _check(self, event: type) -> None:
        declared = receivers_of(event).machines
        listening = {name for name, machine in self.machines.items() if any(key is event for _, key in machine.table)}
        unknown = set(declared) - set(self.machines) - self._absent
        deaf = (set(declared) & set(self.machines)) - listening
        undeclared = listening - set(declared)
        for names, what in (
            (unknown, "names receivers that do not exist"),
            (deaf, "names receivers that have no row for it"),
            (undeclared, "does not name machines that have a row for it"),
        ):
            if names:
                raise MachineError(f"{event.__module__}.{event.__qualname__} {what}: {', '.join(sorted(names))}")

    def _route(self, message: type) -> tuple[tuple[Machine, ...], bool]:
        declared = receivers_of(message)
        listeners = tuple(machine for name, machine in self.machines.items() if name in declared.machines)
        return listeners, declared.owner

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event and let the machines exchange messages until none is left."""
        return self._settle(deque([event]), now)

    def wake(self, now: float) -> list[Any]:
        """Let time pass for every machine whose deadline is over."""
        effects: list[Any] = []
        for machine in self.machines.values():
            deadline = machine.deadline
            if deadline is not None and deadline <= now:
                effects += self._settle(deque(machine.wake(now)), now)
        return effects

    def _settle(self, waiting: deque[Any], now: float) -> list[Any]:
        effects: list[Any] = []
        for _ in range(MAX_MESSAGES):
            if not waiting:
                return effects
            message = waiting.popleft()
            kind = type(message)
            route = self._routes.get(kind)
            if route is None:
                route = self._routes[kind] = self._route(kind)
            listeners, owner = route
            if owner:
                effects.append(message)
            for machine in listeners:
                waiting.extend(machine.feed(message, now))
        raise MachineError(
            f"the machines do not settle: {', '.join(type(one).__name__ for one in list(waiting)[:5])} ..."
        )
