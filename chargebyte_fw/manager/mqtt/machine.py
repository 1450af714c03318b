"""When to connect to the broker, and what to do when it goes away: a machine without a socket."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.machine import Machine, on

PAUSES_S = doubling(0.5, 5.0)
"""Between attempts. A broker is nearly always a process on the same board: asking costs nothing, waiting costs news."""
ANSWER_LIMIT_S = 10.0
"""How long opening the connection and CONNACK may take together."""
STEADY_S = 10.0
"""After a connection that held for so long the next pause is the first one again."""


class State(Enum):
    """Life of the connection."""

    Resting = auto()
    Connecting = auto()
    Online = auto()
    Waiting = auto()


class Start(msgspec.Struct, frozen=True):
    """Connect, and stay connected."""


class Accepted(msgspec.Struct, frozen=True):
    """CONNACK with success has come."""


class Lost(msgspec.Struct, frozen=True):
    """No connection came about, or it broke."""

    reason: str


class Stop(msgspec.Struct, frozen=True):
    """Disconnect for good."""


class Connect(msgspec.Struct, frozen=True):
    """Effect: open a connection."""


class Disconnect(msgspec.Struct, frozen=True):
    """Effect: close what is open."""


class CameUp(msgspec.Struct, frozen=True):
    """Effect: subscribe and send what waited."""

    again: bool
    """The broker had been away: log that it is back."""


class WentAway(msgspec.Struct, frozen=True):
    """Effect: log that the broker is away."""

    reason: str


class Reconnect(Machine):
    """Connects with growing pauses; the broker's absence and its return are one effect each."""

    initial = State.Resting

    def __init__(self) -> None:
        super().__init__()
        self._backoff = Backoff(PAUSES_S, STEADY_S)
        self._away = False
        self._online_since_s = 0.0

    @on(State.Resting, event=Start, to=State.Connecting)
    def _start(self, _: Start, now: float) -> list[Any]:
        """Connect."""
        return self._connect(now)

    @on(State.Waiting, timer="pause", to=State.Connecting)
    def _connect(self, now: float) -> list[Any]:
        """Open the connection; CONNACK must come in time."""
        self.start("answer", now + ANSWER_LIMIT_S)
        return self.enter(State.Connecting, Connect())

    @on(State.Connecting, event=Accepted, to=State.Online)
    def _accepted(self, _: Accepted, now: float) -> list[Any]:
        """Be online."""
        again, self._away, self._online_since_s = self._away, False, now
        return self.enter(State.Online, CameUp(again))

    @on(State.Connecting, event=Lost, to=State.Waiting)
    def _not_reached(self, event: Lost, now: float) -> list[Any]:
        """Wait before the next attempt."""
        return self._wait(event.reason, now)

    @on(State.Connecting, timer="answer", to=State.Waiting)
    def _no_answer(self, now: float) -> list[Any]:
        """Give this attempt up."""
        return [Disconnect(), *self._wait(f"no answer in {ANSWER_LIMIT_S:g} s", now)]

    @on(State.Online, event=Lost, to=State.Waiting)
    def _connection_lost(self, event: Lost, now: float) -> list[Any]:
        """Wait; for a short time after a connection that lasted."""
        return self._wait(event.reason, now, held_s=now - self._online_since_s)

    @on(State.Resting, State.Connecting, State.Online, State.Waiting, event=Stop, to=State.Resting)
    def _stop(self, _: Stop, now: float) -> list[Any]:
        """Close what is open."""
        return self.enter(State.Resting, Disconnect())

    @on(State.Resting, State.Waiting, event=Lost)
    @on(State.Resting, State.Waiting, State.Online, event=Accepted)
    def _late(self, _: Any, now: float) -> list[Any]:
        """Ignore what belongs to an attempt that was given up."""
        return []

    def _wait(self, reason: str, now: float, held_s: float = 0.0) -> list[Any]:
        effects: list[Any] = [] if self._away else [WentAway(reason)]
        self._away = True
        self.start("pause", now + self._backoff.fail(held_s))
        return self.enter(State.Waiting, *effects)
