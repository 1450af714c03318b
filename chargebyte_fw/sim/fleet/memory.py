"""What a simulated station keeps in place of a file: its queue and documents, until the process ends."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import TRANSACTION_QUEUE, Entry, Row, entry_of
from chargebyte_fw.modules.ocpp.station.effects import Save


class Memory:
    """Takes the effects that a file takes; they are done at once."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}
        self.documents: dict[str, dict[str, bytes]] = {}
        self.transaction_ids: dict[str, int] = {}

    def keep(self, effect: Persist | Remove | KeepTransactionId | Save) -> int | None:
        """Carry out an effect; returns its ticket, None for a document."""
        match effect:
            case Persist(table, row, ticket):
                self._rows[table, row.UNIQUE_ID] = row
                return ticket
            case Remove(table, key, ticket):
                self._rows.pop((table, key), None)
                return ticket
            case KeepTransactionId(session_id, transaction_id, ticket):
                self.transaction_ids.pop(session_id, None)
                if transaction_id is not None:
                    self.transaction_ids[session_id] = transaction_id
                return ticket
            case Save(table, key, value):
                rows = self.documents.setdefault(table, {})
                rows.pop(key, None)
                if value is not None:
                    rows[key] = value
        return None

    def entries(self) -> tuple[Entry, ...]:
        """Return the messages that were not answered, in order."""
        found = [entry_of(row, of_transaction=table == TRANSACTION_QUEUE) for (table, _), row in self._rows.items()]
        return tuple(sorted(found, key=lambda entry: entry.number))
