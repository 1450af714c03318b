"""What is known of an EVSE while a session of the stack is at it (OCPP 2.x)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxPoint, TxPoints


class EvseSession(msgspec.Struct):
    """One EVSE and the session at it."""

    points: TxPoints
    session_id: str = ""
    connector_id: int = 1
    connected: bool = False
    state: ChargingStateEnumType = ChargingStateEnumType.Idle
    token: ProvidedIdToken | None = None
    reservation_id: int | None = None
    signed_start: SignedMeterValue | None = None
    transaction: Transaction | None = None

    def take(self, transaction: Transaction) -> None:
        """Go on with a transaction of the last run, or whose car is there again."""
        self.session_id, self.connector_id = transaction.session, transaction.connector_id
        self.connected, self.state, self.token = True, transaction.charging_state, transaction.token
        self.points.resume({TxPoint.EV_CONNECTED, TxPoint.AUTHORIZED, TxPoint.ENERGY_TRANSFER})


def same_token(one: ProvidedIdToken | None, other: ProvidedIdToken | None) -> bool:
    """Return whether two tokens are the same, or both are missing."""
    if one is None or other is None:
        return one is other
    return one.id_token.value.lower() == other.id_token.value.lower()


def closed_to(sessions: Mapping[int, EvseSession], token: ProvidedIdToken) -> frozenset[int]:
    """Return the EVSEs whose transaction was authorized by another token and is not any more ([C01.FR.23])."""
    return frozenset(
        evse_id
        for evse_id, one in sessions.items()
        if one.transaction is not None
        and one.transaction.token is not None
        and not one.points.holds(TxPoint.AUTHORIZED)
        and not same_token(one.transaction.token, token)
    )
