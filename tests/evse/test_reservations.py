"""Reservation and availability of one EVSE, machine by machine."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
    SessionEventEnum,
)
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine.availability import AvailabilityMachine
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    AvailabilityChanged,
    EnableRequested,
    ReportAvailability,
    ReservationRequested,
    TokenAccepted,
)
from chargebyte_fw.modules.evse.machine.facts import TransactionState
from chargebyte_fw.modules.evse.machine.reservations import ReservationMachine
from chargebyte_fw.modules.evse.machine.signals import CancelReservation, SessionEventDue
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from tests.evse.world import TOKEN

START, END = SessionEventDue(SessionEventEnum.ReservationStart), SessionEventDue(SessionEventEnum.ReservationEnd)
FREE = Snapshot(started=True)


def reserved(*ids: int, others: Snapshot = FREE) -> ReservationMachine:
    machine = ReservationMachine(lambda: others)
    for one in ids:
        machine.feed(ReservationRequested(one), 0.0)
    return machine


def test_a_reservation_begins_once_and_ends_once() -> None:
    machine = reserved()
    assert machine.feed(CancelReservation(), 0.0) == []
    assert machine.feed(ReservationRequested(7), 0.0) == [START]
    assert machine.feed(ReservationRequested(7), 0.0) == [] and machine.feed(ReservationRequested(8), 0.0) == []
    assert machine.id == 7
    assert machine.feed(CancelReservation(), 0.0) == [END] and machine.id is None


def test_a_reservation_of_the_station_gives_way_to_one_of_the_evse() -> None:
    machine = reserved(-1)
    assert machine.feed(ReservationRequested(8), 0.0) == [START] and machine.id == 8


def test_before_the_start_is_over_an_evse_is_neither_free_nor_in_use() -> None:
    before = Snapshot()
    assert not before.started and not before.free and before.enabled
    assert not (before.plugged or before.contactors_closed or before.session or before.authorized)
    assert not (before.asks_energy or before.power or before.checks_contract)
    assert not (before.transaction_active or before.transaction_begun)
    assert before.can_switch_phases and before.allowed_current_A == 0.0 and before.session_id == ""
    path = before.power_path
    assert (path.reference_V, path.target_V, path.present_V, path.present_A) == (0.0, None, 0.0, 0.0)
    assert FREE.free


@pytest.mark.parametrize(
    ("state", "active", "begun"),
    [
        (TransactionState.NotAsked, False, False),
        (TransactionState.Starting, False, True),
        (TransactionState.Running, True, True),
        (TransactionState.Ending, True, True),
        (TransactionState.Over, False, False),
    ],
)
def test_energy_is_billed_until_the_meter_has_ended_the_transaction(
    state: TransactionState, active: bool, begun: bool
) -> None:
    shown = replace(FREE, transaction=state)
    assert (shown.transaction_active, shown.transaction_begun) == (active, begun)


@pytest.mark.parametrize(
    "occupied", [replace(FREE, plugged=True), replace(FREE, session=True), replace(FREE, started=False)]
)
def test_an_evse_that_is_not_free_is_not_reserved(occupied: Snapshot) -> None:
    assert not occupied.free and reserved(7, others=occupied).id is None


@pytest.mark.parametrize(
    ("kept", "named", "used"), [((), None, None), ((7,), None, 7), ((7,), 8, 8), ((), 8, 8), ((-1,), None, None)]
)
def test_a_token_uses_the_reservation_up(kept: tuple[int, ...], named: int | None, used: int | None) -> None:
    machine = reserved(*kept)
    accepted = TokenAccepted(TOKEN, "5 ct", contract=True, reservation_id=named)
    assert machine.feed(accepted, 0.0) == [Authorized(TOKEN, "5 ct", True, used)]
    assert machine.id is None and machine.feed(CancelReservation(), 0.0) == []


def by(state: str, priority: int = 1) -> EnableDisableSource:
    return EnableDisableSource(
        enable_source=EnableDisableSourceEnableSource.CSMS,
        enable_state=EnableDisableSourceEnableState(state),
        enable_priority=priority,
    )


def test_requests_before_the_start_are_reported_with_it() -> None:
    machine = AvailabilityMachine()
    assert machine.feed(EnableRequested(0, by("Disable")), 0.0) == []
    (changed,) = machine.feed(ReportAvailability(), 0.0)
    assert isinstance(changed, AvailabilityChanged) and not changed.enabled
    enabled = AvailabilityMachine().feed(ReportAvailability(), 0.0)
    assert enabled[0] == call(EvseBoardSupport.enable, True) and enabled[1].enabled


def test_only_a_change_is_reported_and_disabled_there_is_no_reservation() -> None:
    machine = AvailabilityMachine()
    machine.feed(ReportAvailability(), 0.0)
    assert machine.feed(EnableRequested(0, by("Enable")), 0.0) == []
    cancel, changed = machine.feed(EnableRequested(1, by("Disable")), 0.0)
    assert cancel == CancelReservation()
    assert (changed.enabled, changed.connector_enabled, changed.connector_id) == (False, False, 1)
    (changed,) = machine.feed(EnableRequested(0, by("Enable")), 0.0)
    assert (changed.enabled, changed.connector_enabled, changed.connector_id) == (True, False, None)
