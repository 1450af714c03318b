"""HLC's question who pays, and what a withdrawal makes of it."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.auth_token_provider import AuthTokenProvider
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, CertificateStatus
from chargebyte_fw.kernel.effects import call, publish
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.authorization import HlcAuthorization, Question, autocharge_token
from chargebyte_fw.modules.evse.machine.events import (
    Authorized,
    Charging,
    ContractWanted,
    EimWanted,
    EvccId,
    Withdrawn,
)
from chargebyte_fw.modules.evse.machine.signals import (
    CarUnplugged,
    EvProven,
    PlugWatched,
    StateEntered,
    TransactionChanged,
)
from tests.evse.test_authorization import CONTRACT
from tests.evse.world import TOKEN

MAC = "56:2F:33:97:B3:74"
STATUS, CERTIFICATE = AuthorizationStatus, CertificateStatus
ACCEPTED = call(Iso15118Charger.authorization_response, STATUS.Accepted, CERTIFICATE.NoCertificateAvailable)
REFUSED = call(Iso15118Charger.authorization_response, STATUS.Unknown, CERTIFICATE.NoCertificateAvailable)


def after(*events: Any, hlc: bool = True, **config: Any) -> HlcAuthorization:
    machine = HlcAuthorization(EvseConfig(connector_id=1, **config), hlc=hlc)
    for event in events:
        machine.feed(event, 0.0)
    return machine


@pytest.mark.parametrize(
    ("before", "answer", "left"),
    [
        ((EimWanted(),), [REFUSED], Question.Nothing),
        ((ContractWanted(CONTRACT),), [REFUSED], Question.Nothing),
        ((), [], Question.Nothing),
        ((Authorized(TOKEN),), [], Question.Nothing),
        ((EimWanted(), Authorized(TOKEN)), [], Question.External),
        ((Authorized(TOKEN), TransactionChanged(True)), [], Question.Nothing),
    ],
    ids=["a question", "a contract", "nothing", "an authorization", "authorized in time", "a transaction"],
)
def test_a_withdrawal_refuses_an_open_question_that_had_no_authorization(
    before: tuple[Any, ...], answer: list[Any], left: Question
) -> None:
    """A question that was authorized stays open: HLC waits for the next authorization of this session."""
    machine = after(*before)
    assert machine.feed(Withdrawn(), 1.0) == answer and machine.state is left


def test_what_was_withdrawn_does_not_answer_a_question_when_the_transaction_begins() -> None:
    machine = after(EimWanted(), Authorized(TOKEN), Withdrawn())
    assert machine.feed(TransactionChanged(True), 1.0) == []
    assert machine.feed(Authorized(TOKEN), 2.0) == [ACCEPTED] and machine.state is Question.Nothing


@pytest.mark.parametrize("last", [EimWanted(), Authorized(TOKEN), TransactionChanged(True)])
def test_the_answer_needs_question_authorization_and_transaction_in_any_order(last: Any) -> None:
    steps = [EimWanted(), Authorized(TOKEN), TransactionChanged(True)]
    machine = after(*(step for step in steps if step != last))
    assert machine.feed(last, 1.0) == [ACCEPTED]
    assert machine.feed(TransactionChanged(True), 2.0) == [], "one question has one answer"


def test_without_hlc_nothing_is_answered() -> None:
    machine = after(EimWanted(), Authorized(TOKEN), hlc=False)
    assert machine.feed(TransactionChanged(True), 1.0) == [] and machine.state is Question.Nothing


def test_an_authorization_holds_for_one_transaction() -> None:
    machine = after(Authorized(TOKEN), TransactionChanged(True), TransactionChanged(False), EimWanted())
    assert machine.feed(TransactionChanged(True), 1.0) == [] and machine.state is Question.External


@pytest.mark.parametrize("free", [Charging.Idle, Charging.Disabled])
def test_between_two_sessions_nothing_is_authorized_and_no_question_is_open(free: Charging) -> None:
    machine = after(EimWanted(), Authorized(TOKEN))
    assert machine.feed(StateEntered(free), 1.0) == [] and machine.state is Question.Nothing
    machine.feed(EimWanted(), 2.0)
    assert machine.feed(TransactionChanged(True), 3.0) == []


def test_a_doubt_about_the_ev_holds_the_answer_back_until_it_is_proven() -> None:
    machine = after(Authorized(TOKEN), TransactionChanged(True), PlugWatched(doubt=True))
    assert machine.feed(EimWanted(), 1.0) == [] and machine.state is Question.External
    assert machine.feed(EvProven(), 2.0) == [ACCEPTED]
    machine = after(Authorized(TOKEN), TransactionChanged(True), PlugWatched(doubt=False))
    assert machine.feed(EimWanted(), 1.0) == [ACCEPTED]


@pytest.mark.parametrize("forgets", [CarUnplugged(), PlugWatched(doubt=True)])
def test_the_address_for_autocharge_ends_with_the_ev(forgets: Any) -> None:
    offered = publish(AuthTokenProvider.provided_token, autocharge_token(MAC, 1))
    assert after(EvccId(MAC), enable_autocharge=True).feed(EimWanted(), 1.0) == [offered]
    machine = after(EvccId(MAC), forgets, enable_autocharge=True)
    assert machine.feed(EimWanted(), 1.0) == []
