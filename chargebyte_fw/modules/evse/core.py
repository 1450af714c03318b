"""The machines of one EVSE on one string: what one of them says, those with a row for it hear at once, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from chargebyte_fw.kernel.machine import Machine, Timeout
from chargebyte_fw.modules.evse.public import Public


class Core(Machine):
    """Several machines that behave like one. Messages without a listener here, and public ones, are the effects."""

    def __init__(self, machines: Sequence[Machine]) -> None:
        self.machines = tuple(machines)
        self._timers = {}
        self._deadline = None
        self._routes: dict[type, list[Machine]] = {}
        for machine in self.machines:
            for event in {event for _, event in machine.table if isinstance(event, type) and event is not Timeout}:
                self._routes.setdefault(event, []).append(machine)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event and let the machines talk until none has anything more to say."""
        return self._settle(deque([event]), now)

    def wake(self, now: float) -> list[Any]:
        """Let time pass for every machine whose deadline is over."""
        told = []
        for machine in self.machines:
            if machine.deadline is not None and machine.deadline <= now:
                told += self._settle(deque(machine.wake(now)), now)
        return told

    def _settle(self, waiting: deque[Any], now: float) -> list[Any]:
        told = []
        while waiting:
            message = waiting.popleft()
            listeners = self._routes.get(type(message))
            if listeners is None or isinstance(message, Public):
                told.append(message)
            for machine in listeners or ():
                waiting.extend(machine.feed(message, now))
        self.look_at_the_clock()
        return told

    def look_at_the_clock(self) -> None:
        """Take the deadline of the machine that waits for the next one."""
        deadlines = [machine.deadline for machine in self.machines if machine.deadline is not None]
        self.deadline = min(deadlines, default=None)
