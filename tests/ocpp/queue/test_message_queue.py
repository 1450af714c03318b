"""The two queues: what goes first, what waits, what is tried again (ocpp.md 4.4)."""

from __future__ import annotations

import json
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.modules.ocpp.queue.effects import Done, Failed, KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.queue.bench import Bench

V16, V201, V21 = Version
ENDLESS = 10**9


@pytest.mark.ocpp("FR.01")
def test_the_oldest_goes_first_and_one_is_in_flight() -> None:
    it = Bench()
    for action in ("StatusNotification", "StartTransaction", "Heartbeat", "MeterValues"):
        it.put(action)
    assert it.next() == "StatusNotification"
    assert it.next() is None
    it.answer()
    assert it.drain() == ["StartTransaction", "Heartbeat", "MeterValues"]


def test_boot_notification_goes_first_and_alone_until_accepted() -> None:
    it = Bench(accepted=False)
    it.put("StartTransaction")
    it.put("StatusNotification")
    it.put("BootNotification")
    assert it.failures() == [("StatusNotification", "Offline")]
    assert it.drain() == ["BootNotification"]
    it.queue.registration = "Accepted"
    assert it.drain() == ["StartTransaction"]


def test_a_later_boot_notification_replaces_one_that_waits() -> None:
    it = Bench(accepted=False, online=False)
    it.put("BootNotification")
    it.put("BootNotification")
    assert it.failures() == [("BootNotification", "Dropped")]
    it.queue.connected(it.now, again=False)
    assert it.next() == "BootNotification"
    it.put("BootNotification")
    assert len(it.failures()) == 1, "the one in flight is answered"
    it.answer({"status": "Pending"})
    assert it.drain() == ["BootNotification"]


@pytest.mark.parametrize(("version", "report"), [(V16, False), (V201, True), (V21, True)])
def test_while_pending_only_what_was_asked_for_is_sent(version: Version, report: bool) -> None:
    it = Bench(version, accepted=False)
    it.queue.registration = "Pending"
    it.put("SecurityEventNotification")
    it.put("StatusNotification")
    it.put("StatusNotification", triggered=True)
    it.put("NotifyReport")
    assert it.drain() == ["StatusNotification"] + ["NotifyReport"] * report
    it.queue.registration = "Rejected"
    it.put("StatusNotification", triggered=True)
    assert it.drain() == []


def test_offline_transactions_are_kept_and_others_fail_at_once() -> None:
    it = Bench(online=False)
    it.put("StartTransaction")
    it.put("Authorize")
    it.put("MeterValues")
    assert it.failures() == [("Authorize", "Offline")]
    it.queue.connected(it.now, again=True)
    assert it.drain() == ["StartTransaction", "MeterValues"]


def test_in_2_meter_values_are_no_message_of_a_transaction() -> None:
    it = Bench(V201, online=False)
    it.put("MeterValues")
    it.put("TransactionEvent")
    assert it.failures() == [("MeterValues", "Offline")]


def test_with_queue_all_messages_others_are_kept_but_for_those_named() -> None:
    it = Bench(online=False, queue_all=True, discard=frozenset({"Heartbeat"}))
    for action in ("StatusNotification", "Heartbeat", "StatusNotification"):
        it.put(action)
    assert it.failures() == [("Heartbeat", "Offline")]
    assert [one.table for one in it.effects if isinstance(one, Persist)] == ["NORMAL_QUEUE"] * 2
    it.queue.connected(it.now, again=True)
    assert it.drain() == ["StatusNotification"] * 2


def test_a_lost_connection_fails_what_is_not_kept() -> None:
    it = Bench()
    it.put("Authorize")
    it.put("StatusNotification")
    it.put("StopTransaction")
    assert it.next() == "Authorize"
    it.took(it.queue.disconnected(it.now))
    assert it.failures() == [("Authorize", "Offline"), ("StatusNotification", "Offline")]
    it.queue.connected(it.now, again=True)
    assert it.drain() == ["StopTransaction"]


