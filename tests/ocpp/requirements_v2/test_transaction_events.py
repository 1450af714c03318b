"""What every use case of blocks E and F has of its events: numbers, triggers, meter values, signatures (2.x)."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types import units_signed
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.modules.ocpp.metering import meter_values_v2
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard.metering import ALIGNED_DATA_TX_ENDED_INTERVAL
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import (
    ENERGY,
    SAMPLED,
    STARTS,
    STOPS,
    by_card,
    heads,
    quiet,
    read,
    start,
    stop,
    values_of,
)
from tests.ocpp.stack import SIGNED, E, meter
from tests.ocpp.station2 import Station2


def ended_of(use_case: str, station: Station2) -> list[dict[str, Any]]:
    """End the session of a start; return all its events, those of an outage too."""
    by_card(station)
    if use_case == "E04":
        station.connect()
    return station.events()


@pytest.mark.ocpp("E01.FR.07", "E02.FR.07", "E03.FR.06", "E04.FR.04")
@pytest.mark.parametrize("use_case", STARTS)
def test_events_are_numbered_from_0_without_a_gap_however_the_session_began(use_case: str) -> None:
    numbers = [one["seqNo"] for one in ended_of(use_case, start(use_case))]
    assert numbers == list(range(len(numbers))) and len(numbers) > 2


@pytest.mark.ocpp("E06.FR.14", "E07.FR.11", "E08.FR.08", "E09.FR.04")
@pytest.mark.parametrize("use_case", STOPS)
def test_events_are_numbered_from_0_without_a_gap_however_the_session_ended(use_case: str) -> None:
    numbers = [one["seqNo"] for one in stop(use_case).events()]
    assert numbers == list(range(len(numbers))) and len(numbers) > 2


@pytest.mark.ocpp("E05.FR.04")
def test_events_of_a_token_that_is_refused_are_numbered_as_well() -> None:
    station = quiet(StopTxOnInvalidId=True)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    station.charge()
    by_card(station)
    numbers = [one["seqNo"] for one in station.events()]
    assert numbers == list(range(len(numbers))) and len(numbers) > 2


@pytest.mark.ocpp(
    "E01.FR.15", "E02.FR.15", "E02.FR.16", "E02.FR.17", "E03.FR.12", "F01.FR.17", "F01.FR.18", "F01.FR.19"
)
@pytest.mark.parametrize(
    ("use_case", "expected"),
    [
        ("E01", ["Authorized", "ChargingStateChanged"]),
        ("E02", ["CablePluggedIn", "Authorized", "ChargingStateChanged"]),
        ("E03", ["Authorized", "CablePluggedIn", "ChargingStateChanged"]),
        ("E04", ["Authorized", "ChargingStateChanged"]),
        ("F01", ["RemoteStart", "ChargingStateChanged"]),
        ("F02", ["RemoteStart", "CablePluggedIn", "ChargingStateChanged"]),
    ],
)
def test_the_trigger_of_each_event_is_what_happened(use_case: str, expected: list[str]) -> None:
    found = heads(ended_of(use_case, start(use_case)))
    assert found[: len(expected)] == [
        ("Started" if number == 0 else "Updated", trigger) for number, trigger in enumerate(expected)
    ]
    assert found[len(expected) :] == [("Ended", "StopAuthorized")]


@pytest.mark.ocpp("E06.FR.15", "E07.FR.02", "F03.FR.09", "F03.FR.03", "E15.FR.04")
@pytest.mark.parametrize(
    ("use_case", "trigger", "reason"),
    [
        ("E06", "EVConnectTimeout", "Timeout"),
        ("E07", "StopAuthorized", "Local"),
        ("E08", "StopAuthorized", "Local"),
        ("E09", "EVCommunicationLost", "EVDisconnected"),
        ("E15", "StopAuthorized", "StoppedByEV"),
        ("F03", "RemoteStop", "Remote"),
    ],
)
def test_the_last_event_has_the_trigger_and_the_reason_of_the_end(use_case: str, trigger: str, reason: str) -> None:
    ended = stop(use_case).events()[-1]
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", trigger)
    assert ended["transactionInfo"]["stoppedReason"] == reason
    assert ended.get("idToken", {}).get("idToken") == ("DEADBEEF" if use_case in ("E07", "E08") else None)


@pytest.mark.ocpp("E01.FR.09", "E02.FR.09", "E03.FR.07", "E04.FR.05", "F01.FR.14", "F02.FR.02")
@pytest.mark.parametrize("use_case", STARTS)
def test_started_has_the_measurands_that_are_configured(use_case: str) -> None:
    station = start(use_case, **SAMPLED)
    started = ended_of(use_case, station)[0]
    assert started["eventType"] == "Started"
    [(context, measurand, value)] = values_of(started)
    assert (context, measurand) == ("Transaction.Begin", ENERGY) and 1000 <= value <= 1000.4
    without = start(use_case, **{**SAMPLED, "TxStartedMeasurands": ()})
    assert "meterValue" not in ended_of(use_case, without)[0]


@pytest.mark.ocpp("E05.FR.05")
def test_started_has_them_for_a_token_that_is_refused_as_well() -> None:
    station = quiet(StopTxOnInvalidId=True, **SAMPLED)
    station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Blocked"}}
    station.charge()
    assert values_of(station.events()[0]) == [("Transaction.Begin", ENERGY, 1000.4)]


@pytest.mark.ocpp("E02.FR.10", "E03.FR.08", "E04.FR.06", "F01.FR.15", "F02.FR.03", "J02.FR.11")
@pytest.mark.parametrize("use_case", STARTS)
def test_updates_have_the_measurands_each_interval(use_case: str) -> None:
    station = start(use_case, **SAMPLED)
    read(station, 1200)
    station.pass_s(125)
    found = [one for one in ended_of(use_case, station) if one["triggerReason"] == "MeterValuePeriodic"]
    assert [one["eventType"] for one in found] == ["Updated"] * 2
    for one in found:
        assert [(context, measurand) for context, measurand, _ in values_of(one)] == [
            ("Sample.Periodic", ENERGY),
            *[("Sample.Periodic", "Voltage")] * 3,
        ]


@pytest.mark.ocpp("E11.FR.03", "E12.FR.03")
def test_updates_of_an_outage_have_them_too() -> None:
    station = quiet(**SAMPLED)
    station.charge()
    station.disconnect()
    read(station, 1200)
    station.pass_s(65)
    station.connect()
    [periodic] = [one for one in station.events() if one["triggerReason"] == "MeterValuePeriodic"]
    assert periodic["offline"] is True and values_of(periodic)[0] == ("Sample.Periodic", ENERGY, 1200.0)


@pytest.mark.ocpp("E06.FR.11", "E07.FR.08", "E08.FR.09", "E09.FR.05", "E15.FR.01", "F03.FR.04", "F04.FR.04")
@pytest.mark.parametrize("use_case", STOPS)
def test_ended_has_the_measurands_that_are_configured(use_case: str) -> None:
    ended = stop(use_case, **SAMPLED).events()[-1]
    assert ended["eventType"] == "Ended"
    assert values_of(ended) == [("Transaction.End", ENERGY, 2500.0)]


@pytest.mark.ocpp("E12.FR.07")
def test_ended_has_them_for_a_transaction_that_was_offline_as_a_whole() -> None:
    station = quiet(**SAMPLED)
    station.disconnect()
    station.charge()
    by_card(station)
    station.connect()
    assert values_of(station.events()[-1]) == [("Transaction.End", ENERGY, 2500.0)]


def signatures(event: dict[str, Any]) -> list[str]:
    """Return the signed data of an event's values, in their order."""
    sampled = itertools.chain.from_iterable(one["sampledValue"] for one in event.get("meterValue", []))
    return [one["signedMeterValue"]["signedMeterData"] for one in sampled if "signedMeterValue" in one]


