"""One EVSE: whether a token may be used there, with which one it is authorized, and for how long."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    ProvidedIdToken,
    SelectionAlgorithm,
    TokenValidationStatus,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.auth.machine.connectors import Change, ConnectorState, after
from chargebyte_fw.modules.auth.machine.effects import Log, WithdrawAuthorization, token_status
from chargebyte_fw.modules.auth.machine.identifiers import same, value_of


class EvseState(Enum):
    """Authorization of an EVSE."""

    NOT_AUTHORIZED = "not authorized"
    REQUESTED = "requested"
    """The EVSE has not confirmed yet."""
    GRANTED = "granted"
    """It may begin a transaction until the connection timeout."""
    TRANSACTION = "transaction"


class Authorization(msgspec.Struct, frozen=True):
    """The token that an EVSE is authorized with, from the grant to the end of the transaction."""

    token: ProvidedIdToken
    result: ValidationResult

    @property
    def parent(self) -> str | None:
        """Identifier of the token's group."""
        return value_of(self.result.parent_id_token) or value_of(self.token.parent_id_token)

    def matches(self, identifier: str) -> bool:
        """Whether the token or its group has this identifier."""
        return same(self.token.id_token.value, identifier) or (
            self.parent is not None and same(self.parent, identifier)
        )


class Session(msgspec.Struct, frozen=True):
    """What holds until the session of the EVSE has finished."""

    plug_in: int | None = None
    """The plug-in that waits for a token: a number that grows with each one of the station."""
    had_transaction: bool = False
    """A transaction has begun; the EVSE is in use to the end of the session, also while its connector is disabled."""
    timed_out: bool = False
    """The EV waited too long for a token and must be unplugged first."""


class Grant(msgspec.Struct, frozen=True):
    """A token may be used here until monotonic second `until_s`, unless a transaction begins."""

    authorization: Authorization
    until_s: float


class Confirmed(msgspec.Struct, frozen=True):
    """The EVSE has taken the authorization."""


class NotConfirmed(msgspec.Struct, frozen=True):
    """The EVSE has not taken the authorization."""


class Withdraw(msgspec.Struct, frozen=True):
    """The authorization is to end before its use; `status` is published for its token, `why` logged."""

    status: TokenValidationStatus
    why: str


class PluggedIn(msgspec.Struct, frozen=True):
    """An EV was plugged in; `until_s`: it waits for a token no longer than this."""

    plug_in: int
    until_s: float | None


class TransactionStarted(msgspec.Struct, frozen=True):
    """A transaction has begun, on the connector of this number, with this token."""

    connector_id: int | None
    token: ProvidedIdToken | None


class TransactionFinished(msgspec.Struct, frozen=True):
    """The transaction has ended."""


class SessionFinished(msgspec.Struct, frozen=True):
    """The session has ended: the EV is unplugged."""

    connector_id: int | None


class Deauthorized(msgspec.Struct, frozen=True):
    """The EVSE has dropped its authorization."""


class AuthorizationEnded(msgspec.Struct, frozen=True):
    """Effect for the authorizer: an authorization ended unused, with the token that waits for its confirmation."""

    evse_id: int


S = EvseState