@pytest.mark.ocpp("E11.FR.07")
def test_events_that_wait_when_the_connection_is_lost_are_offline_ones() -> None:
    it = Bench(V201)
    for number in range(3):
        it.put("TransactionEvent", {"eventType": "Updated", "seqNo": number, "offline": False})
    it.put("SecurityEventNotification", {"type": "x"})
    it.next()
    it.answer()
    it.next()
    it.effects.clear()
    it.took(it.queue.disconnected(it.now))
    rows = [one.row.MESSAGE for one in it.effects if isinstance(one, Persist)]
    assert [json.loads(row)[3]["offline"] for row in rows] == [True, True], "in the file, too"
    it.queue.connected(it.now, again=True)
    sent = []
    while it.next() is not None:
        sent.append(json.loads(it.flying.payload))
        it.answer()
    assert [(one.get("seqNo"), one.get("offline")) for one in sent] == [(1, True), (2, True), (None, None)]


def test_a_lost_connection_fails_every_boot_notification() -> None:
    it = Bench(accepted=False)
    it.put("BootNotification")
    it.next()
    it.put("BootNotification")
    it.took(it.queue.disconnected(it.now))
    assert it.failures() == [("BootNotification", "Offline")] * 2
    it.queue.connected(it.now, again=True)
    assert it.next() is None


def test_a_message_that_was_in_flight_is_sent_again_under_another_id() -> None:
    it = Bench()
    key = it.put("StopTransaction")
    it.next()
    assert it.flying.wire_id == key
    it.queue.disconnected(it.now)
    it.queue.connected(it.now, again=True)
    it.next()
    assert it.flying.wire_id == "again-1"
    assert it.flying.attempts == 0, "a lost connection is no attempt that the CSMS failed to process"
    done = it.answer()
    assert [one.key for one in done if isinstance(one, Remove)] == [key]
    assert [one.entry.key for one in done if isinstance(one, Done)] == [key]


@pytest.mark.ocpp("E13", "E13.FR.01", "E13.FR.02", "E13.FR.03", "E13.FR.04")
def test_a_refused_message_of_a_transaction_is_tried_again() -> None:
    it = Bench(attempts=3, retry_interval_s=10.0, message_timeout_s=30.0)
    first = it.put("StartTransaction")
    it.put("StopTransaction")
    ids = []
    for attempt in (1, 2):
        assert it.next() == "StartTransaction"
        ids.append(it.flying.wire_id)
        (row,) = it.refuse()
        written = (row.row.UNIQUE_ID, row.row.MESSAGE_ATTEMPTS)
        assert written == (first, attempt)
        assert it.next() is None, "the order of a transaction is kept"
        it.wait(10.0 * attempt - 0.1)
        assert it.next() is None
        it.wait(0.1)
    assert it.next() == "StartTransaction"
    ids.append(it.flying.wire_id)
    assert len(set(ids)) == 3
    it.refuse()
    assert it.failures() == [("StartTransaction", "InternalError")]
    assert it.drain() == ["StopTransaction"]


@pytest.mark.parametrize("code", ["NotImplemented", "NotSupported"])
def test_a_csms_without_security_events_holds_up_no_transaction(code: str) -> None:
    """As `arthexis` and `ocpp-broker`; a transaction's own message is tried again whatever the code is."""
    it = Bench(attempts=3, retry_interval_s=10.0)
    it.put("SecurityEventNotification")
    it.put("StartTransaction")
    assert it.next() == "SecurityEventNotification"
    it.refuse(code)
    assert it.failures() == [("SecurityEventNotification", code)]
    assert it.next() == "StartTransaction"
    it.refuse(code)
    assert it.next() is None and it.wait(10.0) == []
    assert it.next() == "StartTransaction"


def test_other_messages_go_on_while_one_of_a_transaction_waits() -> None:
    it = Bench(attempts=3, retry_interval_s=10.0)
    it.put("StartTransaction")
    it.next()
    it.refuse()
    it.put("Heartbeat")
    assert it.drain() == ["Heartbeat"]


def test_without_an_interval_a_message_is_tried_again_at_once() -> None:
    it = Bench(attempts=2, retry_interval_s=0.0)
    it.put("StopTransaction")
    it.next()
    it.refuse()
    assert it.next() == "StopTransaction"


def test_an_answer_that_does_not_come() -> None:
    it = Bench(attempts=2, retry_interval_s=10.0, message_timeout_s=30.0)
    it.put("StopTransaction")
    it.next()
    assert it.queue.deadline == 30.0
    it.wait(30.0)
    assert it.queue.outstanding is None and it.failures() == []
    it.wait(10.0)
    assert it.next() == "StopTransaction"
    assert it.queue.deadline == 40.0 + 30.0 + 10.0, "the second time is longer by the interval"
    it.wait(40.0)
    assert it.failures() == [("StopTransaction", "Timeout")]
    it.put("Authorize")
    it.next()
    it.wait(30.0)
    assert it.failures()[-1] == ("Authorize", "Timeout")


