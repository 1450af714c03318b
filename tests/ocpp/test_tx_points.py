"""When a transaction of OCPP 2.x begins and ends (use cases E01 and E06)."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.ocpp.transactions.tx_points import TxChange, TxInput, TxPoints, points

IN, START, STOP = TxInput, TxChange.START, TxChange.STOP


def played(start: str, stop: str, *inputs: TxInput) -> list[TxChange | None]:
    evse = TxPoints()
    return [evse.feed(one, points(start.split(",")), points(stop.split(","))) for one in inputs]


@pytest.mark.parametrize(
    ("point", "inputs"),
    [
        ("EVConnected", [IN.EV_CONNECTED]),
        ("Authorized", [IN.AUTHORIZED]),
        ("ParkingBayOccupancy", [IN.PARKING_BAY_OCCUPIED]),
        ("EnergyTransfer", [IN.EV_CONNECTED, IN.AUTHORIZED, IN.ENERGY_TRANSFER_STARTED]),
        ("DataSigned", [IN.EV_CONNECTED, IN.AUTHORIZED, IN.SIGNED_START_DATA_RECEIVED]),
        ("PowerPathClosed", [IN.EV_CONNECTED, IN.AUTHORIZED]),
        ("PowerPathClosed", [IN.AUTHORIZED, IN.EV_CONNECTED]),
    ],
)
@pytest.mark.ocpp("E01")
def test_a_transaction_starts_with_the_input_that_meets_its_start_point(point: str, inputs: list[TxInput]) -> None:
    assert played(point, "EVConnected", *inputs) == [None] * (len(inputs) - 1) + [START]


@pytest.mark.parametrize(
    ("point", "last"),
    [
        ("EVConnected", IN.EV_DISCONNECTED),
        ("Authorized", IN.DEAUTHORIZED),
        ("PowerPathClosed", IN.DEAUTHORIZED),
        ("PowerPathClosed", IN.EV_DISCONNECTED),
        ("EnergyTransfer", IN.ENERGY_TRANSFER_STOPPED),
        ("ParkingBayOccupancy", IN.PARKING_BAY_UNOCCUPIED),
    ],
)
@pytest.mark.ocpp("E06")
def test_a_transaction_ends_with_the_input_that_undoes_its_stop_point(point: str, last: TxInput) -> None:
    begin = [IN.PARKING_BAY_OCCUPIED, IN.EV_CONNECTED, IN.AUTHORIZED, IN.ENERGY_TRANSFER_STARTED]
    assert played("PowerPathClosed", point, *begin, last) == [None, None, START, None, STOP]


def test_several_start_points_start_once() -> None:
    assert played("EVConnected,Authorized", "EVConnected", IN.AUTHORIZED, IN.EV_CONNECTED) == [START, None]


def test_what_is_no_stop_point_ends_nothing() -> None:
    begin = [IN.EV_CONNECTED, IN.AUTHORIZED]
    assert played("PowerPathClosed", "EVConnected", *begin, IN.DEAUTHORIZED, IN.EV_DISCONNECTED)[2:] == [None, STOP]


def test_after_a_stop_the_next_authorization_starts_another_transaction() -> None:
    inputs = [IN.EV_CONNECTED, IN.AUTHORIZED, IN.DEAUTHORIZED, IN.AUTHORIZED]
    assert played("PowerPathClosed", "Authorized", *inputs) == [None, START, STOP, START]


def test_an_immediate_reset_ends_whatever_runs_and_nothing_else() -> None:
    assert played("EVConnected", "EVConnected", IN.IMMEDIATE_RESET, IN.EV_CONNECTED, IN.IMMEDIATE_RESET) == [
        None,
        START,
        STOP,
    ]


@pytest.mark.parametrize("members", [[""], ["Nonsense"], []])
def test_points_that_cannot_be_read_are_power_path_closed(members: list[str]) -> None:
    assert points(members) == points(["PowerPathClosed"])


def test_the_end_of_the_session_ends_the_transaction_whatever_the_points() -> None:
    evse = TxPoints()
    for one in (IN.EV_CONNECTED, IN.AUTHORIZED):
        evse.feed(one, points(["PowerPathClosed"]), points(["ParkingBayOccupancy"]))
    assert evse.force_end() and not evse.active and not evse.force_end()
    assert evse.feed(IN.EV_CONNECTED, points(["PowerPathClosed"]), points(["EVConnected"])) is None
    assert evse.feed(IN.AUTHORIZED, points(["PowerPathClosed"]), points(["EVConnected"])) is START
