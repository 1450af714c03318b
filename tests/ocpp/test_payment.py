"""Ad hoc payment of OCPP 2.1 (C18 to C25, F07): codes on the display, kept EVSEs, tokens of payments, settlements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.evse_manager import TransactionStarted
from chargebyte_fw.modules.ocpp.payment.terminal_v2 import VENDOR
from chargebyte_fw.modules.ocpp.payment.totp import interval_of, password_of, url_of
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E, meter
from tests.ocpp.station2 import Station2
from tests.ocpp.tariffs.count import fixed
from tests.ocpp.variables.talk import Refused

TEMPLATE = "https://pay.example/{chargingstationid}/{evse}/{totp}/{version}"


@pytest.mark.ocpp("C25.FR.50", "C25.FR.51", "C25.FR.52")
@pytest.mark.parametrize(
    ("secret", "interval", "length", "password"),
    [
        ("MySharedSecret", 59_000_000, 8, "5AViTp52"),
        ("MySharedSecret", 59_000_001, 8, "8M9BjBLF"),
        ("ABCDEFGH12345678", 1, 6, "gXEOrp"),
    ],
)
def test_one_time_passwords(secret: str, interval: int, length: int, password: str) -> None:
    assert password_of(secret, interval, length) == password
    assert interval_of(interval * 30 + 29.999, 30) == interval


def test_values_are_quoted_in_the_url_and_unknown_names_stay() -> None:
    assert url_of("https://x/{evse}?a={b}", {"evse": "a/b &c"}) == "https://x/a%2Fb%20%26c?a={b}"


def paying(**values: Any) -> Station2:
    station = Station2(version=Version.V21, connects=False)
    for variable in station.variables:
        if str(variable.id) == "WebPaymentsCtrlr.Enabled":
            variable.attributes["Actual"].value = "true"
    for name, value in {"URLTemplate": TEMPLATE, "SharedSecret": "MySharedSecret", "ChargingStationId": "CS 1"}.items():
        station.set(name, value)
    for name, value in values.items():
        station.set(name, value)
    station.connect()
    return station


def codes(station: Station2) -> list[Any]:
    return [args[0][0] for name, _, args in station.commanded() if name == "set_display_message"]


@pytest.mark.ocpp("C25.FR.01")
def test_each_free_evse_has_a_code_that_changes_with_its_password() -> None:
    station = paying()
    first, second = codes(station)
    password = password_of("MySharedSecret", interval_of(station.utc.timestamp(), 30), 8)
    assert first.qr_code == f"https://pay.example/CS%201/1/{password}/v1"
    assert second.qr_code.split("/")[4] == "2"
    assert (first.message.format.value, first.timestamp_to) == ("QRCODE", "2023-11-15T00:00:30.000Z")
    station.pass_s(29)
    assert codes(station) == []
    station.pass_s(1)
    again = codes(station)
    assert len(again) == 2 and again[0].qr_code != first.qr_code
    station.charge()
    station.pass_s(30)
    assert [one.qr_code.split("/")[4] for one in codes(station)] == ["2"]
    station.disconnect()
    station.pass_s(60)
    assert codes(station) == []
    plain = Station2(version=Version.V21)
    assert codes(plain) == []


@pytest.mark.ocpp("C25.FR.22", "C25.FR.27")
def test_an_evse_is_kept_for_the_driver_who_is_paying() -> None:
    station = Station2(version=Version.V21)
    assert station.ask("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 60}) == {}
    assert station.present("CAFE").evse_ids == [2]
    station.ask("NotifyWebPaymentStarted", {"evseId": 2, "timeout": 30})
    assert station.present("CAFE").authorization_status.value == "NotAtThisTime"
    station.pass_s(30)
    assert station.present("CAFE").evse_ids == [2]
    station.pass_s(30)
    assert station.present("CAFE").evse_ids is None
    station.ask("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 60})
    station.charge()
    assert station.present("CAFE").evse_ids is None, "it is in use: the payment is done"
    station.ask("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 60})
    station.ask("NotifyWebPaymentStarted", {"evseId": 1, "timeout": 0})
    assert station.present("CAFE").evse_ids is None
    with pytest.raises(Refused):
        station.ask("NotifyWebPaymentStarted", {"evseId": 3, "timeout": 60})


def paid_for(station: Station2) -> dict[str, Any]:
    """Let the CSMS begin what was paid for; return Started."""
    paid = {
        "idToken": "pspRef" + "1234567890" * 5,
        "type": "DirectPayment",
        "additionalInfo": [{"additionalIdToken": "VISA", "type": "PaymentBrand"}],
    }
    station.other.clear()
    answer = station.ask("RequestStartTransaction", {"idToken": paid, "remoteStartId": 7, "evseId": 1})
    assert answer["status"] == "Accepted"
    [presented] = station.published("provided_token")
    station.plug_in()
    started = TransactionStarted(id_tag=presented, meter_value=meter(1_000.4))
    station.event(E.TransactionStarted, transaction_started=started)
    [event] = [one for one in station.events() if one["eventType"] == "Started"]
    assert event["idToken"] == paid
    assert event["transactionInfo"]["remoteStartId"] == 7
    return event


@pytest.mark.ocpp("C24", "C25", "F07", "E16")
def test_what_was_paid_for_begins_with_its_token_and_stops_at_its_limit() -> None:
    station = Station2(version=Version.V21)
    station.answers["TransactionEvent"] = {"transactionLimit": {"maxEnergy": 2000.0, "maxCost": 20.0}}
    station.measure(1_000.4)
    paid_for(station)
    station.measure(3_000.5)
    station.pass_s(1)
    assert [name for name, _, _ in station.commanded("pause_charging")] == ["pause_charging"]
    assert "EnergyLimitReached" in [one["triggerReason"] for one in station.events()]


@pytest.mark.ocpp("I12", "C24")
def test_the_card_that_pays_can_have_its_own_fee() -> None:
    station = Station2(version=Version.V21)
    station.set("Enabled", True)
    fees = {"prices": [fixed(2.0, paymentBrand="VISA"), fixed(1.0)]}
    tariff = {"tariffId": "T1", "currency": "EUR", "fixedFee": fees}
    assert station.ask("SetDefaultTariff", {"evseId": 0, "tariff": tariff})["status"] == "Accepted"
    paid_for(station)
    station.finish()
    [ended] = [one for one in station.events() if one["eventType"] == "Ended"]
    assert ended["costDetails"]["totalCost"]["total"]["exclTax"] == 2.0


# What a terminal of the integrator has to report.


def transfer(station: Station2, action: str, payload: Any) -> ocpp.DataTransferResponse:
    station.other.clear()
    data = payload if isinstance(payload, str) else json.dumps(payload)
    request = ocpp.DataTransferRequest(vendor_id=VENDOR, message_id=action, data=data)
    station.feed(events.Served("data_transfer", "ocpp_data_transfer", "data_transfer", (request,)))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    result: ocpp.DataTransferResponse = reply.result
    return result


SETTLED = {
    "transactionId": "s1",
    "pspRef": "psp-1",
    "status": "Settled",
    "settlementAmount": 12.5,
    "settlementTime": "2023-11-15T00:00:00.000Z",
    "receiptUrl": "https://receipt.example/1",
}


@pytest.mark.ocpp("C19", "C20", "C21.FR.02", "C21.FR.03", "C21.FR.04", "C22.FR.01", "C22.FR.02")
@pytest.mark.parametrize("status", ["Settled", "Canceled", "Rejected", "Failed"])
def test_a_settlement_is_reported_and_its_receipt_returned(status: str) -> None:
    station = Station2(version=Version.V21)
    station.answers["NotifySettlement"] = {"receiptUrl": "https://csms.example/1"}
    answer = transfer(station, "NotifySettlement", {**SETTLED, "status": status})
    assert (answer.status.value, json.loads(answer.data or "")) == (
        "Accepted",
        {"receiptUrl": "https://csms.example/1"},
    )
    assert list(station.payloads_of("NotifySettlement")) == [{**SETTLED, "status": status}]


def test_a_settlement_is_kept_while_offline() -> None:
    station = Station2(version=Version.V21)
    station.disconnect()
    assert transfer(station, "NotifySettlement", SETTLED).status.value == "Accepted"
    assert len(list(station.payloads_of("NotifySettlement"))) == 1
    assert transfer(station, "VatNumberValidation", {"vatNumber": "DE1"}).status.value == "Offline"


@pytest.mark.ocpp("C18.FR.08")
def test_a_vat_number_is_validated_by_the_csms() -> None:
    station = Station2(version=Version.V21)
    company = {"name": "A", "address1": "B", "city": "C", "country": "D"}
    station.answers["VatNumberValidation"] = {"vatNumber": "DE1", "status": "Accepted", "company": company}
    answer = transfer(station, "VatNumberValidation", {"vatNumber": "DE1", "evseId": 1})
    assert json.loads(answer.data or "")["company"] == company


@pytest.mark.ocpp("C18", "C23", "E16")
def test_a_terminal_limits_a_transaction_and_raises_the_limit() -> None:
    station = Station2(version=Version.V21)
    station.set("Enabled", True)
    tariff = {"tariffId": "T1", "currency": "EUR", "chargingTime": {"prices": [{"priceMinute": 6.0}]}}
    station.ask("SetDefaultTariff", {"evseId": 0, "tariff": tariff})
    limited = {"transactionId": "s1", "transactionLimit": {"maxCost": 5.0}}
    assert transfer(station, "TransactionLimit", limited).status.value == "Rejected", "none runs"
    station.charge()
    station.events()
    assert transfer(station, "TransactionLimit", limited).status.value == "Accepted"
    [reported] = [one for one in station.events() if one["triggerReason"] == "LimitSet"]
    assert reported["transactionInfo"]["transactionLimit"] == {"maxCost": 5.0}
    station.pass_s(51)
    assert len(station.commanded("pause_charging")) == 1
    raised = {"transactionId": "s1", "transactionLimit": {"maxCost": 50.0}}
    assert transfer(station, "TransactionLimit", raised).status.value == "Accepted"
    station.pass_s(1)
    assert len(station.commanded("resume_charging")) == 1
    assert transfer(station, "TransactionLimit", {"transactionId": "s1"}).status.value == "Rejected"


@pytest.mark.parametrize(
    ("action", "payload", "status"),
    [
        ("NotifySettlement", {"pspRef": "x"}, "Rejected"),
        ("NotifySettlement", "{", "Rejected"),
        ("NotifySettlement", "[]", "Rejected"),
        ("BootNotification", {}, "UnknownMessageId"),
    ],
)
def test_what_is_no_message_of_a_terminal_is_refused(action: str, payload: Any, status: str) -> None:
    station = Station2(version=Version.V21)
    assert transfer(station, action, payload).status.value == status
    assert not list(station.payloads_of("NotifySettlement"))
    older = Station2(version=Version.V201)
    assert transfer(older, "NotifySettlement", SETTLED).status.value == "UnknownMessageId"
