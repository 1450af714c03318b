"""Events of transactions for the other blocks of the station."""

from __future__ import annotations

from typing import Any

import msgspec


class TransactionBegan(msgspec.Struct, frozen=True):
    """A transaction of OCPP began, or goes on after a restart."""

    evse_id: int
    connector_id: int
    connector: int
    """Number in OCPP 1.6."""
    session_id: str
    id_token: str = ""


class TransactionKnown(msgspec.Struct, frozen=True):
    """The CSMS has given the transaction its number (1.6)."""

    connector: int
    session_id: str
    transaction_id: int


class TransactionEnded(msgspec.Struct, frozen=True):
    """A transaction of OCPP ended; its last message is in the queue."""

    evse_id: int
    connector_id: int
    connector: int
    session_id: str


class CostKnown(msgspec.Struct, frozen=True):
    """What a running transaction costs so far."""

    session_id: str
    cost: float
    counted_here: bool = False
    """By the tariff that the station has; otherwise the CSMS has calculated it."""


class PricesKnown(msgspec.Struct, frozen=True):
    """CostUpdated of a running transaction had `customData`."""

    transaction_id: str
    custom_data: dict[str, Any]


class RemoteStartAccepted(msgspec.Struct, frozen=True):
    """A remote start was accepted; its profile is for the transaction that it begins."""

    evse_id: int | None
    connector: int | None
    id_token: str
    profile: Any = None
