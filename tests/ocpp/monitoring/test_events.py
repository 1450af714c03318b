"""Events of monitors: thresholds, differences, periods, and what waits for a connection (use cases N07 and N08)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables.standard import authorization, communication, internal, station
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import (
    POWER,
    brief,
    go_offline,
    go_online,
    model,
    power,
    set_monitor,
    taken,
    talk_with,
)
from tests.ocpp.variables.talk import NOON, Talk

PASSWORD: dict[str, Any] = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
SWITCH: dict[str, Any] = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "Enabled"}}


@pytest.fixture
def talk() -> Talk:
    return talk_with()


@pytest.mark.ocpp("N07.FR.02", "N07.FR.06", "N07.FR.07", "N07.FR.16")
def test_a_value_above_the_threshold_is_an_event_and_its_return_another(talk: Talk) -> None:
    number = set_monitor(talk, "UpperThreshold", 5000)["id"]
    for value in (5000, 5001, 6000, 5000, 5500):
        power(talk, value)
    found = taken(talk)
    assert [(one["actualValue"], one.get("cleared", False)) for one in found] == [
        ("5001", False),
        ("5000", True),
        ("5500", False),
    ]
    first = found[0]
    assert first["component"] == {"name": "EVSE", "evse": {"id": 1}} and first["variable"] == {"name": "Power"}
    assert (first["trigger"], first["eventNotificationType"]) == ("Alerting", "CustomMonitor")
    assert first["variableMonitoringId"] == number
    assert len({one["eventId"] for one in found}) == 3


@pytest.mark.ocpp("N07.FR.17")
def test_a_value_below_the_threshold_is_an_event(talk: Talk) -> None:
    power(talk, 500)
    set_monitor(talk, "LowerThreshold", 100)
    for value in (100, 99, 100):
        power(talk, value)
    assert brief(talk) == [("99", "Alerting", False), ("100", "Alerting", True)]


@pytest.mark.ocpp("N07.FR.11", "N07.FR.16")
def test_a_threshold_that_is_set_or_changed_looks_at_the_present_value(talk: Talk) -> None:
    power(talk, 6000)
    number = set_monitor(talk, "UpperThreshold", 5000)["id"]
    assert brief(talk) == [("6000", "Alerting", False)]
    set_monitor(talk, "UpperThreshold", 5500, id=number)
    assert brief(talk) == []
    set_monitor(talk, "UpperThreshold", 7000, id=number)
    assert brief(talk) == [("6000", "Alerting", True)]
    set_monitor(talk, "UpperThreshold", 100, id=number)
    assert brief(talk) == [("6000", "Alerting", False)]


@pytest.mark.ocpp("N07.FR.12")
def test_a_threshold_that_is_removed_is_not_reported_as_cleared(talk: Talk) -> None:
    number = set_monitor(talk, "UpperThreshold", 5000)["id"]
    power(talk, 6000)
    taken(talk)
    talk.ask("ClearVariableMonitoring", {"id": [number]})
    power(talk, 100)
    assert brief(talk) == []


@pytest.mark.ocpp("N07.FR.14")
def test_a_value_that_came_back_during_a_restart_is_reported_as_cleared() -> None:
    first = talk_with()
    set_monitor(first, "UpperThreshold", 5000)
    power(first, 6000)
    same = model()
    same.set(POWER, 6000.0)
    assert brief(talk_with(variables=same, saved=dict(first.tables))) == []
    assert brief(talk_with(saved=first.tables)) == [("0", "Alerting", True)]


@pytest.mark.ocpp("N07.FR.18")
def test_a_number_that_changed_by_more_than_the_difference(talk: Talk) -> None:
    power(talk, 1000)
    set_monitor(talk, "Delta", 100)
    for value in (1100, 1101, 1002, 1001, 1000, 900):
        power(talk, value)
    assert brief(talk) == [("1101", "Delta", False), ("1000", "Delta", False)]


@pytest.mark.ocpp("N07.FR.19", "N04.FR.17")
def test_any_change_of_what_is_no_number(talk: Talk) -> None:
    set_monitor(talk, "Delta", 1, **SWITCH)
    for value in (True, False, False, True):
        talk.variables.set(authorization.AUTH_ENABLED, value)
        talk.settle()
    assert brief(talk) == [("false", "Delta", False), ("true", "Delta", False)]


@pytest.mark.ocpp("N07.FR.10")
def test_the_value_of_a_variable_that_is_write_only_is_not_in_the_event(talk: Talk) -> None:
    set_monitor(talk, "Delta", 1, **PASSWORD)
    talk.variables.set(communication.BASIC_AUTH_PASSWORD, "0123456789abcdef")
    talk.settle()
    assert brief(talk) == [("", "Delta", False)]


def test_nothing_is_evaluated_while_monitoring_is_not_enabled(talk: Talk) -> None:
    talk.variables.set(station.MONITORING_ENABLED, False)
    set_monitor(talk, "UpperThreshold", 5000)
    set_monitor(talk, "Periodic", 10)
    power(talk, 6000)
    talk.pass_s(60)
    talk.settle()
    assert brief(talk) == []
    talk.variables.set(station.MONITORING_ENABLED, True)
    talk.settle()
    assert brief(talk) == [("6000", "Alerting", False)]
    talk.pass_s(10)
    assert brief(talk) == [("6000", "Periodic", False)]


def began(evse_id: int) -> TransactionBegan:
    return TransactionBegan(evse_id, 1, evse_id, f"session-{evse_id}")


def ended(evse_id: int) -> TransactionEnded:
    return TransactionEnded(evse_id, 1, evse_id, f"session-{evse_id}")


def test_a_monitor_of_transactions_is_active_while_one_is(talk: Talk) -> None:
    set_monitor(talk, "UpperThreshold", 5000, transaction=True)
    power(talk, 6000)
    talk.feed(began(2))
    assert brief(talk) == []
    talk.feed(began(1))
    (event,) = taken(talk)
    assert event["transactionId"] == "session-1"
    talk.feed(ended(1))
    power(talk, 100)
    assert brief(talk) == []


# Periodic


@pytest.mark.ocpp("N08.FR.04", "N08.FR.05", "N08.FR.06")
def test_a_periodic_monitor_counts_from_when_it_was_set(talk: Talk) -> None:
    power(talk, 1234)
    talk.pass_s(7)
    set_monitor(talk, "Periodic", 60)
    talk.pass_s(59)
    assert brief(talk) == []
    talk.pass_s(1)
    assert brief(talk) == [("1234", "Periodic", False)]
    talk.pass_s(600)
    assert len(brief(talk)) == 10


@pytest.mark.ocpp("N08.FR.07")
def test_a_clock_aligned_monitor_counts_from_midnight(talk: Talk) -> None:
    talk.pass_s(100)
    set_monitor(talk, "PeriodicClockAligned", 900)
    talk.pass_s(3600)
    assert [one["timestamp"] for one in taken(talk)] == [
        f"2023-11-15T00:{minute}:00.000Z" for minute in (15, 30, 45)
    ] + ["2023-11-15T01:00:00.000Z"]


@pytest.mark.ocpp("N08.FR.07")
def test_a_clock_that_is_set_aligns_anew(talk: Talk) -> None:
    set_monitor(talk, "PeriodicClockAligned", 900)
    talk.pass_s(60)
    talk.feed(events.WallClockSet(NOON + 780))
    talk.pass_s(60)
    assert [one["timestamp"] for one in taken(talk)] == ["2023-11-15T00:15:00.000Z"]


def test_periodic_monitors_that_are_due_at_once_are_one_message(talk: Talk) -> None:
    for severity in range(3):
        set_monitor(talk, "Periodic", 60, severity)
    talk.pass_s(60)
    (payload,) = talk.payloads_of("NotifyEvent")
    assert len(payload["eventData"]) == 3


def test_events_that_do_not_fit_in_a_message_are_several(talk: Talk) -> None:
    talk.variables.set(internal.MAX_MESSAGE_SIZE, 700)
    for severity in range(8):
        set_monitor(talk, "Periodic", 60, severity)
    talk.pass_s(60)
    parts = list(talk.payloads_of("NotifyEvent"))
    assert [part["seqNo"] for part in parts] == list(range(len(parts))) and len(parts) > 2
    assert [part.get("tbc", False) for part in parts] == [True] * (len(parts) - 1) + [False]
    assert sum(len(part["eventData"]) for part in parts) == 8 and max(talk.bytes_sent) <= 700


# Offline


@pytest.mark.ocpp("N07.FR.04", "N08.FR.03")
def test_events_that_are_severe_enough_wait_for_the_connection(talk: Talk) -> None:
    talk.variables.set(station.OFFLINE_QUEUING_SEVERITY, 4)
    set_monitor(talk, "UpperThreshold", 5000, 4)
    set_monitor(talk, "UpperThreshold", 5100, 5)
    set_monitor(talk, "Periodic", 60, 3)
    go_offline(talk)
    power(talk, 6000)
    talk.pass_s(60)
    assert talk.sent == []
    go_online(talk)
    assert [(one["trigger"], one["timestamp"]) for one in taken(talk)] == [
        ("Alerting", "2023-11-15T00:00:00.000Z"),
        ("Periodic", "2023-11-15T00:01:00.000Z"),
    ]


def test_events_before_the_registration_wait_for_it() -> None:
    talk = talk_with(online=False)
    set_monitor(talk, "UpperThreshold", 5000)
    power(talk, 6000)
    assert talk.sent == []
    go_online(talk)
    assert len(taken(talk)) == 1


def test_an_event_that_was_not_answered_is_sent_again_after_the_outage(talk: Talk) -> None:
    set_monitor(talk, "UpperThreshold", 5000)
    talk.online = False
    power(talk, 6000)
    (request,) = talk.sent
    talk.feed(events.MessageFailed("id-1", "NotifyEvent", request, "Offline"))
    talk.sent, talk.payloads = [], []
    go_offline(talk)
    go_online(talk)
    assert brief(talk) == [("6000", "Alerting", False)]


def test_an_event_that_the_csms_refused_is_not_sent_again(talk: Talk) -> None:
    set_monitor(talk, "UpperThreshold", 5000)
    talk.online = False
    power(talk, 6000)
    (request,) = talk.sent
    talk.feed(events.MessageFailed("id-1", "NotifyEvent", request, "InternalError"))
    talk.sent, talk.payloads = [], []
    go_offline(talk)
    go_online(talk)
    assert brief(talk) == []


def test_what_waits_is_bounded(talk: Talk) -> None:
    set_monitor(talk, "Periodic", 1, 3)
    go_offline(talk)
    talk.pass_s(1000)
    go_online(talk)
    found = [one for part in talk.payloads_of("NotifyEvent") for one in part["eventData"]]
    assert len(found) == 500 and found[-1]["timestamp"] == "2023-11-15T00:16:40.000Z"


# 2.1


@pytest.mark.ocpp("N07", "N07.FR.22", "N07.FR.23")
@pytest.mark.parametrize(("kind", "value"), [("TargetDelta", 100), ("TargetDeltaRelative", 0.1)])
def test_a_value_away_from_its_target(kind: str, value: float) -> None:
    talk = talk_with(Version.V21)
    power(talk, 1000)
    set_monitor(talk, kind, value)
    for value_W in (1100, 1101, 1200, 1000, 899):
        power(talk, value_W)
    assert brief(talk) == [("1101", "Alerting", False), ("1000", "Alerting", True), ("899", "Alerting", False)]


def test_a_target_that_moves_is_looked_at() -> None:
    talk = talk_with(Version.V21)
    power(talk, 1000)
    set_monitor(talk, "TargetDelta", 100)
    entry = talk.variables.entry(POWER.id)
    assert entry is not None
    talk.variables.write(entry, "Target", "2000", "csms")
    talk.settle()
    assert brief(talk) == [("1000", "Alerting", False)]


def test_a_variable_without_a_target_has_no_such_monitor() -> None:
    talk = talk_with(Version.V21)
    where: dict[str, Any] = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
    assert set_monitor(talk, "TargetDelta", 1, **where)["status"] == "UnsupportedMonitorType"


@pytest.mark.ocpp("N07", "N07.FR.20")
@pytest.mark.parametrize(("version", "expected"), [(Version.V201, None), (Version.V21, 4)])
def test_an_event_of_2_1_has_its_severity(version: Version, expected: Any) -> None:
    talk = talk_with(version)
    set_monitor(talk, "UpperThreshold", 5000)
    power(talk, 6000)
    (event,) = taken(talk)
    assert event.get("severity") == expected
