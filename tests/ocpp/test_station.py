"""The station: rows of functional blocks, answers that are deferred, timers, failures that end nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.auth_token_validator import AuthTokenValidator
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.station import (
    Block,
    CallFailure,
    RequestRefused,
    Station,
    answered,
    answers,
    events,
    failed,
    receives,
    serves,
)
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station.station import ANSWER_TIMEOUT_S
from chargebyte_fw.modules.ocpp.version import Version


class AskRequest(msgspec.Struct, frozen=True):
    how: str


class AskResponse(msgspec.Struct, frozen=True):
    text: str


class ReportRequest(msgspec.Struct, frozen=True):
    text: str = ""


class Happened(msgspec.Struct, frozen=True):
    what: str


class Asked(Block):
    """Answers in every way that a row can."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.log: list[Any] = []

    @answers(AskRequest)
    def ask(self, request: AskRequest) -> Any:
        self.station.after_answer(lambda: self.note(self.station.send(ReportRequest("after"))))
        match request.how:
            case "at once":
                return AskResponse("now")
            case "later":
                deferred = self.station.defer()
                self.station.command(
                    call(EvseManager.force_unlock, 1),
                    lambda result: self.station.answer(deferred, AskResponse(str(result))),
                    evse_id=2,
                )
                return deferred
            case "refused":
                raise RequestRefused("OccurrenceConstraintViolation", "evse 99")
        raise ValueError("a programming error")

    def note(self, what: Any) -> None:
        self.log.append(what)

    @answered(ReportRequest)
    def reported(self, request: ReportRequest, response: Any) -> None:
        self.log.append(("answered", request.text, response))

    @failed(ReportRequest)
    def not_reported(self, request: ReportRequest, failure: CallFailure) -> None:
        self.log.append(("failed", request.text, failure.code))

    @serves(AuthTokenValidator.validate_token)
    def validate(self, token: ProvidedIdToken) -> Any:
        if token.id_token.value == "bad":
            raise RequestRefused("", "no")
        deferred = self.station.defer()
        self.station.send(ReportRequest(token.id_token.value), lambda result: self.station.answer(deferred, result))
        return deferred

    @receives(Happened)
    def happened(self, event: Happened) -> None:
        self.log.append(event.what)


def ids() -> Callable[[], str]:
    numbers = iter(range(1, 100))
    return lambda: f"m{next(numbers)}"


@pytest.fixture
def station() -> Station:
    return Station(Version.V201, [Asked], ids())


def asked(how: str) -> events.CallReceived:
    return events.CallReceived("c1", "Ask", AskRequest(how))


def test_what_a_row_sends_after_the_answer_follows_it(station: Station) -> None:
    assert station.feed(asked("at once"), 1.0) == [
        do.Answer("c1", AskResponse("now")),
        do.Enqueue("m1", ReportRequest("after")),
    ]


def test_a_deferred_answer_waits_for_the_command_and_is_given_once(station: Station) -> None:
    [command] = station.feed(asked("later"), 1.0)
    assert (command.evse_id, command.call.command) == (2, "force_unlock")
    assert station.feed(events.CommandDone(command.command_id, True), 2.0) == [
        do.Answer("c1", AskResponse("True")),
        do.Enqueue("m1", ReportRequest("after")),
    ]
    assert station.feed(events.CommandDone(command.command_id, True), 3.0) == []
    assert station.deadline is None


def test_a_deferred_answer_that_never_comes_is_an_error_before_the_csms_gives_up(station: Station) -> None:
    station.feed(asked("later"), 1.0)
    assert station.deadline == 1.0 + ANSWER_TIMEOUT_S < 30
    [refusal] = station.wake(1.0 + ANSWER_TIMEOUT_S)
    assert (refusal.call_id, refusal.code) == ("c1", "GenericError")


def test_a_refusal_is_a_callerror_and_nothing_follows(station: Station) -> None:
    assert station.feed(asked("refused"), 1.0) == [do.Refuse("c1", "OccurrenceConstraintViolation", "evse 99")]


def test_a_row_that_fails_costs_the_csms_its_answer_and_no_more(station: Station) -> None:
    failure, refusal = station.feed(asked("broken"), 1.0)
    assert isinstance(failure.error, ValueError)
    assert (refusal.call_id, refusal.code) == ("c1", "InternalError")
    assert station.feed(asked("at once"), 2.0)[0] == do.Answer("c1", AskResponse("now"))


