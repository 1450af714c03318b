"""Public reports of the field, with their values, where no test of a block has the whole case."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.modules.ocpp.messages.schema import MessageError, decode_request, decode_response
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import Reason, quiet
from tests.ocpp.station2 import Station2
from tests.ocpp.station16 import SIGNED, E, Station16, meter, token

DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")


@pytest.mark.parametrize(
    ("told", "set_to"),
    [
        ("2024-08-27T09:19:32.876446300Z", "2024-08-27T09:19:32.876Z"),
        ("2013-02-01T20:53:32.486+01:00", "2013-02-01T19:53:32.486Z"),
        ("2024-08-27T09:19:32Z", "2024-08-27T09:19:32.000Z"),
    ],
)
def test_21_the_clock_is_set_from_every_form_of_a_date(told: str, set_to: str) -> None:
    station = Station16(connects=False)
    station.answers["BootNotification"]["currentTime"] = told
    station.connect()
    assert [timestamp for _, _, (timestamp,) in station.commanded("set_system_time")] == [set_to]


def test_22_dates_are_utc_whatever_the_time_zone_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        station = Station2(Interval=60)
        station.measure(1000)
        station.charge()
        station.pass_s(60)
        station.finish()
        dates = [text for one in station.payloads for text in dates_of(one)]
    finally:
        monkeypatch.undo()
        time.tzset()
    assert len(dates) > 5 and all(DATE.fullmatch(one) for one in dates)
    assert all(one.startswith("2023-11-15T00:0") for one in dates)


def dates_of(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [one for key, one in value.items() if key == "timestamp"]
        return here + [date for one in value.values() for date in dates_of(one)]
    return [date for one in value for date in dates_of(one)] if isinstance(value, list) else []


def test_26_a_token_of_the_cache_is_found_in_capitals_too() -> None:
    station = quiet(LocalPreAuthorize=True)
    station.present("DeadBeef")
    assert len(station.requests("Authorize")) == 1
    assert station.present("DEADBEEF").authorization_status.value == "Accepted"
    assert station.requests("Authorize") == []


def test_27_a_token_of_40_characters_is_too_long_for_2_0_1_and_not_for_2_1() -> None:
    start = {"idToken": {"idToken": "a" * 40, "type": "ISO14443"}, "remoteStartId": 1, "evseId": 1}
    station = quiet()
    station.commanded()
    with pytest.raises(MessageError):
        station.ask("RequestStartTransaction", start)
    assert station.commanded() == []
    assert quiet(version=Version.V21).ask("RequestStartTransaction", start)["status"] == "Accepted"


@pytest.mark.parametrize(("stops", "stopped"), [(False, 0), (True, 1)])
def test_31_a_tag_that_was_unknown_offline_is_refused_afterwards(
    monkeypatch: pytest.MonkeyPatch, stops: bool, stopped: int
) -> None:
    station = Station16(OfflineTxForUnknownIdEnabled=True, StopTxOnInvalidId=stops)
    station.answers["StartTransaction"]["idTagInfo"]["status"] = "Invalid"
    station.requests()
    station.disconnect()
    assert station.present("UNKNOWN").authorization_status.value == "Accepted"
    waiting: list[do.Enqueue] = []
    csms = station._csms
    monkeypatch.setattr(station, "_csms", lambda one: waiting.append(one) or csms(one))
    station.plug_in()
    station.start()
    station.event(E.ChargingPausedEV)
    station.event(E.ChargingStarted)
    station.commanded()
    station.connect()
    assert [one for one in station.statuses() if one[0] == 1] == [(1, "Charging")]
    [start] = [one for one in waiting if one.request.action_name == "StartTransaction"]
    response = decode_response(Version.V16, "StartTransaction", station.answers["StartTransaction"])
    station.feed(
        events.MessageAnswered(start.message_id, "StartTransaction", start.request, response, start.transaction)
    )
    commands = [name for name, _, _ in station.commanded("stop_transaction", "pause_charging")]
    assert commands == (["stop_transaction"] if stopped else ["pause_charging"])
    if not stops:
        station.event(E.ChargingPausedEVSE)
        assert station.statuses() == [(1, "SuspendedEVSE")]


@pytest.mark.parametrize("reservation", [179, None])
def test_32_a_start_has_the_id_of_its_reservation_or_none(reservation: int | None) -> None:
    station = Station16()
    station.plug_in()
    station.start(reservation_id=reservation)
    [payload] = station.payloads_of("StartTransaction")
    assert payload.get("reservationId", "absent") == (reservation or "absent")


def test_36_a_profile_of_a_remote_start_is_one_of_its_transaction() -> None:
    def start(**more: Any) -> str:
        period = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
        wanted = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": period,
        }
        profile = {**wanted, **more.pop("profile", {})}
        payload = {"connectorId": 1, "idTag": "DEADBEEF", "chargingProfile": profile, **more}
        return str(station.ask("RemoteStartTransaction", payload)["status"])

    def composite() -> list[dict[str, Any]]:
        payload = {"connectorId": 1, "duration": 60, "chargingRateUnit": "A"}
        answer = station.ask("GetCompositeSchedule", payload)
        found: list[dict[str, Any]] = answer["chargingSchedule"]["chargingSchedulePeriod"]
        return found

    station = Station16()
    assert start(profile={"chargingProfilePurpose": "TxDefaultProfile"}) == "Rejected"
    assert start(connectorId=0) == "Rejected"
    usual = composite()
    assert start() == "Accepted"
    station.charge()
    assert composite() == [{"startPeriod": 0, "limit": 6.0}]
    station.finish()
    station.unplug()
    assert composite() == usual != [{"startPeriod": 0, "limit": 6.0}]


@pytest.mark.ocpp("E01.FR.16")
@pytest.mark.parametrize(("reason", "has_token"), [(Reason.Local, True), (Reason.Remote, False)])
def test_37_the_evse_is_in_one_event_and_the_token_of_a_card_in_the_last(reason: Reason, has_token: bool) -> None:
    station = quiet()
    station.charge()
    station.finish(reason, id_tag=token() if has_token else None)
    station.unplug()
    found = station.events()
    assert [one["seqNo"] for one in found] == list(range(len(found)))
    assert [one["evse"] for one in found if "evse" in one] == [{"id": 1, "connectorId": 1}]
    assert found[-1]["eventType"] == "Ended" and ("idToken" in found[-1]) is has_token


def test_38_an_event_is_triggered_without_a_sample_too() -> None:
    station = quiet()
    trigger = {"requestedMessage": "TransactionEvent", "evse": {"id": 1}}
    assert station.ask("TriggerMessage", trigger)["status"] == "Rejected"
    station.charge()
    station.events()
    assert station.ask("TriggerMessage", trigger)["status"] == "Accepted"
    [event] = station.events()
    assert (event["eventType"], event["triggerReason"]) == ("Updated", "Trigger")
    assert event["transactionInfo"]["chargingState"] == "Charging"


def test_42_triggered_states_of_a_station_come_at_once_and_after_the_answer() -> None:
    station = Station16(MinimumStatusDuration=30)
    station.requests()
    assert station.ask("TriggerMessage", {"requestedMessage": "StatusNotification"}) == {"status": "Accepted"}
    assert [number for number, _ in station.statuses()] == [0, 1, 2]
    one = {"requestedMessage": "StatusNotification", "connectorId": 0}
    assert station.ask("TriggerMessage", one) == {"status": "Accepted"}
    assert [number for number, _ in station.statuses()] == [0]


def test_42_without_measurands_there_are_no_triggered_values() -> None:
    station = quiet(Measurands=())
    station.measure(1000)
    assert station.ask("TriggerMessage", {"requestedMessage": "MeterValues"})["status"] == "Rejected"


def test_44_signed_values_alone_are_in_the_transaction_data() -> None:
    station = Station16(TxEndedMeasurands=(), Measurands=())
    end = 'OCMF|{"A":2}|{"SD":"ff"}'
    station.plug_in()
    started = evse.TransactionStarted(id_tag=token(), meter_value=meter(1000), signed_meter_value=SIGNED)
    station.event(E.TransactionStarted, transaction_started=started)
    [values] = station.payloads_of("MeterValues")
    [sample] = values["meterValue"][0]["sampledValue"]
    assert (sample["value"], sample["format"], sample["context"]) == (
        'OCMF|{"A":1}|{"SD":"00"}',
        "SignedData",
        "Transaction.Begin",
    )
    signed = type(SIGNED)(signed_meter_data=end, signing_method="", encoding_method="OCMF")
    station.finish(signed_meter_value=signed)
    [stop] = station.payloads_of("StopTransaction")
    samples = [one for value in stop["transactionData"] for one in value["sampledValue"]]
    assert [(one["value"], one["context"]) for one in samples] == [(end, "Transaction.End")]


def test_54_a_limit_of_0_pauses_and_the_transaction_goes_on() -> None:
    def limit(value_A: float) -> str:
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": value_A}]}
        profile = {
            "chargingProfileId": 1,
            "stackLevel": 0,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Relative",
            "chargingSchedule": schedule,
        }
        payload = {"connectorId": 0, "csChargingProfiles": profile}
        return str(station.ask("SetChargingProfile", payload)["status"])

    station = Station16(TxUpdatedInterval=60, TxUpdatedMeasurands=("Voltage",))
    station.charge()
    station.requests()
    assert limit(0) == "Accepted"
    station.event(E.ChargingPausedEVSE)
    assert station.statuses() == [(1, "SuspendedEVSE")]
    station.measure(1000)
    station.pass_s(61)
    found = [one.action_name for one in station.requests("MeterValues", "StopTransaction", "StartTransaction")]
    assert found == ["MeterValues"]
    assert limit(16) == "Accepted"
    station.event(E.ChargingStarted)
    assert station.statuses() == [(1, "Charging")]


@pytest.mark.parametrize("value", ["-2", "01asdf", "99999999999999", "", "1.5"])
def test_59_a_heartbeat_interval_that_is_none_changes_nothing(value: str) -> None:
    station = Station16(interval_s=60)
    station.requests()
    answer = station.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": value})
    assert answer == {"status": "Rejected"}
    [key] = station.ask("GetConfiguration", {"key": ["HeartbeatInterval"]})["configurationKey"]
    assert key["value"] == "60"
    station.pass_s(60)
    assert len(station.requests("Heartbeat")) == 1
    answer = station.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "120"})
    assert answer == {"status": "Accepted"}
    station.pass_s(119)
    assert station.requests("Heartbeat") == []
    station.pass_s(1)
    assert len(station.requests("Heartbeat")) == 1


def test_60_data_of_1_6_is_a_text() -> None:
    with pytest.raises(MessageError) as found:
        decode_request(Version.V16, "DataTransfer", {"vendorId": "x", "data": {"a": 1}})
    assert found.value.code in ("FormationViolation", "TypeConstraintViolation")
    assert Station16().ask("DataTransfer", {"vendorId": "x", "data": "text"}) == {"status": "UnknownVendorId"}


def test_41_a_connector_that_does_not_exist_has_no_schedule() -> None:
    station = Station16()
    for number in (3, 99, -1):
        payload = {"connectorId": number, "duration": 60}
        assert station.ask("GetCompositeSchedule", payload) == {"status": "Rejected"}


def test_35_a_stop_of_an_earlier_transaction_touches_no_later_one() -> None:
    station = quiet()
    station.charge()
    station.finish()
    station.unplug()
    station.charge(session="s2")
    station.commanded()
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"})["status"] == "Rejected"
    assert station.commanded() == []


def test_24_a_triggered_boot_is_not_followed_by_the_former_wait() -> None:
    station = Station2(registration="Pending", interval_s=1800)
    station.requests()
    station.answers["BootNotification"]["status"] = "Accepted"
    station.ask("TriggerMessage", {"requestedMessage": "BootNotification"})
    assert [one["connectorStatus"] for one in station.payloads_of("StatusNotification")] == ["Available"] * 2


def test_3_a_kind_of_certificate_that_is_none_installs_nothing() -> None:
    station = quiet()
    station.commanded()
    with pytest.raises(MessageError) as found:
        station.ask("InstallCertificate", {"certificateType": "", "certificate": "-----BEGIN CERTIFICATE-----"})
    assert found.value.code != "InternalError" and station.commanded() == []