class Evse(Machine):
    """One EVSE of the station, as its session events and the tokens show it."""

    initial = S.NOT_AUTHORIZED

    def __init__(self, evse_id: int, types: dict[int, ConnectorTypeEnum]) -> None:
        super().__init__()
        self.id = evse_id
        self.types = types
        self.connectors = dict.fromkeys(types, ConnectorState.AVAILABLE)
        self.session = Session()
        self.authorization: Authorization | None = None

    # The authorization.

    @on(S.NOT_AUTHORIZED, event=Grant, to=S.REQUESTED)
    def grant(self, event: Grant, now: float) -> list[Any]:
        """Hold the EVSE for a token until the connection timeout."""
        self.authorization = event.authorization
        self.start("connection_timeout", event.until_s)
        return self.enter(S.REQUESTED)

    @on(S.REQUESTED, event=Confirmed, to=S.GRANTED)
    def confirm(self, _: Confirmed, now: float) -> list[Any]:
        """Wait for the transaction."""
        return self.enter(S.GRANTED)

    @on(S.NOT_AUTHORIZED, S.GRANTED, S.TRANSACTION, event=Confirmed)
    def confirm_late(self, _: Confirmed, now: float) -> list[Any]:
        """Ignore the answer: session events have overtaken it."""
        return []

    @on(S.REQUESTED, S.GRANTED, event=NotConfirmed, to=S.NOT_AUTHORIZED)
    def refuse(self, _: NotConfirmed, now: float) -> list[Any]:
        """Free the EVSE again."""
        return self._end_authorization()

    @on(S.NOT_AUTHORIZED, event=NotConfirmed)
    def refuse_late(self, _: NotConfirmed, now: float) -> list[Any]:
        """Ignore the answer: the authorization has ended already."""
        return []

    @on(S.REQUESTED, S.GRANTED, timer="connection_timeout", to=S.NOT_AUTHORIZED)
    def time_out(self, now: float) -> list[Any]:
        """End an authorization without a transaction in time (OCPP: ConnectionTimeOut)."""
        return self._withdraw(Withdraw(TokenValidationStatus.TimedOut, "no transaction began in time"))

    @on(S.REQUESTED, S.GRANTED, event=Withdraw, to=S.NOT_AUTHORIZED)
    def withdraw(self, event: Withdraw, now: float) -> list[Any]:
        """End an authorization that was not used."""
        return self._withdraw(event)

    @on(S.GRANTED, event=Deauthorized, to=S.NOT_AUTHORIZED)
    def deauthorized(self, _: Deauthorized, now: float) -> list[Any]:
        """Follow the EVSE, which has dropped the authorization by itself."""
        return self._end_authorization()

    @on(S.NOT_AUTHORIZED, S.REQUESTED, S.TRANSACTION, event=Deauthorized)
    def deauthorized_before(self, _: Deauthorized, now: float) -> list[Any]:
        """Ignore it: until the EVSE has confirmed the present token, this is about the one before."""
        return []

    # The session.

    @on(S.NOT_AUTHORIZED, event=PluggedIn)
    def plugged_in(self, event: PluggedIn, now: float) -> list[Any]:
        """Wait for a token, with several EVSEs for a limited time."""
        if event.until_s is not None:
            self.start("plug_in_timeout", event.until_s)
        return self._note_plug_in(event, now)

    @on(S.REQUESTED, S.GRANTED, S.TRANSACTION, event=PluggedIn)
    def _note_plug_in(self, event: PluggedIn, now: float) -> list[Any]:
        """Note the plug-in."""
        self.session = msgspec.structs.replace(self.session, plug_in=event.plug_in)
        return []

    @on(S.NOT_AUTHORIZED, timer="plug_in_timeout")
    def no_token_in_time(self, now: float) -> list[Any]:
        """Let the EV be unplugged before a token is used here."""
        self.session = msgspec.structs.replace(self.session, plug_in=None, timed_out=True)
        return [WithdrawAuthorization(self.id), Log(f"the car at EVSE {self.id} waited too long for a token")]

    @on(S.NOT_AUTHORIZED, S.REQUESTED, S.GRANTED, S.TRANSACTION, event=TransactionStarted, to=S.TRANSACTION)
    def transaction_started(self, event: TransactionStarted, now: float) -> list[Any]:
        """Follow a transaction, also one without a token of ours (from before a restart, without authentication)."""
        self.change(Change.TRANSACTION_STARTED, event.connector_id or self.first_connector)
        self.session = msgspec.structs.replace(self.session, plug_in=None, had_transaction=True)
        if self.authorization is None and event.token is not None:
            # The same token must be able to stop it.
            accepted = ValidationResult(authorization_status=AuthorizationStatus.Accepted, tariff_messages=[])
            self.authorization = Authorization(event.token, accepted)
        return self.enter(S.TRANSACTION)

    @on(S.NOT_AUTHORIZED, S.REQUESTED, S.GRANTED, S.TRANSACTION, event=TransactionFinished, to=S.NOT_AUTHORIZED)
    def transaction_finished(self, _: TransactionFinished, now: float) -> list[Any]:
        """End the authorization with its transaction."""
        return self._end_authorization()

    @on(S.TRANSACTION, event=SessionFinished, to=S.NOT_AUTHORIZED)
    def transaction_lost(self, event: SessionFinished, now: float) -> list[Any]:
        """End session and transaction: the event of the transaction's end got lost."""
        self._finish_session(event)
        return self._end_authorization()

    @on(S.GRANTED, event=SessionFinished, to=S.NOT_AUTHORIZED)
    def unplugged(self, event: SessionFinished, now: float) -> list[Any]:
        """End the authorization with the session: the EVSE has dropped it by itself."""
        self._finish_session(event)
        return self._withdraw(Withdraw(TokenValidationStatus.Withdrawn, "unplugged"))[1:]

    @on(S.NOT_AUTHORIZED, S.REQUESTED, event=SessionFinished)
    def session_finished(self, event: SessionFinished, now: float) -> list[Any]:
        """Free the EVSE; an authorization that is only requested is one for the next session."""
        self._finish_session(event)
        return []

    def _finish_session(self, event: SessionFinished) -> None:
        self.change(Change.SESSION_FINISHED, event.connector_id or self.first_connector)
        self.session = Session()
        self.stop("plug_in_timeout")

    def _end_authorization(self) -> list[Any]:
        self.authorization = None
        return self.enter(S.NOT_AUTHORIZED)

    def _withdraw(self, event: Withdraw) -> list[Any]:
        assert self.authorization is not None
        token = self.authorization.token
        self._end_authorization()
        log = Log(f"the authorization of EVSE {self.id} is over: {event.why}")
        return [WithdrawAuthorization(self.id), AuthorizationEnded(self.id), token_status(token, event.status), log]

    # What follows from it.

    def change(self, change: Change, connector_id: int | None = None) -> bool:
        """Apply a change to one connector (None: to each); returns whether anything changed."""
        before = dict(self.connectors)
        for number in self.connectors if connector_id is None else [connector_id]:
            if number in self.connectors:
                self.connectors[number] = after(self.connectors[number], change)
        return self.connectors != before

    def revalidate(self, authorization: Authorization) -> None:
        """Replace what is known of the token that the EVSE is authorized with."""
        self.authorization = authorization

    @property
    def transaction(self) -> bool:
        """Whether a transaction is running."""
        return self.state is S.TRANSACTION

    @property
    def waiting_plug_in(self) -> int | None:
        """The plug-in that waits for a token."""
        return self.session.plug_in

    @property
    def first_connector(self) -> int:
        """The connector that an event without a number means."""
        return next(iter(self.connectors))

    @property
    def disabled(self) -> bool:
        """Whether no connector is enabled."""
        out = (ConnectorState.UNAVAILABLE, ConnectorState.UNAVAILABLE_FAULTED)
        return all(state in out for state in self.connectors.values())

    @property
    def occupied(self) -> bool:
        """Whether a session with a transaction holds it."""
        held = (ConnectorState.OCCUPIED, ConnectorState.FAULTED_OCCUPIED)
        return self.session.had_transaction or any(state in held for state in self.connectors.values())

    @property
    def available(self) -> bool:
        """Whether a token can be used here."""
        free = any(state is ConnectorState.AVAILABLE for state in self.connectors.values())
        unused = self.authorization is None and not (self.occupied or self.transaction or self.session.timed_out)
        return free and unused


def choose(algorithm: SelectionAlgorithm, candidates: list[Evse], *, alone: bool) -> Evse | None:
    """Return the EVSE for a token, None when a plug-in must be waited for. `alone`: the token is for this one only."""
    if not candidates:
        return None
    if alone:
        return candidates[0]
    waiting = sorted(
        (evse for evse in candidates if evse.waiting_plug_in is not None), key=lambda evse: evse.waiting_plug_in or 0
    )
    if algorithm is SelectionAlgorithm.FindFirst:
        return next((evse for evse in candidates if evse.waiting_plug_in is not None), candidates[0])
    if not waiting:
        return None
    return waiting[-1] if algorithm is SelectionAlgorithm.PlugEventsLIFO else waiting[0]


def authorized_with(evses: Iterable[Evse], identifier: str) -> Evse | None:
    """Return the EVSE that is authorized with a token, or a group, of this name; one with a transaction first."""
    found = [evse for evse in evses if evse.authorization is not None and evse.authorization.matches(identifier)]
    return next((evse for evse in found if evse.transaction), found[0] if found else None)
