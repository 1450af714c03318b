"""Registration, reports, network profiles and resets of OCPP 2.x (FR, B01 to B12)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types import display_message as display
from chargebyte_fw.contracts.types import text_message
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.modules.ocpp.dispatcher import Dispatcher
from chargebyte_fw.modules.ocpp.messages.v2.availability import HeartbeatRequest
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.rpc.endpoint import Transmit
from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.variables.device_model import DeviceModel
from chargebyte_fw.modules.ocpp.variables.standard import communication
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.connection.test_network import Bench
from tests.ocpp.queue.bench import Bench as QueueBench
from tests.ocpp.requirements_v2.scenarios import Reason, quiet
from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused, Talk
from tests.ocpp.variables.test_device_model import address, get_report, places, reported, set_one

CARD = {"idToken": "CAFE", "type": "ISO14443"}


def actions(station: Station2) -> list[str]:
    return [one.action_name for one in station.requests()]


# General.


def framed(version: Version) -> tuple[Dispatcher, str]:
    """A dispatcher whose Heartbeat is in flight, and the id of it."""
    dispatcher = Dispatcher(version, Settings(), lambda: "again")
    dispatcher.registered("Accepted", 0.0)
    dispatcher.opened(version, 0.0)
    dispatcher.enqueue(effects.Enqueue("m1", HeartbeatRequest()), 0.0)
    return dispatcher, "m1"


def frames(found: list[Any]) -> list[Any]:
    return [json.loads(one.text) for one in found if isinstance(one, Transmit)]


@pytest.mark.ocpp("FR.06")
@pytest.mark.parametrize("payload", ["{}", '{"currentTime":7}', '{"currentTime":"yesterday"}', "[]"])
def test_an_answer_that_cannot_be_read_is_refused_in_2_1(payload: str) -> None:
    dispatcher, message_id = framed(Version.V21)
    [frame] = frames(dispatcher.received(f'[3,"{message_id}",{payload}]', 1.0))
    assert frame[0] == 5 and frame[1] == message_id


@pytest.mark.ocpp("FR.05", "B07.FR.04", "B08.FR.04", "N02.FR.04", "N09.FR.05", "K09.FR.01", "O03.FR.05", "O04.FR.06")
@pytest.mark.parametrize(
    ("action", "payload", "result"),
    [
        ("GetBaseReport", {"reportBase": "FullInventory"}, "NotifyReport"),
        ("GetReport", {"componentCriteria": ["Available"]}, "NotifyReport"),
        ("GetMonitoringReport", {}, "NotifyMonitoringReport"),
        ("GetDisplayMessages", {"id": [3]}, "NotifyDisplayMessages"),
        ("CustomerInformation", {"report": True, "clear": False, "idToken": CARD}, "NotifyCustomerInformation"),
        ("GetChargingProfiles", {"chargingProfile": {}}, "ReportChargingProfiles"),
    ],
)
def test_results_follow_the_answer_and_have_its_request_id(action: str, payload: dict[str, Any], result: str) -> None:
    station = quiet(LocalPreAuthorize=True)
    station.present("CAFE")
    shown = display.DisplayMessage(id=3, message=text_message.MessageContent(content="x"))
    station.results["get_display_messages"] = display.GetDisplayMessageResponse(messages=[shown])
    limit = {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [
            {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
        ],
    }
    station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": limit})
    monitor = {"value": 1, "type": "Delta", "severity": 1, **address("ChargingStation", "Problem")}
    station.ask("SetVariableMonitoring", {"setMonitoringData": [monitor]})
    station.requests()
    assert station.ask(action, {"requestId": 4711, **payload}) == {"status": "Accepted"}
    station.settle()
    found = list(station.payloads_of(result))
    assert found != [] and {one["requestId"] for one in found} == {4711}


# Registration.


@pytest.mark.ocpp("B01.FR.03", "B11.FR.04")
def test_it_boots_again_after_every_restart_with_the_reason() -> None:
    station = Station2()
    again = station.restart(connects=False)
    again.feed(events.Started(boot_reason=BootReason.RemoteReset))
    again.connect()
    [boot] = again.payloads_of("BootNotification")
    assert boot["reason"] == "RemoteReset"


@pytest.mark.ocpp("B01.FR.06", "G02.FR.06")
def test_the_clock_is_set_by_the_csms_where_it_is_the_source() -> None:
    station = Station2(connects=False)
    station.answers["BootNotification"]["currentTime"] = "2024-01-01T00:00:00Z"
    station.connect()
    assert [args for _, _, args in station.commanded("set_system_time")] == [("2024-01-01T00:00:00.000Z",)]
    other = Station2(connects=False, TimeSource=("NTP",))
    other.answers["BootNotification"]["currentTime"] = "2024-01-01T00:00:00Z"
    other.connect()
    assert other.commanded("set_system_time") == []


@pytest.mark.ocpp("B02.FR.04", "B02.FR.08", "B03.FR.06", "B03.FR.02", "B02.FR.06")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_the_next_boot_comes_after_the_interval_and_nothing_before_it(status: str) -> None:
    station = Station2(registration=status, interval_s=300)
    station.requests()
    station.plug_in()
    station.pass_s(299)
    assert actions(station) == []
    assert not [one for one in station.other if isinstance(one, effects.Disconnect)]
    station.pass_s(1)
    assert actions(station) == ["BootNotification"]


@pytest.mark.ocpp("B02.FR.07", "B03.FR.05")
@pytest.mark.parametrize("status", ["Pending", "Rejected"])
def test_without_an_interval_it_waits_a_while(status: str) -> None:
    station = Station2(registration=status, interval_s=0)
    station.requests()
    station.pass_s(59)
    assert actions(station) == []
    station.pass_s(1)
    assert actions(station) == ["BootNotification"]


@pytest.mark.ocpp("B02.FR.04")
def test_a_boot_that_the_csms_triggers_comes_at_once() -> None:
    station = Station2(registration="Pending", interval_s=300)
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": "BootNotification"}) == {"status": "Accepted"}
    assert actions(station) == ["BootNotification"]


@pytest.mark.ocpp("B02.FR.03", "B03.FR.01")
def test_transactions_before_the_acceptance_are_queued() -> None:
    queue = QueueBench(Version.V201, accepted=False)
    queue.queue.registration = "Pending"
    queue.put("TransactionEvent", {"seqNo": 0})
    assert queue.next() is None
    queue.queue.registration = "Accepted"
    assert queue.drain() == ["TransactionEvent"]
    station = Station2(registration="Rejected", interval_s=300, OfflineTxForUnknownIdEnabled=True)
    station.charge()
    assert next(station.payloads_of("TransactionEvent"))["eventType"] == "Started"


# Reports.


@pytest.fixture
def talk() -> Talk:
    return Talk(DeviceModel, version=Version.V21)


@pytest.mark.ocpp("B07.FR.11")
def test_attributes_without_a_value_are_reported_too(talk: Talk) -> None:
    talk.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    [power] = [
        one
        for one in reported(talk, 1)
        if one["variable"]["name"] == "Power" and one["component"].get("evse") == {"id": 1}
    ]
    kinds = {one["type"]: one.get("value") for one in power["variableAttribute"]}
    assert "MaxSet" in kinds and not kinds["MaxSet"]


@pytest.mark.ocpp("B08.FR.12", "B08.FR.13")
def test_several_criteria_are_an_or_and_variables_have_their_characteristics(talk: Talk) -> None:
    set_one(talk, "false", "TxCtrlr", "Enabled")
    talk.variables.set(declared.STATION_PROBLEM, True)
    wanted = [{"component": {"name": name}} for name in ("TxCtrlr", "ChargingStation", "DeviceDataCtrlr")]
    assert get_report(talk, 1, componentCriteria=["Problem", "Enabled"], componentVariable=wanted) == "Accepted"
    items = reported(talk, 1)
    assert {name.partition(".")[0] for name in places(items)} == {"ChargingStation", "DeviceDataCtrlr"}
    assert all("dataType" in one["variableCharacteristics"] for one in items)


@pytest.mark.ocpp("B08.FR.22", "B08.FR.23", "B08.FR.24")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (address("Connector", "ConnectorType", evse=1), {"Connector.ConnectorType(1)"}),
        (address("Connector", "ConnectorType"), {"Connector.ConnectorType(1)", "Connector.ConnectorType(2)"}),
        (address("NetworkConfiguration", "Identity", of="2"), {"NetworkConfiguration.Identity<2>"}),
    ],
)
def test_a_place_that_is_left_out_is_every_place(talk: Talk, wanted: Any, expected: set[str]) -> None:
    assert get_report(talk, 1, componentVariable=[wanted]) == "Accepted"
    assert places(reported(talk, 1)) == expected


# Network profiles.


def variable(it: Bench, name: str, slot: int, attribute: str = "attributeValue") -> Any:
    data = {"component": {"name": "NetworkConfiguration", "instance": str(slot)}, "variable": {"name": name}}
    [found] = it.ask("GetVariables", {"getVariableData": [data]})["getVariableResult"]
    return found.get(attribute)


@pytest.mark.ocpp("B09.FR.09", "B09.FR.11", "B09.FR.12")
def test_the_variables_of_a_slot_are_those_of_its_profile() -> None:
    it = Bench()
    assert it.network_profile()[0] == "Accepted"
    assert [variable(it, name, 2) for name in ("OcppCsmsUrl", "MessageTimeout", "SecurityProfile")] == [
        "ws://two:9000",
        "17",
        "1",
    ]
    assert [variable(it, name, 2) for name in ("ApnEnabled", "VpnEnabled")] == ["false", "false"]
    apn = {"apn": "internet", "apnAuthentication": "AUTO"}
    vpn = {"server": "s", "user": "u", "password": "p", "key": "k", "type": "IPSec"}
    assert it.network_profile(apn=apn, vpn=vpn)[0] == "Accepted"
    assert [variable(it, name, 2) for name in ("ApnEnabled", "VpnEnabled")] == ["true", "true"]


@pytest.mark.ocpp("B09.FR.06", "B09.FR.08", "B09.FR.10", "B09.FR.13")
def test_the_report_has_every_slot_and_what_of_it_can_be_written() -> None:
    it = Bench()
    it.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"})
    slots: dict[str, dict[str, Any]] = {}
    for one in reported(it, 1):
        if one["component"]["name"] == "NetworkConfiguration":
            slots.setdefault(one["component"]["instance"], {})[one["variable"]["name"]] = one["variableAttribute"][0]
    assert set(slots) == {"1", "2"}
    for slot in slots.values():
        assert slot["OcppCsmsUrl"]["mutability"] == slot["SecurityProfile"]["mutability"] == "ReadWrite"
        assert slot["BasicAuthPassword"]["mutability"] == "WriteOnly"
        for name in ("ApnEnabled", "VpnEnabled"):
            assert (slot[name]["mutability"], slot[name]["value"]) == ("ReadOnly", "false")


@pytest.mark.ocpp("B09.FR.20")
def test_slots_may_be_taken_out_of_the_priority() -> None:
    it = Bench()
    it.network_profile()
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2")[0] == "Accepted"
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1")[0] == "Accepted"


@pytest.mark.ocpp("A05.FR.02", "A05.FR.03", "A05.FR.04", "A05.FR.05")
def test_a_higher_security_profile_needs_its_certificates_in_the_priority() -> None:
    it = Bench()
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    assert it.network_profile(securityProfile=3, ocppCsmsUrl="wss://two")[0] == "Accepted"
    for root, client in ((False, False), (True, False)):
        it.feed(events.CredentialsKnown(csms_root=root, client_certificate=client))
        assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1") == ("Rejected", "InvalidNetworkConf")
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    assert it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2,1")[0] == "Accepted"
    assert it.connection().priority == (2, 1)


@pytest.mark.ocpp("A05.FR.08", "A05.FR.09")
@pytest.mark.parametrize(("security_profile", "status"), [(2, "Accepted"), (1, "Rejected")])
def test_a_lower_one_in_the_priority_where_it_is_allowed(security_profile: int, status: str) -> None:
    it = Bench(security_profile=1)
    url = "wss://two" if security_profile == 2 else "ws://two"
    it.feed(events.CredentialsKnown(csms_root=True, client_certificate=True))
    assert it.network_profile(securityProfile=security_profile, ocppCsmsUrl=url)[0] == "Accepted"
    it.variables.set(communication.ALLOW_SECURITY_PROFILE_DOWNGRADE, True)
    it.feed(events.SlotConfirmed(1, 3))
    found = it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "2")
    assert found[0] == status


@pytest.mark.ocpp("B09.FR.16", "B09.FR.18")
def test_a_slot_has_its_own_identity_or_that_of_the_station() -> None:
    it = Bench(Version.V21)
    it.network_profile(identity="cp-two", basicAuthPassword="0123456789abcdef")
    it.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2")
    found = it.connection().profiles[2]
    assert (found.identity, found.password) == ("cp-two", b"0123456789abcdef")
    other = Bench()
    other.network_profile()
    other.set("OCPPCommCtrlr", "NetworkConfigurationPriority", "1,2")
    found = other.connection().profiles[2]
    assert found.identity == "cp001" and found.password == b"DEADBEEFDEADBEEF"


# Resets.


@pytest.mark.ocpp("B11.FR.03", "B11.FR.01")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_a_reset_that_is_accepted_is_carried_out(kind: str) -> None:
    station = quiet()
    assert station.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    station.pass_s(10)
    assert len(station.commanded("reset")) == 1


@pytest.mark.ocpp("B11.FR.06", "B12.FR.10")
@pytest.mark.parametrize("charging", [False, True])
def test_a_reset_that_cannot_be_is_rejected(charging: bool) -> None:
    station = quiet()
    if charging:
        station.charge()
    station.results["is_reset_allowed"] = False
    assert station.ask("Reset", {"type": "Immediate"}) == {"status": "Rejected"}
    station.pass_s(100)
    assert station.commanded("reset", "stop_transaction") == []


@pytest.mark.ocpp("B11.FR.07")
def test_a_reset_for_later_is_scheduled() -> None:
    station = quiet()
    station.charge()
    assert station.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}


@pytest.mark.ocpp("B12.FR.05")
def test_without_an_answer_the_reset_goes_on_and_the_event_is_sent_after_it() -> None:
    queue = QueueBench(Version.V201)
    queue.put("TransactionEvent", {"eventType": "Ended", "seqNo": 3})
    assert queue.next() == "TransactionEvent"
    queue.took(queue.queue.disconnected(queue.now))
    queue.queue.connected(queue.now, again=True)
    assert queue.next() == "TransactionEvent", "it was not answered, and is kept"
    station = quiet()
    station.charge()
    station.online = False
    assert station.ask("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    station.pass_s(0)
    station.finish(Reason.Reboot)
    station.pass_s(5)
    assert len(station.commanded("reset")) == 1


@pytest.mark.ocpp("B03.FR.08")
@pytest.mark.parametrize("action", ["ClearCache", "GetLocalListVersion"])
def test_a_rejected_station_refuses_every_request(action: str) -> None:
    with pytest.raises(Refused, match="SecurityError"):
        Station2(registration="Rejected", interval_s=300).ask(action)
