"""The state-machine idiom: a table of rows, time as an argument, nothing raised for what has no row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.machine import Machine, Timeout, Unexpected, on


class State(Enum):
    OFF = auto()
    WAITING = auto()
    DONE = auto()


@dataclass(frozen=True)
class Start:
    pass


@dataclass(frozen=True)
class Reset:
    pass


class Example(Machine):
    def __init__(self) -> None:
        super().__init__(State.OFF)

    @on(State.OFF, event=Start)
    def start(self, _event: Start, now: float) -> list[Any]:
        return self.enter(State.WAITING, "waiting", until=now + 2.0)

    @on(State.WAITING, event=Timeout)
    def late(self, _event: Timeout, _now: float) -> list[Any]:
        return self.enter(State.DONE, "late")

    @on(event=Reset)
    def reset(self, _event: Reset, _now: float) -> list[Any]:
        return self.enter(State.OFF, "reset")


class Stricter(Example):
    @on(State.DONE, event=Reset)
    def refuse(self, _event: Reset, _now: float) -> None:
        return None


def test_an_event_runs_its_row_and_sets_the_deadline() -> None:
    machine = Example()
    assert machine.feed(Start(), 10.0) == ["waiting"]
    assert (machine.state, machine.deadline) == (State.WAITING, 12.0)


def test_time_before_the_deadline_changes_nothing_and_the_deadline_fires_once() -> None:
    machine = Example()
    machine.feed(Start(), 0.0)
    assert machine.wake(1.99) == []
    assert machine.wake(2.0) == ["late"]
    assert machine.wake(99.0) == []


def test_an_input_without_a_row_is_an_effect_and_never_an_exception() -> None:
    assert Example().feed("noise", 0.0) == [Unexpected(State.OFF, "noise")]


def test_a_row_for_every_state_yields_to_a_row_of_the_state_and_subclasses_keep_their_parents_rows() -> None:
    machine = Stricter()
    machine.feed(Start(), 0.0)
    assert machine.feed(Reset(), 0.0) == ["reset"]
    machine.feed(Start(), 0.0)
    machine.wake(5.0)
    assert machine.feed(Reset(), 5.0) == []
    assert machine.state is State.DONE
