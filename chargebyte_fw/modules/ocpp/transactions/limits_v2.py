"""Limits of a transaction in OCPP 2.1: energy, time, state of charge and cost that the CSMS has set (use case E16)."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
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
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxPoint, points
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2
from chargebyte_fw.modules.ocpp.variables.standard.transactions import TX_STOP_POINT
from chargebyte_fw.modules.ocpp.version import Version

LOOK_S = 1.0
"""How often a transaction with a limit is looked at."""
T = TriggerReasonEnumType
_MEMBERS = ("max_cost", "max_energy_Wh", "max_time_s", "max_soc_percent")
_ENDS = {
    T.EnergyLimitReached: StopTransactionReason.EnergyLimitReached,
    T.TimeLimitReached: StopTransactionReason.TimeLimitReached,
    T.SoCLimitReached: StopTransactionReason.SOCLimitReached,
    T.CostLimitReached: StopTransactionReason.LocalOutOfCredit,
}


class _Limited(msgspec.Struct):
    """A transaction with what bounds it."""

    began_Wh: float | None
    limit: TransactionLimitType | None = None
    cost: float | None = None
    reached: TriggerReasonEnumType | None = None


class TransactionLimits2(Block):
    """Suspends the transfer of energy when a limit is reached, and resumes it when the CSMS raises the limit.

    With `EnergyTransfer` in `TxStopPoint` the transaction ends ([E16.FR.06]).
    """

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
        """Take what the transaction costs: by the station's own calculation where it has a tariff."""
        found, transaction = (
            self._limited.get(event.session_id),
            self.station.block(Transactions2).of_id(event.session_id),
        )
        # Where the station has a tariff, the cost by the CSMS does not count ([E16.FR.16]).
        if found is not None and transaction is not None and event.counted_here == transaction.counted_here:
            found.cost = event.cost
            self._look(event.session_id)

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """Take a limit, and confirm it with LimitSet."""
        if response.transaction_limit is not None:
            self.limit(request.transaction_info.transaction_id, response.transaction_limit, by_csms=True)

    def limit(self, transaction_id: str, wanted: TransactionLimitType, *, by_csms: bool = False) -> bool:
        """Limit a running transaction anew, and report it; returns False where it does not run (2.1).

        A limit that was set is changed, never taken away ([E16.FR.17]), and none is above that of the CSMS
        ([E16.FR.04]).
        """
        transaction = self.station.block(Transactions2).of_id(transaction_id)
        found = None if transaction is None else self._limited.get(transaction.transaction_id)
        if self.station.version is not Version.V21 or found is None or transaction is None:
            return False
        if by_csms:
            transaction.csms_limit = _changed(transaction.csms_limit, wanted)
        limit = _changed(found.limit, wanted)
        if not by_csms and transaction.csms_limit is not None:
            limit = _bounded(limit, transaction.csms_limit)
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
            self._act(transaction, reached)
        elif reached is None and found.reached is not None:
            found.reached = None
            self.station.command(call(EvseManager.resume_charging), evse_id=transaction.evse_id)
        self.station.start(("limit", session_id), self.station.now + LOOK_S, lambda: self._look(session_id))

    def _act(self, transaction: Transaction, reached: TriggerReasonEnumType) -> None:
        """Suspend the transfer of energy, or end the transaction where that is what the end of the transfer does."""
        transactions = self.station.block(Transactions2)
        stop_points: tuple[str, ...] = self.station.variables.get(TX_STOP_POINT)
        if TxPoint.ENERGY_TRANSFER in points(stop_points):
            transactions.stop_at_limit(transaction, reached, _ENDS[reached])
            return
        self.station.command(call(EvseManager.pause_charging), evse_id=transaction.evse_id)
        transactions.update(transaction, reached)

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
            # What cannot be less than 0 has reached such a limit before it is known ([E16.FR.10]).
            if most is not None and (most <= 0 or (value is not None and value >= most)):
                return trigger
        return None


def _changed(limit: TransactionLimitType | None, wanted: TransactionLimitType) -> TransactionLimitType:
    """Return a limit with the members that are wanted anew."""
    news = {name: value for name in _MEMBERS if (value := getattr(wanted, name)) is not None}
    return msgspec.structs.replace(limit or TransactionLimitType(), **news)


def _bounded(limit: TransactionLimitType, most: TransactionLimitType) -> TransactionLimitType:
    """Return a limit none of whose members is above that of another one."""
    pairs = {name: (getattr(limit, name), getattr(most, name)) for name in _MEMBERS}
    lower = {name: min(pair) for name, pair in pairs.items() if None not in pair}
    return msgspec.structs.replace(limit, **lower)
