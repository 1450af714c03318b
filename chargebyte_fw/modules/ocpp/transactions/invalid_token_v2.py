"""A token that the CSMS does not accept after a transaction began (use case E05)."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import evse_manager as evse
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.authorization.v2 import Authorization2
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenInfoType, IdTokenType
from chargebyte_fw.modules.ocpp.metering.readings import Readings
from chargebyte_fw.modules.ocpp.station import Station
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.variables.standard.transactions import (
    MAX_ENERGY_ON_INVALID_ID,
    STOP_TX_ON_INVALID_ID,
)

LOOK_S = 1.0
"""How often the energy is looked at that may still be delivered."""


class InvalidToken:
    """Ends, bounds or suspends transactions whose token the CSMS has refused."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._limits_Wh: dict[str, float] = {}

    def judge(self, transaction: Transaction | None, token: IdTokenType | None, info: IdTokenInfoType) -> None:
        """Take the answer of the CSMS about the token of a transaction."""
        if token is not None:
            evse_id = None if transaction is None else transaction.evse_id
            self._station.block(Authorization2).learn(token, info, evse_id)
        if transaction is None or info.status.value == "Accepted":
            return
        get = self._station.variables.get
        if get(STOP_TX_ON_INVALID_ID):
            self._stop(transaction)
        elif get(MAX_ENERGY_ON_INVALID_ID) > 0 and (present := self._energy_Wh(transaction)) is not None:
            limit_Wh = present + get(MAX_ENERGY_ON_INVALID_ID)
            self._limits_Wh.setdefault(transaction.transaction_id, limit_Wh)
            self._look(transaction)
        else:
            self._pause(transaction)

    def forget(self, transaction_id: str) -> None:
        """The transaction has ended."""
        self._limits_Wh.pop(transaction_id, None)
        self._station.stop(("invalid token", transaction_id))

    def _pause(self, transaction: Transaction) -> None:
        self._station.command(call(EvseManager.pause_charging), evse_id=transaction.evse_id)

    def _stop(self, transaction: Transaction) -> None:
        request = evse.StopTransactionRequest(reason=evse.StopTransactionReason.DeAuthorized)
        self._station.command(call(EvseManager.stop_transaction, request), evse_id=transaction.evse_id)

    def _energy_Wh(self, transaction: Transaction) -> float | None:
        meter = self._station.block(Readings).latest(transaction.evse_id).powermeter
        return None if meter is None else meter.energy_Wh_import.total

    def _look(self, transaction: Transaction) -> None:
        energy_Wh, limit_Wh = self._energy_Wh(transaction), self._limits_Wh[transaction.transaction_id]
        if energy_Wh is not None and energy_Wh >= limit_Wh:
            # [E05.FR.02]: the transaction goes on without energy.
            self._pause(transaction)
            return
        timer = ("invalid token", transaction.transaction_id)
        self._station.start(timer, self._station.now + LOOK_S, lambda: self._look(transaction))
