"""Cases of OCPP 2.x that EVerest's test suite has and no other test of ours."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import grid_support as grid
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import Reason, heads, quiet
from tests.ocpp.station2 import Station2
from tests.ocpp.test_use_cases_v2 import served

BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


@BOTH
@pytest.mark.parametrize("status", ["Accepted", "Pending", "Rejected"])
def test_a_cold_boot(version: Version, status: str) -> None:
    station = Station2(version=version, registration=status, interval_s=60)
    names = [one.action_name for one in station.requests()]
    assert names[0] == "BootNotification"
    assert names.count("StatusNotification") == (2 if status == "Accepted" else 0)
    station.answers["BootNotification"]["status"] = "Accepted"
    station.pass_s(60)
    names = [one.action_name for one in station.requests()]
    assert names[0] == ("Heartbeat" if status == "Accepted" else "BootNotification")


def test_what_happened_while_pending_is_sent_after_the_acceptance() -> None:
    station = Station2(registration="Pending", interval_s=60, OfflineTxForUnknownIdEnabled=True)
    station.plug_in()
    station.answers["BootNotification"]["status"] = "Accepted"
    station.pass_s(60)
    assert [one["connectorStatus"] for one in station.payloads_of("StatusNotification")] == ["Occupied", "Available"]


@BOTH
def test_the_connection_is_published_and_after_its_end_which_one_it_was(version: Version) -> None:
    station = Station2(version=version)
    [status] = station.published("connection_status")
    assert (status.connected, status.csms_url, status.identity) == (True, "ws://csms", "cp001")
    assert (status.security_profile, status.configuration_slot) == (1, 1)
    station.disconnect()
    [status] = station.published("connection_status")
    assert (status.connected, status.ocpp_version) == (False, version.value.removeprefix("ocpp"))
    station.connect()
    [status] = station.published("connection_status")
    assert status.connected is True


@pytest.mark.parametrize("status", ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"])
@pytest.mark.parametrize("data", ["text", {"a": 1}, None])
def test_the_answer_of_the_csms_reaches_the_integrator(status: str, data: Any) -> None:
    station = quiet()
    station.answers["DataTransfer"] = {"status": status, **({} if data is None else {"data": data})}
    request = ocpp.DataTransferRequest(vendor_id="com.example", data='{"there":1}')
    result = served(station, "ocpp_data_transfer", "data_transfer", (request,))
    assert result.status.value == status
    assert result.data == {"text": '"text"', "None": None}.get(str(data), '{"a":1}')
    [payload] = station.payloads_of("DataTransfer")
    assert payload["data"] == {"there": 1}


def test_two_transactions_at_once_are_independent() -> None:
    station = quiet()
    station.charge(1, "s1")
    station.charge(2, "s2")
    station.finish(Reason.Local, evse_id=1, session="s1")
    found = station.events()
    ids = [(one["transactionInfo"]["transactionId"], one["seqNo"]) for one in found]
    assert ids == [("s1", 0), ("s1", 1), ("s2", 0), ("s2", 1), ("s1", 2)]
    assert station.ask("RequestStopTransaction", {"transactionId": "s2"}) == {"status": "Accepted"}
    assert [evse_id for _, evse_id, _ in station.commanded("stop_transaction")] == [2]


def test_a_later_answer_about_the_token_stops_the_transaction() -> None:
    station = quiet(StopTxOnInvalidId=True)
    station.charge()
    assert station.commanded("stop_transaction") == []
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
    station.measure(1200)
    station.pass_s(125)
    assert [evse_id for _, evse_id, _ in station.commanded("stop_transaction")][:1] == [1]


def test_transactions_that_a_restart_cut_end_with_the_power_loss() -> None:
    station = quiet()
    station.charge(1, "s1")
    station.charge(2, "s2")
    found = station.restart().events()
    assert heads(found) == [("Ended", "AbnormalCondition")] * 2
    assert {one["transactionInfo"]["stoppedReason"] for one in found} == {"PowerLoss"}


def test_an_inverter_that_is_switched_off_gets_no_directives_over_a_restart_too() -> None:
    def capability(station: Station2) -> None:
        rating = grid.NameplateRating(max_w_W=11000.0, max_va_VA=11000.0, v_nom_V=230.0)
        kinds = [grid.DirectiveType.FixedPFInject]
        known = grid.DERCapability(supported_types=kinds, nameplate=rating, dc=grid.DCCapability())
        value = grid.EVSECapability(evse_id=1, capability=known)
        station.feed(events.FactReceived("grid_support", "capability", value, 1))

    def directives(station: Station2) -> list[list[str]]:
        return [[one.id for one in args[0].directives] for _, _, args in station.commanded("set_active_directives")]

    def switch(station: Station2, value: str) -> str:
        where = {"component": {"name": "DCDERCtrlr", "evse": {"id": 1}}, "variable": {"name": "Enabled"}}
        answer = station.ask("SetVariables", {"setVariableData": [{**where, "attributeValue": value}]})
        station.settle()
        status: str = answer["setVariableResult"][0]["attributeStatus"]
        return status

    station = quiet(version=Version.V21)
    capability(station)
    wanted = {
        "isDefault": False,
        "controlId": "a",
        "controlType": "FixedPFInject",
        "fixedPFInject": {"displacement": 0.9, "excitation": True, "priority": 1},
    }
    assert station.ask("SetDERControl", wanted) == {"status": "Accepted"}
    assert directives(station)[-1] == ["a"]
    assert switch(station, "false") == "Accepted"
    assert directives(station)[-1] == []
    assert station.ask("SetDERControl", {**wanted, "controlId": "b"}) == {"status": "NotSupported"}
    again = station.restart()
    again.commands.clear()
    capability(again)
    assert directives(again)[-1] == []
    assert switch(again, "true") == "Accepted"
    assert directives(again)[-1] == ["a"]


def test_a_boot_that_the_csms_asks_for_says_so() -> None:
    station = Station2(registration="Pending", interval_s=1800)
    station.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    reasons = [one["reason"] for one in station.payloads_of("BootNotification")]
    assert reasons[0] != "Triggered" and reasons[-1] == "Triggered" and len(set(reasons)) == 2
