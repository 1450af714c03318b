"""Limits of a transaction in OCPP 2.1: energy, time, state of charge and cost that the CSMS has set (use case E16)."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    TransactionEventRequest,
    TransactionEventResponse,
    TransactionLimitType,
    TriggerReasonEnumType,
)
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.station import Block, Station, answered, receives
from chargebyte_fw.modules.ocpp.transactions.events import CostKnown, TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.version import Version

LOOK_S = 1.0
"""How often a transaction with a limit is looked at."""
T = TriggerReasonEnumType


class _Limited(msgspec.Struct):
    """A transaction with what bounds it."""

    began_Wh: float | None
    limit: TransactionLimitType | None = None
    cost: float | None = None
    reached: TriggerReasonEnumType | None = None


class TransactionLimits2(Block):
    """Suspends the transfer of energy when a limit is reached, and resumes it when the CSMS raises the limit."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._limited: dict[str, _Limited] = {}

    @receives(TransactionBegan)
    def began(self, event: TransactionBegan) -> None:
        """Keep the meter at the begin; a transaction that goes on has the limit that it had."""
        transaction = self.station.block(Transactions2).of_id(event.session_id)
        if transaction is None:
            return
        self._limited[event.session_id] = _Limited(transaction.start_Wh, transaction.limit)
        self._look(event.session_id)

    @receives(TransactionEnded)
    def ended(self, event: TransactionEnded) -> None:
        """A limit ends with its transaction."""
        self._limited.pop(event.session_id, None)
        self.station.stop(("limit", event.session_id))

    @receives(CostKnown)
    def cost_known(self, event: CostKnown) -> None:
        """Take the cost that the CSMS has calculated."""
        found = self._limited.get(event.session_id)
        if found is not None:
            found.cost = event.cost
            self._look(event.session_id)

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Take a limit, and confirm it with LimitSet."""
        if response.transaction_limit is not None:
            self.limit(request.transaction_info.transaction_id, response.transaction_limit)

    def limit(self, transaction_id: str, limit: TransactionLimitType) -> bool:
        """Limit a running transaction anew, and report it; returns False where it does not run (2.1)."""
        transaction = self.station.block(Transactions2).of_id(transaction_id)
        found = None if transaction is None else self._limited.get(transaction.transaction_id)
        if self.station.version is not Version.V21 or found is None or transaction is None:
            return False
        if found.limit != limit:
            found.limit = transaction.limit = limit
            self.station.block(Transactions2).update(transaction, T.LimitSet)
            self._look(transaction.transaction_id)
        return True

    def _look(self, session_id: str) -> None:
        """Compare the transaction with its limit, and do so again in a while."""
        found = self._limited.get(session_id)
        transaction = self.station.block(Transactions2).of_id(session_id)
        if found is None or found.limit is None or transaction is None:
            return
        reached = self._reached(transaction, found, found.limit)
        if reached is not None and found.reached is None:
            found.reached = reached
            self.station.command(call(EvseManager.pause_charging), evse_id=transaction.evse_id)
            self.station.block(Transactions2).update(transaction, reached)
        elif reached is None and found.reached is not None:
            found.reached = None
            self.station.command(call(EvseManager.resume_charging), evse_id=transaction.evse_id)
        self.station.start(("limit", session_id), self.station.now + LOOK_S, lambda: self._look(session_id))

    def _reached(
        self, transaction: Transaction, found: _Limited, limit: TransactionLimitType
    ) -> TriggerReasonEnumType | None:
        reading = self.station.block(Readings).latest(transaction.evse_id)
        energy_Wh = None
        if reading.powermeter is not None and found.began_Wh is not None:
            energy_Wh = reading.powermeter.energy_Wh_import.total - found.began_Wh
        time_s = (self.station.utc - transaction.started_at).total_seconds()
        for value, most, trigger in (
            (energy_Wh, limit.max_energy_Wh, T.EnergyLimitReached),
            (time_s, limit.max_time_s, T.TimeLimitReached),
            (reading.soc_percent, limit.max_soc_percent, T.SoCLimitReached),
            (found.cost, limit.max_cost, T.CostLimitReached),
        ):
            if value is not None and most is not None and value >= most:
                return trigger
        return None
