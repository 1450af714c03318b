"""The state-machine idiom: a table of rows, time as an argument, nothing raised for what has no row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel.machine import Machine, MachineError, Unexpected, on


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

    @on(State.OFF, event=Start, to=State.WAITING)
    def begin(self, _event: Start, now: float) -> list[Any]:
        self.start("late", now + 2.0)
        return self.enter(State.WAITING, "waiting")

    @on(State.WAITING, timer="late", to=State.DONE)
    def late(self, _now: float) -> list[Any]:
        return self.enter(State.DONE, "late")

    @on(event=Reset, to=State.OFF)
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


class Tick(msgspec.Struct, frozen=True):
    pass


class Timed(Machine):
    """Two timers beside each other; `fin` belongs to WAITING, `life` to every state."""

    initial = State.OFF

    @on(State.OFF, event=Start, to=State.WAITING)
    def start_both(self, _event: Start, now: float) -> list[Any]:
        self.start("life", now + 10.0)
        effects = self.enter(State.WAITING, "waiting")
        self.start("fin", now + 2.0)
        return effects

    @on(State.WAITING, timer="fin", to=State.DONE)
    def fin(self, now: float) -> list[Any]:
        return self.enter(State.DONE, f"fin at {now}")

    @on(State.WAITING, event=Reset, to=State.OFF)
    def reset(self, _event: Reset, _now: float) -> list[Any]:
        return self.enter(State.OFF)

    @on(timer="life")
    def life(self, now: float) -> list[Any]:
        return [f"life at {now}"]

    @on(State.OFF, event=Tick, to=State.DONE)
    def undeclared(self, _event: Tick, _now: float) -> list[Any]:
        return self.enter(State.WAITING)


def test_each_timer_runs_its_own_row_and_the_earliest_is_the_deadline() -> None:
    machine = Timed()
    assert machine.deadline is None
    machine.feed(Start(), 0.0)
    assert (machine.deadline, machine.due("fin"), machine.due("life")) == (2.0, 2.0, 10.0)
    assert machine.wake(2.0) == ["fin at 2.0"]
    assert (machine.state, machine.deadline) == (State.DONE, 10.0)
    assert machine.wake(10.0) == ["life at 10.0"]
    assert machine.deadline is None


def test_timers_that_are_over_together_run_in_the_order_of_their_times() -> None:
    machine = Timed()
    machine.feed(Start(), 0.0)
    assert machine.wake(12.0) == ["fin at 12.0", "life at 12.0"]


def test_a_state_that_has_no_row_for_a_timer_stops_it() -> None:
    machine = Timed()
    machine.feed(Start(), 0.0)
    machine.feed(Reset(), 1.0)
    assert (machine.due("fin"), machine.due("life")) == (None, 10.0)


def test_a_stopped_timer_does_not_run_and_a_timer_without_row_cannot_be_started() -> None:
    machine = Timed()
    machine.feed(Start(), 0.0)
    machine.stop("fin")
    machine.stop("fin")
    assert machine.wake(5.0) == []
    with pytest.raises(MachineError, match="no row for a timer 'finn'"):
        machine.start("finn", 1.0)


def test_a_handler_enters_only_what_its_row_declares() -> None:
    machine = Timed()
    with pytest.raises(MachineError, match="OFF to WAITING is declared by no `to`"):
        machine.feed(Tick(), 0.0)
    assert machine.state is State.OFF


def test_two_rows_of_one_state_and_event_are_an_error_of_the_class() -> None:
    with pytest.raises(TypeError, match="reset and again are both the row of WAITING and Reset"):

        class Doubled(Timed):
            @on(State.WAITING, event=Reset)
            def again(self, _event: Reset, _now: float) -> None:
                return None


def test_a_method_that_is_overridden_keeps_its_rows_unless_it_declares_its_own() -> None:
    class Quieter(Timed):
        def reset(self, _event: Reset, _now: float) -> list[Any]:
            return []

    machine = Quieter()
    machine.feed(Start(), 0.0)
    assert machine.feed(Reset(), 1.0) == []
    assert machine.state is State.WAITING


def test_a_row_needs_an_event_or_a_timer() -> None:
    with pytest.raises(TypeError, match="either an event or a timer"):
        on(State.OFF)
    with pytest.raises(TypeError, match="either an event or a timer"):
        on(State.OFF, event=Reset, timer="fin")
