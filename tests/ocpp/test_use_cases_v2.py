"""Single use cases of OCPP 2.x that no session of another test has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus
from chargebyte_fw.contracts.types.reservation import ReservationUpdateStatus, ReservationUpdateStatusReservationStatus
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station2 import Station2


@pytest.mark.ocpp("B11")
@pytest.mark.parametrize("kind", ["OnIdle", "Immediate"])
def test_a_reset_without_a_transaction_follows_its_answer(kind: str) -> None:
    station = Station2()
    assert station.ask("Reset", {"type": kind}) == {"status": "Accepted"}
    station.pass_s(10)
    assert len(station.commanded("reset")) == 1


@pytest.mark.ocpp("C01")
@pytest.mark.parametrize("status", ["Accepted", "Blocked", "Expired"])
def test_the_csms_decides_about_a_card(status: str) -> None:
    station = Station2()
    station.answers["Authorize"]["idTokenInfo"]["status"] = status
    assert station.present("CARD").authorization_status is AuthorizationStatus(status)
    [payload] = station.payloads_of("Authorize")
    assert payload == {"idToken": {"idToken": "CARD", "type": "ISO14443"}}


@pytest.mark.ocpp("G02", "G02.FR.01", "G02.FR.02", "B01.FR.04")
def test_heartbeats_have_the_interval_of_the_registration() -> None:
    station = Station2(interval_s=60)
    station.requests()
    station.pass_s(59)
    assert station.requests("Heartbeat") == []
    station.pass_s(121)
    assert len(station.requests("Heartbeat")) == 3


@pytest.mark.ocpp("H02", "H02.FR.01", "H02.FR.02")
@pytest.mark.parametrize(("known", "status"), [(True, "Accepted"), (False, "Rejected")])
def test_a_reservation_is_cancelled_as_its_owner_answers(known: bool, status: str) -> None:
    station = Station2()
    station.results["cancel_reservation"] = known
    assert station.ask("CancelReservation", {"reservationId": 4}) == {"status": status}
    assert [args for _, _, args in station.commanded("cancel_reservation")] == [(4,)]


@pytest.mark.ocpp("H04", "H04.FR.01")
def test_a_reservation_that_expired_is_reported() -> None:
    station = Station2()
    ended = ReservationUpdateStatus(
        reservation_id=4, reservation_status=ReservationUpdateStatusReservationStatus.Expired
    )
    station.feed(events.FactReceived("reservation", "reservation_update", ended))
    assert list(station.payloads_of("ReservationStatusUpdate")) == [
        {"reservationId": 4, "reservationUpdateStatus": "Expired"}
    ]


@pytest.mark.ocpp("P02")
def test_data_of_the_integrator_reaches_the_csms_and_back() -> None:
    station = Station2()
    station.answers["DataTransfer"] = {"status": "Accepted", "data": "back"}
    request = ocpp.DataTransferRequest(vendor_id="com.example", data="there")
    found = served(station, "ocpp_data_transfer", "data_transfer", (request,))
    assert (found.status, found.data) == (ocpp.DataTransferStatus.Accepted, '"back"')
    assert list(station.payloads_of("DataTransfer")) == [{"vendorId": "com.example", "data": "there"}]


def served(station: Station2, interface: str, command: str, args: Sequence[Any]) -> Any:
    """Return what the station replies to a command of another module."""
    station.feed(events.Served("reply", interface, command, tuple(args)))
    [reply] = [one for one in station.other if isinstance(one, do.Reply)]
    return reply.result
