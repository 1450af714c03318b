"""One message in the queue, and its row in the file."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.version import Version

TRANSACTION_QUEUE, NORMAL_QUEUE, TRANSACTION_IDS = "TRANSACTION_QUEUE", "NORMAL_QUEUE", "TRANSACTION_IDS"
ROW_LIMIT_BYTES = 1 << 20

OF_TRANSACTIONS = frozenset(
    (
        "StartTransaction",
        "StopTransaction",
        "MeterValues",
        "SecurityEventNotification",
        "TransactionEvent",
        "NotifySettlement",
    )
)
"""The actions of the transaction queue; MeterValues only in 1.6, NotifySettlement in 2.1."""
UNANSWERED = frozenset(("NotifyPeriodicEventStream",))
"""Actions that are sent as SEND (2.1)."""


class Entry(msgspec.Struct, eq=False):
    """A message that waits, or is in flight."""

    key: str
    """The message id of `Enqueue`: that of the first attempt, and the key of the row."""
    action: str
    payload: bytes
    """JSON."""
    number: int
    """Its place in the order of all messages. No clock takes part in that order, as clocks are set."""
    of_transaction: bool
    timestamp: str = ""
    """The wall time at which it was queued."""
    transaction: str | None = None
    """The session id of its transaction."""
    triggered: bool = False
    persistent: bool = False
    attempts: int = 0
    queued_s: float = 0.0
    due_s: float = 0.0
    """It is not sent before this monotonic second."""
    ticket: int = 0
    """It is not sent before the file has confirmed this ticket (`Written`)."""
    version: Version | None = None
    """The version that the payload is of; None for a row, which the last run wrote."""
    wire_id: str = ""
    """The id of the present attempt; empty while it waits. Every attempt has an id of its own."""
    used_key: bool = False
    """The key was the id of an attempt already."""

    @property
    def table(self) -> str:
        """The table of its row."""
        return TRANSACTION_QUEUE if self.of_transaction else NORMAL_QUEUE

    def went_offline(self) -> bool:
        """Mark an event that the CSMS has not got before the connection was lost ([E11.FR.07]); whether it is news."""
        if self.action != "TransactionEvent":
            return False
        request = msgspec.json.decode(self.payload)
        if request.get("offline"):
            return False
        self.payload = msgspec.json.encode({**request, "offline": True})
        return True

    @property
    def is_update(self) -> bool:
        """Whether it may be dropped where memory is short: a later message has its values, too."""
        if self.action == "TransactionEvent":
            return b'"eventType":"Updated"' in self.payload
        return self.action == "MeterValues"


class Row(msgspec.Struct, frozen=True):
    """A row of TRANSACTION_QUEUE or NORMAL_QUEUE; fields are its columns."""

    UNIQUE_ID: str
    MESSAGE: str
    """The CALL of the first attempt."""
    MESSAGE_TYPE: str
    MESSAGE_ATTEMPTS: int
    MESSAGE_TIMESTAMP: str
    NUMBER: int
    SESSION_ID: str | None = None


def row_of(entry: Entry) -> Row:
    """Return the row of a message."""
    head = msgspec.json.encode([2, entry.key, entry.action])
    message = (head[:-1] + b"," + entry.payload + b"]").decode()
    return Row(entry.key, message, entry.action, entry.attempts, entry.timestamp, entry.number, entry.transaction)


def entry_of(row: Row, *, of_transaction: bool) -> Entry:
    """Return the message of a row; raises ValueError for a row that no message can be made of."""
    try:
        frame: Any = decode_json(row.MESSAGE, list[msgspec.Raw], limit_bytes=ROW_LIMIT_BYTES)
        payload = bytes(frame[3])
        decode_json(payload, dict[str, Any], limit_bytes=ROW_LIMIT_BYTES)
    except (msgspec.DecodeError, IndexError, TypeError) as error:
        raise ValueError(f"row {row.UNIQUE_ID}: {error}") from None
    return Entry(
        key=row.UNIQUE_ID,
        action=row.MESSAGE_TYPE,
        payload=payload,
        number=row.NUMBER,
        of_transaction=of_transaction,
        timestamp=row.MESSAGE_TIMESTAMP,
        transaction=row.SESSION_ID,
        persistent=True,
        attempts=row.MESSAGE_ATTEMPTS,
        used_key=True,
    )


def thinned(payload: bytes, limit_bytes: int) -> bytes:
    """Return a StopTransaction without every second entry of transactionData, until it fits.

    The first and the last entry stay: they are the meter at the begin and at the end, signed where it signs.
    """
    if len(payload) <= limit_bytes:
        return payload
    request = msgspec.json.decode(payload)
    data = request.get("transactionData") or []
    while len(payload) > limit_bytes and len(data) > 2:
        data = [*data[:-1:2], data[-1]]
        payload = msgspec.json.encode({**request, "transactionData": data})
    return payload
