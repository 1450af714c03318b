"""California Pricing in `customData` of OCPP 2.x: triggered meter values and texts in further languages."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.variables.standard import station as declared
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2

COST, LANGUAGES = "org.openchargealliance.costmsg", "org.openchargealliance.multilanguage"


def priced(**values: Any) -> Station2:
    station = Station2(TxUpdatedInterval=0, TxEndedInterval=0, Interval=0, **values)
    for variable in (declared.CUSTOM_COST_ENABLED, declared.CUSTOM_MULTI_LANGUAGE_ENABLED):
        station.variables.set(variable, True)
    station.set("Enabled", True)
    station.charge()
    station.requests()
    return station


def update(station: Station2, vendor: str = COST, **trigger: Any) -> None:
    data = {"vendorId": vendor, "triggerMeterValue": trigger}
    assert station.ask("CostUpdated", {"totalCost": 1.345, "transactionId": "s1", "customData": data}) == {}


def measure(station: Station2, energy_Wh: float = 1000.0, power_W: float = 0.0) -> int:
    """Measure; return how many messages of meter values were sent."""
    station.requests()
    reading = Powermeter(
        timestamp="2023-11-15T00:00:00.000Z",
        energy_Wh_import=units.Energy(total=energy_Wh),
        power_W=units.Power(total=power_W),
    )
    station.feed(events.PowermeterReceived(1, reading))
    return len(station.requests("MeterValues"))


def test_meter_values_at_a_time() -> None:
    station = priced()
    measure(station, 1001)
    update(station, atTime="2023-11-15T00:00:03Z")
    station.pass_s(2.9)
    assert station.requests("MeterValues") == []
    station.pass_s(0.2)
    [payload] = station.payloads_of("MeterValues")
    assert payload["evseId"] == 1
    [energy] = payload["meterValue"][0]["sampledValue"]
    assert (energy["context"], energy["value"]) == ("Other", 1001.0)


def test_the_time_of_the_values_is_that_of_the_meter_unless_its_clock_is_wrong() -> None:
    for stamp, expected in (
        ("2023-11-14T23:59:58.500Z", "58.500"),
        ("2001-01-01T00:00:00Z", "00.000"),
        ("?", "00.000"),
    ):
        station = priced()
        update(station, atEnergykWh=5.0)
        station.requests()
        reading = Powermeter(timestamp=stamp, energy_Wh_import=units.Energy(total=6000.0))
        station.feed(events.PowermeterReceived(1, reading))
        [payload] = station.payloads_of("MeterValues")
        assert payload["meterValue"][0]["timestamp"].endswith(f"{expected}Z")


def test_the_prices_of_cost_updated_are_published() -> None:
    station = priced()
    station.other.clear()
    data = {
        "vendorId": COST,
        "timestamp": "2023-11-15T00:00:00Z",
        "meterValue": 1234000,
        "state": "Charging",
        "chargingPrice": {"kWhPrice": 0.123, "hourPrice": 2.0, "flatFee": 42.42},
        "idlePrice": {"graceMinutes": 30, "hourPrice": 1.0},
        "nextPeriod": {"atTime": "2023-11-15T02:00:00Z", "chargingPrice": {"kWhPrice": 0.1}},
    }
    station.ask("CostUpdated", {"totalCost": 1.345, "transactionId": "s1", "customData": data})
    [cost] = station.published("session_cost")
    assert (cost.cost_chunks[0].metervalue_to, cost.cost_chunks[0].cost.value) == (1234000, 1345)
    prices = [(one.category.value, one.price.value.value, one.price.currency.code.value) for one in cost.charging_price]
    assert prices == [("Time", 2000, "EUR"), ("Energy", 123, "EUR"), ("FlatFee", 42420, "EUR")]
    assert (cost.idle_price.grace_minutes, cost.idle_price.hour_price.value.value) == (30, 1000)
    assert cost.next_period.charging_price[0].price.value.value == 100


def test_meter_values_at_an_energy_once_and_at_a_power_with_hysteresis() -> None:
    station = priced()
    update(station, atEnergykWh=5.0)
    assert [measure(station, energy_Wh) for energy_Wh in (4999, 6000, 7000)] == [0, 1, 0]
    update(station, atPowerkW=8.0)
    assert [measure(station, power_W=power_W) for power_W in (7000, 8000, 7700, 7500, 8100, 8500)] == [0, 1, 0, 1, 0, 1]


def test_the_answer_to_an_event_has_triggers_too_and_they_end_with_the_transaction() -> None:
    station = priced()
    data = {"vendorId": COST, "triggerMeterValue": {"atEnergykWh": 5.0}}
    station.answers["TransactionEvent"] = {"totalCost": 1.0, "customData": data}
    station.event(E.ChargingPausedEV)
    assert measure(station, 6000) == 1
    station.answers["TransactionEvent"] = {}
    update(station, atEnergykWh=8.0)
    station.finish()
    assert measure(station, 9000) == 0


def test_other_vendors_and_data_that_cannot_be_read_trigger_nothing() -> None:
    station = priced()
    update(station, "org.example", atEnergykWh=5.0)
    assert measure(station, 6000) == 0
    update(station, atEnergykWh="much")
    assert measure(station, 7000) == 0
    station.variables.set(declared.CUSTOM_COST_ENABLED, False)
    update(station, atEnergykWh=5.0)
    assert measure(station, 8000) == 0


def texts(found: list[Any]) -> list[tuple[str, str | None]]:
    return [(one.content, one.language) for one in found[-1].messages]


def test_texts_of_the_configuration_have_their_languages() -> None:
    station = priced()
    for instance, text in (("", "Tariff: 0.30 EUR/kWh"), ("de", "Tarif: 0,30 EUR/kWh")):
        where = {"name": "TariffFallbackMessage", **({"instance": instance} if instance else {})}
        data = {"component": {"name": "TariffCostCtrlr"}, "variable": where, "attributeValue": text}
        [result] = station.ask("SetVariables", {"setVariableData": [data]})["setVariableResult"]
        assert result["attributeStatus"] == "Accepted"
    station.other.clear()
    station.present("CAFE")
    expected = [("Tariff: 0.30 EUR/kWh", None), ("Tarif: 0,30 EUR/kWh", "de")]
    assert texts(station.published("tariff_message")) == expected


def test_the_message_of_a_driver_has_further_languages_in_its_custom_data() -> None:
    station = priced()
    station.answers["Authorize"]["idTokenInfo"] |= {
        "personalMessage": {"format": "UTF8", "content": "0.42"},
        "customData": {"vendorId": LANGUAGES, "personalMessageExtra": [{"content": "42 Cent", "language": "de"}]},
    }
    station.other.clear()
    station.present("CAFE")
    assert texts(station.published("tariff_message")) == [("0.42", None), ("42 Cent", "de")]
