"""Requirements of tariffs and costs that stand alone: places of tariffs, problem indicator, end (I07 to I12)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chargebyte_fw.contracts.types import units
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard.authorization import AUTH_CACHE_ENABLED
from chargebyte_fw.modules.ocpp.variables.standard.cost import TARIFF_INTERVAL, TARIFF_PROBLEM
from chargebyte_fw.modules.ocpp.variables.standard.station import (
    NEXT_TIME_OFFSET_TRANSITION,
    TIME_OFFSET,
    TIME_OFFSET_NEXT,
)
from tests.ocpp.stack import meter
from tests.ocpp.station2 import Station2
from tests.ocpp.tariffs.count import kwh, minute
from tests.ocpp.tariffs.test_sessions import charged, ended, installed, priced, put, tariff

TOO_MANY = {"energy": {"prices": [kwh(0.1)] * 11}}


def assignments(station: Station2, evse_id: int = 0) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = station.ask("GetTariffs", {"evseId": evse_id}).get("tariffAssignments", [])
    return found


def notices(station: Station2) -> list[dict[str, Any]]:
    """Return the events about `TariffCostCtrlr.Problem` since the last call."""
    found = [event for report in station.payloads_of("NotifyEvent") for event in report["eventData"]]
    station.requests()
    assert {(one["component"]["name"], one["variable"]["name"]) for one in found} <= {("TariffCostCtrlr", "Problem")}
    return found


@pytest.mark.ocpp("I07.FR.23")
def test_a_tariff_that_becomes_valid_later_outlives_one_that_does_so_earlier() -> None:
    station = priced()
    put(station, "later", validFrom="2023-11-15T02:00:00Z", energy={"prices": [kwh(1.0)]})
    put(station, "earlier", validFrom="2023-11-15T01:00:00Z", energy={"prices": [kwh(1.0)]})
    assert list(installed(station)) == ["later", "earlier"]
    station.pass_s(3600)
    assert list(installed(station)) == ["later", "earlier"], "the later one waits on"
    station.pass_s(3600)
    assert list(installed(station)) == ["later"]


@pytest.mark.ocpp("I09.FR.05", "I09.FR.06", "I09.FR.07", "I08.FR.07")
@pytest.mark.parametrize("cached", [False, True])
def test_tariffs_are_listed_with_their_drivers_their_places_and_their_time(cached: bool) -> None:
    station = priced()
    station.variables.set(AUTH_CACHE_ENABLED, cached)
    put(station, "default", validFrom="2023-11-14T00:00:00Z", energy={"prices": [kwh(1.0)]})
    default = {
        "tariffId": "default",
        "tariffKind": "DefaultTariff",
        "validFrom": "2023-11-14T00:00:00.000Z",
        "evseIds": [1, 2],
    }
    station.answers["Authorize"]["tariff"] = tariff("MSP02")
    station.present("FBFB0000")
    waiting = {"tariffId": "MSP02", "tariffKind": "DriverTariff", "idTokens": ["FBFB0000"]}
    station.answers["Authorize"]["tariff"] = tariff("MSP01")
    station.present("DEADBEEF")
    station.charge()
    charging = {"tariffId": "MSP01", "tariffKind": "DriverTariff", "evseIds": [1], "idTokens": ["DEADBEEF"]}
    assert assignments(station) == [default, charging, waiting]
    assert assignments(station, 1) == [default, charging], "the other one has no EVSE yet"
    station.pass_s(120)  # EVConnectionTimeOut
    assert assignments(station) == [default, charging], "no car has come for the other one"
    assert ("fbfb0000" in station.tables["DRIVER_TARIFFS"]) is cached
    ended(station)
    assert assignments(station) == [default]


@pytest.mark.ocpp("I08.FR.35", "I08.FR.36")
@pytest.mark.parametrize("monitored", [False, True])
def test_a_driver_s_tariff_that_can_be_used_ends_the_problem(monitored: bool) -> None:
    station = priced()
    if monitored:
        wanted = {
            "component": {"name": "TariffCostCtrlr"},
            "variable": {"name": "Problem"},
            "type": "Delta",
            "value": 1.0,
            "severity": 5,
        }
        [result] = station.ask("SetVariableMonitoring", {"setMonitoringData": [wanted]})["setMonitoringResult"]
        assert result["status"] == "Accepted"
    station.answers["Authorize"]["tariff"] = tariff("mine", **TOO_MANY)
    station.present("DEADBEEF")
    assert station.variables.get(TARIFF_PROBLEM) is True
    notices(station)
    station.answers["Authorize"]["tariff"] = tariff("mine")
    station.present("OTHER")
    assert station.variables.get(TARIFF_PROBLEM) is False
    found = notices(station)
    assert [one["actualValue"] for one in found if one["eventNotificationType"] == "HardWiredNotification"] == (
        [] if monitored else ["false"]
    )
    assert all(one["trigger"] == "Alerting" for one in found if not monitored)
    station.present("THIRD")
    assert notices(station) == [], "once"


@pytest.mark.ocpp("I12.FR.14", "I12.FR.18", "I12.FR.19", "I12.FR.43", "I12.FR.44")
def test_a_cost_that_cannot_be_calculated_is_a_problem_until_one_can(monkeypatch: pytest.MonkeyPatch) -> None:
    station = priced()
    put(station)
    station.measure(1_000.4)
    station.charge()
    station.requests()

    def broken(*_: Any) -> None:
        raise ArithmeticError("too large")

    with monkeypatch.context() as patch:
        patch.setattr("chargebyte_fw.modules.ocpp.tariffs.cost.Cost.advance", broken)
        station.finish()
    [event] = [one for one in station.payloads_of("TransactionEvent") if one["eventType"] == "Ended"]
    assert event["costDetails"]["failureToCalculate"] is True
    assert station.variables.get(TARIFF_PROBLEM) is True
    [notice] = notices(station)
    assert (notice["trigger"], notice["eventNotificationType"]) == ("Alerting", "HardWiredNotification")
    assert (notice["actualValue"], notice["techInfo"]) == ("true", "ArithmeticError: too large")
    station.unplug()
    station.charge(session="s2")
    station.requests()
    station.finish(session="s2")
    assert station.variables.get(TARIFF_PROBLEM) is False
    [notice] = notices(station)
    assert (notice["trigger"], notice["actualValue"]) == ("Alerting", "false")
    assert notice["eventNotificationType"] == "HardWiredNotification"


@pytest.mark.ocpp("I12.FR.42")
def test_the_cost_is_counted_up_to_the_last_reading_before_the_last_event() -> None:
    station = priced()
    put(station)
    charged(station, until_Wh=1_500.4)
    details = ended(station)["costDetails"]  # the reading of the end is 3000.4 Wh
    assert details["totalUsage"]["energy"] == 2000.0
    assert details["totalCost"]["total"]["exclTax"] == 1.0


@pytest.mark.ocpp("I12.FR.32")
def test_without_an_interval_a_change_of_the_power_counts_at_once() -> None:
    by_power: dict[str, Any] = {"chargingTime": {"prices": [minute(6.0, minPower=20_000.0), minute(0.6)]}}
    station = priced()
    wanted = {
        "component": {"name": "TariffCostCtrlr"},
        "variable": {"name": "Interval", "instance": "Tariff"},
        "attributeValue": "0",
    }
    [result] = station.ask("SetVariables", {"setVariableData": [wanted]})["setVariableResult"]
    assert result["attributeStatus"] == "Accepted" and station.variables.get(TARIFF_INTERVAL) == 0
    put(station, **by_power)
    station.measure(1_000.4)
    station.charge()
    counted = []
    for _ in range(3):
        station.pass_s(1)
        counted += [one.cost_chunks[0].cost.value for one in station.published("session_cost")]
    assert counted[-3:] == [10, 20, 30], "each second"
    fast = meter(1_010.0)
    fast.power_W = units.Power(total=22_000.0)
    station.feed(events.PowermeterReceived(1, fast))
    for _ in range(3):
        station.pass_s(1)
        counted += [one.cost_chunks[0].cost.value for one in station.published("session_cost")]
    assert counted[-2:] == [140, 240], "ten times the price from the next look on"


@pytest.mark.ocpp("I12.FR.37")
def test_times_of_the_day_follow_the_local_time_when_summer_time_ends() -> None:
    """At 00:30 UTC it is 02:30 of summer time, when the price ends; half an hour later it is 02:00 again."""
    station = priced()
    station.variables.set(TIME_OFFSET, "+02:00")
    station.variables.set(TIME_OFFSET_NEXT, "+01:00")
    station.variables.set(NEXT_TIME_OFFSET_TRANSITION, "2023-11-15T01:00:00Z")
    put(
        station,
        chargingTime={"prices": [minute(1.0, startTimeOfDay="02:00", endTimeOfDay="02:30"), minute(0.01)]},
    )
    station.measure(1_000.4)
    station.charge()
    station.pass_s(timedelta(hours=2).total_seconds())
    details = ended(station)["costDetails"]
    begins = [one["startPeriod"][11:16] for one in details["chargingPeriods"]]
    assert begins == ["00:00", "00:30", "01:00", "01:30"]
    assert details["totalCost"]["chargingTime"]["exclTax"] == pytest.approx(30 + 0.3 + 30 + 0.3)
