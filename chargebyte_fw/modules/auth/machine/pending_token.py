"""One token, from its presentation until it is used, refused, withdrawn or timed out."""

from __future__ import annotations

from collections.abc import Collection
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    CertificateStatus,
    ProvidedIdToken,
    SelectionAlgorithm,
    TokenValidationStatus,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.contracts.types.reservation import ReservationUpdateStatusReservationStatus as ReservationStatus
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.auth.machine.effects import (
    AuthorizeEvse,
    Log,
    StopTransaction,
    ValidateToken,
    reservation_status,
    token_status,
)
from chargebyte_fw.modules.auth.machine.events import Authorized, TokenPresented, TransactionStopped, Validated
from chargebyte_fw.modules.auth.machine.evse import (
    Authorization,
    Confirmed,
    Evse,
    Grant,
    NotConfirmed,
    authorized_with,
    choose,
)
from chargebyte_fw.modules.auth.machine.identifiers import described, named, same, value_of
from chargebyte_fw.modules.auth.machine.station import Station


class TokenState(Enum):
    """How far a token has come."""

    PRESENTED = "presented"
    VALIDATING = "validating"
    WAITING = "waiting for a plug-in"
    AUTHORIZING = "authorizing"
    STOPPING = "stopping"
    ENDED = "ended"


class EvsesChanged(msgspec.Struct, frozen=True):
    """A plug-in, or an EVSE that can be used again: there may be a place for a token that waits."""


class TokenWithdrawn(msgspec.Struct, frozen=True):
    """The token is withdrawn from one EVSE, or (None) from all."""

    evse_id: int | None
    with_the_car: bool = False
    """The EV that presented it has gone."""


T = TokenState


_USED = (TokenValidationStatus.UsedToStart, TokenValidationStatus.UsedToStop)
_REASONS = {TokenValidationStatus.TimedOut: AuthorizationStatus.Timeout}


