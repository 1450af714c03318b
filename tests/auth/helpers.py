"""A station on the bench: the bare machine, with EVSEs and a validator that do at once what they are asked."""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from itertools import count
from typing import Any

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
    ValidationResult,
    WithdrawAuthorizationRequest,
)
from chargebyte_fw.contracts.types.evse_manager import (
    ConnectorTypeEnum,
    SessionEvent,
    SessionEventEnum,
    SessionStarted,
    StartSessionReason,
    TransactionStarted,
)
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.reservation import Reservation
from chargebyte_fw.contracts.types.units import Energy
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.auth.machine import Authorizer, Rules, events
from chargebyte_fw.modules.auth.machine import effects as do

CCS2, TYPE2, TESLA, ANY = (
    ConnectorTypeEnum.cCCS2,
    ConnectorTypeEnum.sType2,
    ConnectorTypeEnum.cTesla,
    ConnectorTypeEnum.Unknown,
)
METER = Powermeter(timestamp="2026-01-01T00:00:00.000Z", energy_Wh_import=Energy(total=0.0))


def id_token(value: str) -> IdToken:
    return IdToken(value=value, type=IdTokenType.ISO14443)


def provided(
    value: str,
    *,
    connectors: list[int] | None = None,
    kind: AuthorizationType = AuthorizationType.RFID,
    prevalidated: bool | None = None,
    parent: str | None = None,
) -> ProvidedIdToken:
    return ProvidedIdToken(
        id_token=id_token(value),
        authorization_type=kind,
        connectors=connectors,
        prevalidated=prevalidated,
        parent_id_token=id_token(parent) if parent else None,
    )


def result(status: str = "Accepted", parent: str | None = None, **more: Any) -> ValidationResult:
    return ValidationResult(
        authorization_status=AuthorizationStatus(status),
        tariff_messages=[],
        parent_id_token=id_token(parent) if parent else None,
        **more,
    )


def session_event(kind: str, **more: Any) -> SessionEvent:
    return SessionEvent(uuid="u", timestamp="2026-01-01T00:00:00.000Z", event=SessionEventEnum(kind), **more)


def plugged_in(reason: str = "EVConnected") -> SessionEvent:
    started = SessionStarted(reason=StartSessionReason(reason), meter_value=METER)
    return session_event("SessionStarted", session_started=started)


def transaction_started(token: ProvidedIdToken) -> SessionEvent:
    started = TransactionStarted(id_tag=token, meter_value=METER)
    return session_event("TransactionStarted", transaction_started=started)


