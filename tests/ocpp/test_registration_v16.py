"""Registration of OCPP 1.6 as a CSMS sees it: BootNotification, heartbeats, the clock, outages."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import E, Station16


@pytest.mark.ocpp("1.6 §4.2", "1.6 §4.9")
def test_an_accepted_station_reports_itself_and_each_connector_once() -> None:
    station = Station16()
    assert station.payloads[0]["chargePointVendor"] == "chargebyte"
    assert station.statuses() == [(0, "Available"), (1, "Available"), (2, "Available")]


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_a_station_that_is_not_accepted_asks_again_after_the_interval_and_sends_nothing_else(status: str) -> None:
    station = Station16(registration=status, interval_s=300)
    station.plug_in()
    station.pass_s(299)
    assert [one.action_name for one in station.requests()] == ["BootNotification"]
    station.answers["BootNotification"]["status"] = "Accepted"
    station.pass_s(1)
    assert station.requests()[0].action_name == "BootNotification"


def test_without_an_interval_or_an_answer_the_next_attempt_is_a_minute_later() -> None:
    station = Station16(registration="Rejected", interval_s=0)
    station.requests()
    station.pass_s(59.9)
    assert station.requests() == []
    station.pass_s(0.2)
    assert len(station.requests("BootNotification")) == 1


@pytest.mark.ocpp("1.6 §4.6")
def test_the_interval_of_the_registration_is_that_of_the_heartbeat() -> None:
    station = Station16(interval_s=60)
    station.requests()
    station.pass_s(185)
    assert len(station.requests("Heartbeat")) == 3
    assert station.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "10"})["status"] == "Accepted"
    station.pass_s(30)
    assert len(station.requests("Heartbeat")) == 3, "a new interval is used at once"


def test_the_clock_is_set_from_the_registration_and_what_follows_has_the_new_time() -> None:
    station = Station16(connects=False)
    station.answers["BootNotification"]["currentTime"] = "2024-08-27T09:19:32.876446300Z"
    station.connect()
    [(_, _, (timestamp,))] = station.commanded("set_system_time")
    assert timestamp == "2024-08-27T09:19:32.876Z"
    notifications = station.requests("StatusNotification")
    assert {one.timestamp.isoformat(timespec="seconds") for one in notifications} == {"2024-08-27T09:19:32+00:00"}


def test_after_an_outage_there_is_no_boot_but_one_status_of_each_connector() -> None:
    station = Station16()
    station.requests()
    station.disconnect()
    station.plug_in()
    station.start()
    station.event(E.ChargingStarted)
    assert station.requests("StatusNotification") == []
    station.connect()
    sent = station.requests("BootNotification", "StatusNotification")
    assert [(one.connector_id, one.status.value) for one in sent] == [
        (0, "Available"),
        (1, "Charging"),
        (2, "Available"),
    ]


def test_the_first_security_event_is_that_of_the_boot_once() -> None:
    station = Station16(connects=False)
    station.feed(events.Started(boot_reason=BootReason.FirmwareUpdate))
    station.connect()
    station.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert [one.type for one in station.requests("SecurityEventNotification")] == ["FirmwareUpdated"]


def test_while_pending_the_csms_reads_the_configuration_and_triggers_single_messages() -> None:
    station = Station16(registration="Pending", interval_s=1800)
    station.requests()
    answer = station.ask("GetConfiguration", {"key": []})
    assert len(answer["configurationKey"]) > 40 and not answer.get("unknownKey")
    assert station.ask("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}) == {
        "status": "Accepted"
    }
    assert station.statuses() == [(1, "Available")]
    for action, payload in (
        ("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}),
        ("RemoteStopTransaction", {"transactionId": 7}),
    ):
        assert station.ask(action, payload) == {"status": "Rejected"}
    station.answers["BootNotification"]["status"] = "Accepted"
    station.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert len(station.statuses()) == 3, "accepted without a wait for the interval"
