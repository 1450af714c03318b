"""Requirements of remote control, availability, reservations and meter values of OCPP 2.x (F, G, H, J, P)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.reservation import (
    ReservationCheckStatus,
    ReservationResult,
    ReservationUpdateStatus,
    ReservationUpdateStatusReservationStatus,
)
from chargebyte_fw.contracts.types.system import (
    FirmwareUpdateStatus,
    FirmwareUpdateStatusEnum,
    LogStatus,
    LogStatusEnum,
)
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables.standard import authorization as declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import Reason, quiet, read, remote_start
from tests.ocpp.stack import E, fault, meter
from tests.ocpp.station2 import Station2
from tests.ocpp.test_availability_v2 import change, statuses
from tests.ocpp.test_use_cases_v2 import served

CARD = {"idToken": "CAFE", "type": "ISO14443"}
RESERVATION = {"id": 4, "expiryDateTime": "2023-11-15T01:00:00Z", "idToken": CARD}


def begin(station: Station2, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = station.ask("RequestStartTransaction", {"idToken": CARD, "remoteStartId": 1, **more})
    return answer


# Remote control.


@pytest.mark.ocpp("F01.FR.01", "F02.FR.09", "F01.FR.02", "F02.FR.10")
@pytest.mark.parametrize("authorize", [True, False])
def test_a_remote_start_is_validated_as_the_configuration_has_it(authorize: bool) -> None:
    station = quiet(AuthorizeRemoteStart=authorize)
    assert begin(station, evseId=1) == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert presented.prevalidated is not authorize


@pytest.mark.ocpp("F01.FR.07", "F01.FR.20", "F02.FR.15", "F02.FR.22")
def test_without_an_evse_the_station_takes_one_or_refuses() -> None:
    station = quiet()
    assert begin(station) == {"status": "Accepted"}
    [presented] = station.published("provided_token")
    assert presented.connectors
    for number in (1, 2):
        station.charge(evse_id=number, session=f"s{number}")
    assert begin(station)["status"] == "Rejected"


@pytest.mark.ocpp("F01.FR.21", "F01.FR.22", "F02.FR.23", "F02.FR.24")
@pytest.mark.parametrize(
    ("found", "status"),
    [
        (ReservationCheckStatus.ReservedForOtherToken, "Rejected"),
        (ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken, "Rejected"),
        (ReservationCheckStatus.ReservedForToken, "Accepted"),
        (ReservationCheckStatus.NotReserved, "Accepted"),
    ],
)
def test_a_reserved_evse_is_started_for_its_token_or_group(found: Any, status: str) -> None:
    station = quiet()
    station.results["exists_reservation"] = found
    answer = begin(station, evseId=1, groupIdToken={"idToken": "GROUP", "type": "Central"})
    assert answer["status"] == status
    [(_, _, (check,))] = station.commanded("exists_reservation")
    assert (check.id_token, check.group_id_token) == ("CAFE", "GROUP")


@pytest.mark.parametrize("authorizes", [False, True])
def test_a_token_without_a_group_is_authorized_before_the_group_of_the_reservation_counts(authorizes: bool) -> None:
    station = quiet(AuthorizeRemoteStart=authorizes)
    station.results["exists_reservation"] = ReservationCheckStatus.ReservedForOtherTokenAndHasParentToken
    assert begin(station, evseId=1)["status"] == ("Accepted" if authorizes else "Rejected")


@pytest.mark.ocpp("F01.FR.23", "F02.FR.25")
@pytest.mark.parametrize("state", ["Unavailable", "Faulted"])
def test_an_evse_out_of_order_is_not_started(state: str) -> None:
    station = quiet()
    if state == "Faulted":
        station.feed(events.ErrorRaised(fault()))
    else:
        change(station, False, 1)
    assert begin(station, evseId=1)["status"] == "Rejected"


@pytest.mark.ocpp("F01.FR.13", "F01.FR.25")
def test_the_transaction_that_waits_for_a_token_is_named_in_the_answer() -> None:
    station = quiet(TxStartPoint=("EVConnected",))
    station.plug_in()
    station.requests()
    assert begin(station, evseId=1) == {"status": "Accepted", "transactionId": "s1"}
    [presented] = station.published("provided_token")
    begun = evse.TransactionStarted(id_tag=presented, meter_value=meter(1000))
    station.event(E.TransactionStarted, transaction_started=begun)
    [event] = station.events()
    assert event["transactionInfo"]["remoteStartId"] == 1


@pytest.mark.ocpp("F06.FR.04", "F06.FR.05", "F06.FR.10", "F06.FR.03", "F06.FR.11", "F06.FR.06", "F06.FR.09")
def test_the_answer_to_a_trigger_comes_first_and_evses_that_are_left_out_are_all() -> None:
    station = quiet(Measurands=("Voltage",))
    for number in (1, 2):
        station.measure(1000, number)
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"}) == {"status": "Accepted"}
    found = list(station.payloads_of("MeterValues"))
    assert [one["evseId"] for one in found] == [1, 2]
    measurands = {value["measurand"] for one in found for value in one["meterValue"][0]["sampledValue"]}
    assert measurands == {"Voltage"}
    station.requests()
    place = {"evse": {"id": 2}}
    assert station.ask("TriggerMessage", {"requestedMessage": "Heartbeat", **place}) == {"status": "Accepted"}
    assert [one.action_name for one in station.requests()] == ["Heartbeat"], "the EVSE is of no relevance"


@pytest.mark.ocpp("F06.FR.08", "F06.FR.12", "F06.FR.17")
@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("SignCombinedCertificate", "NotImplemented"),
        ("StatusNotification", "Rejected"),
        ("BootNotification", "Rejected"),
    ],
)
def test_what_is_not_sent_is_answered_so(message: str, status: str) -> None:
    station = quiet()
    assert station.ask("TriggerMessage", {"requestedMessage": message})["status"] == status
    assert station.requests() == []


@pytest.mark.ocpp("F06.FR.14", "F06.FR.15", "N01.FR.13")
def test_the_status_of_an_upload_is_triggered() -> None:
    station = quiet()

    def triggered() -> dict[str, Any]:
        station.requests()
        assert station.ask("TriggerMessage", {"requestedMessage": "LogStatusNotification"}) == {"status": "Accepted"}
        [found] = station.payloads_of("LogStatusNotification")
        return found

    assert triggered() == {"status": "Idle"}
    uploading = LogStatus(log_status=LogStatusEnum.Uploading, request_id=7)
    station.feed(events.FactReceived("system", "log_status", uploading))
    assert triggered() == {"status": "Uploading", "requestId": 7}


@pytest.mark.ocpp("F06.FR.16", "L01.FR.20", "L01.FR.25", "L01.FR.26", "L02.FR.14", "L02.FR.16", "L02.FR.17")
def test_the_status_of_an_update_is_triggered() -> None:
    station = quiet()

    def triggered() -> dict[str, Any]:
        station.requests()
        assert station.ask("TriggerMessage", {"requestedMessage": "FirmwareStatusNotification"}) == {
            "status": "Accepted"
        }
        [found] = station.payloads_of("FirmwareStatusNotification")
        return found

    assert triggered() == {"status": "Idle"}
    for kind, expected in (
        (FirmwareUpdateStatusEnum.Downloading, {"status": "Downloading", "requestId": 5}),
        (FirmwareUpdateStatusEnum.DownloadFailed, {"status": "DownloadFailed", "requestId": 5}),
        (FirmwareUpdateStatusEnum.Installed, {"status": "Idle"}),
    ):
        status = FirmwareUpdateStatus(firmware_update_status=kind, request_id=5)
        station.feed(events.FactReceived("system", "firmware_update_status", status))
        assert triggered() == expected


@pytest.mark.ocpp("F05.FR.01", "F05.FR.04", "F05.FR.06")
def test_a_connector_without_a_cable_is_unlocked_too() -> None:
    station = quiet()
    assert station.ask("UnlockConnector", {"evseId": 2, "connectorId": 1}) == {"status": "Unlocked"}
    assert [evse_id for _, evse_id, _ in station.commanded("force_unlock")] == [2]


# Availability.


@pytest.mark.ocpp("G01.FR.03", "G01.FR.04", "G01.FR.07")
def test_each_change_of_a_connector_is_notified() -> None:
    station = quiet()
    station.plug_in()
    station.unplug()
    change(station, False, 1)
    assert statuses(station) == [(1, "Occupied"), (1, "Available"), (1, "Unavailable")]


@pytest.mark.ocpp("G01.FR.06", "H03.FR.10")
def test_a_reserved_connector_is_occupied_when_its_driver_comes() -> None:
    station = quiet()
    station.event(E.ReservationStart)
    station.event(E.ReservationEnd)
    station.plug_in()
    assert statuses(station) == [(1, "Reserved"), (1, "Available"), (1, "Occupied")]


@pytest.mark.ocpp("F06.FR.19")
def test_a_custom_trigger_is_not_implemented() -> None:
    station = quiet(version=Version.V21)
    wanted = {"requestedMessage": "CustomTrigger", "customTrigger": "x.example.Report"}
    assert station.ask("TriggerMessage", wanted) == {"status": "NotImplemented"}
    assert station.requests() == []


@pytest.mark.ocpp("G01.FR.09")
@pytest.mark.parametrize("presented", [None, "OTHER"])
def test_a_reserved_connector_stays_so_when_another_driver_plugs_in(presented: str | None) -> None:
    station = quiet()
    station.event(E.ReservationStart)
    assert statuses(station) == [(1, "Reserved")]
    station.plug_in()
    if presented is not None:
        station.answers["Authorize"]["idTokenInfo"]["status"] = "Accepted"
        station.present(presented)
    station.pass_s(60)
    assert statuses(station) == []
    station.unplug()
    assert statuses(station) == []
    station.event(E.ReservationEnd)
    assert statuses(station) == [(1, "Available")]


@pytest.mark.ocpp("G02.FR.07")
def test_heartbeats_are_sent_whatever_else_is() -> None:
    """Their interval is counted from one to the next, so that the clock is set at least once a day."""
    station = quiet(HeartbeatInterval=1800)
    station.charge()
    beats = []
    for step in range(24 * 12):
        station.event(E.ChargingPausedEV if step % 2 == 0 else E.ChargingStarted)
        station.pass_s(300)
        assert "TransactionEvent" in [one.action_name for one in station.sent]
        beats += [station.now for one in station.sent if one.action_name == "Heartbeat"]
        station.requests()
    assert len(beats) == 48


@pytest.mark.ocpp("H03.FR.08")
@pytest.mark.parametrize("cached", [False, True])
def test_the_csms_is_asked_for_the_group_of_a_token_at_a_reserved_evse(cached: bool) -> None:
    station = quiet(LocalPreAuthorize=True)
    station.results["reserve_now"] = ReservationResult.Accepted
    group = {"groupIdToken": {"idToken": "FLEET", "type": "Central"}}
    assert station.ask("ReserveNow", {**RESERVATION, "evseId": 1, **group}) == {"status": "Accepted"}
    [(_, _, (wanted,))] = station.commanded("reserve_now")
    assert wanted.parent_id_token == "FLEET"
    station.answers["Authorize"]["idTokenInfo"] |= group
    if cached:
        station.present("CAFE")
    station.requests()
    result = station.present("CAFE")
    assert len(station.requests("Authorize")) == (0 if cached else 1)
    assert result.parent_id_token is not None and result.parent_id_token.value == "FLEET"


TWO = Layout([evse.Evse(id=1, connectors=[evse.Connector(id=1), evse.Connector(id=2)])])
"""One EVSE with two connectors."""


def places(station: Station2) -> list[tuple[int, str]]:
    found = [(one["connectorId"], one["connectorStatus"]) for one in station.payloads_of("StatusNotification")]
    station.requests()
    return found


@pytest.mark.ocpp("G01.FR.08", "G03.FR.06", "G03.FR.07")
def test_of_several_connectors_the_one_in_use_is_occupied_and_an_evse_takes_all_along() -> None:
    station = quiet(layout=TWO)
    station.plug_in()
    assert places(station) == [(1, "Occupied")]
    station.unplug()
    places(station)
    assert change(station, False, 1, 2) == "Accepted" and places(station) == [(2, "Unavailable")]
    assert change(station, False, 1) == "Accepted" and places(station) == [(1, "Unavailable")]
    assert change(station, True, 1) == "Accepted" and places(station) == [(1, "Available")], "the other as before"


@pytest.mark.ocpp("G03.FR.03", "G04.FR.04")
@pytest.mark.parametrize("place", [(), (1,), (1, 1)])
def test_a_state_that_holds_already_is_accepted(place: tuple[int, ...]) -> None:
    station = quiet()
    assert change(station, True, *place) == "Accepted"
    assert change(station, False, *place) == change(station, False, *place) == "Accepted"


@pytest.mark.ocpp("G04.FR.09", "B11.FR.02")
def test_a_station_out_of_use_is_so_after_a_restart() -> None:
    station = quiet()
    change(station, False)
    assert statuses(station.restart()) == [(1, "Unavailable"), (2, "Unavailable")]


# Reservations.


@pytest.mark.ocpp("H01.FR.01")
@pytest.mark.parametrize("name", ["Available", "Enabled"])
def test_without_reservations_each_is_rejected(name: str) -> None:
    station = quiet()
    switch = declared.RESERVATION_AVAILABLE if name == "Available" else declared.RESERVATION_ENABLED
    station.variables.set(switch, False)
    assert station.ask("ReserveNow", {**RESERVATION, "evseId": 1}) == {"status": "Rejected"}


@pytest.mark.ocpp("H01.FR.04", "H01.FR.18", "H01.FR.23", "H01.FR.03")
@pytest.mark.parametrize("place", [{}, {"evseId": 1}])
def test_a_reservation_is_passed_on_and_the_connector_is_reserved(place: dict[str, Any]) -> None:
    station = quiet()
    station.results["reserve_now"] = ReservationResult.Accepted
    assert station.ask("ReserveNow", {**RESERVATION, **place}) == {"status": "Accepted"}
    [(_, _, (wanted,))] = station.commanded("reserve_now")
    assert (wanted.reservation_id, wanted.id_token, wanted.evse_id) == (4, "CAFE", place.get("evseId"))
    station.event(E.ReservationStart)
    assert statuses(station) == [(1, "Reserved")]


@pytest.mark.ocpp("H01.FR.11", "H01.FR.12", "H01.FR.14")
@pytest.mark.parametrize("state", ["Occupied", "Faulted", "Unavailable"])
@pytest.mark.parametrize("place", [{}, {"evseId": 1}])
def test_without_a_free_evse_the_answer_is_their_state(state: str, place: dict[str, Any]) -> None:
    station = quiet()
    for number in (1, 2):
        if state == "Occupied":
            station.plug_in(number, f"s{number}")
        elif state == "Faulted":
            station.feed(events.ErrorRaised(fault(number)))
        else:
            change(station, False, number)
    station.commanded()
    assert station.ask("ReserveNow", {**RESERVATION, **place}) == {"status": state}
    assert station.commanded("reserve_now") == []


@pytest.mark.ocpp("H01.FR.16", "H01.FR.17", "H04.FR.01")
@pytest.mark.parametrize("status", ["Removed", "Expired"])
def test_a_reservation_that_ends_unused_is_reported(status: str) -> None:
    station = quiet()
    ended = ReservationUpdateStatus(
        reservation_id=4, reservation_status=ReservationUpdateStatusReservationStatus(status)
    )
    station.feed(events.FactReceived("reservation", "reservation_update", ended))
    [payload] = station.payloads_of("ReservationStatusUpdate")
    assert payload == {"reservationId": 4, "reservationUpdateStatus": status}


@pytest.mark.ocpp("H03.FR.11")
@pytest.mark.parametrize("version", [Version.V201, Version.V21])
@pytest.mark.parametrize("start_point", ["EVConnected", "Authorized", "PowerPathClosed"])
def test_a_reservation_that_is_used_without_a_transaction_is_reported(version: Version, start_point: str) -> None:
    used = ReservationUpdateStatus(reservation_id=4, reservation_status=ReservationUpdateStatusReservationStatus.Used)

    def reported(*, comes: bool) -> list[dict[str, Any]]:
        station = quiet(version=version, EVConnectionTimeOut=30, TxStartPoint=(start_point,))
        if comes:
            station.plug_in()
        station.feed(events.FactReceived("reservation", "reservation_update", used))
        if comes:
            station.start(reservation_id=4)
        station.pass_s(29)
        assert list(station.payloads_of("ReservationStatusUpdate")) == []
        station.pass_s(100)
        return list(station.payloads_of("ReservationStatusUpdate"))

    notice = {"reservationId": 4, "reservationUpdateStatus": "NoTransaction"}
    assert reported(comes=False) == ([notice] if version is Version.V21 else [])
    assert reported(comes=True) == []


@pytest.mark.ocpp("H04.FR.02", "H04.FR.03")
def test_the_connector_of_an_expired_reservation_is_available_again() -> None:
    station = quiet()
    station.event(E.ReservationStart)
    station.event(E.ReservationEnd)
    assert statuses(station) == [(1, "Reserved"), (1, "Available")]
    station.charge()
    assert station.events()[0]["eventType"] == "Started"


# Meter values.


ALIGNED: dict[str, Any] = {
    "Interval": 900,
    "Measurands": ("Voltage", "Energy.Active.Import.Register"),
    "TxUpdatedInterval": 0,
    "TxEndedInterval": 0,
}


@pytest.mark.ocpp(
    "J01.FR.01", "J01.FR.02", "J01.FR.05", "J01.FR.06", "J01.FR.07", "J01.FR.08", "J01.FR.10", "J01.FR.14"
)
@pytest.mark.ocpp("J01.FR.11", "J01.FR.17", "J01.FR.09")
def test_aligned_values_of_every_evse_without_a_transaction() -> None:
    station = quiet(**ALIGNED)
    for number in (1, 2):
        station.measure(1000 * number, number)
    station.pass_s(1801)
    found = list(station.payloads_of("MeterValues"))
    assert [one["evseId"] for one in found] == [1, 2, 1, 2]
    times = [datetime.fromisoformat(one["meterValue"][0]["timestamp"]) for one in found]
    assert [(one.hour, one.minute) for one in times] == [(0, 15), (0, 15), (0, 30), (0, 30)]
    sampled = found[0]["meterValue"][0]["sampledValue"]
    assert {one["context"] for one in sampled} == {"Sample.Clock"} and {one["location"] for one in sampled} == {
        "Outlet"
    }
    assert [(one["measurand"], one.get("phase")) for one in sampled] == [
        ("Voltage", "L1"),
        ("Voltage", "L2"),
        ("Voltage", "L3"),
        ("Energy.Active.Import.Register", None),
    ]
    assert [one["value"] for one in sampled[:3]] == [230.0, 231.0, 229.0]


@pytest.mark.ocpp("J01.FR.19", "J01.FR.20")
def test_while_any_evse_charges_aligned_values_may_be_kept_back() -> None:
    station = quiet(**ALIGNED, SendDuringIdle=True)
    for number in (1, 2):
        station.measure(1000, number)
    station.charge()
    station.requests()
    station.pass_s(901)
    assert station.requests("MeterValues", "TransactionEvent") == []


@pytest.mark.ocpp("J01.FR.22")
def test_of_an_evse_that_charges_they_are_an_event_of_the_transaction() -> None:
    station = quiet(**ALIGNED, version=Version.V21)
    station.measure(1000)
    station.charge()
    station.requests()
    station.pass_s(901)
    [event] = station.events()
    assert (event["eventType"], event["triggerReason"]) == ("Updated", "MeterValueClock")
    assert event["meterValue"][0]["sampledValue"][0]["context"] == "Sample.Clock"


@pytest.mark.ocpp("J01.FR.21")
def test_aligned_values_are_signed_where_that_is_configured() -> None:
    station = quiet(**{**ALIGNED, "SignReadings": True, "Measurands": ("Energy.Active.Import.Register",)})
    read(station, 1000, signed=True)
    station.pass_s(901)
    found = list(station.payloads_of("MeterValues"))
    assert "signedMeterValue" in found[0]["meterValue"][0]["sampledValue"][0]


@pytest.mark.ocpp(
    "J02.FR.01", "J02.FR.02", "J02.FR.03", "J02.FR.04", "J02.FR.05", "J02.FR.06", "J02.FR.07", "J02.FR.18"
)
@pytest.mark.ocpp("J02.FR.10", "J02.FR.22", "J02.FR.16", "J02.FR.17")
def test_sampled_values_of_a_transaction_are_of_its_evse_as_the_meter_has_them() -> None:
    wanted = ("Energy.Active.Import.Register", "Voltage")
    station = quiet(TxUpdatedInterval=60, TxUpdatedMeasurands=wanted, TxEndedInterval=0, TxEndedMeasurands=wanted)
    station.measure(99_000, 2)
    station.charge()
    for step in range(3):
        station.measure(1001 + step)
        station.pass_s(60)
    station.finish(Reason.Local)
    energies = []
    for event in station.events():
        for value in event.get("meterValue", []):
            sampled = value["sampledValue"]
            assert all({"measurand", "context", "location"} <= set(one) for one in sampled)
            if event["eventType"] == "Ended" and sampled[0]["context"] == "Transaction.Begin":
                assert sampled[0]["value"] == 1000.4
                continue
            assert [one.get("phase") for one in sampled if one["measurand"] == "Voltage"] in ([], ["L1", "L2", "L3"])
            late = datetime.fromisoformat(event["timestamp"]) - datetime.fromisoformat(value["timestamp"])
            assert 0 <= late.total_seconds() < 60
            energies += [one["value"] for one in sampled if one["measurand"] == wanted[0]]
    assert energies == sorted(energies) and energies[0] == 1000.4 and energies[-1] == 2500.0


# Data.


@pytest.mark.ocpp("P01.FR.06", "P01.FR.05")
@pytest.mark.parametrize("status", ["UnknownVendorId", "UnknownMessageId", "Rejected", "Accepted"])
def test_the_integrator_knows_vendors_and_messages(status: str) -> None:
    station = quiet()
    station.results["data_transfer"] = ocpp.DataTransferResponse(status=ocpp.DataTransferStatus(status))
    assert station.ask("DataTransfer", {"vendorId": "x", "messageId": "y"}) == {"status": status}


@pytest.mark.ocpp("P02.FR.01", "P02.FR.04")
def test_vendor_and_message_of_the_integrator_reach_the_csms() -> None:
    station = quiet()
    station.answers["DataTransfer"] = {"status": "Accepted"}
    request = ocpp.DataTransferRequest(vendor_id="com.example", message_id="m", data="there")
    served(station, "ocpp_data_transfer", "data_transfer", (request,))
    [payload] = station.payloads_of("DataTransfer")
    assert payload == {"vendorId": "com.example", "messageId": "m", "data": "there"}


@pytest.mark.ocpp("P01.FR.01", "P02.FR.02")
def test_a_whole_session_needs_no_data_transfer() -> None:
    station = quiet()
    remote_start(station, cable_first=True)
    station.finish(Reason.Remote)
    station.unplug()
    assert station.requests("DataTransfer") == []