class Bench:
    """Two EVSEs with one connector each unless told otherwise; what is done is written down."""

    def __init__(self, *evses: list[ConnectorTypeEnum], timeout_s: float = 10.0, **rules: Any) -> None:
        kinds = evses or ([ANY], [ANY])
        self.now = 0.0
        self.wall_zero_at = VIRTUAL_EPOCH
        self.machine = Authorizer(Rules(connection_timeout_s=timeout_s, **rules))
        self.verdicts: dict[str, list[ValidationResult]] = {}
        self.answering = True
        """Validators answer at once; else `verdict` is waited for."""
        self.confirming = True
        """EVSEs confirm at once; else `confirm` is waited for."""
        self.said: list[tuple[str, str]] = []
        self.tokens: list[ProvidedIdToken] = []
        self.authorized: list[tuple[int, str, str]] = []
        self.results: list[ValidationResult] = []
        self.stopped: list[tuple[int, str]] = []
        self.taken_back: list[int] = []
        self.reserved: dict[int, int] = {}
        self.refusing: set[int] = set()
        """EVSEs that do not let themselves be reserved, or do not stop, or do not take an authorization."""
        self.released: list[int] = []
        self.letting_go = True
        """EVSEs give reservations up at once; else `let_go` is waited for."""
        self.told: list[tuple[int, str]] = []
        self.kept: list[Reservation] = []
        self.answers: dict[int, Any] = {}
        self.pending: list[int] = []
        self.asked: list[int] = []
        self._request_ids = count(1)
        self._holders: dict[int, ProvidedIdToken] = {}
        self._queue: deque[Any] = deque()
        self.feed(
            events.EvsesKnown({number: dict(enumerate(kind, 1)) for number, kind in enumerate(kinds, 1)}),
        )

    def feed(self, event: Any) -> None:
        self._queue.append(event)
        while self._queue:
            for effect in self.machine.feed(self._queue.popleft(), self.now):
                self._carry_out(effect)

    def _carry_out(self, effect: Any) -> None:
        match effect:
            case Publish(_, "token_validation_status", message):
                self.said.append((message.token.id_token.value, message.status.value))
                self.tokens.append(message.token)
            case do.ValidateToken(token_id, token):
                self.asked.append(token_id)
                if self.answering:
                    self.verdict(token_id, token.id_token.value)
            case do.AuthorizeEvse(evse_id, token, outcome, token_id):
                self.authorized.append((evse_id, token.id_token.value, outcome.authorization_status.value))
                self.results.append(outcome)
                self._holders[evse_id] = token
                if token_id is not None and self.confirming:
                    self._queue.append(events.Authorized(token_id, evse_id not in self.refusing))
                elif token_id is not None:
                    self.pending.append(token_id)
            case do.StopTransaction(evse_id, request, token_id):
                self.stopped.append((evse_id, request.reason.value))
                if token_id is not None:
                    self._queue.append(events.TransactionStopped(token_id, evse_id not in self.refusing))
            case do.WithdrawAuthorization(evse_id):
                self.taken_back.append(evse_id)
            case do.Reply(request_id, answer):
                self.answers[request_id] = answer
            case do.ReserveEvse(evse_id, number, request_id):
                taken = evse_id not in self.refusing
                if taken:
                    self.reserved[evse_id] = number
                if request_id is not None:
                    self._queue.append(events.EvseReserved(request_id, number, taken))
            case do.ReleaseEvse(evse_id):
                self.released.append(evse_id)
                if self.letting_go:
                    self.reserved.pop(evse_id, None)
                    self._queue.append(events.EvseReleased(evse_id))
            case Publish(_, "reservation_update", update):
                self.told.append((update.reservation_id, update.reservation_status.value))
            case do.StoreReservations(entries):
                self.kept = entries

    def verdict(self, token_id: int, value: str) -> None:
        self._queue.append(events.Validated(token_id, self.verdicts.get(value.upper(), [result()])))

    def answer(self, number: int = 0) -> None:
        """Let the validators answer the token that was asked for as number `number`."""
        token_id = self.asked[number]
        self.verdict(token_id, self.machine.tokens[token_id].token.id_token.value)
        self.feed(self._queue.popleft())

    def confirm(self, *, taken: bool = True) -> None:
        self.feed(events.Authorized(self.pending.pop(0), taken))

    def let_go(self, evse_id: int, *, answered: bool = True) -> None:
        """An EVSE reports the end of a reservation that it was told to give up, then answers the command."""
        self.event(evse_id, "ReservationEnd")
        if answered:
            self.feed(events.EvseReleased(evse_id))

    def swipe(self, value: str, **more: Any) -> None:
        self.feed(events.TokenPresented(provided(value, **more)))

    def plug_in(self, evse_id: int) -> None:
        self.feed(events.SessionEventReceived(evse_id, plugged_in()))

    def begin_transaction(self, evse_id: int) -> None:
        self.feed(events.SessionEventReceived(evse_id, transaction_started(self._holders[evse_id])))

    def end_transaction(self, evse_id: int) -> None:
        self.event(evse_id, "TransactionFinished")

    def unplug(self, evse_id: int) -> None:
        self.event(evse_id, "SessionFinished")

    def event(self, evse_id: int, kind: str, **more: Any) -> None:
        self.feed(events.SessionEventReceived(evse_id, session_event(kind, **more)))

    def charge(self, evse_id: int, value: str) -> None:
        """Plug in, swipe, begin a transaction; forget what was said so far."""
        self.plug_in(evse_id)
        self.swipe(value)
        self.begin_transaction(evse_id)
        assert self.authorized[-1] == (evse_id, value, "Accepted")
        self.forget()

    def forget(self) -> None:
        for each in (self.said, self.tokens, self.authorized, self.results, self.stopped, self.taken_back):
            each.clear()

    def pass_time(self, seconds: float) -> None:
        end = self.now + seconds
        while self.machine.deadline is not None and self.machine.deadline <= end:
            self.now = self.machine.deadline
            for effect in self.machine.wake(self.now):
                self._carry_out(effect)
            while self._queue:
                self.feed(self._queue.popleft())
        self.now = end

    def withdraw(self, evse_id: int | None = None, value: str | None = None) -> str:
        request_id = next(self._request_ids)
        request = WithdrawAuthorizationRequest(evse_id=evse_id, id_token=id_token(value) if value else None)
        self.feed(events.WithdrawRequested(request_id, request))
        return str(self.answers[request_id].value)

    def reserve(
        self,
        number: int,
        kind: ConnectorTypeEnum | None = None,
        *,
        evse: int | None = None,
        remaining_s: float = 600.0,
        token: str = "R",
        parent: str | None = None,
    ) -> str:
        request_id = next(self._request_ids)
        wanted = Reservation(
            reservation_id=number, id_token=token, expiry_time="", evse_id=evse, parent_id_token=parent,
            connector_type=kind,
        )  # fmt: skip
        self.feed(events.ReservationRequested(request_id, wanted, self.wall_at(remaining_s), self.wall_at(0.0)))
        return str(self.answers[request_id].value)

    def wall_at(self, after_s: float | None) -> Any:
        """The wall time in so many seconds, by the clock as it goes now."""
        return None if after_s is None else self.wall_zero_at + timedelta(seconds=self.now + after_s)

    def set_wall(self, by_s: float) -> None:
        """NTP sets the clock by so many seconds."""
        self.wall_zero_at += timedelta(seconds=by_s)
        self.feed(events.WallClockSet(self.wall_at(0.0)))

    def cancel(self, number: int) -> bool:
        request_id = next(self._request_ids)
        self.feed(events.CancelRequested(request_id, number))
        return bool(self.answers[request_id])

    def look(self, token: str, evse: int | None = None, group: str | None = None) -> str:
        request_id = next(self._request_ids)
        self.feed(events.CheckRequested(request_id, token, evse, group))
        return str(self.answers[request_id].value)

    def says(self, value: str) -> list[str]:
        """What was said of one token."""
        return [status for token, status in self.said if token == value]