def test_answers_to_something_else_change_nothing() -> None:
    it = Bench()
    it.put("Authorize")
    it.next()
    assert it.queue.answered("other", {}, it.now) == it.queue.refused("other", "X", "", it.now) == []
    assert it.queue.unreadable("other", {}, "", it.now) == []
    assert it.flying.action == "Authorize"


def test_a_message_of_a_transaction_waits_for_the_disk() -> None:
    it = Bench()
    it.disk = False
    it.put("StartTransaction")
    assert it.next() is None
    it.put("Heartbeat")
    assert it.drain() == ["Heartbeat"], "others do not"
    it.queue.written(1)
    assert it.next() == "StartTransaction"


def test_a_status_does_not_overtake_what_the_disk_is_yet_to_confirm_unless_it_takes_long() -> None:
    it = Bench()
    it.disk = False
    it.put("StopTransaction")
    it.put("StatusNotification")
    assert it.next() is None and it.queue.deadline == it.now + 1.0
    it.queue.written(1)
    assert it.next() == "StopTransaction"
    it.answer()
    assert it.drain() == ["StatusNotification"]
    it.put("StopTransaction")
    it.put("StatusNotification")
    it.wait(1.0)
    assert it.drain() == ["StatusNotification"]


def test_after_the_start_of_a_transaction_its_messages_wait_for_the_disk() -> None:
    it = Bench()
    it.put("StartTransaction", {"connectorId": 1}, transaction="s1")
    it.put("StopTransaction", {"transactionId": -1}, transaction="s1")
    it.next()
    it.disk = False
    kept, removed, done = it.answer({"transactionId": 7})
    assert (kept.session_id, kept.transaction_id) == ("s1", 7)
    assert isinstance(removed, Remove) and isinstance(done, Done)
    assert it.next() is None
    it.queue.written(removed.ticket)
    assert it.next() == "StopTransaction"


def test_the_id_of_a_transaction_is_put_in_once_it_is_known() -> None:
    it = Bench(online=False)
    it.put("StartTransaction", {"connectorId": 1}, transaction="s1")
    it.put("StartTransaction", {"connectorId": 2}, transaction="s2")
    it.put("MeterValues", {"connectorId": 1, "transactionId": -1}, transaction="s1")
    it.put("MeterValues", {"connectorId": 0})
    it.put("StopTransaction", {"transactionId": -1}, transaction="s1")
    it.put("StopTransaction", {"transactionId": -1}, transaction="s2")
    it.queue.connected(it.now, again=True)
    sent = []
    for number in count(100):
        entry = it.queue.next(it.now)
        if entry is None:
            break
        sent.append((entry.action, json.loads(it.queue.payload_of(entry)).get("transactionId")))
        it.answer({"transactionId": number})
    assert sent[2:] == [("MeterValues", 100), ("MeterValues", None), ("StopTransaction", 100), ("StopTransaction", 101)]
    forgotten = [one.session_id for one in it.effects if isinstance(one, KeepTransactionId) and not one.transaction_id]
    assert forgotten == ["s1", "s2"]


def test_an_answer_that_cannot_be_read() -> None:
    it = Bench(attempts=9, retry_interval_s=0.0)
    it.put("StopTransaction")
    it.next()
    it.took(it.queue.unreadable(it.flying.wire_id, {}, "no idTagInfo", it.now))
    assert it.failures() == [("StopTransaction", "FormatViolation")], "it was processed: no second one"
    it.put("StartTransaction", transaction="s1")
    it.next()
    for payload in ({}, None, {"transactionId": "7"}, {"transactionId": True}):
        it.took(it.queue.unreadable(it.flying.wire_id, payload, "no transactionId", it.now))
        assert it.next() == "StartTransaction", "without the id nothing of the transaction can follow"
    it.put("StopTransaction", {"transactionId": -1}, transaction="s1")
    it.took(it.queue.unreadable(it.flying.wire_id, {"transactionId": 7, "idTagInfo": {}}, "no status", it.now))
    assert it.next() == "StopTransaction"
    assert json.loads(it.queue.payload_of(it.flying))["transactionId"] == 7