@pytest.mark.ocpp("E02.FR.14", "E03.FR.10", "E04.FR.10", "J02.FR.21")
@pytest.mark.parametrize("use_case", STARTS)
def test_values_are_signed_from_the_begin_on(use_case: str) -> None:
    station = start(use_case, signed=True, SignReadings=True, **SAMPLED)
    station.pass_s(65)
    found = [one for one in ended_of(use_case, station) if one["triggerReason"] == "MeterValuePeriodic"]
    assert [signatures(one) for one in found] == [[SIGNED.signed_meter_data]]


@pytest.mark.ocpp("J02.FR.24")
def test_a_signed_value_has_the_method_that_the_meter_names() -> None:
    method = "ECDSA-secp256k1-SHA256"
    station = quiet(version=Version.V21, **SAMPLED, SignReadings=True)
    reading = meter(1000.4)
    signed = msgspec.structs.replace(SIGNED, signing_method=method)
    reading.energy_Wh_import_signed = units_signed.Energy(total=signed)
    station.feed(events.PowermeterReceived(1, reading))
    station.charge()
    station.pass_s(65)
    [periodic] = [one for one in station.events() if one["triggerReason"] == "MeterValuePeriodic"]
    value = periodic["meterValue"][0]["sampledValue"][0]["signedMeterValue"]
    assert value["signingMethod"] == method
    assert (value["signedMeterData"], value["encodingMethod"]) == (SIGNED.signed_meter_data, "OCMF")


