"""Cases of OCPP 1.6 that EVerest's test suite has and no other test of ours."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.messages.schema import MessageError, decode_request
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.queue.bench import Bench as QueueBench
from tests.ocpp.station16 import E, Station16

PENDING: dict[str, Any] = {"registration": "Pending", "interval_s": 1800}


def test_a_token_from_the_answer_to_a_start_is_known_offline_and_online() -> None:
    for online in (False, True):
        station = Station16(LocalPreAuthorize=True, LocalAuthorizeOffline=True, OfflineTxForUnknownIdEnabled=False)
        station.charge()
        station.finish()
        station.unplug()
        station.requests()
        if not online:
            station.disconnect()
        assert station.present("DEADBEEF").authorization_status.value == "Accepted"
        assert station.requests("Authorize") == []


def test_a_token_whose_date_has_passed_is_asked_about_again() -> None:
    station = Station16(LocalPreAuthorize=True)
    station.answers["Authorize"]["idTagInfo"]["expiryDate"] = "2023-11-15T00:01:00Z"
    station.present("CAFE")
    station.present("CAFE")
    assert len(station.requests("Authorize")) == 1
    station.pass_s(61)
    station.present("CAFE")
    assert len(station.requests("Authorize")) == 1


def test_a_token_of_more_than_20_characters_in_a_local_list_is_refused() -> None:
    entry = {"idTag": "x" * 21, "idTagInfo": {"status": "Accepted"}}
    payload = {"listVersion": 1, "updateType": "Full", "localAuthorizationList": [entry]}
    station = Station16()
    with pytest.raises(MessageError, match="idTag") as found:
        station.ask("SendLocalList", payload)
    assert found.value.code == "FormationViolation"
    assert station.ask("GetLocalListVersion") == {"listVersion": 0}


def test_while_pending_keys_are_changed_the_password_too() -> None:
    station = Station16(**PENDING)
    for key, value in (("MeterValueSampleInterval", "10"), ("AuthorizationKey", "0123456789ABCDEF")):
        assert station.ask("ChangeConfiguration", {"key": key, "value": value}) == {"status": "Accepted"}
    station.requests()
    station.disconnect()
    station.answers["BootNotification"]["status"] = "Accepted"
    station.connect()
    assert [one.action_name for one in station.requests("BootNotification")] == ["BootNotification"]


@pytest.mark.parametrize("code", ["InternalError", "Timeout"])
def test_a_boot_that_is_refused_or_not_answered_is_tried_again(code: str) -> None:
    station = Station16(connects=False)
    station.online = False
    station.feed(events.Connected(1, "ws://csms", "cp001", 1, "ocpp1.6"))
    [boot] = station.requests("BootNotification")
    station.feed(events.MessageFailed("id-1", "BootNotification", boot, code))
    station.online = True
    station.pass_s(59)
    assert station.requests() == []
    station.pass_s(1)
    assert station.requests()[0].action_name == "BootNotification"
    assert station.ask("GetConfiguration", {"key": ["HeartbeatInterval"]})["configurationKey"] != []


@pytest.mark.parametrize(
    ("action", "message"),
    [
        *[("TriggerMessage", one) for one in ("Heartbeat", "MeterValues", "StatusNotification", "BootNotification")],
        *[("TriggerMessage", one) for one in ("DiagnosticsStatusNotification", "FirmwareStatusNotification")],
        *[("ExtendedTriggerMessage", one) for one in ("Heartbeat", "MeterValues", "StatusNotification")],
        *[("ExtendedTriggerMessage", one) for one in ("BootNotification", "LogStatusNotification")],
        ("ExtendedTriggerMessage", "FirmwareStatusNotification"),
    ],
)
def test_while_pending_every_message_can_be_triggered(action: str, message: str) -> None:
    station = Station16(**PENDING)
    station.measure(1000)
    station.requests()
    assert station.ask(action, {"requestedMessage": message, "connectorId": 1}) == {"status": "Accepted"}
    names = [one.action_name for one in station.requests()]
    assert names[0].endswith(message) and len(names) == 1


def test_a_rejected_station_leaves_requests_unanswered_and_boots_again() -> None:
    station = Station16(registration="Rejected", interval_s=60)
    station.requests()
    request = decode_request(Version.V16, "ClearCache", b"{}")
    effects = station.station.feed(events.CallReceived("c", "ClearCache", request), station.now)
    assert [type(one) for one in effects if isinstance(one, do.Answer | do.Refuse | do.LeaveUnanswered)] == [
        do.LeaveUnanswered
    ]
    station.pass_s(60)
    assert [one.action_name for one in station.requests()] == ["BootNotification"]


@pytest.mark.parametrize(
    ("answer", "status", "data"),
    [
        ({"status": "Accepted", "data": "back"}, "Accepted", "back"),
        ({"status": "UnknownMessageId"}, "UnknownMessageId", None),
        ({"status": "UnknownVendorId"}, "UnknownVendorId", None),
    ],
)
def test_data_of_the_integrator_reaches_the_csms_and_back(answer: Any, status: str, data: Any) -> None:
    station = Station16()
    station.answers["DataTransfer"] = answer
    result = transferred(station)
    assert (result.status.value, result.data) == (status, data)


def test_data_of_the_integrator_is_rejected_without_a_proper_answer_and_offline() -> None:
    station = Station16()
    station.online = False
    assert transferred(station) is None
    [request] = station.requests("DataTransfer")
    pending = station.station.feed(events.MessageFailed("id-1", "DataTransfer", request, "FormationViolation"), 0.0)
    assert pending is not None
    other = Station16()
    other.disconnect()
    assert transferred(other).status is ocpp.DataTransferStatus.Offline


def transferred(station: Station16) -> Any:
    station.other.clear()
    request = ocpp.DataTransferRequest(vendor_id="com.example", message_id="m", data="there")
    station.feed(events.Served("r", "ocpp_data_transfer", "data_transfer", (request,)))
    found = [one.result for one in station.other if isinstance(one, do.Reply)]
    return found[0] if found else None


def test_a_change_while_a_car_is_plugged_in_waits_until_it_leaves() -> None:
    station = Station16()
    station.plug_in()
    station.requests()
    station.commanded()
    assert station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {"status": "Scheduled"}
    assert station.commanded("enable_disable") == []
    station.unplug()
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [1]
    station.event(E.Disabled)
    assert [status for _, status in station.statuses()] == ["Available", "Unavailable"]


@pytest.mark.ocpp("A04.FR.02")
@pytest.mark.parametrize("version", Version)
def test_a_security_event_of_an_outage_is_delivered_after_it(version: Version) -> None:
    queue = QueueBench(version, online=False)
    queue.put("SecurityEventNotification", {"type": "TamperDetectionActivated"})
    queue.queue.connected(queue.now, again=True)
    assert queue.drain() == ["SecurityEventNotification"]


@pytest.mark.parametrize(("result", "status"), [(True, "Unlocked"), (False, "NotSupported")])
def test_a_connector_without_a_session_is_unlocked(result: bool, status: str) -> None:
    station = Station16()
    station.results["force_unlock"] = result
    assert station.ask("UnlockConnector", {"connectorId": 1}) == {"status": status}
    assert station.commanded("stop_transaction") == []


def test_a_running_transaction_over_an_outage_goes_on_and_delivers_its_values() -> None:
    station = Station16(TxUpdatedInterval=60, TxUpdatedMeasurands=("Energy.Active.Import.Register",))
    station.charge()
    station.requests()
    station.disconnect()
    station.measure(1500)
    station.pass_s(65)
    station.connect()
    found = [one for one in station.requests() if one.action_name in ("MeterValues", "StopTransaction")]
    assert [one.action_name for one in found] == ["MeterValues"]
    assert found[0].connector_id == 1
