"""Reset of one EVSE (B11, B12): its transaction ends, it goes out of use and comes back; the other EVSE charges on."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus, FirmwareUpdateStatusEnum
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.stack import E
from tests.ocpp.station2 import Station2

Reason = evse.StopTransactionReason
OUT_OF_USE_S = 5.0


def station_of_two(**how: Any) -> Station2:
    """Return a station whose EVSEs can be reset alone."""
    return Station2(AllowReset=True, **how)


def ask(station: Station2, kind: str, evse_id: int = 1) -> str:
    status: str = station.ask("Reset", {"type": kind, "evseId": evse_id})["status"]
    return status


def orders(station: Station2) -> list[tuple[int | None, int, str]]:
    """Return EVSE, connector and state of each order to enable or disable since the last call."""
    found = station.commanded("enable_disable", "reset")
    assert all(name == "enable_disable" for name, _, _ in found), "the whole station is reset"
    return [(evse_id, args[0], args[1].enable_state.value) for _, evse_id, args in found]


@pytest.mark.ocpp("B11", "B11.FR.01", "B11.FR.08")
@pytest.mark.parametrize("kind", ["Immediate", "OnIdle"])
def test_an_idle_evse_is_reset_at_once_and_comes_back(kind: str) -> None:
    station = station_of_two()
    station.commanded()
    station.requests()
    assert ask(station, kind, 2) == "Accepted"
    station.pass_s(0)
    assert orders(station) == [(2, 1, "Disable")]
    station.event(E.Disabled, evse_id=2)
    station.pass_s(OUT_OF_USE_S - 0.1)
    assert orders(station) == []
    station.pass_s(0.1)
    assert orders(station) == [(2, 1, "Enable")]
    station.event(E.Enabled, evse_id=2)
    sent = [one for one in station.requests() if one.action_name != "Heartbeat"]
    assert [(one.evse_id, one.connector_status.value) for one in sent] == [(2, "Unavailable"), (2, "Available")]


@pytest.mark.ocpp("B11.FR.10")
def test_the_device_model_has_which_evse_can_be_reset() -> None:
    wanted = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AllowReset"}}
    for station, value, status in ((Station2(), "false", "Rejected"), (station_of_two(), "true", "Accepted")):
        [result] = station.ask("GetVariables", {"getVariableData": [wanted]})["getVariableResult"]
        assert result["attributeValue"] == value
        assert ask(station, "Immediate") == status


@pytest.mark.ocpp("B11", "B11.FR.09", "B12.FR.09")
def test_an_evse_that_cannot_be_reset_alone() -> None:
    station = Station2()
    assert ask(station, "OnIdle") == "Rejected"
    station.charge()
    station.commanded()
    assert ask(station, "OnIdle") == "Rejected"
    assert ask(station, "Immediate") == "Rejected"
    station.pass_s(60)
    assert orders(station) == [] and station.events()[-1]["eventType"] != "Ended"


@pytest.mark.parametrize(
    ("kind", "evse_id", "why"), [("Immediate", 3, "UnknownEvse"), ("ImmediateAndResume", 1, "Unsup")]
)
def test_what_cannot_be_reset(kind: str, evse_id: int, why: str) -> None:
    station = station_of_two(version=Version.V21)
    answer = station.ask("Reset", {"type": kind, "evseId": evse_id})
    assert answer["status"] == "Rejected" and answer["statusInfo"]["reasonCode"].startswith(why)


@pytest.mark.ocpp("B12", "B12.FR.02", "B12.FR.08")
def test_an_immediate_reset_ends_the_transaction_of_that_evse_first() -> None:
    station = station_of_two()
    station.charge(1, "s1")
    station.charge(2, "s2")
    station.commanded()
    station.events()
    assert ask(station, "Immediate") == "Accepted"
    station.pass_s(0)
    [(_, evse_id, (request,))] = station.commanded("stop_transaction")
    assert (evse_id, request.reason) == (1, Reason.Reboot)
    station.pass_s(10)
    assert orders(station) == [], "the transaction has not ended"
    station.finish(request.reason)
    [ended] = station.events()
    assert (ended["eventType"], ended["transactionInfo"]["transactionId"]) == ("Ended", "s1")
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("ResetCommand", "ImmediateReset")
    assert orders(station) == [(1, 1, "Disable")]
    station.pass_s(OUT_OF_USE_S)
    assert orders(station) == [(1, 1, "Enable")]
    station.finish(Reason.Reboot, evse_id=2, session="s2")
    assert station.events()[-1]["transactionInfo"]["stoppedReason"] == "Reboot", (
        "of a reset that the CSMS did not order"
    )


@pytest.mark.ocpp("B12", "B12.FR.01", "B12.FR.07")
def test_a_reset_on_idle_waits_for_the_transaction_of_that_evse() -> None:
    station = station_of_two()
    station.charge(1, "s1")
    station.charge(2, "s2")
    station.commanded()
    station.events()
    assert ask(station, "OnIdle") == "Scheduled"
    station.pass_s(1000)
    station.finish(evse_id=2, session="s2")
    station.unplug(evse_id=2, session="s2")
    assert orders(station) == [] and station.commanded("stop_transaction") == []
    station.events()
    station.finish(Reason.Local)
    [ended] = station.events()
    assert (ended["triggerReason"], ended["transactionInfo"]["stoppedReason"]) == ("StopAuthorized", "Local")
    assert orders(station) == [(1, 1, "Disable")]
    station.pass_s(OUT_OF_USE_S)
    assert orders(station) == [(1, 1, "Enable")]
    station.charge(1, "s3")
    station.finish(session="s3")
    assert orders(station) == [], "it was reset once"


def test_an_immediate_reset_overtakes_one_that_waits() -> None:
    station = station_of_two()
    station.charge()
    assert (ask(station, "OnIdle"), ask(station, "Immediate")) == ("Scheduled", "Accepted")
    station.commanded()
    station.pass_s(0)
    assert [args[0].reason for _, _, args in station.commanded("stop_transaction")] == [Reason.Reboot]


def test_a_transaction_that_the_stack_does_not_end_delays_the_reset_by_30_s() -> None:
    station = station_of_two()
    station.charge()
    ask(station, "Immediate")
    station.pass_s(0)
    station.commanded()
    station.pass_s(29)
    assert orders(station) == []
    station.pass_s(1)
    assert orders(station) == [(1, 1, "Disable")]


@pytest.mark.ocpp("B12.FR.06")
def test_an_evse_out_of_use_is_so_after_its_reset() -> None:
    station = station_of_two()
    station.ask("ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 1}})
    station.event(E.Disabled)
    station.commanded()
    assert ask(station, "Immediate") == "Accepted"
    station.pass_s(60)
    assert [state for _, _, state in orders(station)] == ["Disable"]


@pytest.mark.ocpp("B11.FR.05", "B11.FR.06", "B11.FR.07")
def test_a_reservation_outlives_the_wish_to_reset_its_evse() -> None:
    station = station_of_two()
    station.event(E.ReservationStart)
    station.commanded()
    assert ask(station, "Immediate") == "Rejected"
    assert ask(station, "OnIdle") == "Scheduled"
    station.pass_s(600)
    assert orders(station) == []
    station.event(E.ReservationEnd)
    assert orders(station) == [(1, 1, "Disable")]


@pytest.mark.ocpp("B11.FR.06")
def test_no_reset_of_an_evse_that_waits_for_an_installation() -> None:
    station = station_of_two()
    station.charge(2, "s2")
    verified = FirmwareUpdateStatus(firmware_update_status=FirmwareUpdateStatusEnum.SignatureVerified, request_id=5)
    station.feed(events.FactReceived("system", "firmware_update_status", verified))
    station.commanded()
    answer = station.ask("Reset", {"type": "Immediate", "evseId": 1})
    assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", "FwUpdateInProgress")
    station.pass_s(60)
    assert orders(station) == []


def test_a_reset_of_the_station_leaves_the_evse_out_of_use() -> None:
    station = station_of_two()
    station.charge(2, "s2")
    ask(station, "Immediate")
    station.pass_s(0)
    assert station.ask("Reset", {"type": "OnIdle"}) == {"status": "Scheduled"}
    station.commanded()
    station.pass_s(60)
    assert orders(station) == []
