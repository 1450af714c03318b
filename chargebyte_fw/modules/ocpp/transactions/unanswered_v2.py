"""GetTransactionStatus (use case E14): whether a transaction goes on, and whether the CSMS lacks events of it."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.messages.v2.transactions import (
    GetTransactionStatusRequest,
    GetTransactionStatusResponse,
    TransactionEventRequest,
    TransactionEventResponse,
)
from chargebyte_fw.modules.ocpp.station import Block, CallFailure, Station, answered, answers, events, failed, receives
from chargebyte_fw.modules.ocpp.transactions.v2 import Transactions2


class TransactionStatus2(Block):
    """Counts the events that the CSMS has not answered, by transaction."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._waiting: dict[str, int] = {}
        station.block(Transactions2).writer.sent = self._sent

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Take what waits in the queue since the last run."""
        for session_id, number in event.queued.items():
            self._waiting[session_id] = self._waiting.get(session_id, 0) + number

    def _sent(self, transaction_id: str) -> None:
        self._waiting[transaction_id] = self._waiting.get(transaction_id, 0) + 1

    @answered(TransactionEventRequest)
    def event_answered(self, request: TransactionEventRequest, response: TransactionEventResponse) -> None:
        """The CSMS has this event."""
        self._done(request)

    @failed(TransactionEventRequest)
    def event_failed(self, request: TransactionEventRequest, failure: CallFailure) -> None:
        """The CSMS will not have this event (E13)."""
        self._done(request)

    def _done(self, request: TransactionEventRequest) -> None:
        key = request.transaction_info.transaction_id
        left = self._waiting.get(key, 0) - 1
        if left > 0:
            self._waiting[key] = left
        else:
            self._waiting.pop(key, None)

    @answers(GetTransactionStatusRequest)
    def transaction_status(self, request: GetTransactionStatusRequest) -> GetTransactionStatusResponse:
        """Return whether a transaction goes on, and whether the CSMS lacks messages of it, or of any (E14)."""
        if request.transaction_id is None:
            return GetTransactionStatusResponse(messages_in_queue=bool(self._waiting))
        wanted = request.transaction_id.lower()
        waiting = any(key.lower() == wanted for key in self._waiting)
        running = self.station.block(Transactions2).of_id(request.transaction_id)
        return GetTransactionStatusResponse(messages_in_queue=waiting, ongoing_indicator=running is not None)
