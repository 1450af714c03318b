"""Tariffs at a station of OCPP 2.1: set, listed, cleared, changed, and the costs in the events of transactions."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.reservation import ReservationResult
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2
from tests.ocpp.tariffs.count import fixed, kwh, minute, vat
from tests.ocpp.variables.talk import Refused


def tariff(tariff_id: str = "T1", **fields: Any) -> dict[str, Any]:
    return {"tariffId": tariff_id, "currency": "EUR", **(fields or {"energy": {"prices": [kwh(0.5)]}})}


def priced(version: Version = Version.V21, **values: Any) -> Station2:
    station = Station2(version=version, **values)
    station.set("Enabled", True)
    station.other.clear()
    return station


def put(station: Station2, tariff_id: str = "T1", *, evse_id: int = 0, **fields: Any) -> str:
    answer = station.ask("SetDefaultTariff", {"evseId": evse_id, "tariff": tariff(tariff_id, **fields)})
    status: str = answer["status"]
    return status


def installed(station: Station2, evse_id: int = 0) -> dict[str, list[int]]:
    found = station.ask("GetTariffs", {"evseId": evse_id}).get("tariffAssignments", [])
    return {one["tariffId"]: one["evseIds"] for one in found}


def charged(station: Station2, until_Wh: float = 3_000.4, duration_s: float = 3600.0) -> None:
    station.measure(1_000.4)
    station.charge()
    station.pass_s(duration_s)
    station.measure(until_Wh)


def ended(station: Station2) -> dict[str, Any]:
    station.finish(energy_Wh=3_000.4)
    [event] = [one for one in station.events() if one["eventType"] == "Ended"]
    return event


# I07: the default tariff.


@pytest.mark.ocpp("I07.FR.10", "I09", "I09.FR.03", "I10.FR.01", "I09.FR.02", "I09.FR.04")
def test_a_default_tariff_is_installed_listed_and_cleared() -> None:
    station = priced()
    assert put(station) == "Accepted"
    assert station.ask("GetTariffs", {"evseId": 2}) == {
        "status": "Accepted",
        "tariffAssignments": [{"tariffId": "T1", "tariffKind": "DefaultTariff", "evseIds": [1, 2]}],
    }
    assert station.ask("ClearTariffs") == {"clearTariffsResult": [{"tariffId": "T1", "status": "Accepted"}]}
    assert station.ask("GetTariffs", {"evseId": 0}) == {"status": "NoTariff"}


@pytest.mark.ocpp("I07.FR.02", "I07.FR.03", "I07.FR.04", "I07.FR.05", "I07.FR.06")
def test_a_tariff_that_cannot_be_used_is_refused_with_its_reason() -> None:
    station = priced()
    for name, price in (("energy", kwh(1.0)), ("chargingTime", minute(1.0)), ("fixedFee", fixed(1.0))):
        eleven: Any = {name: {"prices": [price] * 11}}
        assert put(station, name, **eleven) == "TooManyElements"
        ten: Any = {name: {"prices": [price] * 10}}
        assert put(station, name, **ten) == "Accepted"
    assert put(station, "FIXEDFEE") == "DuplicateTariffId"
    for wrong in (
        {"minCost": {"exclTax": 1.0}},
        {"energy": {"prices": [kwh(1.0)]}, "maxCost": {}},
        {"energy": {"prices": [kwh(1e30)]}},
        {"energy": {"prices": [kwh(1.0)], "taxRates": vat((-5.0, 0))}},
        {"energy": {"prices": [kwh(1.0, startTimeOfDay="24:00")]}},
        {"energy": {"prices": [kwh(1.0, validFromDate="2023-02-30")]}},
        {"energy": {"prices": [kwh(1.0, minPower=1e300)]}},
    ):
        answer = station.ask("SetDefaultTariff", {"evseId": 0, "tariff": tariff("wrong", **wrong)})
        assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "InvalidValue"), wrong
    answer = station.ask("SetDefaultTariff", {"evseId": 3, "tariff": tariff("T3")})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "UnknownEvse")
    station.set("ConditionsSupported", False)
    assert put(station, "C", energy={"prices": [kwh(1.0, evseKind="AC")]}) == "ConditionNotSupported"
    assert put(station, "C", energy={"prices": [{"priceKwh": 1.0, "conditions": {}}]}) == "Accepted"


@pytest.mark.ocpp("I07.FR.01", "I11.FR.01")
def test_a_station_that_calculates_no_costs_refuses_tariffs() -> None:
    station = Station2(version=Version.V21)
    for action, payload in (
        ("SetDefaultTariff", {"evseId": 0, "tariff": tariff()}),
        ("ChangeTransactionTariff", {"transactionId": "s1", "tariff": tariff()}),
        ("ClearTariffs", {}),
    ):
        with pytest.raises(Refused, match="NotSupported"):
            station.ask(action, payload)


@pytest.mark.ocpp("I07", "I07.FR.11", "I07.FR.12", "I07.FR.13", "I07.FR.22", "I09.FR.01")
def test_a_tariff_takes_the_place_of_the_one_before_at_its_evses() -> None:
    station = priced()
    for number in range(1, 5):
        put(station, f"T{number}")
    put(station, "T5", evse_id=1)
    assert installed(station) == {"T4": [2], "T5": [1]}
    assert installed(station.restart()) == {"T4": [2], "T5": [1]}
    put(station, "T6")
    assert installed(station) == {"T6": [1, 2]}


@pytest.mark.ocpp(
    "I07.FR.19", "I07", "I10.FR.02", "I10.FR.03", "I10", "I10.FR.06", "I07.FR.20", "I07.FR.21", "I10.FR.05"
)
def test_a_tariff_of_the_future_waits_for_its_time() -> None:
    station = priced()
    put(station, "A")
    for name, minutes in (("B", 60), ("C", 120), ("D", 180)):
        put(station, name, validFrom=f"2023-11-15T{minutes // 60:02}:00:00Z", energy={"prices": [kwh(1.0)]})
    assert list(installed(station)) == ["A", "B", "C", "D"]
    cleared = station.ask("ClearTariffs", {"tariffIds": ["D", "E"], "evseId": 1})["clearTariffsResult"]
    assert cleared == [{"tariffId": "D", "status": "Accepted"}, {"tariffId": "E", "status": "NoTariff"}]
    assert installed(station, 1).keys() == {"A", "B", "C"} and installed(station)["D"] == [2]
    station.pass_s(3600)
    assert list(installed(station)) == ["B", "C", "D"]
    put(station, "past", validFrom="2023-11-15T00:30:00Z", energy={"prices": [kwh(1.0)]})
    assert list(installed(station)) == ["B", "C", "D"], "a later one is not replaced by an earlier one"
    station.pass_s(3600)
    assert list(installed(station)) == ["C", "D"]
    assert station.ask("ClearTariffs", {"tariffIds": ["X"]})["clearTariffsResult"] == [
        {"tariffId": "X", "status": "NoTariff"}
    ]
    station.ask("ClearTariffs")
    assert station.ask("ClearTariffs")["clearTariffsResult"] == [{"status": "NoTariff"}]


def test_tariffs_are_bounded() -> None:
    station = priced()
    for number in range(50):
        assert put(station, f"T{number}", validFrom=f"2024-01-01T00:{number:02}:00Z", energy={"prices": [kwh(1)]})
    assert put(station, "T50", validFrom="2025-01-01T00:00:00Z", energy={"prices": [kwh(1)]}) == "Rejected"


# I12: what a transaction costs.


@pytest.mark.ocpp("I12.FR.01", "I12", "I07", "I08.FR.22", "I07.FR.14", "I07.FR.32")
def test_the_last_event_has_the_cost_and_the_first_one_the_tariff() -> None:
    station = priced()
    put(station, energy={"prices": [kwh(0.5)], "taxRates": vat((20.0, 0))}, fixedFee={"prices": [fixed(1.0)]})
    charged(station)
    events = station.events()
    assert [one["transactionInfo"].get("tariffId") for one in events if one["eventType"] == "Started"] == ["T1"]
    assert sum("tariffId" in one["transactionInfo"] for one in events) == 1
    details = ended(station)["costDetails"]
    assert details["totalCost"]["total"] == {"exclTax": 2.0, "inclTax": 2.2}
    assert details["totalUsage"]["energy"] == 2000.0
    assert (details["totalUsage"]["chargingTime"], details["totalUsage"]["idleTime"]) == (3600, 0)


@pytest.mark.ocpp("I12.FR.02", "I12.FR.03")
def test_running_costs_are_sent_in_their_interval_without_periods() -> None:
    station = priced()
    station.set("Interval", 60)
    put(station, chargingTime={"prices": [minute(0.1)]})
    station.measure(1_000.4)
    station.charge()
    station.events()
    station.pass_s(150)
    sent = [one for one in station.events() if one["triggerReason"] == "RunningCost"]
    assert [one["costDetails"]["totalCost"]["total"]["inclTax"] for one in sent] == [0.1, 0.2]
    assert all("chargingPeriods" not in one["costDetails"] for one in sent)
    quiet = priced()
    quiet.set("Interval", 60)
    for variable in quiet.variables:
        if str(variable.id) == "TariffCostCtrlr.Enabled[RunningCost]":
            variable.attributes["Actual"].value = "false"
    put(quiet)
    charged(quiet)
    assert not [one for one in quiet.events() if one["triggerReason"] == "RunningCost"]


@pytest.mark.ocpp("I12.FR.10", "I12.FR.11")
def test_time_is_charged_by_the_charging_state() -> None:
    station = priced()
    put(station, chargingTime={"prices": [minute(1.0)]}, idleTime={"prices": [minute(0.1)]})
    station.measure(1_000.4)
    station.plug_in()
    station.start()
    station.pass_s(120)
    station.event(E.ChargingStarted)
    station.pass_s(90)
    station.event(E.ChargingPausedEV)
    station.pass_s(300)
    cost = ended(station)["costDetails"]["totalCost"]
    assert (cost["chargingTime"]["exclTax"], cost["idleTime"]["exclTax"]) == (1.5, 0.7)


@pytest.mark.ocpp("I02", "I03", "I12")
def test_the_display_has_the_cost_while_it_runs_and_at_the_end_even_offline() -> None:
    station = priced()
    station.set("TotalCostFallbackMessage", "ask the operator")
    put(station, chargingTime={"prices": [minute(0.1)]})
    station.measure(1_000.4)
    station.charge()
    station.pass_s(60)
    costs = station.published("session_cost")
    assert [(one.status.value, one.cost_chunks[0].cost.value) for one in costs][-1] == ("Running", 100)
    station.disconnect()
    station.pass_s(540)
    station.published("session_cost")
    station.finish()
    [final] = station.published("session_cost")
    assert (final.status.value, final.cost_chunks[0].cost.value, final.currency.code.value) == ("Finished", 1000, "EUR")


@pytest.mark.ocpp("I07", "I10.FR.07", "I09", "I07.FR.24")
def test_a_transaction_keeps_its_tariff_whatever_becomes_of_it() -> None:
    station = priced()
    put(station)
    station.measure(1_000.4)
    station.charge()
    assert station.ask("ClearTariffs")["clearTariffsResult"] == [{"tariffId": "T1", "status": "Accepted"}]
    assert installed(station) == {"T1": [1]}
    put(station, "T2", energy={"prices": [kwh(9.0)]})
    station.pass_s(60)
    assert ended(station)["costDetails"]["totalCost"]["total"]["exclTax"] == 1.0
    assert installed(station) == {"T2": [1, 2]}


def test_the_cost_is_kept_over_a_restart() -> None:
    station = priced()
    put(station, energy={"prices": [kwh(0.5)]}, chargingTime={"prices": [minute(0.1)]})
    charged(station, duration_s=600)
    station.pass_s(60)
    again = station.restart(connects=False)
    again.connect()
    [event] = [one for one in again.events() if one["eventType"] == "Ended"]
    assert event["transactionInfo"]["stoppedReason"] == "PowerLoss"
    assert event["costDetails"]["totalCost"]["energy"]["exclTax"] == 1.0
    assert event["costDetails"]["totalUsage"]["chargingTime"] == 660
    assert not again.tables.get("COSTS")
    resumed = station.restart(resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True)
    resumed.set("Enabled", True)
    resumed.measure(3_000.4)
    assert ended(resumed)["costDetails"]["totalCost"]["energy"]["exclTax"] == 1.0


@pytest.mark.ocpp("I12.FR.06", "I12.FR.07")
def test_a_reservation_that_is_used_is_charged() -> None:
    station = priced()
    put(station, reservationTime={"prices": [minute(0.1)]})
    station.results["reserve_now"] = ReservationResult.Accepted
    card = {"idToken": "DEADBEEF", "type": "ISO14443"}
    wanted = {"id": 7, "expiryDateTime": "2023-11-16T00:00:00Z", "evseId": 1, "idToken": card}
    assert station.ask("ReserveNow", wanted)["status"] == "Accepted"
    station.pass_s(1200)
    station = station.restart()
    station.set("Enabled", True)
    station.plug_in()
    station.start(reservation_id=7)
    cost = ended(station)["costDetails"]
    # The restart has its own clock: it begins at the second 0 again.
    assert cost["totalUsage"]["reservationTime"] == 0
    station = priced()
    put(station, reservationTime={"prices": [minute(0.1)]})
    station.results["reserve_now"] = ReservationResult.Accepted
    station.ask("ReserveNow", wanted)
    station.pass_s(1200)
    started: dict[str, Any] = {"reservation_id": 7}
    station.set("TxStartPoint", ("PowerPathClosed",))
    station.plug_in()
    station.start(**started)
    cost = ended(station)["costDetails"]
    assert cost["totalUsage"]["reservationTime"] == 1200
    assert cost["totalCost"]["reservationTime"]["exclTax"] == 2.0


@pytest.mark.ocpp("E16", "C17.FR.04")
def test_a_prepaid_card_stops_at_what_is_left_on_it() -> None:
    station = priced()
    put(station, chargingTime={"prices": [minute(6.0)]})
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxCost": 5.0}}
    station.measure(1_000.4)
    station.charge()
    station.pass_s(49)
    assert not station.commanded("pause_charging")
    station.pass_s(2)
    assert [name for name, _, _ in station.commanded("pause_charging")] == ["pause_charging"]
    [reached] = [one for one in station.events() if one["triggerReason"] == "CostLimitReached"]
    assert reached["eventType"] == "Updated"


# I08: the tariff of a driver.


@pytest.mark.ocpp("I08.FR.04", "I08.FR.05", "I08.FR.06", "I08.FR.10", "I08.FR.22", "I09")
def test_a_driver_is_charged_by_his_own_tariff() -> None:
    station = priced()
    put(station)
    mine = tariff("mine", energy={"prices": [kwh(0.1)]}, validFrom="2030-01-01T00:00:00Z")
    station.answers["Authorize"]["tariff"] = mine
    station.present("DEADBEEF")
    charged(station)
    assert installed(station, 1) == {"T1": [1, 2], "mine": [1]}
    [assignment] = [
        one for one in station.ask("GetTariffs", {"evseId": 1})["tariffAssignments"] if one["tariffId"] == "mine"
    ]
    assert (assignment["tariffKind"], assignment["idTokens"]) == ("DriverTariff", ["DEADBEEF"])
    event = ended(station)
    assert event["costDetails"]["totalCost"]["total"]["exclTax"] == 0.2
    assert installed(station) == {"T1": [1, 2]}


@pytest.mark.ocpp("I08.FR.22", "I08")
def test_a_token_after_the_begin_brings_its_tariff_for_the_whole_transaction() -> None:
    station = priced()
    station.set("TxStartPoint", ("EVConnected",))
    put(station, idleTime={"prices": [minute(1.0)]}, fixedFee={"prices": [fixed(9.0)]})
    station.answers["Authorize"]["tariff"] = tariff("mine", idleTime={"prices": [minute(0.1)]})
    station.measure(1_000.4)
    station.plug_in()
    station.pass_s(60)
    station.present("DEADBEEF")
    station.start()
    sent = [one["transactionInfo"].get("tariffId") for one in station.events()]
    assert [one for one in sent if one] == ["T1", "mine"]
    assert ended(station)["costDetails"]["totalCost"]["total"]["exclTax"] == 0.1
    alone = priced()
    alone.set("TxStartPoint", ("EVConnected",))
    alone.answers["Authorize"]["tariff"] = tariff("mine", idleTime={"prices": [minute(0.1)]})
    alone.measure(1_000.4)
    alone.plug_in()
    alone.pass_s(60)
    alone.present("DEADBEEF")
    alone.start()
    assert ended(alone)["costDetails"]["totalCost"]["total"]["exclTax"] == 0.1


@pytest.mark.ocpp("I08.FR.30", "I08.FR.31", "I08.FR.32", "I08.FR.33", "I08")
@pytest.mark.parametrize(
    ("handling", "status", "charged_by"),
    [("Deauthorize", "Invalid", "T1"), ("UseDefaultTariff", "Accepted", "T1"), ("CentralCost", "Accepted", None)],
)
def test_a_drivers_tariff_that_cannot_be_used(handling: str, status: str, charged_by: str | None) -> None:
    station = priced()
    station.set("HandleFailedTariff", handling)
    put(station)
    station.answers["Authorize"]["tariff"] = tariff("mine", energy={"prices": [kwh(0.1)] * 11})
    result = station.present("DEADBEEF")
    assert result.authorization_status.value == status
    [report] = list(station.payloads_of("NotifyEvent"))
    [event] = report["eventData"]
    assert (event["component"]["name"], event["variable"]["name"], event["actualValue"]) == (
        "TariffCostCtrlr",
        "Problem",
        "true",
    )
    assert (event["trigger"], event["techCode"]) == ("Alerting", "TooManyElements")
    charged(station)
    event = ended(station)
    assert [one["tariffId"] for one in event.get("costDetails", {}).get("chargingPeriods", [])] == (
        [charged_by] if charged_by else []
    )
    station.answers["Authorize"]["tariff"] = tariff("mine")
    assert station.present("OTHER").authorization_status.value == "Accepted"
    [entry] = [one for one in station.variables if str(one.id) == "TariffCostCtrlr.Problem"]
    assert entry.text() == "false"


def test_tariffs_of_drivers_survive_a_restart_and_are_bounded() -> None:
    station = priced()
    station.answers["Authorize"]["tariff"] = tariff("mine", energy={"prices": [kwh(0.1)]})
    for number in range(101):
        station.present(f"CARD{number}")
    assert len(station.tables["DRIVER_TARIFFS"]) == 100 and "card0" not in station.tables["DRIVER_TARIFFS"]
    station.present("DEADBEEF")
    again = station.restart()
    again.set("Enabled", True)
    charged(again)
    assert ended(again)["costDetails"]["totalCost"]["total"]["exclTax"] == 0.2


# I11: another tariff while the transaction runs.


@pytest.mark.ocpp("I11.FR.06", "I11.FR.07", "I11.FR.08")
def test_another_tariff_for_a_running_transaction() -> None:
    station = priced()
    put(station, chargingTime={"prices": [minute(0.1)]})
    station.measure(1_000.4)
    station.charge()
    station.pass_s(60)
    station.events()
    other = tariff("T99", chargingTime={"prices": [minute(1.0)]})
    assert station.ask("ChangeTransactionTariff", {"transactionId": "S1", "tariff": other}) == {"status": "Accepted"}
    [changed] = [one for one in station.events() if one["triggerReason"] == "TariffChanged"]
    assert changed["transactionInfo"]["tariffId"] == "T99"
    station.pass_s(60)
    details = ended(station)["costDetails"]
    assert details["totalCost"]["total"]["exclTax"] == 1.1
    assert [one["tariffId"] for one in details["chargingPeriods"]] == ["T1", "T99"]


@pytest.mark.ocpp("I11.FR.02", "I11.FR.03", "I11.FR.04", "I11.FR.05")
def test_a_change_that_is_not_possible() -> None:
    station = priced()
    put(station)

    def change(wanted: dict[str, Any], transaction: str = "s1") -> str:
        answer = station.ask("ChangeTransactionTariff", {"transactionId": transaction, "tariff": wanted})
        status: str = answer["status"]
        return status

    assert change(tariff("T2")) == "TxNotFound"
    charged(station)
    assert change(tariff("T2"), "other") == "TxNotFound"
    assert change({**tariff("T2"), "currency": "USD"}) == "NoCurrencyChange"
    assert change(tariff("T2", energy={"prices": [kwh(1.0)] * 11})) == "TooManyElements"
    assert change(tariff("T2", energy={"prices": [kwh(1.0, endTimeOfDay="1:00")]})) == "Rejected"
    station.set("ConditionsSupported", False)
    assert change(tariff("T2", energy={"prices": [kwh(1.0, evseKind="AC")]})) == "ConditionNotSupported"


def test_a_transaction_without_a_tariff_can_get_one() -> None:
    station = priced()
    station.measure(1_000.4)
    station.charge()
    station.pass_s(60)
    late = tariff("late", chargingTime={"prices": [minute(1.0)]}, fixedFee={"prices": [fixed(5.0)]})
    assert station.ask("ChangeTransactionTariff", {"transactionId": "s1", "tariff": late})["status"] == "Accepted"
    station.pass_s(30)
    assert ended(station)["costDetails"]["totalCost"]["total"]["exclTax"] == 0.5


# The display, the older version.


@pytest.mark.ocpp("I07", "I08")
def test_the_descriptions_of_tariffs_are_shown() -> None:
    station = priced()
    text = [{"format": "UTF8", "language": "en", "content": "0.50 EUR/kWh"}]
    put(station, description=text, energy={"prices": [kwh(0.5)]})
    assert [one.messages[0].content for one in station.published("default_price")] == ["0.50 EUR/kWh"]
    station.set("OfflineTariffFallbackMessage", "ask the operator")
    station.published("default_price")
    station.disconnect()
    assert station.published("default_price")[-1].messages[0].content == "0.50 EUR/kWh"
    station.connect()
    mine = [{"format": "UTF8", "language": "en", "content": "0.10 EUR/kWh"}]
    station.answers["Authorize"]["tariff"] = tariff("mine", description=mine, energy={"prices": [kwh(0.1)]})
    station.present("DEADBEEF")
    shown = station.published("tariff_message")
    assert shown[-1].messages[0].content == "0.10 EUR/kWh"


def test_under_2_0_1_there_are_no_tariffs() -> None:
    station = priced(Version.V201)
    charged(station)
    assert "costDetails" not in ended(station)


def test_a_failure_of_the_calculation_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    station = priced()
    put(station)
    station.measure(1_000.4)
    station.charge()

    def broken(*_: Any) -> None:
        raise ArithmeticError("too large")

    monkeypatch.setattr("chargebyte_fw.modules.ocpp.tariffs.cost.Cost.advance", broken)
    details = ended(station)["costDetails"]
    assert (details["failureToCalculate"], details["failureReason"]) == (True, "ArithmeticError: too large")


def test_what_was_written_down_and_cannot_be_read_is_deleted() -> None:
    station = priced()
    put(station)
    station.answers["Authorize"]["tariff"] = tariff("mine")
    station.present("CAFE")
    station.measure(1_000.4)
    station.charge()
    empty = b'{"tariff":{"tariffId":"x","currency":"EUR"},"evse_ids":[1],"set_at":"2023-11-15T00:00:00Z"}'
    for table in ("DEFAULT_TARIFFS", "DRIVER_TARIFFS", "COSTS", "RESERVED_SINCE"):
        station.tables.setdefault(table, {})["broken"] = b"{"
    station.tables["DEFAULT_TARIFFS"]["x"] = empty
    again = station.restart()
    again.set("Enabled", True)
    for table in ("DEFAULT_TARIFFS", "DRIVER_TARIFFS", "COSTS", "RESERVED_SINCE"):
        assert "broken" not in again.tables[table]
    assert installed(again) == {"T1": [1, 2]}


@pytest.mark.ocpp("I09")
def test_the_tariffs_of_an_evse_that_is_not_there() -> None:
    answer = priced().ask("GetTariffs", {"evseId": 3})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "UnknownEvse")


@pytest.mark.parametrize(("phases", "fee"), [(0, 3.0), (3, 1.0), (None, 1.0)])
def test_the_kind_of_an_evse_decides_about_a_price(phases: int | None, fee: float) -> None:
    station = priced()
    if phases is not None:
        station.set("SupplyPhases", phases)
    put(station, fixedFee={"prices": [fixed(3.0, evseKind="DC"), fixed(1.0, evseKind="AC")]})
    station.charge()
    assert ended(station)["costDetails"]["totalCost"]["total"]["exclTax"] == fee


def test_a_price_by_current_counts_all_phases() -> None:
    station = priced()
    put(station, energy={"prices": [kwh(1.0, minCurrent=47.9, maxCurrent=48.1), kwh(9.0)]})
    charged(station)
    cost = ended(station)["costDetails"]
    assert cost["totalCost"]["total"]["exclTax"] == 2.0
    kinds = {one["type"] for one in cost["chargingPeriods"][-1]["dimensions"]}
    assert {"MinCurrent", "MaxCurrent"} <= kinds
