"""Periodic event streams of OCPP 2.1 (use cases N11 to N15)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables.files.component_files import ConfiguredMonitor
from chargebyte_fw.modules.ocpp.variables.standard import station
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import POWER, go_offline, go_online, model, power, set_monitor, talk_with
from tests.ocpp.variables.talk import Talk


@pytest.fixture
def talk() -> Talk:
    talk = talk_with(Version.V21)
    power(talk, 1000)
    return talk


def stream(talk: Talk, severity: int = 4, **params: Any) -> dict[str, Any]:
    """A stream of the power, a value each second."""
    return set_monitor(talk, "Periodic", 1, severity, periodicEventStream=params)


def taken(talk: Talk, action: str) -> list[dict[str, Any]]:
    found = list(talk.payloads_of(action))
    talk.sent, talk.payloads = [], []
    return found


@pytest.mark.ocpp("N11", "N11.FR.01", "N11.FR.02")
def test_a_monitor_with_a_stream_is_opened_after_the_answer(talk: Talk) -> None:
    number = stream(talk, interval=5, values=100)["id"]
    assert taken(talk, "OpenPeriodicEventStream") == [
        {"constantStreamData": {"id": number, "params": {"interval": 5, "values": 100}, "variableMonitoringId": number}}
    ]


@pytest.mark.ocpp("N15.FR.01", "N15", "N15.FR.06", "N15.FR.09")
def test_values_are_sent_each_interval_with_their_times(talk: Talk) -> None:
    number = stream(talk, interval=5)["id"]
    taken(talk, "")
    for value_W in range(1001, 1006):
        power(talk, value_W)
        talk.pass_s(1)
    (message,) = taken(talk, "NotifyPeriodicEventStream")
    assert message == {
        "id": number,
        "pending": 0,
        "basetime": "2023-11-15T00:00:01.000Z",
        # That of the fifth second is taken when the message is on its way.
        "data": [{"t": second, "v": str(1001 + second)} for second in range(4)],
    }


@pytest.mark.ocpp("N15.FR.07", "N15.FR.08")
def test_values_are_sent_as_soon_as_there_are_enough(talk: Talk) -> None:
    stream(talk, values=3)
    talk.pass_s(7)
    assert [len(one["data"]) for one in taken(talk, "NotifyPeriodicEventStream")] == [3, 3]


@pytest.mark.ocpp("N15.FR.04", "N15.FR.07")
def test_no_message_has_more_values_than_wanted_and_says_how_many_wait(talk: Talk) -> None:
    number = stream(talk, values=100)["id"]
    talk.pass_s(7)
    talk.ask("AdjustPeriodicEventStream", {"id": number, "params": {"values": 3}})
    talk.pass_s(1)
    found = taken(talk, "NotifyPeriodicEventStream")
    assert [(len(one["data"]), one["pending"]) for one in found] == [(3, 5), (3, 2), (2, 0)]


def test_without_parameters_each_value_is_sent_at_once(talk: Talk) -> None:
    stream(talk)
    talk.pass_s(2)
    assert [len(one["data"]) for one in taken(talk, "NotifyPeriodicEventStream")] == [1, 1]


@pytest.mark.ocpp("N11", "N11.FR.07")
def test_a_stream_that_the_csms_does_not_want_is_none() -> None:
    talk = talk_with(Version.V21, answers={"OpenPeriodicEventStream": {"status": "Rejected"}})
    stream(talk, interval=1)
    talk.pass_s(3)
    assert taken(talk, "NotifyPeriodicEventStream") == []
    talk.pass_s(2)
    assert len(taken(talk, "NotifyEvent")) == 2
    assert talk.ask("GetPeriodicEventStream") == {}


@pytest.mark.ocpp("N11")
def test_more_streams_than_the_station_has_are_rejected(talk: Talk) -> None:
    talk.variables.set(station.MAX_PERIODIC_EVENT_STREAMS, 2)
    assert [stream(talk, severity, interval=5)["status"] for severity in range(3)] == [
        "Accepted",
        "Accepted",
        "Rejected",
    ]


@pytest.mark.ocpp("N12", "N12.FR.01")
def test_the_open_streams(talk: Talk) -> None:
    assert talk.ask("GetPeriodicEventStream") == {}
    numbers = [stream(talk, severity, interval=5)["id"] for severity in range(2)]
    found = talk.ask("GetPeriodicEventStream")["constantStreamData"]
    assert [(one["id"], one["params"]) for one in found] == [(number, {"interval": 5}) for number in numbers]


@pytest.mark.ocpp("N13", "N13.FR.01", "N13.FR.05")
def test_a_monitor_that_is_cleared_closes_its_stream(talk: Talk) -> None:
    number = stream(talk, interval=1)["id"]
    taken(talk, "")
    talk.ask("ClearVariableMonitoring", {"id": [number]})
    assert taken(talk, "ClosePeriodicEventStream") == [{"id": number}]
    talk.pass_s(5)
    assert talk.sent == [] and talk.ask("GetPeriodicEventStream") == {}


@pytest.mark.ocpp("N13", "N13.FR.01")
def test_a_base_that_removes_the_monitor_closes_its_stream(talk: Talk) -> None:
    number = stream(talk, interval=1)["id"]
    taken(talk, "")
    talk.ask("SetMonitoringBase", {"monitoringBase": "FactoryDefault"})
    assert taken(talk, "ClosePeriodicEventStream") == [{"id": number}]


@pytest.mark.ocpp("N13.FR.03")
@pytest.mark.parametrize("way", ["cleared", "replaced", "base"])
def test_values_that_wait_are_sent_before_the_stream_is_closed(talk: Talk, way: str) -> None:
    number = stream(talk, interval=60)["id"]
    talk.pass_s(3)
    talk.sent, talk.payloads = [], []
    if way == "cleared":
        talk.ask("ClearVariableMonitoring", {"id": [number]})
    elif way == "replaced":
        set_monitor(talk, "Periodic", 1, id=number)
    else:
        talk.ask("SetMonitoringBase", {"monitoringBase": "FactoryDefault"})
    assert [one.action_name for one in talk.sent] == ["NotifyPeriodicEventStream", "ClosePeriodicEventStream"]
    [message] = taken(talk, "NotifyPeriodicEventStream")
    assert (message["id"], len(message["data"]), message["pending"]) == (number, 3, 0)


@pytest.mark.ocpp("N13.FR.04", "N13.FR.06")
def test_a_monitor_that_is_set_again_without_a_stream_goes_on_with_events(talk: Talk) -> None:
    number = stream(talk, interval=1)["id"]
    taken(talk, "")
    assert set_monitor(talk, "Periodic", 1, id=number)["status"] == "Accepted"
    assert taken(talk, "ClosePeriodicEventStream") == [{"id": number}]
    talk.pass_s(2)
    assert [one.action_name for one in talk.sent] == ["NotifyEvent"] * 2
    events = [event for one in taken(talk, "NotifyEvent") for event in one["eventData"]]
    assert [(one["variableMonitoringId"], one["trigger"]) for one in events] == [(number, "Periodic")] * 2
    assert talk.ask("GetPeriodicEventStream") == {}


@pytest.mark.ocpp("N13.FR.04")
def test_a_preconfigured_monitor_that_is_back_has_no_stream() -> None:
    variables = model()
    entry = variables.entry(POWER.id)
    assert entry is not None
    entry.monitors = (ConfiguredMonitor(type="Periodic", value=2, severity=4),)
    talk = talk_with(Version.V21, variables=variables)
    power(talk, 1000)
    assert set_monitor(talk, "Periodic", 1, id=1, periodicEventStream={"interval": 60})["status"] == "Accepted"
    taken(talk, "")
    talk.ask("SetMonitoringBase", {"monitoringBase": "FactoryDefault"})
    assert taken(talk, "ClosePeriodicEventStream") == [{"id": 1}]
    talk.pass_s(4)
    assert len(taken(talk, "NotifyEvent")) == 2


def test_a_monitor_that_is_replaced_begins_a_new_stream(talk: Talk) -> None:
    number = stream(talk, interval=1)["id"]
    taken(talk, "")
    set_monitor(talk, "Periodic", 2, id=number, periodicEventStream={"interval": 4})
    actions = [request.action_name for request in talk.sent]
    assert actions == ["ClosePeriodicEventStream", "OpenPeriodicEventStream"]


@pytest.mark.ocpp("N14", "N14.FR.02", "N14.FR.03")
def test_the_parameters_of_a_stream_are_changed(talk: Talk) -> None:
    number = stream(talk, interval=5)["id"]
    taken(talk, "")
    assert talk.ask("AdjustPeriodicEventStream", {"id": number, "params": {"interval": 2}}) == {"status": "Accepted"}
    talk.pass_s(4)
    assert len(taken(talk, "NotifyPeriodicEventStream")) == 2
    answer = talk.ask("AdjustPeriodicEventStream", {"id": number + 1, "params": {"interval": 2}})
    assert answer["status"] == "Rejected"
    (found,) = talk.ask("GetPeriodicEventStream")["constantStreamData"]
    assert found["params"] == {"interval": 2}


@pytest.mark.ocpp("N11", "N15")
def test_streams_end_with_the_connection_and_are_opened_on_the_next(talk: Talk) -> None:
    number = stream(talk, interval=1)["id"]
    go_offline(talk)
    taken(talk, "")
    talk.pass_s(5)
    assert talk.sent == []
    go_online(talk)
    assert [one["constantStreamData"]["id"] for one in taken(talk, "OpenPeriodicEventStream")] == [number]
    talk.pass_s(2)
    assert len(taken(talk, "NotifyPeriodicEventStream")) == 2


def test_a_stream_is_opened_after_a_restart() -> None:
    first = talk_with(Version.V21)
    number = stream(first, interval=1)["id"]
    again = talk_with(Version.V21, saved=first.tables)
    assert [one["constantStreamData"]["id"] for one in taken(again, "OpenPeriodicEventStream")] == [number]


def test_a_connection_of_2_0_1_has_no_streams() -> None:
    first = talk_with(Version.V21)
    stream(first, interval=1)
    again = talk_with(Version.V201, saved=first.tables)
    power(again, 5)
    again.pass_s(1)
    assert [request.action_name for request in again.sent] == ["NotifyEvent"]


def test_a_threshold_has_no_stream(talk: Talk) -> None:
    set_monitor(talk, "UpperThreshold", 5000, periodicEventStream={"interval": 1})
    assert talk.sent == [] and talk.variables.get(POWER) == 1000
