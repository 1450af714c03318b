"""A queue with a clock, and a disk that confirms at once."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from chargebyte_fw.modules.ocpp.queue.effects import Failed, KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import Entry
from chargebyte_fw.modules.ocpp.queue.message_queue import MessageQueue
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.version import Version

V16, V201, V21 = Version


class Bench:
    """A queue with a clock and a disk that confirms at once."""

    def __init__(self, version: Version = V16, *, accepted: bool = True, online: bool = True, **settings: Any) -> None:
        ids, self.keys = count(1), count(1)
        self.now = 0.0
        self.queue = MessageQueue(version, Settings(**settings), lambda: f"again-{next(ids)}")
        self.disk = True
        self.effects: list[Any] = []
        if online:
            self.queue.connected(self.now, again=False)
        if accepted:
            self.queue.registration = "Accepted"

    def took(self, effects: list[Any]) -> list[Any]:
        self.effects += effects
        if self.disk:
            tickets = [one.ticket for one in effects if isinstance(one, Persist | Remove | KeepTransactionId)]
            self.queue.written(max(tickets, default=0))
        return effects

    def put(self, action: str, payload: dict[str, Any] | None = None, **how: Any) -> str:
        key = f"m{next(self.keys)}"
        text = json.dumps(payload or {}, separators=(",", ":")).encode()
        self.took(self.queue.enqueue(key, action, text, self.now, **how))
        return key

    def next(self) -> str | None:
        entry = self.queue.next(self.now)
        return entry.action if entry is not None else None

    @property
    def flying(self) -> Entry:
        assert self.queue.outstanding is not None
        return self.queue.outstanding

    def answer(self, payload: Any = None) -> list[Any]:
        return self.took(self.queue.answered(self.flying.wire_id, payload or {}, self.now))

    def refuse(self, code: str = "InternalError") -> list[Any]:
        return self.took(self.queue.refused(self.flying.wire_id, code, "", self.now))

    def drain(self) -> list[str]:
        found = []
        while (action := self.next()) is not None:
            found.append(action)
            self.answer()
        return found

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass, with a wake at each deadline as the pump has it."""
        end, effects = self.now + seconds, []
        while (at_s := self.queue.deadline) is not None and at_s <= end:
            self.now = max(self.now, at_s)
            effects += self.took(self.queue.wake(self.now)[1])
            if self.queue.deadline == at_s:
                raise AssertionError("the same deadline again: a busy loop")
        self.now = end
        return effects

    def failures(self) -> list[tuple[str, str]]:
        return [(one.entry.action, one.code) for one in self.effects if isinstance(one, Failed)]
