"""An EVSE and a pending token as machines of their own: rows for every state, facts that end with their life."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.authorization import SelectionAlgorithm, TokenValidationStatus
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.modules.auth.machine import Rules, events
from chargebyte_fw.modules.auth.machine import evse as e
from chargebyte_fw.modules.auth.machine.connectors import Change, ConnectorState
from chargebyte_fw.modules.auth.machine.pending_token import EvsesChanged, PendingToken, TokenState
from chargebyte_fw.modules.auth.machine.station import Station
from tests.auth.helpers import ANY, Bench, provided, result

S = e.EvseState
GRANT = e.Grant(e.Authorization(provided("A"), result()), 10.0)
WAYS: dict[S, list[Any]] = {
    S.NOT_AUTHORIZED: [],
    S.REQUESTED: [GRANT],
    S.GRANTED: [GRANT, e.Confirmed()],
    S.TRANSACTION: [e.TransactionStarted(None, provided("A"))],
}


def evse_in(state: S) -> e.Evse:
    evse = e.Evse(1, {1: ANY})
    for event in WAYS[state]:
        evse.feed(event, 0.0)
    assert evse.state is state
    return evse


@pytest.mark.parametrize("state", list(S))
@pytest.mark.parametrize(
    "event",
    [
        e.Confirmed(),
        e.PluggedIn(1, 5.0),
        e.TransactionStarted(1, None),
        e.TransactionFinished(),
        e.SessionFinished(1),
        e.Deauthorized(),
    ],
)
def test_what_an_evse_reports_has_a_row_in_every_state(state: S, event: Any) -> None:
    effects = evse_in(state).feed(event, 0.0)
    assert not any(isinstance(effect, Unexpected) for effect in effects)


@pytest.mark.parametrize(("state", "deadline"), [(S.REQUESTED, 10.0), (S.GRANTED, 10.0), (S.TRANSACTION, None)])
def test_the_connection_timeout_runs_until_the_transaction(state: S, deadline: float | None) -> None:
    assert evse_in(state).deadline == deadline


def test_a_grant_ends_the_wait_for_a_token() -> None:
    evse = e.Evse(1, {1: ANY})
    evse.feed(e.PluggedIn(1, 5.0), 0.0)
    assert evse.deadline == 5.0
    evse.feed(GRANT, 1.0)
    assert evse.deadline == 10.0


@pytest.mark.parametrize("state", list(S))
def test_nothing_of_a_session_is_left_when_it_has_finished(state: S) -> None:
    evse = evse_in(state)
    evse.feed(e.PluggedIn(1, 5.0), 0.0)
    evse.wake(6.0)
    evse.feed(e.SessionFinished(1), 7.0)
    assert evse.session == e.Session()
    assert (evse.authorization is None) is (state is not S.REQUESTED)
    assert evse.deadline == (10.0 if state is S.REQUESTED else None)


@pytest.mark.parametrize("state", [S.REQUESTED, S.GRANTED])
def test_an_authorization_that_is_withdrawn_says_so_once(state: S) -> None:
    evse = evse_in(state)
    effects = evse.feed(e.Withdraw(TokenValidationStatus.Withdrawn, "withdrawn"), 1.0)
    assert [type(effect).__name__ for effect in effects] == [
        "WithdrawAuthorization",
        "AuthorizationEnded",
        "Publish",
        "Log",
    ]
    assert evse.available
    assert evse.deadline is None


@pytest.mark.parametrize("state", list(S))
def test_an_authorization_ends_with_the_transaction_and_not_first_with_the_session(state: S) -> None:
    evse = evse_in(state)
    assert evse.feed(e.TransactionFinished(), 1.0) == []
    assert (evse.state, evse.transaction, evse.authorization) == (S.NOT_AUTHORIZED, False, None)
    assert evse.deadline is None
    assert evse.occupied is (state is S.TRANSACTION), "the car is still at the plug"


@pytest.mark.parametrize("event", [e.NotConfirmed(), e.Deauthorized()])
def test_an_evse_that_drops_its_authorization_is_free_without_another_word(event: Any) -> None:
    evse = evse_in(S.GRANTED)
    assert evse.feed(event, 1.0) == []
    assert (evse.state, evse.authorization, evse.available) == (S.NOT_AUTHORIZED, None, True)


def token_at(station: Station, *more: Any) -> PendingToken:
    token = PendingToken(1, provided("A"), station)
    token.feed(events.TokenPresented(token.token), 0.0)
    for event in more:
        token.feed(event, 0.0)
    return token


def station_with(*evse_ids: int) -> Station:
    station = Station(Rules(connection_timeout_s=10.0))
    for evse_id in evse_ids:
        station.evses[evse_id] = e.Evse(evse_id, {1: ANY})
    return station


def test_a_token_goes_from_validating_to_authorizing_to_its_end() -> None:
    station = station_with(1)
    token = token_at(station)
    assert token.state is TokenState.VALIDATING
    token.feed(events.Validated(1, [result()]), 0.0)
    assert (token.state, station.evses[1].state) == (TokenState.AUTHORIZING, S.REQUESTED)
    token.feed(events.Authorized(1, True), 0.0)
    assert (token.state, station.evses[1].state) == (TokenState.ENDED, S.GRANTED)


def test_a_token_that_waits_ends_at_its_timeout_and_is_tried_until_then() -> None:
    station = station_with(1)
    token = token_at(station)
    station.evses[1].feed(GRANT, 0.0)
    station.evses[1].feed(e.NotConfirmed(), 0.0)
    station.evses[1].change(Change.FAULTED)
    assert token.feed(events.Validated(1, [result()]), 0.0)
    assert token.state is TokenState.ENDED, "without an EVSE it is refused"
    station = station_with(1, 2)
    station.rules.selection = station.rules.selection.PlugEvents
    token = token_at(station, events.Validated(1, [result()]))
    assert (token.state, token.deadline) == (TokenState.WAITING, 10.0)
    assert token.feed(EvsesChanged(), 1.0) == []
    station.evses[2].feed(e.PluggedIn(1, None), 2.0)
    token.feed(EvsesChanged(), 2.0)
    assert (token.state, token.evse_id, token.deadline) == (TokenState.AUTHORIZING, 2, None)


def test_an_event_without_a_connector_is_about_the_first_one() -> None:
    evse = e.Evse(1, {1: ANY, 2: ANY})
    evse.feed(e.TransactionStarted(None, provided("A")), 0.0)
    assert evse.connectors == {1: ConnectorState.OCCUPIED, 2: ConnectorState.AVAILABLE}
    evse.feed(e.TransactionStarted(2, provided("A")), 0.0)
    evse.feed(e.SessionFinished(None), 1.0)
    assert evse.connectors == {1: ConnectorState.AVAILABLE, 2: ConnectorState.OCCUPIED}


def test_a_token_of_the_same_group_does_not_stop_what_has_not_begun() -> None:
    bench = Bench([ANY])
    bench.verdicts = {"A": [result(parent="G")], "B": [result(parent="G")]}
    bench.swipe("A")
    bench.forget()
    bench.swipe("B")
    assert bench.says("B") == ["Processing", "Rejected"]
    assert (bench.stopped, bench.authorized) == ([], [])


def test_an_evse_is_in_use_to_the_end_of_the_session_whatever_happens_to_its_connector() -> None:
    evse = e.Evse(1, {1: ANY})
    evse.feed(e.TransactionStarted(1, provided("A")), 0.0)
    evse.feed(e.TransactionFinished(), 1.0)
    evse.change(Change.DISABLE)
    evse.change(Change.ENABLE)
    assert evse.connectors == {1: ConnectorState.AVAILABLE}
    assert (evse.occupied, evse.available) == (True, False)
    evse.feed(e.SessionFinished(1), 2.0)
    assert (evse.occupied, evse.available) == (False, True)


def test_a_reservation_of_one_evse_is_not_used_up_at_another() -> None:
    bench = Bench()
    assert bench.reserve(1, evse=2, token="A") == "Accepted"
    bench.swipe("A", connectors=[1])
    assert bench.authorized == [(1, "A", "Accepted")]
    assert bench.results[0].reservation_id is None
    assert bench.cancel(1)


def test_a_wake_up_that_comes_late_does_what_was_due() -> None:
    bench = Bench(selection=SelectionAlgorithm.PlugEvents)
    bench.swipe("A")
    assert bench.machine.deadline == 10.0
    bench.now = 11.0
    for effect in bench.machine.wake(bench.now):
        bench._carry_out(effect)
    assert bench.says("A")[-1] == "TimedOut"
