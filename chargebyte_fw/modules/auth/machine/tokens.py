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
from chargebyte_fw.modules.auth.machine.core import Core, Flight, Stage, State, described, named
from chargebyte_fw.modules.auth.messages import (
    Authorize,
    Authorized,
    Note,
    Presented,
    Say,
    Stop,
    Stopped,
    Updated,
    Validate,
    Validated,
    same,
    value_of,
)
from chargebyte_fw.modules.auth.station import Evse, Holder, choose, held_by


class TokenRows(Core):
    """Rows for tokens and for the answers of validators and EVSEs."""

    @on(State.READY, event=Presented)
    def presented(self, event: Presented, now: float) -> list[Any]:
        """Take a token: end a transaction with it at once, or have it validated."""
        token = event.token
        if self._in_process(token.id_token.value):
            return [Say(token, TokenValidationStatus.Rejected), Note(f"{described(token)} is in process", "debug")]
        flight = Flight(next(self._numbers), token, [evse.id for evse in self._meant(token)])
        self.flights[flight.id] = flight
        return [Say(token, TokenValidationStatus.Processing), *self._begin(flight, now)]

    def _begin(self, flight: Flight, now: float) -> list[Any]:
        token, evses = flight.token, self._referenced(flight)
        if token.authorization_type is AuthorizationType.RFID and (holding := held_by(evses, token.id_token.value)):
            return self._swiped_again(flight, holding, None)
        free = [evse for evse in evses if evse.available]
        groups = any(evse.holder is not None and evse.holder.parent for evse in evses)
        if not free and not groups and not self.rules.master_pass:
            return self._refuse(flight, "no EVSE is free")
        if free and not any(
            self.book.allows(evse, token.id_token.value, value_of(token.parent_id_token)) or self.book.could_match(evse)
            for evse in free
        ):
            return self._refuse(flight, "every free EVSE is reserved")
        if token.prevalidated:
            granted = ValidationResult(
                authorization_status=AuthorizationStatus.Accepted,
                tariff_messages=[],
                parent_id_token=token.parent_id_token,
            )
            return self._judge(flight, [granted], now)
        return [Validate(flight.id, token)]

    @on(State.READY, event=Validated)
    def validated(self, event: Validated, now: float) -> list[Any]:
        """Go on with what the validators say; a token that was withdrawn meanwhile goes nowhere."""
        flight = self.flights.get(event.flight)
        if flight is None or flight.stage is not Stage.VALIDATING:
            return []
        return self._judge(flight, event.results, now)

    def _judge(self, flight: Flight, results: list[ValidationResult], now: float) -> list[Any]:
        granted = [result for result in results if result.authorization_status is AuthorizationStatus.Accepted]
        if not granted:
            return self._deny(flight, results)
        evses = self._referenced(flight)
        free = [evse for evse in evses if evse.available]
        if not (self.rules.prioritize_authorization and free):
            for result in granted:
                parent = value_of(result.parent_id_token)
                if parent and (holding := held_by(evses, parent)):
                    return self._swiped_again(flight, holding, result)
            if any(self._is_master(result) for result in granted):
                return self._stop_all(flight, [evse for evse in evses if evse.transaction])
        if not free:
            return self._refuse(flight, "no EVSE is free")
        flight.references = [evse.id for evse in evses if evse.holder is None]
        flight.results = [result for result in granted if not self._is_master(result)]
        return self._next_result(flight, now)

    def _next_result(self, flight: Flight, now: float) -> list[Any]:
        if not flight.results:
            return self._refuse(flight, "nothing that was granted can be used")
        flight.stage, flight.until_s = Stage.WAITING, now + self.rules.connection_timeout_s
        accepted = Say(flight.token, TokenValidationStatus.Accepted, flight.results[0].tariff_messages)
        return [accepted, *self._select(flight, now)]

    def _select(self, flight: Flight, now: float) -> list[Any]:
        """Use the token where its algorithm says, or go on waiting."""
        result = flight.results[0]
        free = [evse for evse in self._referenced(flight) if evse.available]
        if not free:
            # Everything was taken while the token waited for a car; without such a wait it would be refused.
            return []
        allowed = [evse for evse in free if not result.evse_ids or evse.id in result.evse_ids]
        open_ = [evse for evse in allowed if self._may_use(flight, evse, result)]
        alone = len(flight.references) == 1
        if self.rules.selection is SelectionAlgorithm.UserInput and not alone:
            return self._refuse(flight, "with selection_algorithm UserInput it must name its EVSE")
        if open_:
            chosen = choose(self.rules.selection, open_, alone=alone)
        else:
            # Nothing to wait for: where a car is plugged in, it hears a clear no.
            chosen = choose(SelectionAlgorithm.FindFirst, allowed or free, alone=alone)
        return [] if chosen is None else self._use(flight, chosen, now)

    def try_waiting(self, now: float) -> list[Any]:
        """Look again for the tokens that wait, the oldest first."""
        effects: list[Any] = []
        for flight in list(self.flights.values()):
            if flight.id in self.flights and flight.stage is Stage.WAITING:
                effects += self._select(flight, now)
        return effects

    def _use(self, flight: Flight, evse: Evse, now: float) -> list[Any]:
        result = flight.results.pop(0)
        if result.evse_ids and evse.id not in result.evse_ids:
            result = _downgraded(result, AuthorizationStatus.NotAtThisLocation)
        elif not self._may_use(flight, evse, result):
            result = _downgraded(result, AuthorizationStatus.NotAtThisTime)
        token = flight.last = named(flight.token, evse.id, result)
        if result.authorization_status is not AuthorizationStatus.Accepted:
            refused = Authorize(evse.id, token, result, None)
            note = Note(f"{described(token)} is not valid at EVSE {evse.id}: {result.authorization_status.value}")
            return [refused, note, *self._next_result(flight, now)]
        if reservation := self.book.match(token.id_token.value, value_of(token.parent_id_token), evse):
            self.book.remove(reservation.id)
            result = msgspec.structs.replace(result, reservation_id=reservation.id)
            self.kept.discard(evse.id)
        evse.holder = Holder(token, result, now + self.rules.connection_timeout_s)
        evse.plug_until_s = None
        flight.stage, flight.evse_id = Stage.AUTHORIZING, evse.id
        return [Authorize(evse.id, token, result, flight.id), *(self.keep_all() if reservation else [])]

    @on(State.READY, event=Authorized)
    def authorized(self, event: Authorized, now: float) -> list[Any]:
        """Tell that the token is in use, once its EVSE has confirmed that."""
        flight = self.flights.get(event.flight)
        if flight is None or flight.stage is not Stage.AUTHORIZING:
            return []
        evse = self.evses[flight.evse_id]
        if event.taken or evse.transaction:
            if evse.holder is not None:
                evse.holder.settled = True
            note = Note(f"{described(flight.token)} accepted at EVSE {evse.id}")
            return [*self.land(flight, TokenValidationStatus.UsedToStart), note]
        evse.holder = None
        return self._refuse(flight, f"EVSE {evse.id} did not take it")

    def _swiped_again(self, flight: Flight, evse: Evse, result: ValidationResult | None) -> list[Any]:
        """End the transaction that this token, or its group, has begun."""
        if not evse.transaction or evse.holder is None:
            return self._refuse(flight, f"EVSE {evse.id} is authorized with it already")
        parent = result.parent_id_token if result is not None else evse.holder.token.parent_id_token
        flight.last = msgspec.structs.replace(
            flight.token, connectors=[evse.id], parent_id_token=parent or flight.token.parent_id_token
        )
        if not self.rules.stop_on_reswipe:
            return self.land(flight, TokenValidationStatus.UsedToReauthorize)
        return self._stop(flight, [evse], StopTransactionReason.Local)

    def _stop_all(self, flight: Flight, evses: list[Evse]) -> list[Any]:
        """End every transaction with the master pass."""
        if not evses:
            return self._refuse(flight, "there is no transaction that the master pass could end")
        return self._stop(flight, evses, StopTransactionReason.MasterPass)

    def _stop(self, flight: Flight, evses: list[Evse], reason: StopTransactionReason) -> list[Any]:
        flight.stage, flight.stops = Stage.STOPPING, len(evses)
        requests = [
            Stop(evse.id, StopTransactionRequest(reason=reason, id_tag=named(flight.last or flight.token, evse.id)),
                 flight.id)
            for evse in evses
        ]  # fmt: skip
        numbers = ", ".join(str(evse.id) for evse in evses)
        return [*requests, Note(f"{described(flight.token)} ends the transaction of EVSE {numbers} ({reason.value})")]

    @on(State.READY, event=Stopped)
    def stopped(self, event: Stopped, now: float) -> list[Any]:
        """Tell that the token has ended something, once an EVSE has confirmed that."""
        flight = self.flights.get(event.flight)
        if flight is None or flight.stage is not Stage.STOPPING:
            return []
        flight.stops -= 1
        flight.stopped |= event.done
        if flight.stops > 0:
            return []
        if flight.stopped:
            return self.land(flight, TokenValidationStatus.UsedToStop)
        return self._refuse(flight, "there was nothing left to stop")

    @on(State.READY, event=Updated)
    def updated(self, event: Updated, now: float) -> list[Any]:
        """Replace what is known of the token at an EVSE; a grant that is gone before it was used is taken back."""
        evse = self.evses.get(event.update.connector_id)
        if evse is None or evse.holder is None:
            return []
        new = event.update.validation_result
        evse.holder.result = msgspec.structs.replace(
            evse.holder.result, authorization_status=new.authorization_status, parent_id_token=new.parent_id_token
        )
        token = msgspec.structs.replace(
            evse.holder.token, parent_id_token=new.parent_id_token or evse.holder.token.parent_id_token
        )
        evse.holder.token = token
        if new.authorization_status is AuthorizationStatus.Accepted:
            return [Say(token, TokenValidationStatus.Accepted, new.tariff_messages)]
        if evse.transaction:
            # Whether an invalid token ends a running transaction is for the one to decide who changed his mind.
            return [Say(token, TokenValidationStatus.Rejected, new.tariff_messages)]
        return self.take_back(evse, TokenValidationStatus.Rejected, f"now {new.authorization_status.value}")

    def waited(self, flight: Flight) -> list[Any]:
        """Give a token up that no plug-in came for."""
        return [
            *self.land(flight, TokenValidationStatus.TimedOut),
            Note(f"{described(flight.token)} was accepted, but no car was plugged in in time"),
        ]

    def _deny(self, flight: Flight, results: list[ValidationResult]) -> list[Any]:
        """Refuse a token that no validator grants; EVSEs that it names hear of it, a car may wait for the answer."""
        result = results[0]
        told = [
            Authorize(evse.id, named(flight.token, evse.id, result), result, None)
            for evse in (self._referenced(flight) if flight.token.connectors else [])
        ]
        return [*told, *self._refuse(flight, f"it is {result.authorization_status.value}")]

    def _refuse(self, flight: Flight, why: str) -> list[Any]:
        note = Note(f"{described(flight.token)} rejected: {why}")
        return [*self.land(flight, TokenValidationStatus.Rejected), note]

    def _in_process(self, identifier: str) -> bool:
        if any(same(flight.token.id_token.value, identifier) for flight in self.flights.values()):
            return True
        return any(
            evse.holder is not None and not evse.transaction and same(evse.holder.token.id_token.value, identifier)
            for evse in self.evses.values()
        )

    def _meant(self, token: ProvidedIdToken) -> list[Evse]:
        wanted = token.connectors or list(self.evses)
        return [self.evses[number] for number in wanted if number in self.evses and not self.evses[number].disabled]

    def _referenced(self, flight: Flight) -> list[Evse]:
        return [self.evses[number] for number in flight.references if not self.evses[number].disabled]

    def _may_use(self, flight: Flight, evse: Evse, result: ValidationResult) -> bool:
        parent = value_of(result.parent_id_token) or value_of(flight.token.parent_id_token)
        return self.book.allows(evse, flight.token.id_token.value, parent)

    def _is_master(self, result: ValidationResult) -> bool:
        parent = value_of(result.parent_id_token)
        return bool(self.rules.master_pass and parent and same(parent, self.rules.master_pass))


def _downgraded(result: ValidationResult, status: AuthorizationStatus) -> ValidationResult:
    return msgspec.structs.replace(result, authorization_status=status)
