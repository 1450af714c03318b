"""Limits of a transaction in OCPP 2.1 (E16): set, reached, raised, and gone with the transaction."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2


def limited(**limit: Any) -> Station2:
    station = Station2(version=Version.V21)
    station.answers["TransactionEvent"] = {"transactionLimit": limit}
    station.measure(1000)
    station.charge()
    return station


def paused(station: Station2) -> list[str]:
    return [name for name, _, _ in station.commanded("pause_charging", "resume_charging")]


@pytest.mark.ocpp("E16", "E16.FR.03")
def test_a_limit_is_confirmed_once_with_its_values() -> None:
    station = limited(maxEnergy=500.0)
    confirmed = [one for one in station.events() if one["triggerReason"] == "LimitSet"]
    assert [one["transactionInfo"]["transactionLimit"] for one in confirmed] == [{"maxEnergy": 500.0}]


@pytest.mark.ocpp("E16", "E16.FR.05", "E16.FR.14")
def test_at_the_energy_limit_the_transfer_is_suspended_and_goes_on_when_it_is_raised() -> None:
    station = limited(maxEnergy=500.0)
    station.measure(1500.3)
    station.pass_s(1)
    assert paused(station) == []
    station.measure(1500.4)
    station.pass_s(1)
    assert paused(station) == ["pause_charging"]
    reached = station.events()[-1]
    assert (reached["eventType"], reached["triggerReason"]) == ("Updated", "EnergyLimitReached")
    station.pass_s(60)
    assert paused(station) == [], "once"
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 900.0}}
    station.pass_s(120)
    assert paused(station) == ["resume_charging"]


@pytest.mark.ocpp("E16", "E16.FR.05", "E16.FR.09", "E16.FR.15")
def test_time_state_of_charge_and_cost_are_limits_as_well() -> None:
    station = limited(maxTime=60)
    station.pass_s(59)
    assert paused(station) == []
    station.pass_s(1)
    assert paused(station) == ["pause_charging"] and station.events()[-1]["triggerReason"] == "TimeLimitReached"
    station = limited(maxSoC=80)
    station.feed(events.FactReceived("evse_manager", "ev_info", EVInfo(soc=80.0), 1))
    station.pass_s(1)
    assert paused(station) == ["pause_charging"] and station.events()[-1]["triggerReason"] == "SoCLimitReached"
    station = limited(maxCost=5.0)
    station.ask("CostUpdated", {"totalCost": 4.99, "transactionId": "s1"})
    assert paused(station) == []
    station.ask("CostUpdated", {"totalCost": 5.0, "transactionId": "s1"})
    assert paused(station) == ["pause_charging"] and station.events()[-1]["triggerReason"] == "CostLimitReached"


def test_a_limit_ends_with_its_transaction_and_is_of_2_1_alone() -> None:
    station = limited(maxTime=60)
    station.finish()
    station.unplug()
    station.pass_s(100)
    assert paused(station) == []
    older = Station2(version=Version.V201)
    older.charge()
    older.pass_s(1000)
    assert "LimitSet" not in [one["triggerReason"] for one in older.events()]
