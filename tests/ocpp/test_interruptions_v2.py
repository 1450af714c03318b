"""Transactions that power or software have interrupted, and those of a reset (E17, B13): what goes on, and how."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E, meter, token
from tests.ocpp.station2 import Station2


def charging(**values: Any) -> Station2:
    station = Station2(version=Version.V21, **{"ResumptionTimeout": 100, **values})
    station.measure(1_000.4)
    station.charge()
    station.measure(2_000.0)
    station.pass_s(60)
    return station


def away(station: Station2, away_s: float, **values: Any) -> Station2:
    """The station after an interruption that was noted `away_s` ago, with the car that is still plugged in."""
    [(key, row)] = station.tables["TRANSACTIONS"].items()
    kept = json.loads(row)
    seconds = 86_400 - away_s  # of the day before: each run of these tests begins at the same time
    kept["seen_at"] = f"2023-11-14T{int(seconds) // 3600:02}:{int(seconds) // 60 % 60:02}:{seconds % 60:06.3f}Z"
    station.tables["TRANSACTIONS"][key] = json.dumps(kept).encode()
    return station.restart(**{"ResumptionTimeout": 100, **values})


def car_is_there(station: Station2) -> list[dict[str, Any]]:
    """The car begins another session, which the token of the transaction authorizes; return the events."""
    station.plug_in(session="s2")
    [presented] = station.published("provided_token")
    assert (presented.id_token.value, presented.prevalidated, presented.connectors) == ("DEADBEEF", True, [1])
    station.start(session="s2")
    return station.events()


def energy(station: Station2) -> list[str]:
    return [name for name, _, _ in station.commanded("pause_charging", "resume_charging")]


@pytest.mark.ocpp("E17.FR.02", "E17.FR.10", "E17.FR.20")
@pytest.mark.parametrize(("away_s", "goes_on"), [(99.0, True), (101.0, False)])
def test_the_interruption_counts_from_when_the_transaction_was_last_noted(away_s: float, goes_on: bool) -> None:
    station = charging()
    kept = json.loads(station.tables["TRANSACTIONS"]["s1"])
    assert kept["seen_at"] == "2023-11-15T00:00:50Z", "each quarter of ResumptionTimeout"
    again = away(station, away_s)
    found = again.events()
    assert ([one["eventType"] for one in found] == []) is goes_on
    if goes_on:
        [resumed] = car_is_there(again)
        assert (resumed["triggerReason"], resumed["transactionInfo"]["transactionId"]) == ("TxResumed", "s1")
    else:
        [ended] = found
        assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "AbnormalCondition")


@pytest.mark.ocpp("E17.FR.20")
def test_without_the_variable_and_in_2_0_1_nothing_outlives_an_interruption() -> None:
    for station in (charging(ResumptionTimeout=0), Station2(version=Version.V201)):
        if station.version is Version.V201:
            station.charge()
        assert station.restart(ResumptionTimeout=0).events()[-1]["transactionInfo"]["stoppedReason"] == "PowerLoss"


@pytest.mark.ocpp("E17.FR.11", "E17.FR.13")
@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize("state", ["Charging", "SuspendedEV", "SuspendedEVSE", "EVConnected"])
def test_a_session_that_the_stack_resumes_has_the_state_that_it_had(state: str, allowed: bool) -> None:
    station = Station2(version=Version.V21)
    station.plug_in()
    station.start()
    if state != "EVConnected":
        station.event(E.ChargingStarted)
    if state.startswith("Suspended"):
        station.event(E.ChargingPausedEV if state == "SuspendedEV" else E.ChargingPausedEVSE)
    again = station.restart(
        resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True, AllowEnergyTransferResumption=allowed
    )
    [resumed] = [one for one in again.events() if one["triggerReason"] == "TxResumed"]
    held = not allowed and state in ("Charging", "SuspendedEV")
    assert resumed["transactionInfo"]["chargingState"] == ("SuspendedEVSE" if held else state)
    assert energy(again) == ["pause_charging"] * held


@pytest.mark.ocpp("E17.FR.12")
@pytest.mark.parametrize("by_the_stack", [True, False])
def test_no_energy_flows_where_it_is_not_allowed_to_go_on(by_the_stack: bool) -> None:
    if by_the_stack:
        again = charging().restart(
            resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True, AllowEnergyTransferResumption=False
        )
        [resumed] = [one for one in again.events() if one["triggerReason"] == "TxResumed"]
    else:
        again = away(charging(), 10.0, AllowEnergyTransferResumption=False)
        [resumed] = car_is_there(again)
    assert resumed["transactionInfo"]["chargingState"] in ("SuspendedEVSE", "EVConnected")
    assert energy(again) == ["pause_charging"]
    again.pass_s(3600)
    assert energy(again) == []


@pytest.mark.ocpp("E17.FR.16", "E17.FR.17")
@pytest.mark.parametrize(
    ("stop_point", "ends"), [("EVConnected", True), ("PowerPathClosed", True), ("Authorized", False)]
)
def test_a_car_that_has_left_meanwhile_ends_the_transaction_where_that_is_its_stop_point(
    stop_point: str, ends: bool
) -> None:
    again = away(charging(), 10.0, TxStopPoint=(stop_point,))
    again.pass_s(29)
    assert again.events() == []
    again.pass_s(1)
    [found] = again.events()
    if ends:
        assert (found["eventType"], found["triggerReason"]) == ("Ended", "EVCommunicationLost")
        assert found["transactionInfo"]["stoppedReason"] == "EVDisconnected"
        return
    assert (found["eventType"], found["triggerReason"]) == ("Updated", "TxResumed")
    assert found["transactionInfo"] == {"transactionId": "s1", "chargingState": "Idle"} | {
        name: value for name, value in found["transactionInfo"].items() if name == "timeSpentCharging"
    }
    [plugged] = car_is_there(again)
    assert plugged["triggerReason"] == "CablePluggedIn"


@pytest.mark.ocpp("E17.FR.17")
def test_another_driver_ends_a_transaction_that_waits_for_its_car() -> None:
    again = away(charging(), 10.0)
    again.plug_in(session="s2")
    begun = evse.TransactionStarted(id_tag=token("OTHER"), meter_value=meter(2_000))
    again.event(E.TransactionStarted, "s2", transaction_started=begun)
    found = [(one["eventType"], one["transactionInfo"]["transactionId"]) for one in again.events()]
    assert found == [("Ended", "s1"), ("Started", "s2")]


@pytest.mark.ocpp("E17.FR.18")
def test_energy_goes_on_after_a_pause_of_its_own_in_each_transaction() -> None:
    pauses = set()
    for number in range(8):
        station = charging(EnergyTransferResumptionRandomRange=600)
        row = json.loads(station.tables["TRANSACTIONS"].pop("s1")) | {"transaction_id": f"session-{number}"}
        station.tables["TRANSACTIONS"][f"session-{number}"] = json.dumps(row).encode()
        again = away(station, 10.0, EnergyTransferResumptionRandomRange=600)
        car_is_there(again)
        assert energy(again) == ["pause_charging"]
        begun = again.now
        while energy(again) == []:
            again.pass_s(1)
            assert again.now - begun <= 600
        pauses.add(again.now - begun)
    assert len(pauses) > 4
    quick = away(charging(), 10.0)
    car_is_there(quick)
    assert energy(quick) == []


@pytest.mark.ocpp("E17.FR.21", "E17.FR.22")
@pytest.mark.parametrize(
    ("reason", "stopped"),
    [
        (BootReason.PowerUp, "PowerLoss"),
        (BootReason.Unknown, "PowerLoss"),
        (BootReason.Watchdog, "Reboot"),
        (BootReason.ApplicationReset, "Reboot"),
        (BootReason.FirmwareUpdate, "Reboot"),
    ],
)
def test_the_end_names_power_or_the_station_as_its_cause(reason: BootReason, stopped: str) -> None:
    [ended] = charging(ResumptionTimeout=0).restart(boot_reason=reason).events()
    assert (ended["eventType"], ended["triggerReason"]) == ("Ended", "AbnormalCondition")
    assert ended["transactionInfo"]["stoppedReason"] == stopped


@pytest.mark.ocpp("B13.FR.23", "B13.FR.24", "B13.FR.25")
@pytest.mark.parametrize("allowed", [True, False])
def test_a_transaction_goes_on_after_a_reset_however_long_that_took(allowed: bool) -> None:
    station = charging()
    assert station.ask("Reset", {"type": "ImmediateAndResume"}) == {"status": "Accepted"}
    station.pass_s(1)
    again = away(station, 40_000.0, AllowEnergyTransferResumption=allowed)
    again.pass_s(50)
    [resumed] = car_is_there(again)
    assert (resumed["triggerReason"], resumed["transactionInfo"]["transactionId"]) == ("TxResumed", "s1")
    assert energy(again) == ([] if allowed else ["pause_charging"])
    again.event(E.ChargingStarted if allowed else E.ChargingPausedEVSE, "s2")
    [state] = again.events()
    assert state["transactionInfo"]["chargingState"] == ("Charging" if allowed else "SuspendedEVSE")
