"""Rows that take authorizations back, change the settings, and let time pass."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.authorization import TokenValidationStatus, WithdrawAuthorizationResult
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.machine import Timeout, on
from chargebyte_fw.modules.auth.machine.core import Flight, Stage, State
from chargebyte_fw.modules.auth.machine.sessions import SessionRows
from chargebyte_fw.modules.auth.messages import (
    Answer,
    SetConnectionTimeout,
    SetMasterPass,
    Stop,
    Withdraw,
    same,
)
from chargebyte_fw.modules.auth.station import Evse

Result = WithdrawAuthorizationResult


class WithdrawalRows(SessionRows):
    """Rows for the `auth` interface and for time."""

    @on(State.READY, event=Withdraw)
    def withdraw(self, event: Withdraw, now: float) -> list[Any]:
        """Take back what matches: tokens on their way, grants not yet used, running transactions."""
        evse_id = event.request.evse_id
        identifier = event.request.id_token.value if event.request.id_token is not None else None
        if evse_id is not None and evse_id not in self.evses:
            return [Answer(event.ticket, Result.EvseNotFound)]
        found = False
        effects: list[Any] = []
        for flight in list(self.flights.values()):
            if identifier is None or same(flight.token.id_token.value, identifier):
                hit, more = self._recall(flight, evse_id)
                found |= hit
                effects += more
        for evse in self.evses.values() if evse_id is None else [self.evses[evse_id]]:
            if evse.holder is not None and (identifier is None or same(evse.holder.token.id_token.value, identifier)):
                found = True
                effects += self._take(evse)
        result = Result.Accepted if found else Result.AuthorizationNotFound
        return [*effects, Answer(event.ticket, result), *(self.try_waiting(now) if found else [])]

    def _recall(self, flight: Flight, evse_id: int | None) -> tuple[bool, list[Any]]:
        """Take a token back that has no EVSE yet; one that means other EVSEs too goes on with those."""
        if flight.stage not in (Stage.VALIDATING, Stage.WAITING):
            return False, []
        if evse_id is not None:
            if evse_id not in flight.references:
                return False, []
            flight.references.remove(evse_id)
            if flight.references:
                return True, []
        return True, self.land(flight, TokenValidationStatus.Withdrawn)

    def _take(self, evse: Evse) -> list[Any]:
        if evse.transaction:
            request = StopTransactionRequest(reason=StopTransactionReason.DeAuthorized)
            return [Stop(evse.id, request, None)]
        return self.take_back(evse, TokenValidationStatus.Withdrawn, "withdrawn")

    @on(State.READY, event=SetConnectionTimeout)
    def set_connection_timeout(self, event: SetConnectionTimeout, now: float) -> list[Any]:
        """Use another time from the next timer on."""
        self.rules.connection_timeout_s = event.timeout_s
        return []

    @on(State.READY, event=SetMasterPass)
    def set_master_pass(self, event: SetMasterPass, now: float) -> list[Any]:
        """Use another group for the master pass."""
        self.rules.master_pass = event.group
        return []

    @on(State.READY, event=Timeout)
    def time_passes(self, _event: Timeout, now: float) -> list[Any]:
        """Carry out everything that is due."""
        effects: list[Any] = []
        for flight in list(self.flights.values()):
            if flight.stage is Stage.WAITING and now >= flight.until_s:
                effects += self.waited(flight)
        for evse in self.evses.values():
            effects += self.timers_of(evse, now)
        return [*effects, *self.expired(now), *self.try_waiting(now)]