class PendingToken(Machine):
    """One token that was presented; in state ENDED it is done."""

    initial = T.PRESENTED

    def __init__(self, token_id: int, token: ProvidedIdToken, station: Station) -> None:
        super().__init__()
        self.id = token_id
        self.token = token
        self.evse_ids = station.meant_by(token)
        """The EVSEs that it may be used at."""
        self.evse_id = 0
        """The EVSE that it is being used at."""
        self._station = station
        self._granted: list[ValidationResult] = []
        """Results that validators granted and that were not tried yet, the present one first."""
        self._published = token
        """The token with its EVSE and its group, as far as they are known."""
        self._unanswered = 0
        """EVSEs that have not answered `StopTransaction` yet."""
        self._stopping = False
        """One of them ends its transaction."""
        self._answered: set[int] = set()
        """EVSEs that got a result for the token."""

    # Presented and validated.

    @on(T.PRESENTED, event=TokenPresented, to=(T.VALIDATING, T.WAITING, T.AUTHORIZING, T.STOPPING, T.ENDED))
    def present(self, event: TokenPresented, now: float) -> list[Any]:
        """End a transaction with the token at once, or have it validated."""
        return [token_status(self.token, TokenValidationStatus.Processing), *self._begin(now)]

    def _begin(self, now: float) -> list[Any]:
        token, evses, reservations = self.token, self._evses(), self._station.reservations
        identifier = token.id_token.value
        if token.authorization_type is AuthorizationType.RFID and (holding := authorized_with(evses, identifier)):
            return self._presented_again(holding, None)
        free = [evse for evse in evses if evse.available]
        groups = any(evse.authorization is not None and evse.authorization.parent for evse in evses)
        if not free and not groups and not self._station.rules.master_pass:
            return self._refuse("no EVSE is free")
        if free and not any(
            reservations.allows(evse, identifier, value_of(token.parent_id_token)) or reservations.could_match(evse)
            for evse in free
        ):
            return self._refuse("every free EVSE is reserved")
        if token.prevalidated:
            granted = ValidationResult(
                authorization_status=AuthorizationStatus.Accepted,
                tariff_messages=[],
                parent_id_token=token.parent_id_token,
            )
            return self._judge([granted], now)
        return self.enter(T.VALIDATING, ValidateToken(self.id, token))

    @on(T.VALIDATING, event=Validated, to=(T.WAITING, T.AUTHORIZING, T.STOPPING, T.ENDED))
    def validated(self, event: Validated, now: float) -> list[Any]:
        """Find out what the token is good for: to begin, to stop, or nothing."""
        return self._judge(event.results, now)

    def _judge(self, results: list[ValidationResult], now: float) -> list[Any]:
        granted = [result for result in results if result.authorization_status is AuthorizationStatus.Accepted]
        if not granted:
            return self._deny(results[0])
        evses = self._evses()
        free = [evse for evse in evses if evse.available]
        if not (self._station.rules.prioritize_authorization and free):
            for result in granted:
                parent = value_of(result.parent_id_token)
                if parent and (holding := authorized_with(evses, parent)):
                    return self._presented_again(holding, result)
            if any(self._is_master_pass(result) for result in granted):
                return self._stop_all([evse for evse in evses if evse.transaction])
        if not free:
            return self._refuse("no EVSE is free")
        self.evse_ids = [evse.id for evse in evses if evse.authorization is None]
        self._granted = [result for result in granted if not self._is_master_pass(result)]
        return self._wait(now)

    # Waiting for an EVSE.

    def _wait(self, now: float) -> list[Any]:
        """Use the next result that was granted as soon as there is an EVSE for it."""
        if not self._granted:
            return self._refuse("nothing that was granted can be used")
        self.start("connection_timeout", now + self._station.rules.connection_timeout_s)
        accepted = token_status(self.token, TokenValidationStatus.Accepted, self._granted[0].tariff_messages)
        return [*self.enter(T.WAITING, accepted), *self._select(now)]

    @on(T.WAITING, event=EvsesChanged, to=(T.AUTHORIZING, T.ENDED))
    def evses_changed(self, _: EvsesChanged, now: float) -> list[Any]:
        """Look for an EVSE again."""
        return self._select(now)

    @on(T.WAITING, timer="connection_timeout", to=T.ENDED)
    def time_out(self, now: float) -> list[Any]:
        """Give the token up: no EV was plugged in for it (OCPP: ConnectionTimeOut)."""
        text = f"{described(self.token)} was accepted, but no car was plugged in in time"
        return [*self._end(TokenValidationStatus.TimedOut), Log(text)]

    @on(T.VALIDATING, T.WAITING, event=TokenWithdrawn, to=T.ENDED)
    def withdrawn(self, event: TokenWithdrawn, now: float) -> list[Any]:
        """End the token, unless it may still be used at other EVSEs."""
        if event.evse_id is not None:
            self.evse_ids.remove(event.evse_id)
            if self.evse_ids:
                return []
        if event.with_the_car:
            self._answered.update(self.token.connectors or ())
        return self._end(TokenValidationStatus.Withdrawn)

    def _select(self, now: float) -> list[Any]:
        """Use the token at the EVSE that the selection algorithm chooses, or go on waiting."""
        rules, result = self._station.rules, self._granted[0]
        free = [evse for evse in self._evses() if evse.available]
        if not free:
            # Every EVSE was taken while the token waited; without such a wait it would be refused.
            return []
        allowed = [evse for evse in free if not result.evse_ids or evse.id in result.evse_ids]
        open_ = [evse for evse in allowed if self._may_use(evse, result)]
        alone = len(self.evse_ids) == 1
        if rules.selection is SelectionAlgorithm.UserInput and not alone:
            return self._refuse("with selection_algorithm UserInput it must name its EVSE")
        if open_:
            chosen = choose(rules.selection, open_, alone=alone)
        else:
            # Nothing to wait for: an EVSE with an EV gets a refusal to show.
            chosen = choose(SelectionAlgorithm.FindFirst, allowed or free, alone=alone)
        return [] if chosen is None else self._use(chosen, now)

    # Used to begin.

    def _use(self, evse: Evse, now: float) -> list[Any]:
        station, result = self._station, self._granted.pop(0)
        if result.evse_ids and evse.id not in result.evse_ids:
            result = _refused(result, AuthorizationStatus.NotAtThisLocation)
        elif not self._may_use(evse, result):
            result = _refused(result, AuthorizationStatus.NotAtThisTime)
        token = self._published = named(self.token, evse.id, result)
        self._answered.add(evse.id)
        if result.authorization_status is not AuthorizationStatus.Accepted:
            log = Log(f"{described(token)} is not valid at EVSE {evse.id}: {result.authorization_status.value}")
            return [AuthorizeEvse(evse.id, token, result, None), log, *self._wait(now)]
        reservation = station.reservations.match(token.id_token.value, value_of(token.parent_id_token), evse)
        if reservation is not None:
            station.reservations.remove(reservation.id)
            result = msgspec.structs.replace(result, reservation_id=reservation.id)
            station.held_for_any.discard(evse.id)
        evse.feed(Grant(Authorization(token, result), now + station.rules.connection_timeout_s), now)
        self.evse_id = evse.id
        authorize = AuthorizeEvse(evse.id, token, result, self.id)
        used: list[Any] = []
        if reservation is not None:
            used = [
                reservation_status(reservation.id, ReservationStatus.Used),
                *station.store_reservations(),
            ]
        return [*self.enter(T.AUTHORIZING, authorize), *used]

    @on(T.AUTHORIZING, event=Authorized, to=T.ENDED)
    def authorized(self, event: Authorized, now: float) -> list[Any]:
        """End with the EVSE's answer; a transaction that has begun is one, too."""
        evse = self._station.evses[self.evse_id]
        if event.accepted or evse.transaction:
            evse.feed(Confirmed(), now)
            log = Log(f"{described(self.token)} accepted at EVSE {evse.id}")
            return [*self._end(TokenValidationStatus.UsedToStart), log]
        evse.feed(NotConfirmed(), now)
        return self._refuse(f"EVSE {evse.id} did not take it")

    # Used to stop.

    def _presented_again(self, evse: Evse, result: ValidationResult | None) -> list[Any]:
        """Stop the transaction that this token, or its group, has begun."""
        if not evse.transaction or evse.authorization is None:
            return self._refuse(f"EVSE {evse.id} is authorized with it already")
        parent = result.parent_id_token if result is not None else evse.authorization.token.parent_id_token
        self._published = msgspec.structs.replace(
            self.token, connectors=[evse.id], parent_id_token=parent or self.token.parent_id_token
        )
        if not self._station.rules.stop_on_reswipe:
            return self._end(TokenValidationStatus.UsedToReauthorize)
        return self._stop([evse], StopTransactionReason.Local)

    def _stop_all(self, evses: list[Evse]) -> list[Any]:
        """Stop every transaction with the master pass (OCPP 2.0.1: MasterPassGroupId)."""
        if not evses:
            return self._refuse("there is no transaction that the master pass could end")
        return self._stop(evses, StopTransactionReason.MasterPass)

    def _stop(self, evses: list[Evse], reason: StopTransactionReason) -> list[Any]:
        self._unanswered = len(evses)
        requests = []
        for evse in evses:
            request = StopTransactionRequest(reason=reason, id_tag=named(self._published, evse.id))
            requests.append(StopTransaction(evse.id, request, self.id))
        numbers = ", ".join(str(evse.id) for evse in evses)
        log = Log(f"{described(self.token)} ends the transaction of EVSE {numbers} ({reason.value})")
        return self.enter(T.STOPPING, *requests, log)

    @on(T.STOPPING, event=TransactionStopped, to=T.ENDED)
    def transaction_stopped(self, event: TransactionStopped, now: float) -> list[Any]:
        """End once every EVSE has answered; one that stops is enough."""
        self._unanswered -= 1
        self._stopping |= event.stopping
        if self._unanswered > 0:
            return []
        if self._stopping:
            return self._end(TokenValidationStatus.UsedToStop)
        return self._refuse("there was nothing left to stop")

    # The end.

    def _end(self, status: TokenValidationStatus) -> list[Any]:
        answers = [] if status in _USED else refusals(self.token, self._station, self._answered, _REASONS.get(status))
        return self.enter(T.ENDED, token_status(self._published, status), *answers)

    def _refuse(self, why: str) -> list[Any]:
        log = Log(f"{described(self.token)} rejected: {why}")
        return [*self._end(TokenValidationStatus.Rejected), log]

    def _deny(self, result: ValidationResult) -> list[Any]:
        """Refuse a token that no validator grants; the EVSEs that it names get the result, an EV may wait for it."""
        answers = [
            AuthorizeEvse(evse.id, named(self.token, evse.id, result), result, None)
            for evse in (self._evses() if self.token.connectors else [])
        ]
        self._answered.update(answer.evse_id for answer in answers)
        return [*answers, *self._refuse(f"it is {result.authorization_status.value}")]

    def _evses(self) -> list[Evse]:
        evses = self._station.evses
        return [evses[number] for number in self.evse_ids if not evses[number].disabled]

    def _may_use(self, evse: Evse, result: ValidationResult) -> bool:
        parent = value_of(result.parent_id_token) or value_of(self.token.parent_id_token)
        return self._station.reservations.allows(evse, self.token.id_token.value, parent)

    def _is_master_pass(self, result: ValidationResult) -> bool:
        parent, group = value_of(result.parent_id_token), self._station.rules.master_pass
        return bool(group and parent and same(parent, group))


def refusals(
    token: ProvidedIdToken,
    station: Station,
    answered: Collection[int] = (),
    status: AuthorizationStatus | None = None,
) -> list[AuthorizeEvse]:
    """Return the results for the EVSEs whose EV waits for an answer about its contract and did not get one.

    Without it the EV waits for its time limit (ISO 15118-2 table 109, V2G_EVCC_Ongoing_Timeout).
    """
    if token.authorization_type is not AuthorizationType.PlugAndCharge:
        return []
    result = ValidationResult(
        authorization_status=status or AuthorizationStatus.NotAtThisTime,
        tariff_messages=[],
        certificate_status=CertificateStatus.Accepted,
    )
    evses = [one for one in token.connectors or () if one in station.evses and one not in answered]
    return [AuthorizeEvse(one, named(token, one), result, None) for one in evses]


def _refused(result: ValidationResult, status: AuthorizationStatus) -> ValidationResult:
    return msgspec.structs.replace(result, authorization_status=status)
