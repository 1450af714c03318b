"""The plug lock's rules with their times: attempts, pauses, the way and the reports on it; no link and no clock."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from chargebyte_fw.board.driver.effects import Log, RequestAction
from chargebyte_fw.board.driver.events import MovePlugLock
from chargebyte_fw.board.driver.fault_table import FaultKey, Implementation, RaiseFault
from chargebyte_fw.board.driver.plug_lock import LockState, PlugLock
from chargebyte_fw.board.link import events as link
from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    Application,
    ChargeState,
    ContactorState,
    FirmwareVersion,
    GitHash,
    InletState,
    Platform,
)
from chargebyte_fw.board.link.messages.generations import generation_of

FIRMWARE = FirmwareVersion(0, 5, 0, Platform.CHARGE_SOM, Application.FIRMWARE, 3)
ORDERS = {True: ActionId.INLET_CLOSE, False: ActionId.INLET_OPEN}
ENDS = {True: InletState.CLOSED, False: InletState.OPEN}
WAYS = {True: InletState.CLOSING, False: InletState.OPENING}
FAILURES = {True: "ConnectorLockFailedLock", False: "ConnectorLockFailedUnlock"}
both = pytest.mark.parametrize("close", [True, False], ids=["lock", "unlock"])


class Bench:
    """A lock behind a link that is up, and its clock."""

    def __init__(self, inlet: InletState) -> None:
        self.machine = PlugLock(None)
        self.now = 100.0
        self.feed(link.LinkUp(FIRMWARE, GitHash(bytes(8)), generation_of(FIRMWARE)))
        self.report(inlet)

    def feed(self, event: Any) -> list[Any]:
        return self.machine.feed(event, self.now)

    def report(self, inlet: InletState, contactor: ContactorState = ContactorState.OPEN) -> list[Any]:
        return self.feed(link.ChargeStateReceived(ChargeState(inlet=inlet, contactor_1=contactor)))

    def wait(self) -> list[Any]:
        assert self.machine.deadline is not None
        self.now = self.machine.deadline
        return self.machine.wake(self.now)


def lines(effects: list[Any], level: int) -> list[str]:
    return [one.text % one.values for one in effects if isinstance(one, Log) and one.level == level]


def failure(close: bool) -> FaultKey:
    return FaultKey(Implementation.LOCK, f"connector_lock/{FAILURES[close]}", "APP_INLET")


@both
def test_an_order_that_is_refused_is_given_three_times_half_a_second_apart_and_then_a_fault(close: bool) -> None:
    bench = Bench(ENDS[not close])
    action = ORDERS[close]
    for _ in range(2):  # a second order has as many attempts as the first
        begun = bench.now
        asked_after_s = []
        effects = bench.feed(MovePlugLock(close))
        while RequestAction(action) in effects:
            asked_after_s.append(round(bench.now - begun, 3))
            effects = bench.feed(link.ActionResult(action, False))
            if not any(isinstance(one, RaiseFault) for one in effects) and bench.machine.deadline is not None:
                effects = bench.wait()
        assert asked_after_s == [0.0, 0.5, 1.0]
        assert bench.machine.state is LockState.AT_REST
        bench.now += 10.0
    assert bench.machine.deadline is None


@both
def test_an_order_that_is_refused_three_times_names_the_refusal(close: bool) -> None:
    bench = Bench(ENDS[not close])
    bench.feed(MovePlugLock(close))
    for _ in range(2):
        assert bench.feed(link.ActionResult(ORDERS[close], False)) == []
        bench.wait()
    assert bench.feed(link.ActionResult(ORDERS[close], False)) == [
        RaiseFault(failure(close), "the safety controller does not accept the order")
    ]


@both
def test_the_plug_is_where_it_was_ordered_when_the_lock_reports_its_end_and_not_before(close: bool) -> None:
    bench = Bench(ENDS[not close])
    assert bench.feed(MovePlugLock(close)) == [RequestAction(ORDERS[close])]
    assert bench.feed(link.ActionResult(ORDERS[close], True)) == []
    assert bench.machine.deadline == pytest.approx(106.0)
    for inlet in (ENDS[not close], WAYS[close], WAYS[close]):
        bench.now += 0.1
        assert lines(bench.report(inlet), logging.INFO) == []
        assert bench.machine.state is LockState.MOVING
        assert bench.machine.deadline == pytest.approx(106.0)
    bench.now += 0.1
    assert lines(bench.report(ENDS[close]), logging.INFO) == ["plug locked" if close else "plug unlocked"]
    assert (bench.machine.state, bench.machine.deadline) == (LockState.AT_REST, None)
    assert bench.report(ENDS[close]) == []


@both
def test_a_lock_that_is_under_way_for_six_seconds_has_failed(close: bool) -> None:
    bench = Bench(ENDS[not close])
    bench.feed(MovePlugLock(close))
    bench.feed(link.ActionResult(ORDERS[close], True))
    bench.report(WAYS[close])
    assert bench.wait() == [RaiseFault(failure(close), "the plug lock did not get there within 6 s")]
    assert bench.now == pytest.approx(106.0)


def test_a_lock_that_reports_an_error_on_its_way_has_failed_at_once() -> None:
    bench = Bench(InletState.OPEN)
    bench.feed(MovePlugLock(True))
    bench.feed(link.ActionResult(ActionId.INLET_CLOSE, True))
    bench.report(InletState.CLOSING)
    raised = [one.key for one in bench.report(InletState.ERROR) if isinstance(one, RaiseFault)]
    assert set(raised) == {
        failure(True),
        FaultKey(Implementation.LOCK, "connector_lock/MREC1ConnectorLockFailure", "APP_INLET"),
    }
    assert bench.machine.state is LockState.AT_REST


def test_unlocking_under_load_waits_for_the_contactor_and_asks_in_the_report_that_shows_it_open() -> None:
    bench = Bench(InletState.CLOSED)
    bench.report(InletState.CLOSED, ContactorState.CLOSED)
    effects = bench.feed(MovePlugLock(False))
    assert lines(effects, logging.WARNING) == ["the plug stays locked while a contactor is closed"]
    assert (bench.machine.state, bench.machine.deadline) == (LockState.WAITING, None)
    assert bench.report(InletState.CLOSED, ContactorState.CLOSED) == []
    assert bench.report(InletState.CLOSED, ContactorState.OPEN) == [RequestAction(ActionId.INLET_OPEN)]
