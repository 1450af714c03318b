"""Availability of connectors of OCPP 1.6 as a CSMS sees it: changes, faults, states."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.stack import fault
from tests.ocpp.station16 import E, Station16

Reason = evse.StopTransactionReason


@pytest.mark.ocpp("1.6 §5.2")
def test_availability_of_a_free_connector_changes_at_once_and_after_the_answer() -> None:
    station = Station16()
    station.commanded()
    wanted = {"connectorId": 2, "type": "Inoperative"}
    assert station.ask("ChangeAvailability", wanted) == {"status": "Accepted"}
    [(_, evse_id, (connector_id, source))] = station.commanded("enable_disable")
    # The only connector of an EVSE is the EVSE.
    assert (evse_id, connector_id, source.enable_priority, source.enable_state.value) == (2, 0, 5000, "Disable")
    assert station.ask("ChangeAvailability", wanted) == {"status": "Accepted"}


def test_a_change_during_a_transaction_waits_and_never_shows_available() -> None:
    station = Station16()
    station.charge()
    station.requests()
    station.commanded()
    assert station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {"status": "Scheduled"}
    assert station.commanded("enable_disable") == []
    station.finish(Reason.Local)
    assert len(station.commanded("enable_disable")) == 1, "once the CSMS has the StopTransaction"
    station.event(E.Disabled)
    station.unplug()
    assert [status for _, status in station.statuses()] == ["Finishing", "Unavailable"]


def test_a_scheduled_change_survives_a_power_loss() -> None:
    station = Station16()
    station.charge()
    station.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    again = station.restart()
    assert dict(again.statuses())[1] == "Unavailable"
    assert {evse_id for _, evse_id, _ in again.commanded("enable_disable")} == {1}


def test_connector_0_is_the_station_and_all_connectors() -> None:
    station = Station16()
    station.requests()
    assert station.ask("ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}) == {"status": "Accepted"}
    for evse_id in (1, 2):
        station.event(E.Disabled, evse_id=evse_id)
    assert station.statuses() == [(0, "Unavailable"), (1, "Unavailable"), (2, "Unavailable")]
    station.ask("ChangeAvailability", {"connectorId": 0, "type": "Operative"})
    for evse_id in (1, 2):
        station.event(E.Enabled, evse_id=evse_id)
    assert station.statuses() == [(0, "Available"), (1, "Available"), (2, "Available")]


@pytest.mark.parametrize("number", [3, 99, -1])
def test_a_connector_that_does_not_exist_is_refused_by_every_request(number: int) -> None:
    station = Station16()
    for action, payload, answer in (
        ("ChangeAvailability", {"type": "Inoperative"}, "Rejected"),
        ("UnlockConnector", {}, "NotSupported"),
        ("TriggerMessage", {"requestedMessage": "StatusNotification"}, "Rejected"),
        ("ReserveNow", {"expiryDate": "2023-11-15T01:00:00Z", "idTag": "A", "reservationId": 1}, "Rejected"),
        ("RemoteStartTransaction", {"idTag": "A"}, "Rejected"),
    ):
        assert station.ask(action, {"connectorId": number, **payload}) == {"status": answer}


def test_a_fault_of_an_evse_makes_its_connector_faulted_until_it_ends() -> None:
    station = Station16()
    station.requests()
    station.feed(events.ErrorRaised(fault()))
    station.feed(events.ErrorRaised(fault(kind="connector_lock/MREC1ConnectorLockFailure")))
    station.feed(events.ErrorCleared(fault()))
    sent = station.requests("StatusNotification")
    assert [(one.status.value, one.error_code.value, one.vendor_error_code) for one in sent] == [
        ("Faulted", "OtherError", "Inoperative"),
        ("Faulted", "ConnectorLockFailure", "CX001"),
        ("Available", "ConnectorLockFailure", "CX001"),
    ]


def test_a_state_shorter_than_the_minimum_duration_is_not_reported() -> None:
    station = Station16(MinimumStatusDuration=30)
    station.requests()
    station.plug_in()
    station.pass_s(20)
    station.start()
    station.event(E.ChargingStarted)
    assert station.statuses() == []
    station.pass_s(30)
    assert station.statuses() == [(1, "Charging")]
    station.ask("TriggerMessage", {"requestedMessage": "StatusNotification"})
    assert station.statuses() == [(0, "Available"), (1, "Charging"), (2, "Available")], "not delayed"
