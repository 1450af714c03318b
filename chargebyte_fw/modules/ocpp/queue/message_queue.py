"""The two queues of a station: messages of transactions, which nothing may lose, and all others.

One message is in flight at a time. The owner calls `next` whenever something has changed, and `wake` at `deadline`.
Methods return effects (`queue/effects.py`) in order; those of one call belong into one commit of the file.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.queue import overflow
from chargebyte_fw.modules.ocpp.queue.effects import Done, Failed, KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import OF_TRANSACTIONS, UNANSWERED, Entry, row_of, thinned
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.version import Version

BOOT, HEARTBEAT, SECURITY_EVENT = "BootNotification", "Heartbeat", "SecurityEventNotification"
STATUS = "StatusNotification"
NO_SUCH_ACTION = ("NotImplemented", "NotSupported")
"""Codes by which a CSMS has no such action."""
ACCEPTED, PENDING, REJECTED = "Accepted", "Pending", "Rejected"
WHILE_PENDING = frozenset(("NotifyReport",))
"""Sent while the registration is pending: what GetBaseReport and GetReport ask for (2.x, B02)."""
OVERTAKES_AFTER_S = 1.0
"""The older message goes first; one that has waited so long takes turns with those of the other queue.

So a heartbeat is not late because of what was queued offline, and no transaction waits for a long report. A
status waits at most as long for an older message that the file is yet to confirm: CSMSs show both in their order."""
MOST_TRANSACTION_IDS = 100


class MessageQueue:
    """Every message that waits, and the one in flight. `new_id` returns ids for repeated attempts."""

    def __init__(self, version: Version, settings: Settings, new_id: Callable[[], str]) -> None:
        self.version = version
        self.settings = settings
        self.registration: str | None = None
        """The status of the last answer to a BootNotification, None before the first."""
        self.online = False
        self.outstanding: Entry | None = None
        self.of_transactions: deque[Entry] = deque()
        self.others: deque[Entry] = deque()
        self.boots: deque[Entry] = deque()
        """BootNotification: the one in flight, and the latest that waits."""
        self._new_id = new_id
        self._number = 0
        self._ticket = 0
        self._written = 0
        self._barrier = 0
        """No message of a transaction is sent before the file has confirmed this ticket."""
        self._last_answer = 0
        self._transaction_ids: OrderedDict[str, int] = OrderedDict()
        self._resume_s = 0.0
        self._answer_by_s = 0.0
        self._transaction_was_last = False

    # Facts.

    def __len__(self) -> int:
        return len(self.of_transactions) + len(self.others) + len(self.boots)

    def load(self, entries: Iterable[Entry], transaction_ids: dict[str, int]) -> None:
        """Take over what the last run left, in order; before anything else."""
        for entry in sorted(entries, key=lambda one: one.number):
            entry.went_offline()
            (self.of_transactions if entry.of_transaction else self.others).append(entry)
            self._number = max(self._number, entry.number)
        self._transaction_ids.update(transaction_ids)

    def connected(self, now: float, *, again: bool) -> None:
        """The connection is open; `again`: after an earlier one."""
        self.online = True
        self._resume_s = now + self.settings.resume_delay_s if again else 0.0

    def disconnected(self, now: float) -> list[Any]:
        """The connection is gone. What is not kept offline fails; events that wait are of an outage from here on."""
        self.online = False
        effects: list[Any] = []
        entry, self.outstanding = self.outstanding, None
        if entry is not None:
            # Not an attempt in the sense of MessageAttempts: the CSMS has not failed to process it.
            entry.wire_id = ""
        for event in self.of_transactions:
            if event.went_offline():
                effects.append(Persist(event.table, row_of(event), self._next_ticket()))
        # The station registers anew with the next connection, unless it was accepted.
        effects += [Failed(boot, "Offline") for boot in self.boots]
        self.boots.clear()
        kept: deque[Entry] = deque()
        for other in self.others:
            if other.persistent:
                kept.append(other)
            else:
                effects.append(Failed(other, "Offline"))
        self.others = kept
        return effects

    def written(self, ticket: int) -> None:
        """Everything up to this ticket is on the disk, or will not be (the disk is full): it may be sent."""
        self._written = max(self._written, ticket)

    def persist_again(self) -> list[Any]:
        """Return the effects that write everything that is kept: the file is a new one."""
        effects: list[Any] = []
        for entry in (*self.of_transactions, *self.others):
            if entry.persistent:
                effects.append(Persist(entry.table, row_of(entry), self._next_ticket()))
        for session_id, transaction_id in self._transaction_ids.items():
            effects.append(KeepTransactionId(session_id, transaction_id, self._next_ticket()))
        return effects

    # Messages.

    def enqueue(
        self,
        key: str,
        action: str,
        payload: bytes,
        now: float,
        *,
        timestamp: str = "",
        transaction: str | None = None,
        triggered: bool = False,
    ) -> list[Any]:
        """Take a message. It fails at once where it would not be sent before long."""
        of_transaction = action in OF_TRANSACTIONS and not (self.version.is_2 and action == "MeterValues")
        if action == "StopTransaction":
            payload = thinned(payload, self.settings.max_message_bytes)
        self._number += 1
        entry = Entry(key, action, payload, self._number, of_transaction, timestamp, transaction, triggered)
        entry.queued_s, entry.version = now, self.version
        entry.due_s = now + OVERTAKES_AFTER_S if action == STATUS else 0.0
        if action == BOOT:
            waiting = [one for one in self.boots if not one.wire_id]
            self.boots = deque([*(one for one in self.boots if one.wire_id), entry])
            return [Failed(one, "Dropped", "another BootNotification follows") for one in waiting]
        keeps = self.settings.queue_all and action not in self.settings.discard
        if not of_transaction and not keeps and not self._may_send(entry):
            return [Failed(entry, "Offline")]
        if action == HEARTBEAT and any(one.action == HEARTBEAT and not one.wire_id for one in self.others):
            return [Failed(entry, "Dropped", "a heartbeat is waiting already")]
        entry.persistent = of_transaction or (keeps and action != HEARTBEAT)
        effects: list[Any] = []
        if entry.persistent:
            entry.ticket = self._next_ticket()
            effects.append(Persist(entry.table, row_of(entry), entry.ticket))
        (self.of_transactions if of_transaction else self.others).append(entry)
        if len(self.of_transactions) + len(self.others) > self.settings.size_threshold:
            for one in overflow.drop(self.of_transactions, self.others, self.settings.size_threshold):
                effects += [*self._removed(one), Failed(one, "Dropped", "the queue is full")]
        return effects

    def _may_send(self, entry: Entry) -> bool:
        """Return whether connection and registration allow a message that is not kept."""
        if not self.online:
            return False
        if self.registration == ACCEPTED:
            return True
        if self.registration == REJECTED:
            return False
        return entry.triggered or (self.version.is_2 and entry.action in WHILE_PENDING)

    def next(self, now: float) -> Entry | None:
        """Return the message to be sent now, which is in flight from here on, or None.

        Call it only while no request of the CSMS waits for its answer.
        """
        if not self.online or self.outstanding is not None:
            return None
        entry = self.boots[0] if self.boots else self._candidate(now)
        if entry is None:
            return None
        entry.wire_id = self._new_id() if entry.used_key else entry.key
        entry.used_key = True
        self._transaction_was_last = entry.of_transaction
        if entry.action in UNANSWERED:
            self._take_out(entry)
            return entry
        self.outstanding = entry
        self._answer_by_s = now + self.settings.message_timeout_s + self.settings.retry_interval_s * entry.attempts
        return entry

    def payload_of(self, entry: Entry) -> bytes:
        """Return the payload as it is sent: with the transaction id where it is known by now (1.6)."""
        if entry.action not in ("StopTransaction", "MeterValues") or entry.transaction is None:
            return entry.payload
        transaction_id = self._transaction_ids.get(entry.transaction)
        if transaction_id is None:
            return entry.payload
        return msgspec.json.encode({**msgspec.json.decode(entry.payload), "transactionId": transaction_id})

    def _candidate(self, now: float) -> Entry | None:
        if self.registration != ACCEPTED or now < self._resume_s:
            early = (one for one in self.others if one.triggered or one.action in WHILE_PENDING)
            return next((one for one in early if self._may_send(one)), None)
        first = self.of_transactions[0] if self.of_transactions else None
        other = self.others[0] if self.others else None
        if other is not None and (self._written < other.ticket or now < self._order_kept_until_s()):
            other = None
        if first is not None and (now < first.due_s or self._is_being_written(first)):
            first = None
        if first is None or other is None:
            return first or other
        older, younger = (first, other) if first.number < other.number else (other, first)
        turn = self._transaction_was_last is older.of_transaction
        return younger if turn and now - younger.queued_s >= OVERTAKES_AFTER_S else older

    def _is_being_written(self, first: Entry) -> bool:
        return self._written < max(first.ticket, self._barrier)

    def _order_kept_until_s(self) -> float:
        """Return until when a status waits for an older message of a transaction, which the file is yet to confirm."""
        if not self.of_transactions or not self.others:
            return 0.0
        first, other = self.of_transactions[0], self.others[0]
        waits = first.number < other.number and not first.attempts and self._is_being_written(first)
        return other.due_s if waits else 0.0

    # What becomes of the one in flight.

    def answered(self, wire_id: str, payload: Any, now: float) -> list[Any]:
        """The message in flight was answered: it leaves the queue. In 1.6 the id of a transaction comes with it."""
        entry = self._landed(wire_id)
        if entry is None:
            return []
        effects = [*self._id_of(entry, payload), *self._gone(entry)]
        if entry.of_transaction:
            # A power cut before the file has this has the message sent again. That may befall the last two; after a
            # start the next one waits, or the messages of one transaction could reach the CSMS under two ids.
            is_start = entry.action == "StartTransaction"
            self._barrier, self._last_answer = self._ticket if is_start else self._last_answer, self._ticket
        return [*effects, Done(entry, payload)]

    def refused(self, wire_id: str, code: str, description: str, now: float) -> list[Any]:
        """The message in flight was refused."""
        entry = self._landed(wire_id)
        return [] if entry is None else self._failed(entry, code, description, now)

    def unreadable(self, wire_id: str, payload: Any, reason: str, now: float) -> list[Any]:
        """The answer cannot be read. The CSMS has processed the message all the same, so it is not sent again.

        A StartTransaction is, where there is no transaction id in the answer: without one nothing can follow.
        """
        entry = self._landed(wire_id)
        if entry is None:
            return []
        known = self._id_of(entry, payload)
        if entry.action == "StartTransaction" and not known:
            return self._failed(entry, "FormatViolation", reason, now)
        return [*known, *self._gone(entry), Failed(entry, "FormatViolation", reason)]

    def _id_of(self, entry: Entry, payload: Any) -> list[Any]:
        """Keep the transaction id in the answer to StartTransaction."""
        if entry.action != "StartTransaction" or entry.transaction is None or not isinstance(payload, dict):
            return []
        transaction_id = payload.get("transactionId")
        return self._keep_id(entry.transaction, transaction_id) if type(transaction_id) is int else []

    def unsendable(self, entry: Entry, reason: str) -> list[Any]:
        """The version that is spoken has no such message: it leaves the queue."""
        self._landed(entry.wire_id)
        return [*self._gone(entry), Failed(entry, "FormatViolation", reason)]

    @property
    def deadline(self) -> float | None:
        """The monotonic second at which `wake` is to be called."""
        if not self.online:
            return None
        if self.outstanding is not None:
            return self._answer_by_s
        ahead: list[float] = []
        if len(self) and self._resume_s > 0.0:
            ahead.append(self._resume_s)
        if self.of_transactions and self.registration == ACCEPTED and self.of_transactions[0].due_s > 0.0:
            ahead.append(self.of_transactions[0].due_s)
        if self._order_kept_until_s() > 0.0:
            ahead.append(self._order_kept_until_s())
        return min(ahead, default=None)

    def wake(self, now: float) -> tuple[str, list[Any]]:
        """Let time pass; returns the id of a message whose time is over, or nothing, and effects."""
        if self._resume_s and now >= self._resume_s:
            self._resume_s = 0.0
        if self.of_transactions and now >= self.of_transactions[0].due_s:
            self.of_transactions[0].due_s = 0.0
        if self.others and now >= self.others[0].due_s:
            self.others[0].due_s = 0.0
        entry = self.outstanding
        if entry is None or now < self._answer_by_s:
            return "", []
        wire_id = entry.wire_id
        self._landed(wire_id)
        return wire_id, self._failed(entry, "Timeout", "no answer in time", now)

    def _landed(self, wire_id: str) -> Entry | None:
        entry = self.outstanding
        if entry is None or entry.wire_id != wire_id:
            return None
        self.outstanding = None
        entry.wire_id = ""
        return entry

    def _failed(self, entry: Entry, code: str, description: str, now: float) -> list[Any]:
        entry.attempts += 1
        # `arthexis` and `ocpp-broker` have no security events of 1.6: no further attempt would change that, and
        # the messages of transactions wait behind it.
        hopeless = entry.action == SECURITY_EVENT and code in NO_SUCH_ACTION
        if entry.of_transaction and entry.attempts < max(1, self.settings.attempts) and not hopeless:
            entry.due_s = now + self.settings.retry_interval_s * entry.attempts
            entry.ticket = self._next_ticket()
            return [Persist(entry.table, row_of(entry), entry.ticket)]
        return [*self._gone(entry), Failed(entry, code, description)]

    def _gone(self, entry: Entry) -> list[Any]:
        self._take_out(entry)
        effects = self._removed(entry)
        session_id = entry.transaction
        if entry.action == "StopTransaction" and session_id is not None and session_id in self._transaction_ids:
            del self._transaction_ids[session_id]
            effects.append(KeepTransactionId(session_id, None, self._next_ticket()))
        return effects

    def _take_out(self, entry: Entry) -> None:
        queue = self.of_transactions if entry.of_transaction else self.others
        if entry.action == BOOT:
            queue = self.boots
        if queue and queue[0] is entry:
            queue.popleft()
        else:
            queue.remove(entry)

    def _removed(self, entry: Entry) -> list[Any]:
        return [Remove(entry.table, entry.key, self._next_ticket())] if entry.persistent else []

    def _keep_id(self, session_id: str, transaction_id: int) -> list[Any]:
        self._transaction_ids[session_id] = transaction_id
        effects: list[Any] = [KeepTransactionId(session_id, transaction_id, self._next_ticket())]
        while len(self._transaction_ids) > MOST_TRANSACTION_IDS:
            oldest, _ = self._transaction_ids.popitem(last=False)
            effects.append(KeepTransactionId(oldest, None, self._next_ticket()))
        return effects

    def _next_ticket(self) -> int:
        self._ticket += 1
        return self._ticket
