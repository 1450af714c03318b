"""When to connect to the broker, and what to do when it goes away: a machine without a socket."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine, Timeout, on

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
"""A broker is a process of the same machine nearly always: asking costs nothing, waiting costs news."""
ANSWER_LIMIT_S = 10.0
"""How long opening the connection and CONNACK may take together."""
STEADY_S = 10.0
"""A connection that lasted so long was a good one: the next pause is short again."""


class State(Enum):
    """Life of the connection."""

    Resting = auto()
    Connecting = auto()
    Online = auto()
    Waiting = auto()


class Start(msgspec.Struct, frozen=True):
    """The process wants a connection."""


class Accepted(msgspec.Struct, frozen=True):
    """The broker said CONNACK with success."""


class Lost(msgspec.Struct, frozen=True):
    """No connection came about, or it broke."""

    reason: str


class Stop(msgspec.Struct, frozen=True):
    """The process is done."""


class Connect(msgspec.Struct, frozen=True):
    """Effect: open a connection."""


class Disconnect(msgspec.Struct, frozen=True):
    """Effect: close what is open."""


class CameUp(msgspec.Struct, frozen=True):
    """Effect: subscribe and send what waited."""

    again: bool
    """The broker had been missed before: say that it is back."""


class WentAway(msgspec.Struct, frozen=True):
    """Effect: say once that the broker is away."""

    reason: str


class Reconnect(Machine):
    """Connects with growing pauses; says once that the broker is away and once that it is back."""

    def __init__(self) -> None:
        super().__init__(State.Resting)
        self._pause_s = FIRST_PAUSE_S
        self._missed = False
        self._online_since = 0.0

    @on(State.Resting, event=Start)
    def _start(self, _: Start, now: float) -> list[Any]:
        return self.enter(State.Connecting, Connect(), until=now + ANSWER_LIMIT_S)

    @on(State.Connecting, event=Accepted)
    def _accepted(self, _: Accepted, now: float) -> list[Any]:
        again, self._missed, self._online_since = self._missed, False, now
        return self.enter(State.Online, CameUp(again))

    @on(State.Connecting, event=Lost)
    def _not_reached(self, event: Lost, now: float) -> list[Any]:
        return self._wait(event.reason, now)

    @on(State.Connecting, event=Timeout)
    def _no_answer(self, _: Timeout, now: float) -> list[Any]:
        return [Disconnect(), *self._wait(f"no answer in {ANSWER_LIMIT_S:g} s", now)]

    @on(State.Online, event=Lost)
    def _broken(self, event: Lost, now: float) -> list[Any]:
        if now - self._online_since >= STEADY_S:
            self._pause_s = FIRST_PAUSE_S
        return self._wait(event.reason, now)

    @on(State.Waiting, event=Timeout)
    def _again(self, _: Timeout, now: float) -> list[Any]:
        return self.enter(State.Connecting, Connect(), until=now + ANSWER_LIMIT_S)

    @on(event=Stop)
    def _stop(self, _: Stop, now: float) -> list[Any]:
        return self.enter(State.Resting, Disconnect())

    @on(State.Resting, State.Waiting, event=Lost)
    @on(State.Resting, State.Waiting, State.Online, event=Accepted)
    def _late(self, _: Any, now: float) -> list[Any]:
        return []

    def _wait(self, reason: str, now: float) -> list[Any]:
        effects: list[Any] = [] if self._missed else [WentAway(reason)]
        self._missed = True
        pause_s, self._pause_s = self._pause_s, min(self._pause_s * 2, LONGEST_PAUSE_S)
        return self.enter(State.Waiting, *effects, until=now + pause_s)