def test_a_queue_is_resumed_later_after_a_reconnection() -> None:
    it = Bench(resume_delay_s=5.0)
    it.put("StopTransaction")
    assert it.next() == "StopTransaction"
    it.queue.disconnected(it.now)
    it.queue.connected(it.now, again=True)
    it.put("StatusNotification")
    assert it.next() is None
    assert it.queue.deadline == 5.0
    it.put("BootNotification")
    assert it.next() == "BootNotification"
    it.answer()
    it.wait(5.0)
    assert it.drain() == ["StopTransaction", "StatusNotification"]


@pytest.mark.ocpp("G02")
def test_heartbeats_are_on_time_while_much_is_drained() -> None:
    it = Bench(V201, online=False, size_threshold=ENDLESS)
    for number in range(3000):
        it.put("TransactionEvent", {"seqNo": number})
    it.queue.connected(it.now, again=True)
    late, waiting, order = [], 0.0, []
    for step in range(4000):
        it.now += 0.01
        if step % 500 == 0:
            it.put("Heartbeat")
            waiting = it.now
        action = it.next()
        if action is None:
            break
        if action == "Heartbeat":
            late.append(it.now - waiting)
        else:
            order.append(json.loads(it.flying.payload)["seqNo"])
        it.answer()
    assert order == sorted(order) and len(order) == 3000
    assert len(late) == 7 and max(late) < 1.2


def test_a_transaction_does_not_wait_for_a_long_report() -> None:
    it = Bench(V201)
    for _ in range(200):
        it.put("NotifyReport")
    it.now = 2.0
    it.put("TransactionEvent")
    it.now = 3.5
    first = [it.next()]
    it.answer()
    first.append(it.next())
    assert sorted(map(str, first)) == ["NotifyReport", "TransactionEvent"]


def test_one_heartbeat_waits_at_most() -> None:
    it = Bench()
    it.put("StopTransaction")
    it.next()
    it.put("Heartbeat")
    it.put("Heartbeat")
    assert it.failures() == [("Heartbeat", "Dropped")]


STEPS = st.sampled_from(
    [
        "start",
        "meter",
        "stop",
        "status",
        "event",
        "next",
        "next",
        "answer",
        "answer",
        "refuse",
        "wait",
        "lose",
        "connect",
    ]
)


@given(st.lists(STEPS, max_size=80), st.integers(1, 3), st.booleans())
def test_whatever_happens_each_message_ends_once_and_in_its_order(
    steps: list[str], attempts: int, queue_all: bool
) -> None:
    it = Bench(attempts=attempts, retry_interval_s=5.0, queue_all=queue_all)
    actions = {"start": "StartTransaction", "meter": "MeterValues", "stop": "StopTransaction"}
    put: list[str] = []
    others: list[str] = []
    for step in steps:
        if step in actions:
            put.append(it.put(actions[step], {"n": len(put)}, transaction="s1"))
        elif step == "event":
            put.append(it.put("SecurityEventNotification"))
        elif step == "status":
            others.append(it.put("StatusNotification"))
        elif step == "next":
            it.next()
        elif step in ("answer", "refuse") and it.queue.outstanding is not None:
            it.answer({"transactionId": 1}) if step == "answer" else it.refuse()
        elif step == "wait":
            it.wait(7.0)
        elif step == "lose" and it.queue.online:
            it.took(it.queue.disconnected(it.now))
        elif step == "connect":
            if it.queue.online:
                it.took(it.queue.disconnected(it.now))
            it.queue.connected(it.now, again=True)
    if not it.queue.online:
        it.queue.connected(it.now, again=True)
    for _ in range(400):
        if it.queue.outstanding is not None:
            it.answer({"transactionId": 1})
        elif it.next() is None:
            it.wait(100.0)
    ended = [one.entry.key for one in it.effects if isinstance(one, Done | Failed)]
    assert sorted(ended) == sorted([*put, *others])
    answered = [one.entry.key for one in it.effects if isinstance(one, Done) and one.entry.key in put]
    assert answered == [key for key in put if key in answered]
    assert not [one for one in it.effects if isinstance(one, Failed) and one.entry.key in put and one.code == "Offline"]
    kept = {one.row.UNIQUE_ID for one in it.effects if isinstance(one, Persist)}
    assert kept == {one.key for one in it.effects if isinstance(one, Remove)}, "no row stays"
