"""Rows that take authorizations back, change the settings, and let time pass."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types.authorization import TokenValidationStatus, WithdrawAuthorizationResult
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.kernel.machine import Timeout, on
from chargebyte_fw.modules.auth.machine.core import PendingToken, Stage, State
from chargebyte_fw.modules.auth.machine.evse import Evse
from chargebyte_fw.modules.auth.machine.sessions import SessionRows
from chargebyte_fw.modules.auth.messages import (
    Reply,
    SetConnectionTimeout,
    SetMasterPassGroup,
    StopTransaction,
    WithdrawRequested,
    same,
)

Result = WithdrawAuthorizationResult


class WithdrawalRows(SessionRows):
    """Rows for the `auth` interface and for time."""

    @on(State.READY, event=WithdrawRequested)
    def withdraw(self, event: WithdrawRequested, now: float) -> list[Any]:
        """Take back what matches: tokens on their way, grants not yet used, running transactions."""
        evse_id = event.request.evse_id
        identifier = event.request.id_token.value if event.request.id_token is not None else None
        if evse_id is not None and evse_id not in self.evses:
            return [Reply(event.request_id, Result.EvseNotFound)]
        found = False
        effects: list[Any] = []
        for pending in list(self.tokens.values()):
            if identifier is None or same(pending.token.id_token.value, identifier):
                hit, more = self._recall(pending, evse_id)
                found |= hit
                effects += more
        for evse in self.evses.values() if evse_id is None else [self.evses[evse_id]]:
            if evse.authorization is not None and (
                identifier is None or same(evse.authorization.token.id_token.value, identifier)
            ):
                found = True
                effects += self._take(evse)
        result = Result.Accepted if found else Result.AuthorizationNotFound
        return [*effects, Reply(event.request_id, result), *(self.try_waiting(now) if found else [])]

    def _recall(self, pending: PendingToken, evse_id: int | None) -> tuple[bool, list[Any]]:
        """Take a token back that has no EVSE yet; one that means other EVSEs too goes on with those."""
        if pending.stage not in (Stage.VALIDATING, Stage.WAITING):
            return False, []
        if evse_id is not None:
            if evse_id not in pending.references:
                return False, []
            pending.references.remove(evse_id)
            if pending.references:
                return True, []
        return True, self.land(pending, TokenValidationStatus.Withdrawn)

    def _take(self, evse: Evse) -> list[Any]:
        if evse.transaction:
            request = StopTransactionRequest(reason=StopTransactionReason.DeAuthorized)
            return [StopTransaction(evse.id, request, None)]
        return self.take_back(evse, TokenValidationStatus.Withdrawn, "withdrawn")

    @on(State.READY, event=SetConnectionTimeout)
    def set_connection_timeout(self, event: SetConnectionTimeout, now: float) -> list[Any]:
        """Use another time from the next timer on."""
        self.rules.connection_timeout_s = event.timeout_s
        return []

    @on(State.READY, event=SetMasterPassGroup)
    def set_master_pass(self, event: SetMasterPassGroup, now: float) -> list[Any]:
        """Use another group for the master pass."""
        self.rules.master_pass = event.group
        return []

    @on(State.READY, event=Timeout)
    def time_passes(self, _event: Timeout, now: float) -> list[Any]:
        """Carry out everything that is due."""
        effects: list[Any] = []
        for pending in list(self.tokens.values()):
            if pending.stage is Stage.WAITING and now >= pending.until_s:
                effects += self.waited(pending)
        for evse in self.evses.values():
            effects += self.timers_of(evse, now)
        return [*effects, *self.expired(now), *self.try_waiting(now)]
