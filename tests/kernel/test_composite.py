"""Coupled machines: who receives a message is declared by its class, and an exchange has an end."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel.composite import Composite, received_by
from chargebyte_fw.kernel.machine import Machine, MachineError, on


@received_by("first", "second")
class Knock(msgspec.Struct, frozen=True):
    pass


@received_by("second", owner=True)
class Opened(msgspec.Struct, frozen=True):
    by: str


class Effect(msgspec.Struct, frozen=True):
    of: str


@received_by("third")
class Elsewhere(msgspec.Struct, frozen=True):
    pass


class State(Enum):
    SHUT = "shut"
    OPEN = "open"


class First(Machine):
    initial = State.SHUT

    @on(State.SHUT, event=Knock, to=State.OPEN)
    def knock(self, _event: Knock, now: float) -> list[Any]:
        self.start("close", now + 5.0)
        return self.enter(State.OPEN, Opened("first"), Effect("first"))

    @on(State.OPEN, timer="close", to=State.SHUT)
    def close(self, _now: float) -> list[Any]:
        return self.enter(State.SHUT, Knock())


class Second(Machine):
    initial = State.SHUT

    @on(event=Knock)
    def knock(self, _event: Knock, _now: float) -> list[Any]:
        return [Effect("second")]

    @on(event=Opened)
    def opened(self, event: Opened, _now: float) -> list[Any]:
        return [Effect(f"second saw {event.by}"), Elsewhere()]


def test_messages_reach_the_declared_receivers_in_order_and_the_owner_gets_the_rest() -> None:
    both = Composite({"first": First(), "second": Second()}, absent=["third"])
    assert both.feed(Knock(), 0.0) == [Opened("first"), Effect("first"), Effect("second"), Effect("second saw first")]


def test_the_deadline_is_the_earliest_one_and_what_a_timer_causes_is_exchanged_too() -> None:
    both = Composite({"first": First(), "second": Second()}, absent=["third"])
    assert both.deadline is None
    both.feed(Knock(), 0.0)
    assert both.deadline == 5.0
    assert both.wake(4.9) == []
    assert both.wake(5.0) == [Opened("first"), Effect("first"), Effect("second"), Effect("second saw first")]
    assert both.deadline == 10.0


def test_a_declaration_that_does_not_agree_with_the_tables_is_an_error() -> None:
    class Mute(Machine):
        initial = State.SHUT

    with pytest.raises(MachineError, match="Knock names receivers that do not exist: second"):
        Composite({"first": First()})
    with pytest.raises(MachineError, match="Knock names receivers that have no row for it: second"):
        Composite({"first": First(), "second": Mute()})
    with pytest.raises(MachineError, match="Knock does not name machines that have a row for it: other"):
        Composite({"first": First(), "second": Second(), "other": Second()}, absent=["third"])


def test_machines_that_answer_each_other_for_ever_are_an_error_that_names_the_messages() -> None:
    class Loop(Machine):
        initial = State.SHUT

        @on(event=Knock)
        def knock(self, _event: Knock, _now: float) -> list[Any]:
            return [Knock()]

    with pytest.raises(MachineError, match=r"do not settle: .*Knock"):
        Composite({"first": Loop(), "second": Second()}, absent=["third"]).feed(Knock(), 0.0)


def test_a_class_derived_from_a_message_declares_its_own_receivers() -> None:
    class Louder(Knock, frozen=True):
        pass

    both = Composite({"first": First(), "second": Second()}, absent=["third"])
    assert both.feed(Louder(), 0.0) == [Louder()]
