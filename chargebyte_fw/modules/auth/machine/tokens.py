"""The way of a token: presented, validated, matched with an EVSE, used to start or to stop."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    ProvidedIdToken,
    SelectionAlgorithm,
    TokenValidationStatus,
    ValidationResult,
)
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.auth.machine.core import Core, PendingToken, Stage, State, described, named
from chargebyte_fw.modules.auth.machine.evse import Authorization, Evse, choose, held_by
from chargebyte_fw.modules.auth.messages import (
    Authorized,
    AuthorizeEvse,
    Log,
    Say,
    StopTransaction,
    TokenPresented,
    TransactionStopped,
    Validated,
    ValidateToken,
    ValidationUpdated,
    same,
    value_of,
)


class TokenRows(Core):
    """Rows for tokens and for the answers of validators and EVSEs."""

    @on(State.READY, event=TokenPresented)
    def presented(self, event: TokenPresented, now: float) -> list[Any]:
        """Take a token: end a transaction with it at once, or have it validated."""
        token = event.token
        if self._in_process(token.id_token.value):
            return [Say(token, TokenValidationStatus.Rejected), Log(f"{described(token)} is in process", "debug")]
        pending = PendingToken(next(self._numbers), token, [evse.id for evse in self._meant(token)])
        self.tokens[pending.id] = pending
        return [Say(token, TokenValidationStatus.Processing), *self._begin(pending, now)]

    def _begin(self, pending: PendingToken, now: float) -> list[Any]:
        token, evses = pending.token, self._referenced(pending)
        if token.authorization_type is AuthorizationType.RFID and (holding := held_by(evses, token.id_token.value)):
            return self._swiped_again(pending, holding, None)
        free = [evse for evse in evses if evse.available]
        groups = any(evse.authorization is not None and evse.authorization.parent for evse in evses)
        if not free and not groups and not self.rules.master_pass:
            return self._refuse(pending, "no EVSE is free")
        if free and not any(
            self.reservations.allows(evse, token.id_token.value, value_of(token.parent_id_token))
            or self.reservations.could_match(evse)
            for evse in free
        ):
            return self._refuse(pending, "every free EVSE is reserved")
        if token.prevalidated:
            granted = ValidationResult(
                authorization_status=AuthorizationStatus.Accepted,
                tariff_messages=[],
                parent_id_token=token.parent_id_token,
            )
            return self._judge(pending, [granted], now)
        return [ValidateToken(pending.id, token)]

    @on(State.READY, event=Validated)
    def validated(self, event: Validated, now: float) -> list[Any]:
        """Go on with what the validators say; a token that was withdrawn meanwhile goes nowhere."""
        pending = self.tokens.get(event.token_id)
        if pending is None or pending.stage is not Stage.VALIDATING:
            return []
        return self._judge(pending, event.results, now)

    def _judge(self, pending: PendingToken, results: list[ValidationResult], now: float) -> list[Any]:
        granted = [result for result in results if result.authorization_status is AuthorizationStatus.Accepted]
        if not granted:
            return self._deny(pending, results)
        evses = self._referenced(pending)
        free = [evse for evse in evses if evse.available]
        if not (self.rules.prioritize_authorization and free):
            for result in granted:
                parent = value_of(result.parent_id_token)
                if parent and (holding := held_by(evses, parent)):
                    return self._swiped_again(pending, holding, result)
            if any(self._is_master(result) for result in granted):
                return self._stop_all(pending, [evse for evse in evses if evse.transaction])
        if not free:
            return self._refuse(pending, "no EVSE is free")
        pending.references = [evse.id for evse in evses if evse.authorization is None]
        pending.results = [result for result in granted if not self._is_master(result)]
        return self._next_result(pending, now)

    def _next_result(self, pending: PendingToken, now: float) -> list[Any]:
        if not pending.results:
            return self._refuse(pending, "nothing that was granted can be used")
        pending.stage, pending.until_s = Stage.WAITING, now + self.rules.connection_timeout_s
        accepted = Say(pending.token, TokenValidationStatus.Accepted, pending.results[0].tariff_messages)
        return [accepted, *self._select(pending, now)]

    def _select(self, pending: PendingToken, now: float) -> list[Any]:
        """Use the token where its algorithm says, or go on waiting."""
        result = pending.results[0]
        free = [evse for evse in self._referenced(pending) if evse.available]
        if not free:
            # Everything was taken while the token waited for a car; without such a wait it would be refused.
            return []
        allowed = [evse for evse in free if not result.evse_ids or evse.id in result.evse_ids]
        open_ = [evse for evse in allowed if self._may_use(pending, evse, result)]
        alone = len(pending.references) == 1
        if self.rules.selection is SelectionAlgorithm.UserInput and not alone:
            return self._refuse(pending, "with selection_algorithm UserInput it must name its EVSE")
        if open_:
            chosen = choose(self.rules.selection, open_, alone=alone)
        else:
            # Nothing to wait for: where a car is plugged in, it hears a clear no.
            chosen = choose(SelectionAlgorithm.FindFirst, allowed or free, alone=alone)
        return [] if chosen is None else self._use(pending, chosen, now)

    def try_waiting(self, now: float) -> list[Any]:
        """Look again for the tokens that wait, the oldest first."""
        effects: list[Any] = []
        for pending in list(self.tokens.values()):
            if pending.id in self.tokens and pending.stage is Stage.WAITING:
                effects += self._select(pending, now)
        return effects

    def _use(self, pending: PendingToken, evse: Evse, now: float) -> list[Any]:
        result = pending.results.pop(0)
        if result.evse_ids and evse.id not in result.evse_ids:
            result = _downgraded(result, AuthorizationStatus.NotAtThisLocation)
        elif not self._may_use(pending, evse, result):
            result = _downgraded(result, AuthorizationStatus.NotAtThisTime)
        token = pending.last = named(pending.token, evse.id, result)
        if result.authorization_status is not AuthorizationStatus.Accepted:
            refused = AuthorizeEvse(evse.id, token, result, None)
            note = Log(f"{described(token)} is not valid at EVSE {evse.id}: {result.authorization_status.value}")
            return [refused, note, *self._next_result(pending, now)]
        if reservation := self.reservations.match(token.id_token.value, value_of(token.parent_id_token), evse):
            self.reservations.remove(reservation.id)
            result = msgspec.structs.replace(result, reservation_id=reservation.id)
            self.kept.discard(evse.id)
        evse.authorization = Authorization(token, result, now + self.rules.connection_timeout_s)
        evse.plug_until_s = None
        pending.stage, pending.evse_id = Stage.AUTHORIZING, evse.id
        return [AuthorizeEvse(evse.id, token, result, pending.id), *(self.keep_all() if reservation else [])]

    @on(State.READY, event=Authorized)
    def authorized(self, event: Authorized, now: float) -> list[Any]:
        """Tell that the token is in use, once its EVSE has confirmed that."""
        pending = self.tokens.get(event.token_id)
        if pending is None or pending.stage is not Stage.AUTHORIZING:
            return []
        evse = self.evses[pending.evse_id]
        if event.taken or evse.transaction:
            if evse.authorization is not None:
                evse.authorization.settled = True
            note = Log(f"{described(pending.token)} accepted at EVSE {evse.id}")
            return [*self.land(pending, TokenValidationStatus.UsedToStart), note]
        evse.authorization = None
        return self._refuse(pending, f"EVSE {evse.id} did not take it")

    def _swiped_again(self, pending: PendingToken, evse: Evse, result: ValidationResult | None) -> list[Any]:
        """End the transaction that this token, or its group, has begun."""
        if not evse.transaction or evse.authorization is None:
            return self._refuse(pending, f"EVSE {evse.id} is authorized with it already")
        parent = result.parent_id_token if result is not None else evse.authorization.token.parent_id_token
        pending.last = msgspec.structs.replace(
            pending.token, connectors=[evse.id], parent_id_token=parent or pending.token.parent_id_token
        )
        if not self.rules.stop_on_reswipe:
            return self.land(pending, TokenValidationStatus.UsedToReauthorize)
        return self._stop(pending, [evse], StopTransactionReason.Local)

    def _stop_all(self, pending: PendingToken, evses: list[Evse]) -> list[Any]:
        """End every transaction with the master pass."""
        if not evses:
            return self._refuse(pending, "there is no transaction that the master pass could end")
        return self._stop(pending, evses, StopTransactionReason.MasterPass)

    def _stop(self, pending: PendingToken, evses: list[Evse], reason: StopTransactionReason) -> list[Any]:
        pending.stage, pending.stops = Stage.STOPPING, len(evses)
        token = pending.last or pending.token
        requests = [
            StopTransaction(evse.id, StopTransactionRequest(reason=reason, id_tag=named(token, evse.id)), pending.id)
            for evse in evses
        ]
        numbers = ", ".join(str(evse.id) for evse in evses)
        return [*requests, Log(f"{described(pending.token)} ends the transaction of EVSE {numbers} ({reason.value})")]

    @on(State.READY, event=TransactionStopped)
    def stopped(self, event: TransactionStopped, now: float) -> list[Any]:
        """Tell that the token has ended something, once an EVSE has confirmed that."""
        pending = self.tokens.get(event.token_id)
        if pending is None or pending.stage is not Stage.STOPPING:
            return []
        pending.stops -= 1
        pending.stopped |= event.done
        if pending.stops > 0:
            return []
        if pending.stopped:
            return self.land(pending, TokenValidationStatus.UsedToStop)
        return self._refuse(pending, "there was nothing left to stop")

    @on(State.READY, event=ValidationUpdated)
    def updated(self, event: ValidationUpdated, now: float) -> list[Any]:
        """Replace what is known of the token at an EVSE; a grant that is gone before it was used is taken back."""
        evse = self.evses.get(event.update.connector_id)
        if evse is None or evse.authorization is None:
            return []
        new = event.update.validation_result
        evse.authorization.result = msgspec.structs.replace(
            evse.authorization.result,
            authorization_status=new.authorization_status,
            parent_id_token=new.parent_id_token,
        )
        token = msgspec.structs.replace(
            evse.authorization.token, parent_id_token=new.parent_id_token or evse.authorization.token.parent_id_token
        )
        evse.authorization.token = token
        if new.authorization_status is AuthorizationStatus.Accepted:
            return [Say(token, TokenValidationStatus.Accepted, new.tariff_messages)]
        if evse.transaction:
            # Whether an invalid token ends a running transaction is for the one to decide who changed his mind.
            return [Say(token, TokenValidationStatus.Rejected, new.tariff_messages)]
        return self.take_back(evse, TokenValidationStatus.Rejected, f"now {new.authorization_status.value}")

    def waited(self, pending: PendingToken) -> list[Any]:
        """Give a token up that no plug-in came for."""
        return [
            *self.land(pending, TokenValidationStatus.TimedOut),
            Log(f"{described(pending.token)} was accepted, but no car was plugged in in time"),
        ]

    def _deny(self, pending: PendingToken, results: list[ValidationResult]) -> list[Any]:
        """Refuse a token that no validator grants; EVSEs that it names hear of it, a car may wait for the answer."""
        result = results[0]
        told = [
            AuthorizeEvse(evse.id, named(pending.token, evse.id, result), result, None)
            for evse in (self._referenced(pending) if pending.token.connectors else [])
        ]
        return [*told, *self._refuse(pending, f"it is {result.authorization_status.value}")]

    def _refuse(self, pending: PendingToken, why: str) -> list[Any]:
        note = Log(f"{described(pending.token)} rejected: {why}")
        return [*self.land(pending, TokenValidationStatus.Rejected), note]

    def _in_process(self, identifier: str) -> bool:
        if any(same(pending.token.id_token.value, identifier) for pending in self.tokens.values()):
            return True
        return any(
            evse.authorization is not None
            and not evse.transaction
            and same(evse.authorization.token.id_token.value, identifier)
            for evse in self.evses.values()
        )

    def _meant(self, token: ProvidedIdToken) -> list[Evse]:
        wanted = token.connectors or list(self.evses)
        return [self.evses[number] for number in wanted if number in self.evses and not self.evses[number].disabled]

    def _referenced(self, pending: PendingToken) -> list[Evse]:
        return [self.evses[number] for number in pending.references if not self.evses[number].disabled]

    def _may_use(self, pending: PendingToken, evse: Evse, result: ValidationResult) -> bool:
        parent = value_of(result.parent_id_token) or value_of(pending.token.parent_id_token)
        return self.reservations.allows(evse, pending.token.id_token.value, parent)

    def _is_master(self, result: ValidationResult) -> bool:
        parent = value_of(result.parent_id_token)
        return bool(self.rules.master_pass and parent and same(parent, self.rules.master_pass))


def _downgraded(result: ValidationResult, status: AuthorizationStatus) -> ValidationResult:
    return msgspec.structs.replace(result, authorization_status=status)
