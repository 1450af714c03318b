"""Costs and price texts (I01 to I05), and what is known of a customer (N09, N10), of OCPP 2.x."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.variables.standard.station import CUSTOM_COST_ENABLED
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2

CARD = {"idToken": "CAFE", "type": "ISO14443"}


def priced(**values: Any) -> Station2:
    station = Station2(connects=False, **values)
    for name in ("TariffFallbackMessage", "OfflineTariffFallbackMessage", "TotalCostFallbackMessage"):
        station.set(name, name)
    station.set("Enabled", True)
    station.other.clear()
    return station


def texts(found: list[Any]) -> list[str]:
    return [one.messages[0].content for one in found]


@pytest.mark.ocpp("I04")
def test_the_default_price_follows_the_connection_and_its_text() -> None:
    station = priced()
    station.connect()
    assert texts(station.published("default_price")) == ["TariffFallbackMessage"]
    station.disconnect()
    assert texts(station.published("default_price")) == ["OfflineTariffFallbackMessage"]
    station.connect()
    station.other.clear()
    station.set("TariffFallbackMessage", "0.30 EUR/kWh")
    station.settle()
    assert "0.30 EUR/kWh" in texts(station.published("default_price"))


@pytest.mark.ocpp("I01", "I04")
@pytest.mark.parametrize("personal", [None, "0.25 EUR/kWh"])
def test_a_driver_sees_his_price_or_the_text_that_stands_for_it(personal: str | None) -> None:
    station = priced()
    station.connect()
    if personal is not None:
        station.answers["Authorize"]["idTokenInfo"]["personalMessage"] = {"format": "UTF8", "content": personal}
    station.present("CAFE")
    [tariff] = station.published("tariff_message")
    assert texts([tariff]) == [personal or "TariffFallbackMessage"]
    assert (tariff.identifier_id, tariff.identifier_type.value) == ("CAFE", "IdToken")


@pytest.mark.ocpp("I02", "I03", "I02.FR.02")
def test_running_and_final_costs_are_numbers_in_the_smallest_unit() -> None:
    station = priced()
    station.connect()
    station.charge()
    station.other.clear()
    assert station.ask("CostUpdated", {"totalCost": 1.2345, "transactionId": "s1"}) == {}
    [cost] = station.published("session_cost")
    assert (cost.session_id, cost.status.value, cost.cost_chunks[0].cost.value) == ("s1", "Running", 1234)
    assert (cost.currency.code.value, cost.currency.decimals) == ("EUR", 3)
    station.answers["TransactionEvent"] = {"totalCost": 9.99}
    station.finish()
    assert [(one.status.value, one.cost_chunks[0].cost.value) for one in station.published("session_cost")] == [
        ("Finished", 9990)
    ]


def test_a_cost_of_an_unknown_transaction_is_published() -> None:
    """The answer to CostUpdated has no status, and EVerest's displays show what the CSMS sends."""
    station = priced()
    station.connect()
    station.other.clear()
    assert station.ask("CostUpdated", {"totalCost": 1.0, "transactionId": "gone"}) == {}
    [cost] = station.published("session_cost")
    assert (cost.session_id, cost.status.value, cost.cost_chunks[0].cost.value) == ("gone", "Running", 1000)


def test_the_cost_in_the_answer_to_an_event_has_its_time_text_and_final_meter_value() -> None:
    station = priced()
    station.connect()
    station.variables.set(CUSTOM_COST_ENABLED, True)
    station.charge()
    station.other.clear()
    station.answers["TransactionEvent"] = {
        "totalCost": 3.13,
        "updatedPersonalMessage": {"format": "UTF8", "language": "en", "content": "3.13"},
        "customData": {"vendorId": "org.openchargealliance.org.qrcode", "qrCodeText": "https://example.org/1"},
    }
    station.event(E.ChargingPausedEV)
    station.finish()
    running, *_, final = station.published("session_cost")
    for cost in (running, final):
        assert (cost.message[0].content, cost.message[0].language, cost.qr_code) == (
            "3.13",
            "en",
            "https://example.org/1",
        )
        assert cost.cost_chunks[0].cost.value == 3130 and cost.cost_chunks[0].timestamp_to is not None
    assert (running.status.value, running.cost_chunks[0].metervalue_to) == ("Running", None)
    assert (final.status.value, final.cost_chunks[0].metervalue_to) == ("Finished", 2500)


@pytest.mark.ocpp("I05")
def test_a_transaction_that_ends_offline_shows_the_text_for_an_unknown_cost() -> None:
    station = priced()
    station.connect()
    station.charge()
    station.disconnect()
    station.other.clear()
    station.finish()
    seen = list(station.other)
    [cost] = station.published("session_cost")
    station.other.extend(seen)
    [message] = station.published("tariff_message")
    assert cost.message[0].content == "TotalCostFallbackMessage" and cost.cost_chunks is None
    assert texts([message]) == ["TotalCostFallbackMessage"]
    assert (message.ocpp_transaction_id, message.identifier_type.value) == ("s1", "TransactionId")


# Customers.


@pytest.mark.ocpp("N09", "N10")
def test_what_is_known_of_a_token_is_reported_and_forgotten() -> None:
    station = Station2()
    station.present("CAFE")
    station.requests()
    wanted = {"requestId": 4, "report": True, "clear": True, "idToken": CARD}
    assert station.ask("CustomerInformation", wanted) == {"status": "Accepted"}
    [report] = station.payloads_of("NotifyCustomerInformation")
    assert (report["requestId"], report["seqNo"], report.get("tbc", False)) == (4, 0, False)
    assert '"idToken":"CAFE"' in report["data"] and '"status":"Accepted"' in report["data"]
    station.requests()
    station.ask("CustomerInformation", wanted)
    [report] = station.payloads_of("NotifyCustomerInformation")
    assert report["data"] == ""


@pytest.mark.parametrize(
    ("payload", "status"),
    [
        ({"report": True, "clear": False}, "Invalid"),
        ({"report": True, "clear": False, "idToken": CARD, "customerIdentifier": "x"}, "Invalid"),
        ({"report": False, "clear": False, "idToken": CARD}, "Rejected"),
    ],
)
@pytest.mark.ocpp("N09", "N09.FR.07", "N09.FR.09", "N10.FR.07")
def test_a_request_that_names_no_one_or_wants_nothing(payload: dict[str, Any], status: str) -> None:
    assert Station2().ask("CustomerInformation", {"requestId": 1, **payload})["status"] == status


def test_a_long_report_comes_in_parts() -> None:
    station = Station2()
    station.answers["Authorize"]["idTokenInfo"]["personalMessage"] = {"format": "UTF8", "content": "x" * 500}
    station.present("CAFE")
    station.requests()
    station.ask("CustomerInformation", {"requestId": 4, "report": True, "clear": False, "idToken": CARD})
    parts = list(station.payloads_of("NotifyCustomerInformation"))
    assert [(one["seqNo"], one.get("tbc", False)) for one in parts] == [(0, True), (1, False)]
    assert len(parts[0]["data"]) == 512
