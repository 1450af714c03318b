"""Kinds of tokens (C03, C04, C06, C08), a reservation that is used (H03), texts of running transactions (I06)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.authorization import (
    AuthorizationType,
    CustomIdToken,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E, meter
from tests.ocpp.station2 import Station2


def validated(station: Station2, token: ProvidedIdToken) -> Any:
    station.other.clear()
    station.feed(events.Served("auth", "auth_token_validator", "validate_token", (token,)))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    return reply.result


@pytest.mark.ocpp("C03", "C04", "C06")
@pytest.mark.parametrize(
    ("kind", "authorization"),
    [
        (IdTokenType.KeyCode, AuthorizationType.RFID),
        (IdTokenType.Local, AuthorizationType.BankCard),
        (IdTokenType.Local, AuthorizationType.Autocharge),
        (IdTokenType.MacAddress, AuthorizationType.Autocharge),
    ],
)
def test_a_token_of_any_kind_is_validated_and_reported_as_it_is(
    kind: IdTokenType, authorization: AuthorizationType
) -> None:
    station = Station2(version=Version.V21)
    extra = [CustomIdToken(value="1234", type="CardLast4Digits")]
    token = ProvidedIdToken(
        id_token=IdToken(value="1234", type=kind, additional_info=extra), authorization_type=authorization
    )
    station.answers["Authorize"]["idTokenInfo"] = {"status": "Blocked"}
    assert validated(station, token).authorization_status.value == "Blocked"
    station.answers["Authorize"]["idTokenInfo"] = {"status": "Accepted"}
    assert validated(station, token).authorization_status.value == "Accepted"
    wire = {
        "idToken": "1234",
        "type": kind.value,
        "additionalInfo": [{"additionalIdToken": "1234", "type": "CardLast4Digits"}],
    }
    assert [one["idToken"] for one in station.payloads_of("Authorize")] == [wire, wire]
    station.plug_in()
    started = evse.TransactionStarted(id_tag=token, meter_value=meter(1_000))
    station.event(E.TransactionStarted, transaction_started=started)
    assert station.events()[0]["idToken"] == wire


@pytest.mark.ocpp("C08")
def test_a_card_beside_a_car_with_iso_15118_goes_with_the_name_of_the_car() -> None:
    station = Station2(version=Version.V21)
    car = evse.EVInfo(evcc_id="02:00:00:00:00:01")
    station.feed(events.FactReceived("evse_manager", "ev_info", car, 1))
    card = ProvidedIdToken(
        id_token=IdToken(value="CAFE", type=IdTokenType.ISO14443),
        authorization_type=AuthorizationType.RFID,
        connectors=[1],
    )
    assert validated(station, card).authorization_status.value == "Accepted"
    [payload] = station.payloads_of("Authorize")
    extra = [{"additionalIdToken": "02:00:00:00:00:01", "type": "EVCCID"}]
    assert payload["idToken"] == {"idToken": "CAFE", "type": "ISO14443", "additionalInfo": extra}
    assert "iso15118CertificateHashData" not in payload and "certificate" not in payload
    for status in ("Accepted", "Invalid"):
        station.answers["Authorize"]["idTokenInfo"] = {"status": status}
        card.id_token.value = f"CAFE{status}"
        assert validated(station, card).authorization_status.value == status


@pytest.mark.ocpp("H03")
def test_a_transaction_has_the_reservation_that_it_used() -> None:
    station = Station2()
    station.plug_in()
    station.start(reservation_id=7)
    [started] = [one for one in station.events() if one["eventType"] == "Started"]
    assert started["reservationId"] == 7
    station.finish()
    station.unplug()
    station.charge(session="s2")
    assert all("reservationId" not in one for one in station.events() if one["eventType"] == "Started")


@pytest.mark.ocpp("I06")
def test_a_tariff_text_that_changes_is_shown_for_its_transaction() -> None:
    station = Station2(version=Version.V21)
    station.set("Enabled", True)
    station.charge()
    station.other.clear()
    station.answers["TransactionEvent"] = {
        "updatedPersonalMessage": {"format": "UTF8", "content": "0.60 EUR/kWh"},
        "updatedPersonalMessageExtra": [{"format": "UTF8", "language": "de", "content": "0,60 EUR/kWh"}],
    }
    station.event(E.ChargingPausedEV)
    [shown] = station.published("tariff_message")
    assert [one.content for one in shown.messages] == ["0.60 EUR/kWh", "0,60 EUR/kWh"]
    assert (shown.ocpp_transaction_id, shown.identifier_type.value) == ("s1", "TransactionId")
