"""Sessions of OCPP 1.6 as a CSMS sees them: registration, connectors, transactions, authorization, remote control."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.reservation import ReservationCheckStatus, ReservationResult
from chargebyte_fw.contracts.types.system import BootReason, ResetType
from chargebyte_fw.kernel.faults import Fault, FaultState, Mapping, Origin, Severity
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import SIGNED, E, Station16, meter, token
from tests.ocpp.variables.talk import Refused

Reason = evse.StopTransactionReason
PROFILE = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}],
    },
}


def fault(kind: str = "evse_manager/Inoperative", evse_id: int | None = 1) -> Fault:
    origin = Origin("evse", "evse", None if evse_id is None else Mapping(evse_id))
    return Fault(kind, "", "broken", "", Severity.High, origin, FaultState.Active, "2023-11-15T00:00:00Z", "u1")


# Registration (§4.2).


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


# A session (§4.8, §4.10).


@pytest.mark.ocpp("1.6 §4.8", "1.6 §4.10")
def test_a_whole_session_in_the_order_of_the_standard() -> None:
    station = Station16()
    station.requests()
    station.charge()
    station.pass_s(300)
    station.finish(Reason.EVDisconnected)
    station.unplug()
    sent = station.requests("StartTransaction", "StopTransaction", "StatusNotification")
    words = [getattr(one, "status", one.action_name) for one in sent]
    assert [str(getattr(one, "value", one)) for one in words] == [
        "Preparing",
        "StartTransaction",
        "Charging",
        "StopTransaction",
        "Available",
    ]
    start, stop = sent[1], sent[3]
    assert (start.connector_id, start.id_tag, start.meter_start_Wh, start.reservation_id) == (1, "DEADBEEF", 1000, None)
    assert (stop.meter_stop_Wh, stop.reason.value, stop.id_tag) == (2500, "EVDisconnected", None)
    assert (stop.timestamp - start.timestamp).total_seconds() == 300


def test_a_local_stop_has_the_token_and_its_reason_and_the_connector_finishes() -> None:
    station = Station16()
    station.charge()
    station.requests()
    station.finish(Reason.Local, id_tag=token("CAFE"))
    station.unplug()
    [stop] = station.requests("StopTransaction")
    assert stop.reason == "Local" and stop.id_tag == "CAFE"


@pytest.mark.parametrize(
    ("reason", "word"),
    [(Reason.EnergyLimitReached, "Other"), (Reason.Remote, "Remote"), (Reason.EmergencyStop, "EmergencyStop")],
)
def test_reasons_that_1_6_has_no_word_for_are_other(reason: evse.StopTransactionReason, word: str) -> None:
    station = Station16()
    station.charge()
    station.finish(reason)
    [stop] = station.requests("StopTransaction")
    assert stop.reason.value == word


def test_a_reservation_that_was_used_stands_in_the_start() -> None:
    station = Station16()
    station.plug_in()
    station.start(reservation_id=179)
    assert station.payloads[-1]["reservationId"] == 179


def test_signed_values_go_out_byte_for_byte() -> None:
    station = Station16(TxEndedMeasurands=())
    station.plug_in()
    station.start(signed_meter_value=SIGNED)
    [begin] = station.requests("MeterValues")
    [value] = begin.meter_value[0].sampled_value
    assert (value.format.value, value.context.value, value.value) == (
        "SignedData",
        "Transaction.Begin",
        SIGNED.signed_meter_data,
    )
    station.finish(signed_meter_value=SIGNED)
    [stop] = station.requests("StopTransaction")
    assert [one.sampled_value[0].context.value for one in stop.transaction_data] == ["Transaction.End"]
    assert stop.transaction_data[0].sampled_value[0].value == SIGNED.signed_meter_data


def test_without_signed_and_wanted_values_there_is_no_transaction_data() -> None:
    station = Station16(TxEndedMeasurands=())
    station.charge()
    station.finish()
    [stop] = station.requests("StopTransaction")
    assert stop.transaction_data is None


@pytest.mark.ocpp("1.6 §4.7")
def test_sampled_values_follow_their_interval_also_when_it_changes() -> None:
    station = Station16(TxUpdatedInterval=60, TxUpdatedMeasurands=("Energy.Active.Import.Register",))
    station.measure(1200)
    station.charge()
    station.requests()
    station.pass_s(185)
    values = station.requests("MeterValues")
    assert [one.meter_value[0].sampled_value[0].value for one in values] == ["1200"] * 3
    assert {one.meter_value[0].sampled_value[0].context.value for one in values} == {"Sample.Periodic"}
    station.ask("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "10"})
    station.pass_s(30)
    assert len(station.requests("MeterValues")) == 3
    station.finish()
    station.requests()
    station.pass_s(100)
    assert station.requests("MeterValues") == []


@pytest.mark.ocpp("1.6 §4.7")
def test_aligned_values_come_on_the_raster_from_midnight() -> None:
    station = Station16(connects=False, Interval=900, Measurands=("Voltage",))
    station.now = 100.0
    station.connect()
    station.measure(1000)
    station.requests()
    station.pass_s(1810)
    values = station.requests("MeterValues")
    assert sorted({one.meter_value[0].timestamp.strftime("%H:%M:%S") for one in values}) == ["00:15:00", "00:30:00"]
    assert [one.meter_value[0].sampled_value[0].context.value for one in values] == ["Sample.Clock"] * 2


# Power loss (§4.10).


def test_a_transaction_that_a_power_loss_cut_is_stopped_with_the_meter_that_was_written_down() -> None:
    station = Station16()
    station.charge()
    station.measure(1700)
    station.pass_s(65)
    station.measure(9999)
    again = station.restart()
    [stop] = again.requests("StopTransaction")
    assert (stop.reason.value, stop.meter_stop_Wh) == ("PowerLoss", 1700)
    assert stop.timestamp.strftime("%M:%S") == "01:00"
    assert again.restart().requests("StopTransaction") == [], "once"


def test_a_session_that_is_resumed_goes_on() -> None:
    station = Station16()
    station.charge()
    again = station.restart(resumed=frozenset({"s1"}))
    assert again.requests("StopTransaction") == []
    again.finish()
    assert len(again.requests("StopTransaction")) == 1


def test_a_session_that_has_gone_on_without_the_station_is_continued() -> None:
    station = Station16()
    station.charge()
    again = station.restart(going_on=frozenset({"s1"}))
    assert again.requests("StopTransaction") == []
    again.finish()
    assert [stop.reason.value for stop in again.requests("StopTransaction")] == ["EVDisconnected"]


def test_a_session_of_a_stack_that_has_begun_anew_ends_what_it_had_left_open() -> None:
    station = Station16()
    station.charge()
    station.charge(session="s2")
    assert [stop.reason.value for stop in station.requests("StopTransaction")] == ["PowerLoss"]
    station.finish(session="s2")
    assert [stop.reason.value for stop in station.requests("StopTransaction")] == ["EVDisconnected"]


# Authorization.


@pytest.mark.ocpp("1.6 §4.1", "1.6 §5.4")
def test_an_unknown_token_is_asked_about_and_then_known() -> None:
    station = Station16()
    assert station.present("CAFE").authorization_status.value == "Accepted"
    assert len(station.requests("Authorize")) == 1
    station.ask("ChangeConfiguration", {"key": "LocalPreAuthorize", "value": "true"})
    assert station.present("cafe").authorization_status.value == "Accepted"
    assert station.requests("Authorize") == []
    assert station.ask("ClearCache") == {"status": "Accepted"}
    station.present("CAFE")
    assert len(station.requests("Authorize")) == 1


@pytest.mark.parametrize("status", ["Invalid", "Blocked", "Expired", "ConcurrentTx"])
def test_a_refused_token_does_not_charge_and_is_asked_about_again(status: str) -> None:
    station = Station16(LocalPreAuthorize=True)
    station.answers["Authorize"]["idTagInfo"]["status"] = status
    for _ in range(2):
        assert station.present("CAFE").authorization_status.value == status
    assert len(station.requests("Authorize")) == 2


def test_a_token_that_the_message_has_no_room_for_is_invalid_without_a_frame() -> None:
    station = Station16()
    station.requests()
    assert station.present("A" * 21).authorization_status.value == "Invalid"
    assert station.requests() == []


@pytest.mark.parametrize(("allowed", "status"), [(True, "Accepted"), (False, "Invalid")])
def test_offline_an_unknown_token_is_as_the_configuration_has_it(allowed: bool, status: str) -> None:
    station = Station16(OfflineTxForUnknownIdEnabled=allowed)
    station.disconnect()
    assert station.present("CAFE").authorization_status.value == status


@pytest.mark.ocpp("1.6 §5.10", "1.6 §5.15")
def test_a_local_list_from_full_to_restart() -> None:
    station = Station16(LocalPreAuthorize=True)

    def send(version: int, kind: str, *entries: dict[str, Any]) -> str:
        payload = {"listVersion": version, "updateType": kind, "localAuthorizationList": list(entries)}
        return str(station.ask("SendLocalList", payload)["status"])

    def version() -> int:
        return int(station.ask("GetLocalListVersion")["listVersion"])

    accepted = {"idTagInfo": {"status": "Accepted"}}
    assert version() == 0
    assert send(5, "Full", {"idTag": "deadbeef", **accepted}, {"idTag": "B", **accepted}) == "Accepted"
    assert station.present("DEADBEEF").authorization_status.value == "Accepted"
    assert station.requests("Authorize") == []
    station = station.restart(LocalPreAuthorize=True)
    assert version() == 5
    blocked = {"idTag": "B", "idTagInfo": {"status": "Blocked"}}
    assert send(6, "Differential", blocked, {"idTag": "C", **accepted}) == "Accepted"
    assert send(6, "Differential", {"idTag": "D", **accepted}) == "VersionMismatch"
    assert send(7, "Differential", {"idTag": "deadbeef"}) == "Accepted"
    assert send(8, "Full", {"idTag": "X", **accepted}, {"idTag": "x", **accepted}) == "Failed"
    assert send(0, "Full") == "Accepted" and version() == 0


def test_a_parent_learned_from_the_start_reaches_the_stack() -> None:
    station = Station16()
    station.answers["StartTransaction"]["idTagInfo"]["parentIdTag"] = "PARENT"
    station.plug_in()
    station.other.clear()
    station.start()
    [update] = station.published("validate_result_update")
    assert update.validation_result.parent_id_token.value == "PARENT" and update.connector_id == 1


@pytest.mark.parametrize(("stops", "command"), [(True, "stop_transaction"), (False, "pause_charging")])
def test_a_token_that_the_csms_does_not_accept_afterwards(stops: bool, command: str) -> None:
    station = Station16(StopTxOnInvalidId=stops)
    station.answers["StartTransaction"]["idTagInfo"]["status"] = "Invalid"
    station.charge()
    [(name, evse_id, _)] = station.commanded("stop_transaction", "pause_charging")
    assert (name, evse_id) == (command, 1)


# Availability (§5.2).


@pytest.mark.ocpp("1.6 §5.2")
def test_availability_of_a_free_connector_changes_at_once_and_after_the_answer() -> None:
    station = Station16()
    station.commanded()
    wanted = {"connectorId": 2, "type": "Inoperative"}
    assert station.ask("ChangeAvailability", wanted) == {"status": "Accepted"}
    [(_, evse_id, (connector_id, source))] = station.commanded("enable_disable")
    # The only connector of an EVSE is the EVSE.
    assert (evse_id, connector_id, source.enable_priority, source.enable_state.value) == (2, 0, 5000, "Disable")
    assert station.ask("ChangeAvailability", wanted) == {"status": "Accepted"}


def test_a_change_during_a_transaction_waits_and_never_shows_available() -> None:
    station = Station16()
    station.charge()
    station.requests()
    station.commanded()
    assert station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {"status": "Scheduled"}
    assert station.commanded("enable_disable") == []
    station.finish(Reason.Local)
    assert len(station.commanded("enable_disable")) == 1, "once the CSMS has the StopTransaction"
    station.event(E.Disabled)
    station.unplug()
    assert [status for _, status in station.statuses()] == ["Finishing", "Unavailable"]


def test_a_scheduled_change_survives_a_power_loss() -> None:
    station = Station16()
    station.charge()
    station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    again = station.restart()
    assert dict(again.statuses())[1] == "Unavailable"
    assert {evse_id for _, evse_id, _ in again.commanded("enable_disable")} == {1}


def test_connector_0_is_the_station_and_all_connectors() -> None:
    station = Station16()
    station.requests()
    assert station.ask("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}) == {"status": "Accepted"}
    for evse_id in (1, 2):
        station.event(E.Disabled, evse_id=evse_id)
    assert station.statuses() == [(0, "Unavailable"), (1, "Unavailable"), (2, "Unavailable")]
    station.ask("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
    for evse_id in (1, 2):
        station.event(E.Enabled, evse_id=evse_id)
    assert station.statuses() == [(0, "Available"), (1, "Available"), (2, "Available")]


@pytest.mark.parametrize("number", [3, 99, -1])
def test_a_connector_that_does_not_exist_is_refused_by_every_request(number: int) -> None:
    station = Station16()
    for action, payload, answer in (
        ("ChangeAvailability", {"type": "Inoperative"}, "Rejected"),
        ("UnlockConnector", {}, "NotSupported"),
        ("TriggerMessage", {"requestedMessage": "StatusNotification"}, "Rejected"),
        ("ReserveNow", {"expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 1}, "Rejected"),
        ("RemoteStartTransaction", {"idTag": "A"}, "Rejected"),
    ):
        assert station.ask(action, {"connectorId": number, **payload}) == {"status": answer}


def test_a_fault_of_an_evse_makes_its_connector_faulted_until_it_ends() -> None:
    station = Station16()
    station.requests()
    station.feed(events.ErrorRaised(fault()))
    station.feed(events.ErrorRaised(fault("connector_lock/MREC1ConnectorLockFailure")))
    station.feed(events.ErrorCleared(fault()))
    sent = station.requests("StatusNotification")
    assert [(one.status.value, one.error_code.value, one.vendor_error_code) for one in sent] == [
        ("Faulted", "OtherError", "Inoperative"),
        ("Faulted", "ConnectorLockFailure", "CX001"),
        ("Available", "ConnectorLockFailure", "CX001"),
    ]


def test_a_state_shorter_than_the_minimum_duration_is_not_reported() -> None:
    station = Station16(MinimumStatusDuration=30)
    station.requests()
    station.plug_in()
    station.pass_s(20)
    station.start()
    station.event(E.ChargingStarted)
    assert station.statuses() == []
    station.pass_s(30)
    assert station.statuses() == [(1, "Charging")]
    station.ask("TriggerMessage", {"requestedMessage": "StatusNotification"})
    assert station.statuses() == [(0, "Available"), (1, "Charging"), (2, "Available")], "not delayed"


# Remote control.


@pytest.mark.ocpp("1.6 §5.11")
def test_a_remote_start_presents_its_token_at_the_connector() -> None:
    station = Station16()
    payload = {"idTag": "CAFE", "connectorId": 2, "chargingProfile": PROFILE}
    assert station.ask("RemoteStartTransaction", payload) == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.connectors, presented.prevalidated) == ("CAFE", [2], False)


@pytest.mark.parametrize(
    "change",
    [
        {"connectorId": 0},
        {"connectorId": 1},
        {"chargingProfile": {**PROFILE, "chargingProfilePurpose": "TxDefaultProfile"}},
    ],
)
def test_a_remote_start_that_cannot_begin_is_rejected(change: dict[str, Any]) -> None:
    station = Station16()
    station.charge(evse_id=1)
    assert station.ask("RemoteStartTransaction", {"idTag": "A", "connectorId": 2, **change}) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("keys", "connectors"),
    [({}, [1, 2]), ({"RemoteStartTransactionWithoutConnectorIdFindFirst": True}, [1])],
)
def test_a_remote_start_without_a_connector(keys: dict[str, Any], connectors: list[int]) -> None:
    station = Station16(**keys)
    assert station.ask("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Accepted"}
    assert station.published("provided_token")[0].connectors == connectors
    refusing = Station16(RejectRemoteStartTransactionWithoutConnectorId=True)
    assert refusing.ask("RemoteStartTransaction", {"idTag": "A"}) == {"status": "Rejected"}


@pytest.mark.parametrize(
    ("owner", "status"),
    [("ReservedForToken", "Accepted"), ("ReservedForOtherToken", "Rejected")],
)
def test_a_reserved_connector_starts_for_its_token_alone(owner: str, status: str) -> None:
    station = Station16()
    station.event(E.ReservationStart)
    station.results["exists_reservation"] = ReservationCheckStatus(owner)
    assert station.ask("RemoteStartTransaction", {"idTag": "A", "connectorId": 1}) == {"status": status}


@pytest.mark.ocpp("1.6 §5.12")
def test_a_remote_stop_ends_the_transaction_of_its_number_and_no_other() -> None:
    station = Station16()
    station.charge()
    station.commanded()
    assert station.ask("RemoteStopTransaction", {"transactionId": 6}) == {"status": "Rejected"}
    assert station.commanded() == []
    assert station.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Accepted"}
    [(name, evse_id, (request,))] = station.commanded()
    assert (name, evse_id, request.reason.value) == ("stop_transaction", 1, "Remote")
    station.finish(Reason.Remote)
    assert station.ask("RemoteStopTransaction", {"transactionId": 7}) == {"status": "Rejected"}


@pytest.mark.ocpp("1.6 §5.14")
@pytest.mark.parametrize(("kind", "reason"), [("Soft", "SoftReset"), ("Hard", "HardReset")])
def test_a_reset_waits_until_the_csms_has_the_end_of_the_transaction(kind: str, reason: str) -> None:
    station = Station16()
    station.charge()
    station.commanded()
    assert station.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    station.pass_s(0)
    [(_, _, (request,))] = station.commanded("stop_transaction")
    assert request.reason.value == reason
    station.finish(Reason(reason))
    station.pass_s(0)
    assert station.commanded("reset") == [("reset", None, (ResetType(kind), False))]
    assert do.Disconnect("reset") in station.other


def test_a_reset_does_not_wait_for_ever() -> None:
    station = Station16(WaitForStopTransactionsOnResetTimeout=5)
    station.charge()
    station.ask("Reset", {"type": "Soft"})
    station.pass_s(14)
    assert station.commanded("reset") == []
    station.pass_s(1.1)
    assert len(station.commanded("reset")) == 1


def test_a_reset_that_the_system_does_not_allow_is_rejected() -> None:
    station = Station16()
    station.results["is_reset_allowed"] = False
    assert station.ask("Reset", {"type": "Soft"}) == {"status": "Rejected"}
    station.pass_s(100)
    assert station.commanded("reset") == []


@pytest.mark.ocpp("1.6 §5.18")
@pytest.mark.parametrize(("result", "status"), [(True, "Unlocked"), (False, "NotSupported")])
def test_unlocking_is_what_the_stack_answers(result: bool, status: str) -> None:
    station = Station16(StopTransactionIfUnlockNotSupported=True)
    station.charge()
    station.commanded()
    station.results["force_unlock"] = result
    assert station.ask("UnlockConnector", {"connectorId": 1}) == {"status": status}
    stops = [args[0].reason.value for _, _, args in station.commanded("stop_transaction")]
    assert stops == ([] if result else ["UnlockCommand"])


def test_triggered_meter_values_have_their_context_and_one_message_a_connector() -> None:
    station = Station16()
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}) == {"status": "Rejected"}
    for evse_id in (1, 2):
        station.measure(1000, evse_id)
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}) == {"status": "Accepted"}
    values = station.requests("MeterValues")
    assert [one.connector_id for one in values] == [1, 2]
    assert {one.meter_value[0].sampled_value[0].context.value for one in values} == {"Trigger"}


@pytest.mark.ocpp("1.6 §5.17")
@pytest.mark.parametrize(
    "message", ["Heartbeat", "FirmwareStatusNotification", "DiagnosticsStatusNotification", "BootNotification"]
)
def test_each_message_can_be_triggered(message: str) -> None:
    station = Station16()
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": message}) == {"status": "Accepted"}
    assert station.requests()[0].action_name == message


# Reservation (§5.13).


@pytest.mark.ocpp("1.6 §5.13")
@pytest.mark.parametrize("result", list(ReservationResult))
def test_a_reservation_is_what_its_owner_answers(result: ReservationResult) -> None:
    station = Station16()
    station.results["reserve_now"] = result
    wanted = {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}
    assert station.ask("ReserveNow", wanted) == {"status": result.value}
    [(_, _, (request,))] = station.commanded("reserve_now")
    assert (request.reservation_id, request.evse_id, request.expiry_time) == (4, 1, "2023-11-15T01:00:00.000Z")


def test_a_connector_in_use_faulted_or_out_of_use_is_not_reserved() -> None:
    station = Station16()
    wanted = {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}
    station.plug_in()
    assert station.ask("ReserveNow", wanted) == {"status": "Occupied"}
    station.feed(events.ErrorRaised(fault()))
    assert station.ask("ReserveNow", wanted) == {"status": "Faulted"}
    assert station.ask("ReserveNow", {**wanted, "connectorId": 0}) == {"status": "Rejected"}
    assert station.commanded("reserve_now") == []


def test_the_end_of_a_reservation_shows_available_unless_the_connector_is_out_of_use() -> None:
    station = Station16()
    station.requests()
    station.event(E.ReservationStart)
    station.event(E.ReservationEnd)
    assert [status for _, status in station.statuses()] == ["Reserved", "Available"]
    station.event(E.ReservationStart)
    station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    station.event(E.Disabled)
    station.event(E.ReservationEnd)
    assert [status for _, status in station.statuses()] == ["Reserved", "Unavailable"]


def test_a_profile_that_is_not_in_use_is_not_supported() -> None:
    station = Station16(SupportedFeatureProfiles=("Core",))
    for action, payload in (
        ("ReserveNow", {"connectorId": 1, "expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 4}),
        ("CancelReservation", {"reservationId": 4}),
        ("GetLocalListVersion", {}),
        ("GetDiagnostics", {"location": "ftp://x/y"}),
    ):
        with pytest.raises(Refused, match="NotSupported"):
            station.ask(action, payload)


# The meter of the stack.


def test_the_end_of_the_session_ends_a_transaction_that_the_stack_forgot() -> None:
    station = Station16()
    station.charge()
    station.unplug()
    [stop] = station.requests("StopTransaction")
    assert stop.meter_stop_Wh == meter(2500).energy_Wh_import.total
