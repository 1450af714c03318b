"""Availability of OCPP 2.x as a CSMS sees it: changes and states."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.stack import E, fault, meter, token
from tests.ocpp.station2 import Station2

Reason = evse.StopTransactionReason


def change(station: Station2, operative: bool, *place: int) -> str:
    payload: dict[str, Any] = {"operationalStatus": "Operative" if operative else "Inoperative"}
    if place:
        payload["evse"] = dict(zip(("id", "connectorId"), place, strict=False))
    return str(station.ask("ChangeAvailability", payload)["status"])


def statuses(station: Station2) -> list[tuple[int, str]]:
    found = [(one["evseId"], one["connectorStatus"]) for one in station.payloads_of("StatusNotification")]
    station.requests()
    return found


@pytest.mark.ocpp(
    "G03",
    "G03.FR.01",
    "G03.FR.02",
    "G03.FR.04",
    "G03.FR.08",
    "B01.FR.07",
    "B11.FR.02",
    "B12.FR.06",
    "G01.FR.02",
    "G01.FR.07",
)
def test_an_evse_out_of_use_and_back_over_a_restart() -> None:
    station = Station2()
    station.requests()
    assert change(station, False, 2) == "Accepted"
    assert statuses(station) == [(2, "Unavailable")]
    assert [evse_id for _, evse_id, _ in station.commanded("enable_disable")] == [2]
    assert change(station, False, 3) == change(station, False, 1, 2) == "Rejected"
    again = station.restart()
    assert statuses(again) == [(1, "Available"), (2, "Unavailable")]
    assert change(again, True, 2) == "Accepted" and statuses(again) == [(2, "Available")]


@pytest.mark.ocpp("G03.FR.03", "G03", "G03.FR.05", "G01.FR.04", "G01.FR.05")
def test_a_scheduled_change_can_be_taken_back_and_is_carried_out_otherwise() -> None:
    station = Station2()
    station.charge()
    station.requests()
    assert change(station, False, 1) == "Scheduled"
    assert change(station, True, 1) == "Accepted"
    station.finish(Reason.Local)
    station.unplug()
    assert statuses(station) == [(1, "Available")]
    station.charge(session="s2")
    station.requests()
    change(station, False, 1)
    station.finish(Reason.Local, session="s2")
    station.unplug(session="s2")
    assert statuses(station) == [(1, "Unavailable")], "without Available in between"


@pytest.mark.ocpp("G04", "G04.FR.07", "G04.FR.01", "G04.FR.02", "G04.FR.03", "G04.FR.05", "G04.FR.06")
def test_the_station_out_of_use_while_one_evse_charges() -> None:
    station = Station2()
    station.charge()
    station.requests()
    assert change(station, False) == "Scheduled"
    assert statuses(station) == [(2, "Unavailable")]
    station.finish(Reason.Local)
    assert statuses(station) == [(1, "Unavailable")]


@pytest.mark.ocpp("G03", "G04.FR.08")
def test_making_the_station_operative_leaves_an_evse_out_of_use() -> None:
    station = Station2()
    change(station, False, 2)
    change(station, False)
    station.requests()
    change(station, True)
    assert statuses(station) == [(1, "Available")]


@pytest.mark.parametrize("used", [E.Authorized, E.TransactionStarted])
def test_who_is_authorized_uses_the_reservation(used: Any) -> None:
    station = Station2()
    station.requests()
    station.event(E.ReservationStart)
    station.plug_in()
    assert statuses(station) == [(1, "Reserved")]
    begun = evse.TransactionStarted(id_tag=token("CAFE"), meter_value=meter(1000))
    station.event(used, transaction_started=begun if used is E.TransactionStarted else None)
    assert statuses(station) == [(1, "Occupied")]
    station.unplug()
    assert statuses(station) == [(1, "Available")]


@pytest.mark.ocpp("G01", "G01.FR.01")
def test_the_effective_state_is_the_first_that_holds() -> None:
    station = Station2()
    station.requests()
    station.event(E.ReservationStart)
    station.plug_in()
    station.feed(events.ErrorRaised(fault()))
    change(station, False, 1)
    station.feed(events.ErrorCleared(fault()))
    change(station, True, 1)
    station.event(E.ReservationEnd)
    station.unplug()
    assert [status for _, status in statuses(station)] == [
        "Reserved",
        "Faulted",
        "Unavailable",
        "Reserved",
        "Occupied",
        "Available",
    ]
