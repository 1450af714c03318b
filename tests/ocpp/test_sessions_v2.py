"""Sessions of OCPP 2.x as a CSMS sees them: registration, availability, authorization, transactions, remote control."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken, ValidationResult
from chargebyte_fw.contracts.types.evse_security import (
    CertificateHashData,
    CertificateValidationResult,
    HashAlgorithm,
    OCSPRequestData,
    OCSPRequestDataList,
)
from chargebyte_fw.contracts.types.reservation import ReservationCheckStatus, ReservationResult
from chargebyte_fw.contracts.types.system import ResetType
from chargebyte_fw.kernel.faults import Fault, FaultState, Mapping, Origin, Severity
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import SIGNED, E, meter, token
from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused

Reason = evse.StopTransactionReason
CARD = {"idToken": "CAFE", "type": "ISO14443"}


def heads(found: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["eventType"], one["triggerReason"], one["transactionInfo"]["chargingState"]) for one in found]


def fault(evse_id: int = 1) -> Fault:
    origin = Origin("evse", "evse", Mapping(evse_id))
    return Fault(
        "evse_manager/Inoperative", "", "", "", Severity.High, origin, FaultState.Active, "2023-11-15T00:00:00Z", "u"
    )


# Registration.


@pytest.mark.ocpp("B01", "B01.FR.01", "B01.FR.05", "B01.FR.09")
def test_an_accepted_station_reports_every_connector() -> None:
    station = Station2()
    boot, statuses = station.payloads[0], station.payloads_of("StatusNotification")
    assert boot["reason"] == "Unknown" and boot["chargingStation"]["vendorName"] == "chargebyte"
    assert [(one["evseId"], one["connectorStatus"]) for one in statuses] == [(1, "Available"), (2, "Available")]


@pytest.mark.ocpp("B02", "B02.FR.01", "B02.FR.02", "B02.FR.05", "B02.FR.08", "B01.FR.08")
def test_while_pending_the_csms_reads_the_device_model_and_nothing_else() -> None:
    station = Station2(registration="Pending", interval_s=1800)
    station.plug_in()
    assert [one.action_name for one in station.requests()] == ["BootNotification"]
    assert station.ask("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})["status"] == "Accepted"
    start = {"idToken": CARD, "remoteStartId": 1}
    assert station.ask("RequestStartTransaction", start)["status"] == "Rejected"
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"})["status"] == "Rejected"
    for action, payload in (("ClearCache", {}), ("ChangeAvailability", {"operationalStatus": "Inoperative"})):
        with pytest.raises(Refused, match="SecurityError"):
            station.ask(action, payload)
    station.answers["BootNotification"]["status"] = "Accepted"
    station.pass_s(1800)
    assert [one["connectorStatus"] for one in station.payloads_of("StatusNotification")] == ["Occupied", "Available"]


@pytest.mark.ocpp("B03", "B03.FR.08")
def test_a_rejected_station_answers_with_security_error() -> None:
    station = Station2(registration="Rejected", interval_s=1800)
    with pytest.raises(Refused, match="SecurityError"):
        station.ask("GetVariables", {"getVariableData": [{"component": {"name": "X"}, "variable": {"name": "Y"}}]})


@pytest.mark.ocpp("B04", "B04.FR.01", "B04.FR.02")
@pytest.mark.parametrize(("outage_s", "reported"), [(30, [1]), (61, [1, 2])])
def test_after_an_outage_all_connectors_or_those_that_changed(outage_s: float, reported: list[int]) -> None:
    station = Station2()
    station.requests()
    station.disconnect()
    station.plug_in()
    station.pass_s(outage_s)
    station.connect()
    assert [one["evseId"] for one in station.payloads_of("StatusNotification")] == reported


# Transactions.


@pytest.mark.ocpp("E02", "E01.FR.16", "E03", "E07", "G01")
def test_a_session_with_the_default_points() -> None:
    station = Station2()
    station.requests()
    station.charge()
    station.pass_s(100)
    station.event(E.ChargingPausedEV)
    station.finish(Reason.Local, id_tag=token())
    found = station.events()
    assert heads(found) == [
        ("Started", "Authorized", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "ChargingStateChanged", "SuspendedEV"),
        ("Ended", "StopAuthorized", "EVConnected"),
    ]
    assert [one["seqNo"] for one in found] == [0, 1, 2, 3]
    started, _, paused, ended = found
    assert started["evse"] == {"id": 1, "connectorId": 1}
    assert started["idToken"]["idToken"] == ended["idToken"]["idToken"] == "DEADBEEF"
    assert [("evse" in one, "idToken" in one) for one in found[1:3]] == [(False, False)] * 2
    assert paused["transactionInfo"]["timeSpentCharging"] == 100
    assert ended["transactionInfo"]["stoppedReason"] == "Local"
    assert {one["transactionInfo"]["transactionId"] for one in found} == {"s1"}


@pytest.mark.ocpp("E02", "E06")
def test_from_plug_to_unplug_with_the_points_of_the_cable() -> None:
    station = Station2(TxStartPoint=("EVConnected",), TxStopPoint=("EVConnected",))
    station.requests()
    station.charge()
    station.finish(Reason.Local, id_tag=token())
    station.unplug()
    found = station.events()
    assert heads(found) == [
        ("Started", "CablePluggedIn", "EVConnected"),
        ("Updated", "Authorized", "EVConnected"),
        ("Updated", "ChargingStateChanged", "Charging"),
        ("Updated", "StopAuthorized", "EVConnected"),
        ("Ended", "EVCommunicationLost", "Idle"),
    ]
    assert ["idToken" in one for one in found] == [False, True, False, True, False]
    assert found[-1]["transactionInfo"]["stoppedReason"] == "EVDisconnected"


@pytest.mark.ocpp("E03", "E01.FR.16")
def test_token_first_with_the_point_authorized() -> None:
    station = Station2(TxStartPoint=("Authorized",))
    station.requests()
    started = evse.SessionStarted(reason=evse.StartSessionReason.Authorized, meter_value=meter(1000), id_tag=token())
    station.event(E.SessionStarted, session_started=started)
    station.start()
    found = station.events()
    assert heads(found) == [("Started", "Authorized", "Idle"), ("Updated", "CablePluggedIn", "EVConnected")]
    assert found[1]["evse"] == {"id": 1, "connectorId": 1}, "the first event after the EV is connected"


@pytest.mark.parametrize(
    ("reason", "trigger", "stopped"),
    [
        (Reason.EVDisconnected, "EVCommunicationLost", "EVDisconnected"),
        (Reason.Remote, "RemoteStop", "Remote"),
        (Reason.DeAuthorized, "Deauthorized", "DeAuthorized"),
        (Reason.EnergyLimitReached, "EnergyLimitReached", "EnergyLimitReached"),
        (Reason.EmergencyStop, "AbnormalCondition", "EmergencyStop"),
        (Reason.HardReset, "ResetCommand", "Other"),
    ],
)
@pytest.mark.ocpp("E06", "E09", "F03")
def test_each_reason_has_its_trigger(reason: Any, trigger: str, stopped: str) -> None:
    station = Station2()
    station.charge()
    station.finish(reason)
    ended = station.events()[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", trigger)
    assert ended["transactionInfo"]["stoppedReason"] == stopped and "idToken" not in ended
    assert ended["transactionInfo"]["chargingState"] == "EVConnected", "the last event before had Charging"


@pytest.mark.parametrize(
    ("paused", "state"), [(E.ChargingPausedEV, "SuspendedEV"), (E.ChargingPausedEVSE, "SuspendedEVSE")]
)
@pytest.mark.ocpp("E06")
def test_a_transaction_that_ends_with_the_energy_transfer_has_the_state_after_it(paused: Any, state: str) -> None:
    station = Station2(TxStopPoint=("EnergyTransfer",))
    station.charge()
    station.event(paused)
    ended = station.events()[-1]
    assert (ended["eventType"], ended["transactionInfo"]["chargingState"]) == ("Ended", state)


@pytest.mark.ocpp("E04", "E12", "E11")
def test_events_of_an_outage_are_marked_and_numbered_without_a_gap() -> None:
    station = Station2()
    station.requests()
    station.charge()
    station.disconnect()
    station.event(E.ChargingPausedEVSE, charging_paused_evse=None)
    station.connect()
    station.event(E.ChargingStarted)
    found = station.events()
    assert [one["seqNo"] for one in found] == [0, 1, 2, 3]
    assert [one.get("offline", False) for one in found] == [False, False, True, False]


@pytest.mark.ocpp("J02")
def test_values_of_begin_updates_and_end() -> None:
    station = Station2(TxUpdatedInterval=60, TxUpdatedMeasurands=("Energy.Active.Import.Register",), TxEndedInterval=0)
    station.measure(1200)
    station.charge()
    station.pass_s(125)
    station.finish(energy_Wh=2500.5)
    found = [one for one in station.events() if one.get("meterValue")]
    contexts = [(one["triggerReason"], one["meterValue"][-1]["sampledValue"][0]["context"]) for one in found]
    assert contexts == [
        ("Authorized", "Transaction.Begin"),
        ("MeterValuePeriodic", "Sample.Periodic"),
        ("MeterValuePeriodic", "Sample.Periodic"),
        ("EVCommunicationLost", "Transaction.End"),
    ]
    energies = [one["meterValue"][-1]["sampledValue"][0]["value"] for one in found]
    assert energies == [1000.4, 1200.0, 1200.0, 2500.5]


@pytest.mark.ocpp("J01")
@pytest.mark.parametrize(("idle_only", "actions"), [(False, ["MeterValues", "TransactionEvent"]), (True, [])])
def test_aligned_values_with_and_without_a_transaction(idle_only: bool, actions: list[str]) -> None:
    station = Station2(
        Interval=900, Measurands=("Voltage",), SendDuringIdle=idle_only, TxUpdatedInterval=0, TxEndedInterval=0
    )
    for evse_id in (1, 2):
        station.measure(1000, evse_id)
    station.charge()
    station.requests()
    station.pass_s(905)
    found = station.requests("MeterValues", "TransactionEvent")
    assert sorted(one.action_name for one in found) == actions
    clocks = [one.trigger_reason.value for one in found if one.action_name == "TransactionEvent"]
    assert clocks == ["MeterValueClock"] * len(clocks)


def test_signed_readings_of_begin_and_end_go_out_byte_for_byte() -> None:
    station = Station2(TxStartedMeasurands=(), TxEndedMeasurands=(), TxEndedInterval=0)
    station.plug_in()
    station.start(signed_meter_value=SIGNED)
    station.finish(signed_meter_value=SIGNED)
    started, ended = station.events()
    for one, context in ((started, "Transaction.Begin"), (ended, "Transaction.End")):
        [value] = one["meterValue"][-1]["sampledValue"]
        assert value["context"] == context
        assert value["signedMeterValue"]["signedMeterData"] == SIGNED.signed_meter_data


@pytest.mark.ocpp("E08", "E17", "E17.FR.20", "E17.FR.21")
def test_a_power_loss_ends_a_transaction_with_the_stored_meter_or_resumes_it() -> None:
    station = Station2(ResumeTransactionsOnBoot=True)
    station.charge()
    station.measure(1700)
    station.pass_s(65)
    ended = station.restart().events()[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "AbnormalCondition")
    assert ended["transactionInfo"]["stoppedReason"] == "PowerLoss"
    assert ended["meterValue"][0]["sampledValue"][0]["value"] == 1700.0
    resumed = station.restart(resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True)
    resumed.finish()
    assert [one["eventType"] for one in resumed.events()][-2:] == ["Updated", "Ended"]


def test_a_session_that_has_gone_on_without_the_station_is_continued_silently() -> None:
    station = Station2()
    station.charge()
    before = station.events()
    again = station.restart(going_on=frozenset({"s1"}))
    assert again.events() == []
    again.finish()
    (ended,) = again.events()
    assert (ended["eventType"], ended["seqNo"]) == ("Ended", before[-1]["seqNo"] + 1)
    assert ended["transactionInfo"]["transactionId"] == "s1"


def test_a_session_of_a_stack_that_has_begun_anew_ends_what_it_had_left_open() -> None:
    station = Station2()
    station.charge()
    station.events()
    station.charge(session="s2")
    found = [(one["eventType"], one["transactionInfo"]["transactionId"]) for one in station.events()]
    assert found[:2] == [("Ended", "s1"), ("Started", "s2")]


@pytest.mark.ocpp("E14", "E14.FR.02", "E14.FR.03", "E14.FR.04", "E14.FR.06", "E14.FR.07")
def test_the_status_of_a_transaction() -> None:
    station = Station2()
    station.charge()
    assert station.ask("GetTransactionStatus", {"transactionId": "S1"}) == {
        "messagesInQueue": False,
        "ongoingIndicator": True,
    }
    station.disconnect()
    station.finish()
    assert station.ask("GetTransactionStatus", {"transactionId": "s1"}) == {
        "messagesInQueue": True,
        "ongoingIndicator": False,
    }
    assert station.ask("GetTransactionStatus") == {"messagesInQueue": True}
    assert station.ask("GetTransactionStatus", {"transactionId": "x"})["ongoingIndicator"] is False


@pytest.mark.ocpp("E05")
@pytest.mark.parametrize(
    ("values", "command"),
    [
        ({"StopTxOnInvalidId": True}, "stop_transaction"),
        ({"StopTxOnInvalidId": False, "MaxEnergyOnInvalidId": 0}, "pause_charging"),
    ],
)
def test_a_token_that_the_csms_does_not_accept_afterwards(values: dict[str, Any], command: str) -> None:
    station = Station2(**values)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    station.plug_in()
    station.start()
    [(name, evse_id, _)] = station.commanded("stop_transaction", "pause_charging")
    assert (name, evse_id) == (command, 1)


def test_an_invalid_token_may_have_the_energy_that_is_configured() -> None:
    station = Station2(StopTxOnInvalidId=False, MaxEnergyOnInvalidId=500)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    station.measure(1000)
    station.charge()
    station.measure(1499)
    station.pass_s(5)
    assert station.commanded("stop_transaction", "pause_charging") == []
    station.measure(1500)
    station.pass_s(1)
    assert [name for name, _, _ in station.commanded("stop_transaction", "pause_charging")] == ["pause_charging"]


# Authorization.


@pytest.mark.ocpp(
    "C10", "C12", "C11", "C10.FR.04", "C10.FR.10", "C11.FR.01", "C11.FR.02", "C11.FR.03", "C01.FR.02", "C01.FR.05"
)
def test_the_cache_is_filled_used_and_cleared() -> None:
    station = Station2(LocalPreAuthorize=True)
    for _ in range(2):
        assert station.present("DeadBeef").authorization_status.value == "Accepted"
    assert station.present("DEADBEEF").authorization_status.value == "Accepted"
    assert len(station.requests("Authorize")) == 1
    assert station.ask("ClearCache") == {"status": "Accepted"}
    station.present("DEADBEEF")
    assert len(station.requests("Authorize")) == 1
    station.set("LifeTime", 100)
    station.ask("ClearCache")
    station.present("DEADBEEF")
    station.pass_s(101)
    station.present("DEADBEEF")
    assert len(station.requests("Authorize")) == 2


@pytest.mark.ocpp("C09")
def test_a_group_reaches_the_stack() -> None:
    station = Station2()
    station.answers["Authorize"]["idTokenInfo"]["groupIdToken"] = {"idToken": "GROUP", "type": "Central"}
    result = station.present("CAFE")
    assert result.parent_id_token is not None and result.parent_id_token.value == "GROUP"


@pytest.mark.ocpp("C15", "C15.FR.08")
@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Unknown")])
def test_offline_an_unknown_token_is_as_the_configuration_has_it(allowed: bool, status: str) -> None:
    station = Station2(OfflineTxForUnknownIdEnabled=allowed)
    station.disconnect()
    assert station.present("CAFE").authorization_status.value == status


@pytest.mark.ocpp("C13", "C14", "D01", "D02")
def test_the_local_list_decides_and_a_refused_entry_is_asked_about() -> None:
    station = Station2(LocalPreAuthorize=True)

    def send(version: int, kind: str, *entries: tuple[str, str | None]) -> str:
        found = [
            {"idToken": {"idToken": name, "type": "ISO14443"}, **({} if s is None else {"idTokenInfo": {"status": s}})}
            for name, s in entries
        ]
        payload: dict[str, Any] = {"versionNumber": version, "updateType": kind}
        return str(
            station.ask("SendLocalList", {**payload, **({"localAuthorizationList": found} if found else {})})["status"]
        )

    assert send(0, "Full", ("A", "Accepted")) == "Failed"
    assert send(3, "Full", ("A", "Accepted"), ("B", "Blocked")) == "Accepted"
    assert send(3, "Differential", ("C", "Accepted")) == "VersionMismatch"
    assert send(4, "Full", ("A", None)) == "Failed"
    assert send(4, "Full", ("A", "Accepted"), ("a", "Accepted")) == "Failed"
    station.present("a")
    assert station.requests("Authorize") == []
    station.present("B")
    assert len(station.requests("Authorize")) == 1
    station.disconnect()
    assert station.present("B").authorization_status.value == "Blocked"
    station.connect()
    assert station.ask("GetLocalListVersion") == {"versionNumber": 3}
    assert send(9, "Full") == "Accepted"
    assert station.ask("GetLocalListVersion") == {"versionNumber": 9}
    station.set("Enabled", False)


@pytest.mark.ocpp("C02", "C05", "C03.FR.01", "C05.FR.01")
@pytest.mark.parametrize("kind", ["Central", "NoAuthorization"])
def test_tokens_of_the_station_itself_are_accepted(kind: str) -> None:
    station = Station2()
    station.requests()
    presented = token("X")
    presented.id_token.type = type(presented.id_token.type)(kind)
    assert validated(station, presented).authorization_status.value == "Accepted"
    assert station.requests() == []


@pytest.mark.parametrize(("version", "status"), [(Version.V201, "Invalid"), (Version.V21, "Accepted")])
def test_the_length_of_a_token_is_that_of_the_version(version: Version, status: str) -> None:
    station = Station2(version=version)
    presented = token("A")
    presented.id_token.value = "A" * 40
    assert validated(station, presented).authorization_status.value == status


def validated(station: Station2, presented: ProvidedIdToken) -> ValidationResult:
    station.other.clear()
    station.feed(events.Served("auth", "auth_token_validator", "validate_token", (presented,)))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    result: ValidationResult = reply.result
    return result


# Contracts (C07).

HASH = CertificateHashData(
    hash_algorithm=HashAlgorithm.SHA256, issuer_name_hash="aa", issuer_key_hash="bb", serial_number="1"
)


def contract(certificate: str | None = "PEM") -> ProvidedIdToken:
    presented = token("DEABC123456789")
    presented.id_token.type = type(presented.id_token.type).eMAID
    presented.authorization_type = AuthorizationType.PlugAndCharge
    presented.certificate = certificate
    return presented


@pytest.mark.ocpp("C07", "C07.FR.01", "C07.FR.02")
def test_a_contract_is_asked_about_with_the_hashes_of_its_chain() -> None:
    station = Station2()
    data = OCSPRequestData(certificate_hash_data=HASH, responder_url="http://ocsp")
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[data])
    station.answers["Authorize"]["certificateStatus"] = "CertificateRevoked"
    result = validated(station, contract())
    [payload] = station.payloads_of("Authorize")
    assert payload["iso15118CertificateHashData"][0]["responderURL"] == "http://ocsp" and "certificate" not in payload
    assert (result.authorization_status.value, str(result.certificate_status)) == ("Invalid", "CertificateRevoked")


@pytest.mark.parametrize(
    ("found", "central", "status", "sent"),
    [
        ("Valid", False, "Accepted", "token"),
        ("IssuerNotFound", True, "Accepted", "certificate"),
        ("IssuerNotFound", False, "Invalid", None),
        ("Expired", True, "Expired", None),
    ],
)
@pytest.mark.ocpp("C07", "C07.FR.06")
def test_a_contract_without_responders_is_verified_here_first(
    found: str, central: bool, status: str, sent: str | None
) -> None:
    station = Station2(CentralContractValidationAllowed=central)
    station.results["get_mo_ocsp_request_data"] = OCSPRequestDataList(ocsp_request_data_list=[])
    station.results["verify_certificate"] = CertificateValidationResult(found)
    assert validated(station, contract()).authorization_status.value == status
    payloads = list(station.payloads_of("Authorize"))
    assert [("certificate" if "certificate" in one else "token") for one in payloads] == ([sent] if sent else [])


@pytest.mark.ocpp("C07", "C07.FR.07", "C07.FR.08")
@pytest.mark.parametrize(
    ("offline", "found", "unknown", "status"),
    [
        (False, "Valid", True, "NotAtThisTime"),
        (True, "Expired", True, "Expired"),
        (True, "Valid", False, "Unknown"),
    ],
)
def test_offline_a_contract_needs_a_valid_chain_and_an_entry(
    offline: bool, found: str, unknown: bool, status: str
) -> None:
    station = Station2(ContractValidationOffline=offline, OfflineTxForUnknownIdEnabled=unknown)
    station.results["verify_certificate"] = CertificateValidationResult(found)
    station.disconnect()
    assert validated(station, contract()).authorization_status.value == status


def test_without_plug_and_charge_a_contract_is_unknown_and_nothing_is_sent() -> None:
    station = Station2(PnCEnabled=False)
    station.requests()
    assert validated(station, contract()).authorization_status.value == "Unknown"
    assert station.requests() == []


# Availability.


def change(station: Station2, operative: bool, *place: int) -> str:
    payload: dict[str, Any] = {"operationalStatus": "Operative" if operative else "Inoperative"}
    if place:
        payload["evse"] = dict(zip(("id", "connectorId"), place, strict=False))
    return str(station.ask("ChangeAvailability", payload)["status"])


def statuses(station: Station2) -> list[tuple[int, str]]:
    found = [(one["evseId"], one["connectorStatus"]) for one in station.payloads_of("StatusNotification")]
    station.requests()
    return found


@pytest.mark.ocpp(
    "G03",
    "G03.FR.01",
    "G03.FR.02",
    "G03.FR.04",
    "G03.FR.08",
    "B01.FR.07",
    "B11.FR.02",
    "B12.FR.06",
    "G01.FR.02",
    "G01.FR.07",
)
def test_an_evse_out_of_use_and_back_over_a_restart() -> None:
    station = Station2()
    station.requests()
    assert change(station, False, 2) == "Accepted"
    assert statuses(station) == [(2, "Unavailable")]
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [2]
    assert change(station, False, 3) == change(station, False, 1, 2) == "Rejected"
    again = station.restart()
    assert statuses(again) == [(1, "Available"), (2, "Unavailable")]
    assert change(again, True, 2) == "Accepted" and statuses(again) == [(2, "Available")]


@pytest.mark.ocpp("G03.FR.03", "G03", "G03.FR.05", "G01.FR.04", "G01.FR.05")
def test_a_scheduled_change_can_be_taken_back_and_is_carried_out_otherwise() -> None:
    station = Station2()
    station.charge()
    station.requests()
    assert change(station, False, 1) == "Scheduled"
    assert change(station, True, 1) == "Accepted"
    station.finish(Reason.Local)
    station.unplug()
    assert statuses(station) == [(1, "Available")]
    station.charge(session="s2")
    station.requests()
    change(station, False, 1)
    station.finish(Reason.Local, session="s2")
    station.unplug(session="s2")
    assert statuses(station) == [(1, "Unavailable")], "without Available in between"


@pytest.mark.ocpp("G04", "G04.FR.07", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.06")
def test_the_station_out_of_use_while_one_evse_charges() -> None:
    station = Station2()
    station.charge()
    station.requests()
    assert change(station, False) == "Scheduled"
    assert statuses(station) == [(2, "Unavailable")]
    station.finish(Reason.Local)
    assert statuses(station) == [(1, "Unavailable")]


@pytest.mark.ocpp("G03", "G04.FR.08")
def test_making_the_station_operative_leaves_an_evse_out_of_use() -> None:
    station = Station2()
    change(station, False, 2)
    change(station, False)
    station.requests()
    change(station, True)
    assert statuses(station) == [(1, "Available")]


@pytest.mark.ocpp("G01", "G01.FR.01")
def test_the_effective_state_is_the_first_that_holds() -> None:
    station = Station2()
    station.requests()
    station.event(E.ReservationStart)
    station.plug_in()
    station.feed(events.ErrorRaised(fault()))
    change(station, False, 1)
    station.feed(events.ErrorCleared(fault()))
    change(station, True, 1)
    station.unplug()
    station.event(E.ReservationEnd)
    assert [status for _, status in statuses(station)] == [
        "Reserved",
        "Occupied",
        "Faulted",
        "Unavailable",
        "Occupied",
        "Reserved",
        "Available",
    ]


# Remote control.


@pytest.mark.ocpp("F01", "F02", "F01.FR.06", "F02.FR.14")
def test_a_remote_start_is_the_first_event_with_its_id() -> None:
    station = Station2()
    station.requests()
    answer = station.ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 42, "evseId": 2})
    assert answer == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.request_id, presented.connectors) == ("CAFE", 42, [2])
    station.plug_in(evse_id=2)
    started = evse.TransactionStarted(id_tag=presented, meter_value=meter(1000))
    station.event(E.TransactionStarted, evse_id=2, transaction_started=started)
    [first] = station.events()
    assert (first["triggerReason"], first["transactionInfo"]["remoteStartId"]) == ("RemoteStart", 42)


@pytest.mark.parametrize(
    ("change_of", "reason"),
    [
        ({"evseId": 1}, "TxInProgress"),
        ({"evseId": 2, "chargingProfile": "TxDefaultProfile"}, "InvalidValue"),
        ({"chargingProfile": "TxProfile"}, "NoProfileAllowed"),
    ],
)
@pytest.mark.ocpp("F01", "K05", "F01.FR.24", "F02.FR.26")
def test_a_remote_start_that_cannot_begin(change_of: dict[str, Any], reason: str) -> None:
    station = Station2()
    station.charge()
    payload: dict[str, Any] = {"idToken": CARD, "remoteStartId": 1, **change_of}
    if "chargingProfile" in payload:
        payload["chargingProfile"] = {
            "id": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": payload["chargingProfile"],
            "chargingProfileKind": "Relative",
            "chargingSchedule": [
                {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6.0}]}
            ],
        }
    answer = station.ask("RequestStartTransaction", payload)
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", reason)


def test_a_remote_start_at_an_evse_that_does_not_exist() -> None:
    with pytest.raises(Refused, match="OccurrenceConstraintViolation"):
        Station2().ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 1, "evseId": 9})


@pytest.mark.ocpp("F01")
def test_reserved_evses_are_left_to_their_tokens() -> None:
    station = Station2()
    station.results["exists_reservation"] = ReservationCheckStatus.ReservedForOtherToken
    answer = station.ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 1})
    assert answer["statusInfo"]["reasonCode"] == "NoEvseAvailable"


@pytest.mark.ocpp("F03", "F03.FR.07", "F03.FR.08")
def test_a_remote_stop_ends_its_transaction_and_no_other() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("RequestStopTransaction", {"transactionId": "old"}) == {"status": "Rejected"}
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"}) == {"status": "Accepted"}
    [(name, evse_id, (request,))] = station.commanded()
    assert (name, evse_id, request.reason.value) == ("stop_transaction", 1, "Remote")
    station.event(E.ChargingPausedEVSE)
    station.finish(Reason.Remote)
    assert [one["triggerReason"] for one in station.events()][-2:] == ["RemoteStop", "RemoteStop"]


@pytest.mark.ocpp("B12", "B11.FR.01", "B12.FR.02", "B12.FR.04")
def test_an_immediate_reset_ends_transactions_first() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": "Immediate"}) == {"status": "Accepted"}
    station.pass_s(0)
    [(_, _, (request,))] = station.commanded("stop_transaction")
    station.finish(request.reason)
    ended = station.events()[-1]
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("ResetCommand", "ImmediateReset")
    station.pass_s(1)
    assert station.commanded("reset") == [("reset", None, (ResetType.Hard, False))]


@pytest.mark.ocpp("B12", "B12.FR.01", "B12.FR.03")
def test_a_reset_on_idle_waits_for_the_transaction() -> None:
    station = Station2()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [2]
    station.pass_s(1000)
    assert station.commanded("reset") == []
    station.finish(Reason.Local)
    station.pass_s(1)
    assert station.commanded("reset") == [("reset", None, (ResetType.Soft, True))]


@pytest.mark.ocpp("B11", "B11.FR.09", "B12.FR.09")
def test_one_evse_is_not_reset_alone() -> None:
    assert Station2().ask("Reset", {"type": "Immediate", "evseId": 1})["status"] == "Rejected"


@pytest.mark.ocpp("F05", "F05.FR.01", "F05.FR.02", "F05.FR.03", "F05.FR.04", "F05.FR.05", "F05.FR.06")
def test_unlocking() -> None:
    station = Station2()
    where = {"evseId": 1, "connectorId": 1}
    assert station.ask("UnlockConnector", where) == {"status": "Unlocked"}
    station.results["force_unlock"] = False
    assert station.ask("UnlockConnector", where) == {"status": "UnlockFailed"}
    assert station.ask("UnlockConnector", {"evseId": 1, "connectorId": 2}) == {"status": "UnknownConnector"}
    station.charge()
    assert station.ask("UnlockConnector", where) == {"status": "OngoingAuthorizedTransaction"}


# Reservations and data.


@pytest.mark.parametrize("result", list(ReservationResult))
@pytest.mark.ocpp("H01", "H01.FR.03")
def test_a_reservation_is_what_its_owner_answers(result: ReservationResult) -> None:
    station = Station2()
    station.results["reserve_now"] = result
    wanted = {"id": 4, "expiryDateTime": "2023-11-15T01:00:00Z", "idToken": CARD, "evseId": 1}
    assert station.ask("ReserveNow", wanted) == {"status": result.value}


@pytest.mark.ocpp("H01", "H01.FR.11", "H01.FR.19")
def test_a_reservation_that_cannot_be() -> None:
    station = Station2()
    wanted = {"id": 4, "expiryDateTime": "2023-11-15T01:00:00Z", "idToken": CARD}
    station.plug_in()
    assert station.ask("ReserveNow", {**wanted, "evseId": 1}) == {"status": "Occupied"}
    assert station.ask("ReserveNow", {**wanted, "evseId": 7}) == {"status": "Rejected"}
    station.set("NonEvseSpecific", False)
    assert station.ask("ReserveNow", wanted) == {"status": "Rejected"}
    assert station.commanded("reserve_now") == []


@pytest.mark.ocpp("P01", "P01.FR.05")
@pytest.mark.parametrize(
    ("data", "text"), [("text", "text"), ({"a": [1, 2.5]}, '{"a":[1,2.5]}'), ([True], "[true]"), (7, "7")]
)
def test_data_of_any_kind_reaches_the_integrator_and_back(data: Any, text: str) -> None:
    station = Station2()
    assert station.ask("DataTransfer", {"vendorId": "x"}) == {"status": "UnknownVendorId"}
    station.results["data_transfer"] = ocpp.DataTransferResponse(status=ocpp.DataTransferStatus.Accepted, data=text)
    assert station.ask("DataTransfer", {"vendorId": "x", "data": data}) == {"status": "Accepted", "data": data}
    assert station.commanded("data_transfer")[-1][2][0].data == text
