"""Events of availability, and of transactions, for the other blocks of the station."""

from __future__ import annotations

import msgspec


class StatusChanged(msgspec.Struct, frozen=True):
    """A connector has another state."""

    connector: int
    """Number in OCPP 1.6; 0 is the station."""
    status: str
    before: str


class TransactionClosed(msgspec.Struct, frozen=True):
    """The CSMS has the end of a transaction, or will never have it: what waited for the end may happen."""

    evse_id: int
    connector_id: int
    session_id: str
