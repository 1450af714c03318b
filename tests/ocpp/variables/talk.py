"""A CSMS that talks with a station of few blocks: every message goes through the schema of the version, both ways."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.modules.ocpp.messages.model import Message, Request
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, decode_response, encode
from chargebyte_fw.modules.ocpp.station import Block, Station, events
from chargebyte_fw.modules.ocpp.station import effects as do
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.version import Version

NOON = 1_700_006_400.0
"""2023-11-15 00:00:00 UTC, the wall time at second 0."""


class Refused(Exception):
    """The station has answered with a CALLERROR."""


class Talk:
    """One station and its CSMS. What the station sends is answered at once while `online`."""

    def __init__(
        self,
        *kinds: type[Block],
        version: Version = Version.V201,
        variables: Variables | None = None,
        saved: dict[str, dict[str, bytes]] | None = None,
        answers: dict[str, dict[str, Any]] | None = None,
        layout: Layout | None = None,
    ) -> None:
        self.version = version
        if variables is None:
            variables = Variables(declared(connectors={1: 1, 2: 1}, legacy_keys=version is Version.V16))
        self.variables = variables
        self.tables: dict[str, dict[str, bytes]] = {} if saved is None else saved
        self.answers = answers or {}
        """The payload of the CSMS's answer to an action; an empty object where there is none."""
        self.sent: list[Request] = []
        self.payloads: list[dict[str, Any]] = []
        self.bytes_sent: list[int] = []
        self.other: list[Any] = []
        self.answered: list[do.Answer | do.Refuse] = []
        self.online = True
        self.now = 0.0
        self._ids = (f"id-{number}" for number in count(1))
        self._waiting: list[Any] = []
        self.station = Station(version, list(kinds), lambda: next(self._ids), self.variables, layout)
        self._run(self.station.feed(events.WallClockSet(NOON), 0.0))
        self._run(self.station.feed(events.Loaded(self.tables), 0.0))

    def ask(self, action: str, payload: dict[str, Any] | None = None) -> Any:
        """Send a request of the CSMS; return the payload of the answer. Raises Refused for a CALLERROR."""
        request = decode_request(self.version, action, msgspec.json.encode(payload or {}))
        return self.answer_of(self.station.feed(events.CallReceived("c", action, request), self.now))

    def answer_of(self, effects: list[Any]) -> Any:
        self._run(effects)
        [answer], self.answered = self.answered, []
        return self._answered(answer)

    def _answered(self, effect: do.Answer | do.Refuse) -> Any:
        if isinstance(effect, do.Refuse):
            raise Refused(effect.code)
        return decode_json(encode(self.version, effect.response))

    def feed(self, event: Any) -> None:
        """Feed an event of the stack."""
        self._run(self.station.feed(event, self.now))

    def pass_s(self, duration_s: float) -> None:
        """Let time pass."""
        until = self.now + duration_s
        while (at := self.station.deadline) is not None and at <= until:
            self.now = at
            self._run(self.station.wake(at))
        self.now = until

    def settle(self) -> None:
        """Carry out what blocks asked for outside of an event."""
        self._run(self.station.wake(self.now))

    def payloads_of(self, action: str) -> Iterator[dict[str, Any]]:
        """Return the payloads that the station has sent under an action."""
        for request, payload in zip(self.sent, self.payloads, strict=True):
            if request.action_name == action:
                yield payload

    def _run(self, effects: list[Any]) -> None:
        waiting = list(effects)
        while waiting:
            match waiting.pop(0):
                case do.Save(table, key, value):
                    if value is None:
                        self.tables.setdefault(table, {}).pop(key, None)
                    else:
                        self.tables.setdefault(table, {})[key] = value
                case do.Enqueue() as message:
                    waiting[:0] = self._csms(message)
                case do.Answer() | do.Refuse() as answer:
                    self.answered.append(answer)
                case do.RowFailed(error):
                    raise error
                case do.Command() as command:
                    waiting[:0] = self.carried_out(command)
                case other:
                    self.other.append(other)

    def carried_out(self, command: do.Command) -> list[Any]:
        """Carry out a command to another module; here it is only noted."""
        self.other.append(command)
        return []

    def _csms(self, message: do.Enqueue) -> list[Any]:
        request: Message = message.request
        data = encode(self.version, request)
        self.sent.append(message.request)
        self.payloads.append(decode_json(data, limit_bytes=1 << 20))
        self.bytes_sent.append(len(data) + len(f'[2,"{"x" * 36}","{request.action_name}",]'))
        if not self.online or request.action_name == "NotifyPeriodicEventStream":
            return []
        payload = msgspec.json.encode(self.answers.get(request.action_name, {}))
        response = decode_response(self.version, request.action_name, payload)
        answer = events.MessageAnswered(message.message_id, request.action_name, request, response, message.transaction)
        return self.station.feed(answer, self.now)
