"""What is dropped where more messages wait than MessageQueueSizeThreshold."""

from __future__ import annotations

from collections import deque

from chargebyte_fw.modules.ocpp.queue.entries import Entry

SHARE = 10
"""One message in so many is dropped at a time, so that the next ones need no look at the whole queue."""


def drop(of_transactions: deque[Entry], others: deque[Entry], threshold: int) -> list[Entry]:
    """Take messages out of the queues; returns them.

    First the oldest that belong to no transaction, then every second update of a transaction. Messages that begin or
    end a transaction are never dropped. Security events are, where there are more of them than the threshold.
    """
    dropped: list[Entry] = []

    def surplus() -> int:
        return len(of_transactions) + len(others) - threshold

    dropped += _take(
        others, [one for one in others if not one.wire_id][: min(surplus() + threshold // SHARE, len(others))]
    )
    if surplus() > 0:
        dropped += _take(of_transactions, [one for one in of_transactions if one.is_update][1::2])
    if surplus() > 0:
        events = [one for one in of_transactions if one.action == "SecurityEventNotification"]
        if len(events) > threshold:
            dropped += _take(of_transactions, events[1::2])
    return dropped


def _take(queue: deque[Entry], unwanted: list[Entry]) -> list[Entry]:
    """Take messages out of a queue, but for one that is in flight."""
    gone = {id(one): one for one in unwanted if not one.wire_id}
    if gone:
        kept = [one for one in queue if id(one) not in gone]
        queue.clear()
        queue.extend(kept)
    return list(gone.values())
