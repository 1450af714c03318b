"""States that follow from facts: the order of events does not matter, and the search for a state has an end."""

from __future__ import annotations

from enum import Enum
from typing import Any, ClassVar

import msgspec
import pytest

from chargebyte_fw.kernel.level_machine import MAX_STEPS, LevelMachine, LevelState
from chargebyte_fw.kernel.machine import MachineError, on


class State(Enum):
    IDLE = "idle"
    READY = "ready"
    RUNNING = "running"


class Plugged(msgspec.Struct, frozen=True):
    plugged: bool


class Allowed(msgspec.Struct, frozen=True):
    allowed: bool


class Idle(LevelState["Example"]):
    to = (State.READY,)

    def next(self, machine: Example, now: float) -> Enum | None:
        return State.READY if machine.plugged else None


class Ready(LevelState["Example"]):
    to = (State.IDLE, State.RUNNING)

    def enter(self, machine: Example, now: float) -> None:
        machine.emit("ready")

    def next(self, machine: Example, now: float) -> Enum | None:
        if not machine.plugged:
            return State.IDLE
        if machine.allowed and now >= machine.entered_s + 3.0:
            return State.RUNNING
        machine.look_again(machine.entered_s + 3.0)
        machine.look_again(machine.entered_s + 9.0)
        return None


class Running(LevelState["Example"]):
    to = (State.READY,)

    def next(self, machine: Example, now: float) -> Enum | None:
        return State.READY if machine.endless else State.IDLE if not machine.plugged else None


class Example(LevelMachine):
    initial = State.IDLE
    states: ClassVar = {State.IDLE: Idle(), State.READY: Ready(), State.RUNNING: Running()}

    def __init__(self) -> None:
        super().__init__()
        self.plugged = self.allowed = self.endless = False
        self.unsettled = 0

    @on(event=Plugged)
    def plug(self, event: Plugged, _now: float) -> None:
        self.plugged = event.plugged

    @on(event=Allowed)
    def allow(self, event: Allowed, _now: float) -> list[Any]:
        self.allowed = event.allowed
        return ["allowed"]

    def does_not_settle(self, now: float) -> None:
        self.unsettled += 1


@pytest.mark.parametrize("events", [(Plugged(True), Allowed(True)), (Allowed(True), Plugged(True))])
def test_the_state_follows_from_the_facts_whatever_came_first(events: tuple[Any, ...]) -> None:
    machine = Example()
    effects = [effect for event in events for effect in machine.feed(event, 0.0)]
    assert sorted(effects) == ["allowed", "ready"]
    assert (machine.state, machine.deadline) == (State.READY, 3.0)
    machine.wake(3.0)
    assert (machine.state, machine.entered_s, machine.deadline) == (State.RUNNING, 3.0, None)


def test_a_state_that_is_left_takes_its_times_with_it() -> None:
    machine = Example()
    machine.feed(Plugged(True), 0.0)
    machine.feed(Plugged(False), 1.0)
    assert (machine.state, machine.deadline) == (State.IDLE, None)
    assert machine.wake(99.0) == []


def test_a_state_may_name_only_what_it_declares() -> None:
    machine = Example()
    machine.feed(Plugged(True), 0.0)
    machine.feed(Allowed(True), 3.0)
    with pytest.raises(MachineError, match="RUNNING does not declare IDLE"):
        machine.feed(Plugged(False), 4.0)


def test_two_states_that_follow_each_other_for_ever_are_noticed_and_the_machine_lives_on() -> None:
    class Flicker(Example):
        states: ClassVar = {**Example.states, State.READY: ReadyAtOnce()}

    machine = Flicker()
    machine.endless = True
    machine.feed(Plugged(True), 0.0)
    assert machine.unsettled == 1
    machine.endless = False
    machine.feed(Allowed(True), 1.0)
    assert (machine.state, machine.unsettled) == (State.RUNNING, 1)
    assert MAX_STEPS < 100


class ReadyAtOnce(LevelState["Example"]):
    to = (State.RUNNING,)

    def next(self, machine: Example, now: float) -> Enum | None:
        return State.RUNNING