@pytest.mark.ocpp("E05.FR.06", "E07.FR.12", "E08.FR.12", "E09.FR.08", "E11.FR.08", "E12.FR.10")
@pytest.mark.parametrize("use_case", [*STOPS, "E05", "E11", "E12"])
def test_values_are_signed_to_the_end(use_case: str) -> None:
    def signed(station: Station2) -> None:
        read(station, 1500, signed=True)
        if use_case == "E11":
            station.disconnect()
        station.pass_s(65)

    station = quiet(**SAMPLED, SignReadings=True)
    if use_case == "E05":
        station.answers["TransactionEvent"] = {"idTokenInfo": {"status": "Invalid"}}
    if use_case in STOPS:
        station = stop(use_case, signed=True, before=signed, SignReadings=True, **SAMPLED)
    else:
        read(station, 1000.4, signed=True)
        if use_case == "E12":
            station.disconnect()
        station.charge()
        signed(station)
        by_card(station)
        station.connect()
    periodic = [one for one in station.events() if one["triggerReason"] == "MeterValuePeriodic"]
    assert [signatures(one) for one in periodic] == [[SIGNED.signed_meter_data]]


def test_the_values_at_the_begin_are_in_ended_too_with_what_the_meter_signed_of_them() -> None:
    wanted = ("Energy.Active.Import.Register", "Voltage")
    station = quiet(TxEndedMeasurands=wanted, TxEndedInterval=0, TxUpdatedInterval=0)
    read(station, 1000.4)
    station.charge()
    station.pass_s(30)
    station.finish(StopTransactionReason.Local, start_signed_meter_value=SIGNED)
    begin, end = station.events()[-1]["meterValue"]
    for value, context, energy in ((begin, "Transaction.Begin", 1000.4), (end, "Transaction.End", 2500.0)):
        assert [one["measurand"] for one in value["sampledValue"]] == [wanted[0], *[wanted[1]] * 3]
        assert (value["sampledValue"][0]["context"], value["sampledValue"][0]["value"]) == (context, energy)
    assert begin["sampledValue"][0]["signedMeterValue"]["signedMeterData"] == SIGNED.signed_meter_data
    assert begin["timestamp"] < end["timestamp"]


@pytest.mark.ocpp(
    "E06.FR.12", "E06.FR.13", "E07.FR.09", "E07.FR.10", "E08.FR.10", "E08.FR.11", "E09.FR.06", "E09.FR.07"
)
@pytest.mark.ocpp("E15.FR.02", "E15.FR.03", "F03.FR.05", "F03.FR.06", "F04.FR.05", "F04.FR.06")
@pytest.mark.parametrize("use_case", STOPS)
def test_of_too_many_values_the_intermediate_ones_go_first(use_case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_values_v2, "MAX_ENDED_VALUES", 10)

    def sampled(station: Station2) -> None:
        station.variables.set(ALIGNED_DATA_TX_ENDED_INTERVAL, 0)
        for step in range(11):
            read(station, 1001 + step)
            station.pass_s(10)

    station = stop(use_case, before=sampled, **{**SAMPLED, "TxEndedInterval": 10, "TxUpdatedInterval": 0})
    kept = [one["sampledValue"][0]["value"] for one in station.events()[-1]["meterValue"]]
    assert kept == [1000.4, 1001.0, 1003.0, 1005.0, 1007.0, 1009.0, 1011.0, 2500.0]


@pytest.mark.ocpp("E12.FR.08", "E12.FR.09", "J02.FR.20")
def test_so_do_those_of_a_transaction_that_was_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter_values_v2, "MAX_ENDED_VALUES", 10)
    station = quiet(**{**SAMPLED, "TxEndedInterval": 10, "TxUpdatedInterval": 0})
    station.variables.set(ALIGNED_DATA_TX_ENDED_INTERVAL, 0)
    station.disconnect()
    station.charge()
    for step in range(11):
        read(station, 1001 + step)
        station.pass_s(10)
    by_card(station)
    station.connect()
    kept = [one["sampledValue"][0]["value"] for one in station.events()[-1]["meterValue"]]
    assert kept == [1000.4, 1001.0, 1003.0, 1005.0, 1007.0, 1009.0, 1011.0, 2500.0]


@pytest.mark.ocpp("E01.FR.18", "E01.FR.19", "E02.FR.13")
@pytest.mark.parametrize("use_case", ["E01", "E02"])
def test_each_change_of_the_charging_state_is_an_event_with_it(use_case: str) -> None:
    station = start(use_case)
    for kind in (E.ChargingPausedEV, E.ChargingStarted, E.ChargingPausedEVSE):
        station.event(kind)
    states = [one["transactionInfo"]["chargingState"] for one in station.events() if one["eventType"] == "Updated"]
    assert states[-4:] == ["Charging", "SuspendedEV", "Charging", "SuspendedEVSE"]
