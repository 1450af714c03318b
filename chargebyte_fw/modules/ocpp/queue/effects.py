"""What the queue asks of its owner, and what becomes of its messages."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.ocpp.queue.entries import Entry, Row


class Persist(msgspec.Struct, frozen=True):
    """Write a row, or write it anew; confirm with the ticket."""

    table: str
    row: Row
    ticket: int


class Remove(msgspec.Struct, frozen=True):
    """Delete a row; confirm with the ticket."""

    table: str
    key: str
    ticket: int


class KeepTransactionId(msgspec.Struct, frozen=True):
    """Write the id that the CSMS gave to the transaction of a session, or delete it (None); 1.6."""

    session_id: str
    transaction_id: int | None
    ticket: int


class Failed(msgspec.Struct, frozen=True):
    """A message left the queue without an answer."""

    entry: Entry
    code: str
    """The code of a CALLERROR, `Timeout`, `Offline` or `Dropped`."""
    description: str = ""


class Done(msgspec.Struct, frozen=True):
    """A message was answered and left the queue."""

    entry: Entry
    payload: object
