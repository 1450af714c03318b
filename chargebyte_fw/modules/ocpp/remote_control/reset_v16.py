"""Reset (§5.14) and UnlockConnector (§5.18) of OCPP 1.6."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import system
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.events import TransactionClosed
from chargebyte_fw.modules.ocpp.messages.v16.core import (
    ResetRequest,
    ResetResponse,
    ResetStatus,
    ResetType,
    UnlockConnectorRequest,
    UnlockConnectorResponse,
    UnlockStatus,
)
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, effects, receives
from chargebyte_fw.modules.ocpp.transactions.v16 import Transactions16
from chargebyte_fw.modules.ocpp.variables.standard.legacy import (
    STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED,
    WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT,
)

STOP_LIMIT_S = 10.0
"""How long the stack may take to end its transactions before the reset goes on without them."""


class Reset16(Block):
    """Resets the station, after its transactions have ended and the CSMS has them."""

    reset_delay_s = 0.0
    """`ResetStopDelay`: pause between the answer and the stop."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._wanted: system.ResetType | None = None

    @answers(ResetRequest)
    def reset(self, request: ResetRequest) -> ResetResponse | Deferred:
        """Reset, where the system allows it. A second request while one is being carried out is accepted as well."""
        if self._wanted is not None:
            return ResetResponse(status=ResetStatus.Accepted)
        kind = system.ResetType.Hard if request.type is ResetType.Hard else system.ResetType.Soft
        deferred = self.station.defer()
        self.station.after_answer(self._begin)
        self.station.command(call(System.is_reset_allowed, kind), partial(self._allowed, deferred, kind))
        return deferred

    def _allowed(self, deferred: Deferred, kind: system.ResetType, allowed: Any) -> None:
        if allowed is True:
            self._wanted = kind
        status = ResetStatus.Accepted if allowed is True else ResetStatus.Rejected
        self.station.answer(deferred, ResetResponse(status=status))

    def _begin(self) -> None:
        if self._wanted is not None:
            self.station.start("reset delay", self.station.now + self.reset_delay_s, self._stop_transactions)

    def _stop_transactions(self) -> None:
        hard = self._wanted is system.ResetType.Hard
        reason = evse.StopTransactionReason.HardReset if hard else evse.StopTransactionReason.SoftReset
        transactions = self.station.block(Transactions16)
        for transaction in transactions.running.values():
            request = evse.StopTransactionRequest(reason=reason)
            self.station.command(call(EvseManager.stop_transaction, request), evse_id=transaction.evse_id)
        limit_s = STOP_LIMIT_S + self.station.variables.get(WAIT_FOR_STOP_TRANSACTIONS_ON_RESET_TIMEOUT)
        self.station.start("reset", self.station.now + limit_s, self._carry_out)
        self._maybe()

    @receives(TransactionClosed)
    def closed(self, event: TransactionClosed) -> None:
        """Carry the reset out when the CSMS has the last transaction."""
        if self.station.due("reset") is not None:
            self._maybe()

    def _maybe(self) -> None:
        transactions = self.station.block(Transactions16)
        if not transactions.running and not transactions.waiting_for_answer:
            self.station.start("reset", self.station.now, self._carry_out)

    def _carry_out(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self.station.effect(effects.Disconnect("reset"))
            self.station.command(call(System.reset, wanted, False), self._not_reset)

    def _not_reset(self, result: Any) -> None:
        """The command returned, so the process is still here: the system may reset a little later, or it failed."""
        self.station.start("reset failed", self.station.now + STOP_LIMIT_S, self._reconnect)

    def _reconnect(self) -> None:
        self.station.effect(effects.Connect())


class Unlock16(Block):
    """Unlocks connectors."""

    @answers(UnlockConnectorRequest)
    def unlock(self, request: UnlockConnectorRequest) -> UnlockConnectorResponse | Deferred:
        """Unlock a connector; the stack ends the transaction of one that it unlocks."""
        place = self.station.layout.connector(request.connector_id)
        if place is None:
            return UnlockConnectorResponse(status=UnlockStatus.NotSupported)
        deferred = self.station.defer()
        then = partial(self._unlocked, deferred, place.evse_id, place.connector)
        self.station.command(call(EvseManager.force_unlock, place.connector_id), then, evse_id=place.evse_id)
        return deferred

    def _unlocked(self, deferred: Deferred, evse_id: int, connector: int, result: Any) -> None:
        unlocked = result is True
        self.station.answer(
            deferred,
            UnlockConnectorResponse(status=UnlockStatus.Unlocked if unlocked else UnlockStatus.NotSupported),
        )
        stops = self.station.variables.get(STOP_TRANSACTION_IF_UNLOCK_NOT_SUPPORTED)
        if not unlocked and stops and self.station.block(Transactions16).at(connector) is not None:
            request = evse.StopTransactionRequest(reason=evse.StopTransactionReason.UnlockCommand)
            self.station.command(call(EvseManager.stop_transaction, request), evse_id=evse_id)
