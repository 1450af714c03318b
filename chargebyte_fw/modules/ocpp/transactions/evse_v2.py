"""What is known of an EVSE while a session of the stack is at it (OCPP 2.x)."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.units_signed import SignedMeterValue
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ChargingStateEnumType
from chargebyte_fw.modules.ocpp.transactions.record_v2 import Transaction
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxPoints


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
