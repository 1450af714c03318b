"""California Pricing of OCPP 1.6: user prices, running and final costs with their triggers, default prices."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.session_cost import SessionStatus
from chargebyte_fw.modules.ocpp.messages.pricing import COST_VENDOR_ID
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import E, Station16, token

PRICE = {
    "idToken": "deadbeef",
    "priceText": "0.4 per kWh",
    "priceTextExtra": [{"content": "40 Cent", "language": "de"}],
}


class Priced16(Station16):
    def __init__(self, **keys: Any) -> None:
        wanted: dict[str, Any] = {"CustomDisplayCostAndPrice": True, "CustomMultiLanguageMessages": True}
        super().__init__(**wanted, Language="en", **keys)

    def transfer(self, action: str, payload: Any) -> str:
        request = {"vendorId": COST_VENDOR_ID, "messageId": action, "data": json.dumps(payload)}
        status: str = self.ask("DataTransfer", request)["status"]
        return status

    def cost(self, **more: Any) -> str:
        return self.transfer(
            "RunningCost", {"transactionId": 7, "cost": 1.234, "timestamp": "2023-11-15T00:00:00Z"} | more
        )

    def power(self, power_W: float, energy_Wh: float = 1000.0) -> int:
        """Measure; return how many meter values were sent."""
        meter = Powermeter(
            timestamp="2023-11-15T00:00:00.000Z",
            energy_Wh_import=units.Energy(total=energy_Wh),
            power_W=units.Power(total=power_W),
        )
        self.feed(events.PowermeterReceived(1, meter))
        return len(self.requests("MeterValues"))

    def charging(self) -> None:
        self.charge()
        self.requests()
        self.other.clear()


def test_the_price_of_a_driver_is_published_for_the_token_or_its_session() -> None:
    station = Priced16()
    station.other.clear()
    assert station.transfer("SetUserPrice", PRICE) == "Accepted"
    [message] = station.published("tariff_message")
    assert (message.identifier_type.value, message.identifier_id) == ("IdToken", "deadbeef")
    assert [(one.content, one.language) for one in message.messages] == [("0.4 per kWh", "en"), ("40 Cent", "de")]
    station.charging()
    assert station.transfer("SetUserPrice", PRICE) == "Accepted"
    [message] = station.published("tariff_message")
    assert (message.identifier_type.value, message.identifier_id) == ("SessionId", "s1")
    assert message.ocpp_transaction_id == "7"
    assert station.transfer("SetUserPrice", {"priceText": "x"}) == "Rejected"


def test_a_running_cost_needs_its_transaction() -> None:
    station = Priced16()
    assert station.cost() == "Rejected"
    station.charging()
    assert station.cost(transactionId=8) == "Rejected"
    assert station.published("session_cost") == []
    prices = {"kWhPrice": 0.4, "hourPrice": 2, "flatFee": 1}
    assert station.cost(chargingPrice=prices, idlePrice={"graceMinutes": 5, "hourPrice": 2}) == "Accepted"
    [value] = station.published("session_cost")
    assert (value.session_id, value.status) == ("s1", SessionStatus.Running)
    assert (value.currency.code, value.currency.decimals) == (None, 3)
    assert value.cost_chunks[0].cost.value == 1234
    assert [one.price.value.value for one in value.charging_price] == [2000, 400, 1000]
    assert (value.idle_price.grace_minutes, value.idle_price.hour_price.value.value) == (5, 2000)


def test_a_final_cost_may_come_after_the_end() -> None:
    station = Priced16()
    final = {"transactionId": 7, "cost": 3.31, "priceText": "3.31 in all", "qrCodeText": "https://x"}
    assert station.transfer("FinalCost", final) == "Rejected"
    station.charging()
    station.finish()
    station.unplug()
    station.other.clear()
    assert station.transfer("FinalCost", final) == "Accepted"
    [value] = station.published("session_cost")
    assert (value.session_id, value.status, value.qr_code) == ("s1", SessionStatus.Finished, "https://x")
    assert (value.message[0].content, value.message[0].language) == ("3.31 in all", None)
    assert value.currency.code is None
    assert station.transfer("FinalCost", final | {"transactionId": 8}) == "Rejected"


def test_meter_values_at_a_time() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.measure(1000)
    station.cost(triggerMeterValue={"atTime": "2023-11-15T00:01:00Z"})
    station.pass_s(59)
    assert station.requests("MeterValues") == []
    station.pass_s(2)
    [values] = station.requests("MeterValues")
    [value] = values.meter_value
    assert (value.sampled_value[0].context.value, value.sampled_value[0].value) == ("Other", "1000.00")


def test_meter_values_at_an_energy_once() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.cost(triggerMeterValue={"atEnergykWh": 2})
    assert [station.power(0, energy_Wh) for energy_Wh in (1500, 2000, 2500)] == [0, 1, 0]


def test_meter_values_at_a_power_with_hysteresis() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.cost(triggerMeterValue={"atPowerkW": 10})
    found = [station.power(power_W) for power_W in (9000, 10_000, 9600, 9500, 10_400, 10_500, 11_000, 9_400)]
    assert found == [0, 1, 0, 1, 0, 1, 0, 1]


def test_meter_values_for_a_cost_have_the_time_of_the_meter() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.power(1000)
    station.cost(triggerMeterValue={"atTime": "2023-11-15T00:00:30Z"})
    station.pass_s(31)
    [values] = station.requests("MeterValues")
    assert values.meter_value[0].timestamp == datetime(2023, 11, 15, tzinfo=UTC)


def test_meter_values_at_a_status_until_the_end_or_the_next_cost() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.measure(1000)
    station.cost(triggerMeterValue={"atCPStatus": ["SuspendedEV", "Nonsense"]})
    station.event(E.ChargingPausedEV)
    assert len(station.requests("MeterValues")) == 1
    station.event(E.ChargingStarted)
    station.cost()
    station.event(E.ChargingPausedEV)
    assert station.requests("MeterValues") == []


def test_the_power_that_was_reached_is_among_the_values() -> None:
    station = Priced16(TxUpdatedInterval=0, TxUpdatedMeasurands=("Energy.Active.Import.Register",))
    station.charging()
    station.power(1000)
    station.cost(triggerMeterValue={"atPowerkW": 8, "atEnergykWh": 2})
    for power_W, energy_Wh, measurands in (
        (1000, 2000, ["Energy.Active.Import.Register"]),
        (9000, 2000, ["Energy.Active.Import.Register", "Power.Active.Import"]),
    ):
        meter = Powermeter(
            timestamp="2023-11-15T00:00:00.000Z",
            energy_Wh_import=units.Energy(total=energy_Wh),
            power_W=units.Power(total=power_W),
        )
        station.feed(events.PowermeterReceived(1, meter))
        [values] = station.requests("MeterValues")
        assert [one.measurand.value for one in values.meter_value[0].sampled_value] == measurands


def test_a_status_that_follows_the_end_of_the_transaction_triggers_too() -> None:
    station = Priced16(TxUpdatedInterval=0)
    station.charging()
    station.measure(1000)
    station.cost(triggerMeterValue={"atCPStatus": ["Finishing"], "atEnergykWh": 2, "atTime": "2023-11-15T01:00:00Z"})
    station.finish(reason=StopTransactionReason.Local)
    [values] = station.requests("MeterValues")
    assert values.transaction_id is None and values.meter_value[0].sampled_value[0].value == "1000.00"
    assert station.power(1000, energy_Wh=3000) == 0
    station.unplug()
    station.charging()
    assert station.requests("MeterValues") == []


def present(station: Priced16) -> None:
    station.other.clear()
    station.feed(events.Served("auth", "auth_token_validator", "validate_token", (token("CAFE"),)))


def results(station: Priced16) -> list[Any]:
    found = [one.result for one in station.other if isinstance(one, do.Reply)]
    station.other.clear()
    return found


def test_a_token_waits_for_its_price() -> None:
    station = Priced16(WaitForSetUserPriceTimeout=5000)
    present(station)
    assert results(station) == []
    station.transfer("SetUserPrice", PRICE | {"idToken": "cafe"})
    [result] = results(station)
    assert [one.content for one in result.tariff_messages] == ["0.4 per kWh", "40 Cent"]


def test_without_a_price_the_default_price_is_used_after_the_time() -> None:
    station = Priced16(WaitForSetUserPriceTimeout=5000, DefaultPrice='{"priceText": "a lot"}')
    present(station)
    station.pass_s(4.9)
    assert results(station) == []
    station.pass_s(0.2)
    [result] = results(station)
    assert [one.content for one in result.tariff_messages] == ["a lot"]


def test_the_default_price_is_published_online_offline_and_at_each_change() -> None:
    station = Priced16(DefaultPrice='{"priceText": "online", "priceTextOffline": "offline"}')
    station.other.clear()

    def texts() -> list[str]:
        return [one.messages[0].content for one in station.published("default_price")]

    station.disconnect()
    assert texts() == ["offline"]
    station.connect()
    assert texts() == ["online"]
    station.set("DefaultPrice", '{"priceText": "new"}')
    station.settle()
    assert texts() == ["new"]


def test_a_station_without_prices_leaves_these_messages_to_the_integrator() -> None:
    station = Station16()
    answer = station.ask("DataTransfer", {"vendorId": COST_VENDOR_ID, "messageId": "SetUserPrice", "data": "{}"})
    assert answer["status"] == "UnknownVendorId"