@pytest.mark.parametrize(("version", "code"), [(Version.V16, "NotSupported"), (Version.V21, "NotImplemented")])
def test_a_request_without_a_row_is_not_available(version: Version, code: str) -> None:
    [refusal] = Station(version, [], ids()).feed(asked("at once"), 1.0)
    assert refusal.code == code


def served(value: str) -> events.Served:
    token = ProvidedIdToken(
        id_token=IdToken(value=value, type=IdTokenType.ISO14443), authorization_type=AuthorizationType.RFID
    )
    return events.Served("r1", "auth_token_validator", "validate_token", (token,))


def test_a_command_of_the_stack_is_replied_to_when_the_csms_has_answered(station: Station) -> None:
    [sent] = station.feed(served("good"), 1.0)
    effects = station.feed(events.MessageAnswered(sent.message_id, "Report", sent.request, "accepted"), 2.0)
    assert effects == [do.Reply("r1", "accepted")]


def test_a_command_of_the_stack_that_is_refused_or_unknown_fails(station: Station) -> None:
    [reply] = station.feed(served("bad"), 1.0)
    assert reply == do.ReplyError("r1", ": no")
    [reply] = station.feed(events.Served("r2", "ocpp", "stop"), 1.0)
    assert reply == do.ReplyError("r2", "stop is not available")


def test_answers_reach_the_rows_and_the_sender(station: Station) -> None:
    block, got = station.block(Asked), list[Any]()
    message_id = station.send(ReportRequest("x"), got.append)
    station.feed(events.MessageAnswered(message_id, "Report", ReportRequest("x"), "ok"), 1.0)
    station.feed(events.MessageFailed("other", "Report", ReportRequest("y"), "Timeout"), 2.0)
    assert block.log == [("answered", "x", "ok"), ("failed", "y", "Timeout")]
    assert got == ["ok"]


def test_a_failure_is_a_value_for_the_sender(station: Station) -> None:
    got: list[Any] = []
    message_id = station.send(ReportRequest(), got.append)
    station.feed(events.MessageFailed(message_id, "Report", ReportRequest(), "GenericError", "no"), 1.0)
    assert got == [CallFailure("GenericError", "no")]


def test_timers_run_in_order_and_the_last_start_counts(station: Station) -> None:
    ran: list[str] = []
    station.start("a", 5.0, lambda: ran.append("a"))
    station.start("b", 3.0, lambda: ran.append("b"))
    station.start("a", 2.0, lambda: ran.append("a again"))
    station.start("c", 1.0, lambda: ran.append("c"))
    station.stop("c")
    assert station.deadline == 2.0
    station.wake(4.0)
    assert ran == ["a again", "b"] and station.deadline is None


def test_the_wall_time_follows_the_clock_that_was_set(station: Station) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    station.feed(events.WallClockSet(at.timestamp() - 100.0), 100.0)
    assert station.utc == at and station.monotonic(at) == 100.0


def test_events_reach_every_block_that_has_a_row(station: Station) -> None:
    station.feed(Happened("plugged in"), 1.0)
    assert station.block(Asked).log == ["plugged in"]


def test_documents_are_saved_as_json(station: Station) -> None:
    station.save("AVAILABILITY", "1", {"operative": False})
    station.save("AVAILABILITY", "2", None)
    assert station.feed(Happened("x"), 1.0) == [
        do.Save("AVAILABILITY", "1", b'{"operative":false}'),
        do.Save("AVAILABILITY", "2", None),
    ]


def test_a_request_has_one_block() -> None:
    class Second(Block):
        @answers(AskRequest)
        def ask(self, request: AskRequest) -> AskResponse:
            return AskResponse("")

    with pytest.raises(TypeError, match="the row of another block"):
        Station(Version.V16, [Asked, Second], ids())


def test_a_clock_at_the_end_of_the_calendar_goes_on() -> None:
    """A CSMS may set the station to the year 9999: no time of it ends a module."""
    station = Station(Version.V21, [], lambda: "id")
    station.set_utc(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    station.wake(10.0)
    assert station.utc.year == 9999
