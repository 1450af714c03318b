"""Why transactions end, where that is known before the stack ends them: a reset, the CSMS, or a limit (OCPP 2.x)."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    ChargingStateEnumType,
    ReasonEnumType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.transactions.reasons_v2 import stopped_reason, trigger_of
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxInput

T = TriggerReasonEnumType


class Endings:
    """What the events of transactions have about their end."""

    def __init__(self) -> None:
        self.resetting: set[int] = set()
        """EVSEs whose transaction ends because the CSMS has ordered a reset."""
        self.stopping: set[str] = set()
        """Transactions that the CSMS is ending."""
        self._limits: dict[str, tuple[TriggerReasonEnumType, ReasonEnumType]] = {}
        """Transactions that end because a limit is reached: trigger and reason ([E16.FR.06])."""

    def at_limit(self, transaction: Transaction, trigger: TriggerReasonEnumType, reason: StopTransactionReason) -> None:
        """A transaction ends because its limit is reached."""
        self._limits[transaction.transaction_id] = trigger, stopped_reason(reason)

    def reason(self, evse_id: int, reason: StopTransactionReason | None) -> ReasonEnumType:
        """Return `stoppedReason` of what the stack ends."""
        return stopped_reason(reason, resetting=evse_id in self.resetting)

    def of(
        self, evse_id: int, transaction: Transaction | None, reason: StopTransactionReason | None
    ) -> tuple[TxInput | None, TriggerReasonEnumType, ReasonEnumType]:
        """Return input of the stop points, trigger and `stoppedReason` of a transaction that the stack ends."""
        tx_input, trigger = trigger_of(reason)
        stopped = self.reason(evse_id, reason)
        if transaction is not None:
            trigger, stopped = self._limits.get(transaction.transaction_id, (trigger, stopped))
        return tx_input, trigger, stopped

    def of_transfer(
        self, transaction: Transaction | None, state: ChargingStateEnumType
    ) -> tuple[TriggerReasonEnumType, ReasonEnumType]:
        """Return the same for a transfer of energy that begins or pauses."""
        if transaction is not None and state is ChargingStateEnumType.SuspendedEVSE:
            if transaction.transaction_id in self._limits:
                return self._limits[transaction.transaction_id]
            if transaction.transaction_id in self.stopping:
                return T.RemoteStop, ReasonEnumType.Local
        return T.ChargingStateChanged, ReasonEnumType.Local

    def forget(self, transaction: Transaction) -> None:
        """A transaction has ended."""
        self.stopping.discard(transaction.transaction_id)
        self._limits.pop(transaction.transaction_id, None)
