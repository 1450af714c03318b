"""Operation modes of bidirectional transfer: reported when they change, with measurands of their own (K01, Q01)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import units
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import SAMPLED, export, quiet, values_of
from tests.ocpp.station2 import Station2

MODES = ("ChargingOnly", "CentralSetpoint", "CentralFrequency", "LocalFrequency", "Idle")


def period(start_s: int, mode: str | None = None) -> dict[str, Any]:
    values: dict[str, Any] = {} if mode in ("Idle",) else {"limit": 11000.0}
    if mode in ("CentralSetpoint", "CentralFrequency"):
        values |= {"setpoint": 5000.0}
    return {"startPeriod": start_s, **values, **({"operationMode": mode} if mode else {})}


def profile(*periods: dict[str, Any], **more: Any) -> dict[str, Any]:
    schedule = {
        "id": 1,
        "startSchedule": "2023-11-15T00:00:00Z",
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": list(periods),
    }
    return {
        "id": 1,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxProfile",
        "chargingProfileKind": "Absolute",
        "transactionId": "s1",
        "chargingSchedule": [schedule],
        **more,
    }


def discharging(version: Version = Version.V21, **values: Any) -> Station2:
    """A station whose car charges at an EVSE that can discharge."""
    station = quiet(version=version, **SAMPLED, **values)
    station.variables.set(iso15118.V2X_AVAILABLE.at(1), True)
    station.variables.set(iso15118.V2X_ENABLED.at(1), True)
    station.variables.set(iso15118.SUPPORTED_OPERATION_MODES.at(1), MODES)
    return station


def put(station: Station2, one: dict[str, Any]) -> None:
    assert station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": one}) == {"status": "Accepted"}
    station.pass_s(0)


def modes(sent: list[dict[str, Any]]) -> list[str]:
    """The modes that were reported; no other event has one."""
    changed = [one for one in sent if one["triggerReason"] == "OperationModeChanged"]
    assert [one for one in sent if "operationMode" in one["transactionInfo"]] == changed
    assert {one["eventType"] for one in changed} <= {"Updated"}
    return [one["transactionInfo"]["operationMode"] for one in changed]


@pytest.mark.ocpp("K01.FR.110")
def test_each_change_of_the_mode_is_reported_when_its_period_starts() -> None:
    station = discharging()
    station.charge()
    assert modes(station.events()) == []
    setpoint = "CentralSetpoint"
    put(station, profile(period(0), period(60, setpoint), period(90, setpoint), period(100, "Idle"), period(130)))
    assert modes(station.events()) == [], "without a mode it is ChargingOnly, as before"
    elapsed_s = station.now
    station.pass_s(59 - (elapsed_s - int(elapsed_s)))
    for pause_s, expected in ((2, ["CentralSetpoint"]), (37, []), (3, ["Idle"]), (30, ["ChargingOnly"]), (600, [])):
        station.pass_s(pause_s)
        assert modes(station.events()) == expected


@pytest.mark.ocpp("K01.FR.110")
def test_a_profile_that_comes_or_goes_changes_the_mode_at_once() -> None:
    station = discharging()
    station.charge()
    station.events()
    put(station, profile(period(0, "CentralSetpoint")))
    assert modes(station.events()) == ["CentralSetpoint"]
    put(station, profile(period(0, "CentralSetpoint")))
    assert modes(station.events()) == []
    assert station.ask("ClearChargingProfile", {"chargingProfileId": 1}) == {"status": "Accepted"}
    station.pass_s(0)
    assert modes(station.events()) == ["ChargingOnly"]


@pytest.mark.ocpp("K01.FR.110")
def test_the_mode_of_a_default_profile_is_that_of_each_transaction() -> None:
    station = discharging()
    default = profile(period(0, "CentralSetpoint"), chargingProfilePurpose="TxDefaultProfile")
    del default["transactionId"]
    put(station, default)
    for _ in range(2):
        station.charge()
        station.pass_s(1)
        assert modes(station.events()) == ["CentralSetpoint"]
        station.finish()
        station.unplug()
        assert modes(station.events()) == []


MORE = {
    iso15118.V2X_TX_STARTED_MEASURANDS: ("SoC", "Power.Active.Export"),
    iso15118.V2X_TX_UPDATED_MEASURANDS: ("Power.Active.Export",),
    iso15118.V2X_TX_ENDED_MEASURANDS: ("Voltage",),
}


@pytest.mark.ocpp("Q01.FR.33", "Q01.FR.34", "Q01.FR.35")
@pytest.mark.parametrize(
    ("version", "mode", "more"),
    [
        (Version.V21, "CentralSetpoint", True),
        (Version.V21, None, False),
        (Version.V21, "Idle", False),
    ],
)
def test_a_mode_has_measurands_in_addition(version: Version, mode: str | None, more: bool) -> None:
    station = discharging(version)
    for variable, names in MORE.items():
        station.variables.add(variable.at(1, instance="CentralSetpoint"))
        station.variables.set(variable.at(1, instance="CentralSetpoint"), names)
    default = profile(period(0, mode), chargingProfilePurpose="TxDefaultProfile")
    del default["transactionId"]
    put(station, default)
    read_both(station)
    station.charge()
    station.pass_s(61)
    found = station.events()
    station.finish()
    found += station.events()
    energy = "Energy.Active.Import.Register"
    started, ended = found[0], found[-1]
    [updated] = [one for one in found if one["triggerReason"] == "MeterValuePeriodic"]
    assert measurands(started) == {energy} | ({"Power.Active.Export"} if more else set())
    assert measurands(updated) == {energy, "Voltage"} | ({"Power.Active.Export"} if more else set())
    assert measurands(ended) == {energy} | ({"Voltage"} if more else set())


def measurands(event: dict[str, Any]) -> set[str]:
    return {measurand for _, measurand, _ in values_of(event)}


def read_both(station: Station2) -> None:
    """Let the meter publish power and voltage, too."""
    reading = export(1000.0)
    reading.power_W = units.Power(total=-500.0)
    reading.voltage_V = units.Voltage(L1=230.0)
    station.feed(events.PowermeterReceived(1, reading))
