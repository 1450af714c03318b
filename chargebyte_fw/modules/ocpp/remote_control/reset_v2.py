"""Reset (use cases B11 to B13) and UnlockConnector (F05) of OCPP 2.x."""

from __future__ import annotations

from functools import partial
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.contracts.types import system
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.availability.stored import enable_disable
from chargebyte_fw.modules.ocpp.messages.v2.provisioning import (
    ResetEnumType,
    ResetRequest,
    ResetResponse,
    ResetStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.remote_control import (
    UnlockConnectorRequest,
    UnlockConnectorResponse,
    UnlockStatusEnumType,
)
from chargebyte_fw.modules.ocpp.messages.v2.transactions import TriggerReasonEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.remote_control.reset_evse_v2 import STOP_LIMIT_S, EvseReset2
from chargebyte_fw.modules.ocpp.station import Block, Deferred, Station, answers, effects, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2

EVENTS_LIMIT_S = 1.0
"""How long the last events have to leave. What is in the queue is kept over the reset."""
Status = ResetStatusEnumType


class Reset2(Block):
    """Resets the station, at once or when the last transaction has ended."""

    reset_delay_s = 0.0
    """`ResetStopDelay`: pause between the answer and the stop."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._wanted: ResetEnumType | None = None
        self._scheduled = False
        station.block(EvseReset2).station_resets = lambda: self._wanted is not None

    @answers(ResetRequest)
    def reset(self, request: ResetRequest) -> ResetResponse | Deferred:
        """Reset the station, or one EVSE alone where its `AllowReset` is true."""
        if request.evse_id:
            return self.station.block(EvseReset2).reset(request.evse_id, request.type, self.reset_delay_s)
        resumes = request.type is ResetEnumType.ImmediateAndResume
        if resumes and self.station.block(Transactions2).resumption.timeout_s() <= 0:
            info = StatusInfoType(reason_code="UnsupportedParam", additional_info="ResumptionTimeout is 0")
            return ResetResponse(status=Status.Rejected, status_info=info)
        deferred = self.station.defer()
        kind = system.ResetType.Soft if request.type is ResetEnumType.OnIdle else system.ResetType.Hard
        self.station.after_answer(self._begin)
        self.station.command(call(System.is_reset_allowed, kind), partial(self._allowed, deferred, request.type))
        return deferred

    def _allowed(self, deferred: Deferred, kind: ResetEnumType, allowed: Any) -> None:
        if allowed is not True:
            self.station.answer(deferred, ResetResponse(status=Status.Rejected))
            return
        self._wanted = kind
        waits = kind is ResetEnumType.OnIdle and bool(self.station.block(Transactions2).running())
        self._scheduled = waits
        self.station.answer(deferred, ResetResponse(status=Status.Scheduled if waits else Status.Accepted))

    def _begin(self) -> None:
        if self._wanted is None:
            return
        if self._scheduled:
            self._block_idle_evses()
        elif self._wanted is ResetEnumType.ImmediateAndResume:
            self.station.start("reset delay", self.station.now + self.reset_delay_s, self._keep_transactions)
        else:
            self.station.start("reset delay", self.station.now + self.reset_delay_s, self._stop_transactions)

    def _block_idle_evses(self) -> None:
        """No transaction begins before the reset (B12). The stack forgets it with the reset."""
        transactions = self.station.block(Transactions2)
        for place in self.station.layout:
            if transactions.at(place.evse_id) is None:
                self.station.command(enable_disable(place.connector_id, False), evse_id=place.evse_id)

    def _keep_transactions(self) -> None:
        """Reset at once; the transactions go on afterwards (B13)."""
        transactions = self.station.block(Transactions2)
        for transaction in transactions.running():
            transactions.update(transaction, TriggerReasonEnumType.ResetCommand)
        transactions.outlive_reset(True)
        self.station.start("reset", self.station.now + EVENTS_LIMIT_S, self._carry_out)

    def _stop_transactions(self) -> None:
        transactions = self.station.block(Transactions2)
        transactions.endings.resetting.update(self.station.layout.evse_ids)
        for transaction in transactions.running():
            transactions.stop(transaction, evse.StopTransactionReason.Reboot)
        self.station.start("reset", self.station.now + STOP_LIMIT_S, self._carry_out)
        self._maybe()

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """Carry on with the reset when the last transaction has ended."""
        if self._scheduled:
            self._block_idle_evses()
            if not self.station.block(Transactions2).running():
                self._scheduled = False
                self._begin()
        elif self.station.due("reset") is not None:
            self._maybe()

    def _maybe(self) -> None:
        if not self.station.block(Transactions2).running():
            self.station.start("reset", self.station.now + EVENTS_LIMIT_S, self._carry_out)

    def _carry_out(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            kind = system.ResetType.Soft if wanted is ResetEnumType.OnIdle else system.ResetType.Hard
            self.station.effect(effects.Disconnect("reset"))
            self.station.command(
                call(System.reset, kind, wanted is ResetEnumType.OnIdle),
                lambda _: self.station.start("reset failed", self.station.now + STOP_LIMIT_S, self._reconnect),
            )

    def _reconnect(self) -> None:
        """The process is still here: the reset failed."""
        transactions = self.station.block(Transactions2)
        transactions.endings.resetting.clear()
        transactions.outlive_reset(False)
        for place in self.station.layout:
            self.station.command(enable_disable(place.connector_id, True), evse_id=place.evse_id)
        self.station.effect(effects.Connect())


class Unlock2(Block):
    """Unlocks connectors."""

    @answers(UnlockConnectorRequest)
    def unlock(self, request: UnlockConnectorRequest) -> UnlockConnectorResponse | Deferred:
        """Unlock a connector without a transaction (F05)."""
        statuses = UnlockStatusEnumType
        place = self.station.layout.find(request.evse_id, request.connector_id)
        if place is None:
            return UnlockConnectorResponse(status=statuses.UnknownConnector)
        if self.station.block(Transactions2).at(place.evse_id) is not None:
            return UnlockConnectorResponse(status=statuses.OngoingAuthorizedTransaction)
        deferred = self.station.defer()

        def then(result: Any) -> None:
            status = statuses.Unlocked if result is True else statuses.UnlockFailed
            self.station.answer(deferred, UnlockConnectorResponse(status=status))

        self.station.command(call(EvseManager.force_unlock, place.connector_id), then, evse_id=place.evse_id)
        return deferred
