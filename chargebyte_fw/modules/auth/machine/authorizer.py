"""The authorizer of a station: gives events to the token, the EVSE or the reservation that they are about."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from itertools import count
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    ProvidedIdToken,
    TokenValidationStatus,
    WithdrawAuthorizationResult,
)
from chargebyte_fw.contracts.types.evse_manager import (
    SessionEvent,
    SessionEventEnum,
    StartSessionReason,
    StopTransactionReason,
    StopTransactionRequest,
)
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.auth.machine import evse as events_of_evse
from chargebyte_fw.modules.auth.machine.connectors import Change
from chargebyte_fw.modules.auth.machine.effects import Log, Reply, StopTransaction, token_status
from chargebyte_fw.modules.auth.machine.events import (
    Authorized,
    CancelRequested,
    CheckRequested,
    EvseReleased,
    EvseReserved,
    EvsesKnown,
    InoperativeChanged,
    ReservationRequested,
    SessionEventReceived,
    SetConnectionTimeout,
    SetMasterPassGroup,
    TokenPresented,
    TransactionStopped,
    Validated,
    ValidationUpdated,
    WallClockSet,
    WithdrawRequested,
)
from chargebyte_fw.modules.auth.machine.evse import AuthorizationEnded, Evse
from chargebyte_fw.modules.auth.machine.identifiers import described, same
from chargebyte_fw.modules.auth.machine.pending_token import (
    EvsesChanged,
    PendingToken,
    TokenState,
    TokenWithdrawn,
    refusals,
)
from chargebyte_fw.modules.auth.machine.reservation_rows import ReservationRows, State
from chargebyte_fw.modules.auth.machine.station import Rules

FROM_THE_CAR = (AuthorizationType.Autocharge, AuthorizationType.PlugAndCharge)
WITHOUT_EVSE = (TokenState.VALIDATING, TokenState.WAITING)


class Authorizer(ReservationRows):
    """Matches tokens with EVSEs and keeps the reservations.

    Tokens and EVSEs are machines of their own; their deadlines are part of this one's.
    """

    def __init__(self, rules: Rules) -> None:
        super().__init__(rules)
        self.tokens: dict[int, PendingToken] = {}
        self._early: deque[Any] = deque()
        self._token_ids = count(1)
        self._plug_ins = count()

    @property
    def deadline(self) -> float | None:
        """The earliest deadline: of a token, an EVSE or a reservation."""
        machines: Iterable[Machine] = (*self.tokens.values(), *self.station.evses.values())
        deadlines = [at_s for one in machines if (at_s := one.deadline) is not None]
        expiry = self.due("reservation_expiry")
        return min(deadlines if expiry is None else [*deadlines, expiry], default=None)

    def feed(self, event: Any, now: float) -> list[Any]:
        """Take one event, and keep EVSEs reserved as the reservations need it."""
        return self._settled(super().feed(event, now))

    def wake(self, now: float) -> list[Any]:
        """Let time pass for tokens, EVSEs and reservations, in this order."""
        effects: list[Any] = []
        for token in self.tokens.values():
            effects += token.wake(now)
        for evse in self.station.evses.values():
            effects += self._after_evse(evse.wake(now))
        effects += super().wake(now)
        return self._settled([*effects, *self._try_waiting(now)])

    def _settled(self, effects: list[Any]) -> list[Any]:
        held = self.station.hold_for_any()
        self.plan_expiry()
        return [*effects, *held]

    # The start.

    @on(State.STARTING, event=TokenPresented)
    @on(State.STARTING, event=Validated)
    @on(State.STARTING, event=Authorized)
    @on(State.STARTING, event=TransactionStopped)
    @on(State.STARTING, event=SessionEventReceived)
    @on(State.STARTING, event=InoperativeChanged)
    @on(State.STARTING, event=ValidationUpdated)
    @on(State.STARTING, event=WithdrawRequested)
    @on(State.STARTING, event=SetConnectionTimeout)
    @on(State.STARTING, event=SetMasterPassGroup)
    @on(State.STARTING, event=ReservationRequested)
    @on(State.STARTING, event=EvseReserved)
    @on(State.STARTING, event=EvseReleased)
    @on(State.STARTING, event=CancelRequested)
    @on(State.STARTING, event=CheckRequested)
    @on(State.STARTING, event=WallClockSet)
    def keep_early(self, event: Any, now: float) -> list[Any]:
        """Keep what comes before the EVSEs are known: an EV plugged in during the start charges."""
        self._early.append(event)
        return []

    @on(State.STARTING, event=EvsesKnown, to=State.READY)
    def evses_known(self, event: EvsesKnown, now: float) -> list[Any]:
        """Take what came too early."""
        for evse_id, types in sorted(event.evses.items()):
            self.station.evses[evse_id] = Evse(evse_id, types)
        effects = self.enter(State.READY)
        while self._early:
            effects += super().feed(self._early.popleft(), now)
        return effects

    # Tokens.

    @on(State.READY, event=TokenPresented)
    def token_presented(self, event: TokenPresented, now: float) -> list[Any]:
        """Begin with a token, unless it is in use already."""
        if self._in_use(event.token):
            refused = token_status(event.token, TokenValidationStatus.Rejected)
            # At the same EVSE the answer is on its way.
            at = {evse_id for one in self._pending(event.token) for evse_id in one.evse_ids}
            answers = refusals(event.token, self.station, at, AuthorizationStatus.ConcurrentTx)
            return [refused, *answers, Log(f"{described(event.token)} is in process", "debug")]
        token = PendingToken(next(self._token_ids), event.token, self.station)
        self.tokens[token.id] = token
        return self._feed_token(token, event, now)

    @on(State.READY, event=Validated)
    def validated(self, event: Validated, now: float) -> list[Any]:
        """Give the answer to its token; one that was withdrawn meanwhile is gone."""
        return self._answer(event.token_id, TokenState.VALIDATING, event, now)

    @on(State.READY, event=Authorized)
    def authorized(self, event: Authorized, now: float) -> list[Any]:
        """Give the answer to its token."""
        return self._answer(event.token_id, TokenState.AUTHORIZING, event, now)

    @on(State.READY, event=TransactionStopped)
    def transaction_stopped(self, event: TransactionStopped, now: float) -> list[Any]:
        """Give the answer to its token."""
        return self._answer(event.token_id, TokenState.STOPPING, event, now)

    @on(State.READY, event=ValidationUpdated)
    def validation_updated(self, event: ValidationUpdated, now: float) -> list[Any]:
        """Replace what is known of the token at an EVSE; a grant that is gone before it was used is withdrawn."""
        evse = self.station.evses.get(event.update.connector_id)
        if evse is None or evse.authorization is None:
            return []
        new, old = event.update.validation_result, evse.authorization
        result = msgspec.structs.replace(
            old.result, authorization_status=new.authorization_status, parent_id_token=new.parent_id_token
        )
        token = msgspec.structs.replace(old.token, parent_id_token=new.parent_id_token or old.token.parent_id_token)
        evse.revalidate(msgspec.structs.replace(old, token=token, result=result))
        if new.authorization_status is AuthorizationStatus.Accepted:
            return [token_status(token, TokenValidationStatus.Accepted, new.tariff_messages)]
        if evse.transaction:
            # Whether an invalid token ends a running transaction is decided by the sender of the update.
            return [token_status(token, TokenValidationStatus.Rejected, new.tariff_messages)]
        why = f"now {new.authorization_status.value}"
        return self._withdraw_from(evse, TokenValidationStatus.Rejected, why, now)

    def _pending(self, token: ProvidedIdToken) -> list[PendingToken]:
        identifier = token.id_token.value
        return [one for one in self.tokens.values() if same(one.token.id_token.value, identifier)]

    def _in_use(self, token: ProvidedIdToken) -> bool:
        if self._pending(token):
            return True
        return any(
            evse.authorization is not None
            and not evse.transaction
            and same(evse.authorization.token.id_token.value, token.id_token.value)
            for evse in self.station.evses.values()
        )

    def _answer(self, token_id: int, expected: TokenState, event: Any, now: float) -> list[Any]:
        token = self.tokens.get(token_id)
        return [] if token is None or token.state is not expected else self._feed_token(token, event, now)

    def _feed_token(self, token: PendingToken, event: Any, now: float) -> list[Any]:
        effects = token.feed(event, now)
        self._drop_ended()
        return effects

    def _drop_ended(self) -> None:
        self.tokens = {number: token for number, token in self.tokens.items() if token.state is not TokenState.ENDED}

    def _try_waiting(self, now: float) -> list[Any]:
        """Let the tokens that wait look for an EVSE again, the oldest first."""
        effects: list[Any] = []
        for token in self.tokens.values():
            if token.state is TokenState.WAITING:
                effects += token.feed(EvsesChanged(), now)
        self._drop_ended()
        return effects

    # EVSEs.

    @on(State.READY, event=SessionEventReceived)
    def session_event_received(self, event: SessionEventReceived, now: float) -> list[Any]:
        """Follow the session of an EVSE."""
        evse = self.station.evses.get(event.evse_id)
        if evse is None:
            return []
        session_event = event.event
        match session_event.event:
            case SessionEventEnum.SessionStarted:
                return self._plugged_in(evse, session_event, now)
            case SessionEventEnum.TransactionStarted:
                started = session_event.transaction_started
                token = None if started is None else started.id_tag
                effects = evse.feed(events_of_evse.TransactionStarted(session_event.connector_id, token), now)
                return [*effects, *self.cancel_impossible(evse)]
            case SessionEventEnum.TransactionFinished:
                return evse.feed(events_of_evse.TransactionFinished(), now)
            case SessionEventEnum.SessionFinished:
                return self._session_finished(evse, session_event, now)
            case SessionEventEnum.Enabled:
                return self._changed(evse, Change.ENABLE, session_event.connector_id, now)
            case SessionEventEnum.Disabled:
                return self._changed(evse, Change.DISABLE, session_event.connector_id, now)
            case SessionEventEnum.Deauthorized:
                return evse.feed(events_of_evse.Deauthorized(), now)
            case SessionEventEnum.ReservationEnd:
                return self.reservation_ended(evse)
        return []

    @on(State.READY, event=InoperativeChanged)
    def inoperative_changed(self, event: InoperativeChanged, now: float) -> list[Any]:
        """Use no token at an EVSE that cannot charge, unless the configuration allows it."""
        evse = self.station.evses.get(event.evse_id)
        if evse is None or self.station.rules.ignore_faults:
            return []
        return self._changed(evse, Change.FAULTED if event.active else Change.ERROR_CLEARED, None, now)

    def _plugged_in(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        started, rules = event.session_started, self.station.rules
        if started is None or started.reason is not StartSessionReason.EVConnected:
            return []
        limited = rules.plug_in_timeout and len(self.station.evses) > 1
        until_s = now + rules.connection_timeout_s if limited else None
        effects = evse.feed(events_of_evse.PluggedIn(next(self._plug_ins), until_s), now)
        return [*effects, *self._try_waiting(now)]

    def _session_finished(self, evse: Evse, event: SessionEvent, now: float) -> list[Any]:
        effects = self._withdraw_tokens_of_the_car(evse, now)
        effects += self._after_evse(evse.feed(events_of_evse.SessionFinished(event.connector_id), now))
        return [*effects, *self.cancel_impossible(evse), *self._try_waiting(now)]

    def _withdraw_tokens_of_the_car(self, evse: Evse, now: float) -> list[Any]:
        """End the tokens without an EVSE that came from the EV itself: they are not for the next one."""
        effects: list[Any] = []
        for token in self.tokens.values():
            from_the_car = token.token.authorization_type in FROM_THE_CAR and token.evse_ids == [evse.id]
            if from_the_car and token.state in WITHOUT_EVSE:
                effects += token.feed(TokenWithdrawn(None, with_the_car=True), now)
        return effects

    def _changed(self, evse: Evse, change: Change, connector_id: int | None, now: float) -> list[Any]:
        if not evse.change(change, connector_id):
            return []
        return [*self.cancel_impossible(evse), *self._try_waiting(now)]

    def _withdraw_from(self, evse: Evse, status: TokenValidationStatus, why: str, now: float) -> list[Any]:
        return self._after_evse(evse.feed(events_of_evse.Withdraw(status, why), now))

    def _after_evse(self, effects: list[Any]) -> list[Any]:
        """Drop the tokens that wait for the confirmation of an authorization that has ended."""
        ended = {effect.evse_id for effect in effects if isinstance(effect, AuthorizationEnded)}
        if not ended:
            return effects
        self.tokens = {number: token for number, token in self.tokens.items() if token.evse_id not in ended}
        return [effect for effect in effects if not isinstance(effect, AuthorizationEnded)]

    # Commands of the interface `auth`.

    @on(State.READY, event=WithdrawRequested)
    def withdraw_requested(self, event: WithdrawRequested, now: float) -> list[Any]:
        """Withdraw what matches: tokens without an EVSE, grants not yet used, running transactions."""
        evse_id, evses = event.request.evse_id, self.station.evses
        identifier = event.request.id_token.value if event.request.id_token is not None else None
        if evse_id is not None and evse_id not in evses:
            return [Reply(event.request_id, WithdrawAuthorizationResult.EvseNotFound)]
        found = False
        effects: list[Any] = []
        for token in self.tokens.values():
            here = evse_id is None or evse_id in token.evse_ids
            matches = identifier is None or same(token.token.id_token.value, identifier)
            if here and matches and token.state in WITHOUT_EVSE:
                found = True
                effects += token.feed(TokenWithdrawn(evse_id), now)
        for evse in evses.values() if evse_id is None else [evses[evse_id]]:
            held = evse.authorization
            if held is not None and (identifier is None or same(held.token.id_token.value, identifier)):
                found = True
                effects += self._end_use(evse, now)
        result = WithdrawAuthorizationResult.Accepted if found else WithdrawAuthorizationResult.AuthorizationNotFound
        return [*effects, Reply(event.request_id, result), *(self._try_waiting(now) if found else [])]

    def _end_use(self, evse: Evse, now: float) -> list[Any]:
        if evse.transaction:
            request = StopTransactionRequest(reason=StopTransactionReason.DeAuthorized)
            return [StopTransaction(evse.id, request, None)]
        return self._withdraw_from(evse, TokenValidationStatus.Withdrawn, "withdrawn", now)

    @on(State.READY, event=SetConnectionTimeout)
    def set_connection_timeout(self, event: SetConnectionTimeout, now: float) -> list[Any]:
        """Use another time for timers that start from now on."""
        self.station.rules.connection_timeout_s = event.timeout_s
        return []

    @on(State.READY, event=SetMasterPassGroup)
    def set_master_pass_group(self, event: SetMasterPassGroup, now: float) -> list[Any]:
        """Use another group for the master pass."""
        self.station.rules.master_pass = event.group
        return []
