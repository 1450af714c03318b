"""Limits of a transaction in OCPP 2.1 (E16): set, reached, raised, and gone with the transaction."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason as Reason
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TransactionLimitType
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.transactions.limits_v2 import TransactionLimits2
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2


def limited(*, TxStopPoint: tuple[str, ...] = ("EVConnected", "Authorized"), **limit: Any) -> Station2:
    station = Station2(version=Version.V21, TxStopPoint=TxStopPoint)
    station.answers["TransactionEvent"] = {"transactionLimit": limit} if limit else {}
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


@pytest.mark.ocpp("E16.FR.06")
@pytest.mark.parametrize("paused_first", [False, True])
def test_where_the_end_of_the_transfer_ends_it_a_limit_ends_it(paused_first: bool) -> None:
    for limit, reason, trigger, stopped in (
        ({"maxEnergy": 500.0}, Reason.EnergyLimitReached, "EnergyLimitReached", "EnergyLimitReached"),
        ({"maxTime": 60}, Reason.TimeLimitReached, "TimeLimitReached", "TimeLimitReached"),
        ({"maxSoC": 80}, Reason.SOCLimitReached, "SoCLimitReached", "SOCLimitReached"),
        ({"maxCost": 5.0}, Reason.LocalOutOfCredit, "CostLimitReached", "LocalOutOfCredit"),
    ):
        station = limited(TxStopPoint=("EnergyTransfer",), **limit)
        station.events()
        station.measure(1600)
        station.feed(events.FactReceived("evse_manager", "ev_info", EVInfo(soc=80.0), 1))
        station.ask("CostUpdated", {"totalCost": 5.0, "transactionId": "s1"})
        station.pass_s(60)
        [(name, evse_id, (request,))] = station.commanded("pause_charging", "stop_transaction")
        assert (name, evse_id, request.reason) == ("stop_transaction", 1, reason)
        station.events()
        if paused_first:
            station.event(E.ChargingPausedEVSE)
        station.finish(reason)
        [ended] = station.events()
        assert (ended["eventType"], ended["triggerReason"]) == ("Ended", trigger)
        assert ended["transactionInfo"]["stoppedReason"] == stopped


@pytest.mark.ocpp("E16.FR.10")
@pytest.mark.parametrize("limit", [{"maxEnergy": 500.0}, {"maxEnergy": -1.0}, {"maxCost": -0.5}, {"maxTime": 30}])
def test_a_limit_that_is_exceeded_when_it_is_set_counts_at_once(limit: dict[str, Any]) -> None:
    station = limited()
    station.measure(2000)
    station.pass_s(31)
    assert paused(station) == []
    station.answers["TransactionEvent"] = {"transactionLimit": limit}
    station.event(E.ChargingPausedEV)
    assert paused(station) == ["pause_charging"]
    assert station.events()[-1]["triggerReason"].endswith("LimitReached")


@pytest.mark.ocpp("E16.FR.16")
def test_the_cost_of_the_csms_does_not_count_where_the_station_has_a_tariff() -> None:
    station = Station2(version=Version.V21)
    station.set("Enabled", True)
    tariff = {"tariffId": "T1", "currency": "EUR", "chargingTime": {"prices": [{"priceMinute": 1.0}]}}
    assert station.ask("SetDefaultTariff", {"evseId": 0, "tariff": tariff}) == {"status": "Accepted"}
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxCost": 5.0}, "totalCost": 99.0}
    station.measure(1000)
    station.charge()
    station.ask("CostUpdated", {"totalCost": 99.0, "transactionId": "s1"})
    station.pass_s(299)
    assert paused(station) == []
    station.pass_s(2)
    assert paused(station) == ["pause_charging"]


@pytest.mark.ocpp("E16.FR.04")
def test_no_other_limit_is_above_that_of_the_csms_and_none_is_taken_away() -> None:
    station = limited(maxCost=20.0)
    limits = station.station.block(TransactionLimits2)
    station.answers["TransactionEvent"] = {}
    station.events()
    cases: tuple[tuple[dict[str, Any], dict[str, float] | None], ...] = (
        ({"max_cost": 50.0}, None),
        ({"max_cost": 10.0, "max_energy_Wh": 30_000.0}, {"maxCost": 10.0, "maxEnergy": 30_000.0}),
        ({"max_cost": 30.0}, {"maxCost": 20.0, "maxEnergy": 30_000.0}),
    )
    for wanted, reported in cases:
        assert limits.limit("s1", TransactionLimitType(**wanted))
        station.settle()
        found = [one["transactionInfo"]["transactionLimit"] for one in station.events()]
        assert found == ([] if reported is None else [reported])
    again = station.restart(going_on=frozenset({"s1"}))
    again.station.block(TransactionLimits2).limit("s1", TransactionLimitType(max_cost=99.0))
    again.settle()
    assert again.events() == [], "after a restart, too"


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
