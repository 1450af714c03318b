"""Between the station's messages and the frames of a connection: the endpoint, the queue, the codec. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, NotEncodable, Violation
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, decode_response, encode
from chargebyte_fw.modules.ocpp.queue.effects import Done, Failed, KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import UNANSWERED, Entry
from chargebyte_fw.modules.ocpp.queue.message_queue import MessageQueue
from chargebyte_fw.modules.ocpp.queue.settings import Settings
from chargebyte_fw.modules.ocpp.rpc import endpoint as rpc
from chargebyte_fw.modules.ocpp.rpc.endpoint import Endpoint
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError
from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.version import Version

ANSWER_LIMIT_S = 30.0
"""A request that has no answer by then is refused, so that the queue goes on; the station's own limit is shorter."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


class Note(msgspec.Struct, frozen=True):
    """A line for the log, about what the CSMS sent."""

    text: str


class Dispatcher:
    """Takes frames and the station's effects; returns events for the station, and effects for the owner, in order."""

    def __init__(self, version: Version, settings: Settings, new_id: Callable[[], str]) -> None:
        self.version = version
        self.queue = MessageQueue(version, settings, new_id)
        self.offset_s = 0.0
        """The wall time at monotonic second 0, in s since 1970."""
        self._endpoint = Endpoint(version)
        self._answer_by_s: float | None = None
        self._answering = ""
        self._answering_action = ""
        self._connected_before = False

    # The connection.

    def opened(self, version: Version, now: float) -> list[Any]:
        """A connection is open."""
        self.version = self.queue.version = version
        self._endpoint = Endpoint(version)
        self.queue.connected(now, again=self._connected_before)
        self._connected_before = True
        return self._send(now)

    def closed(self, now: float) -> list[Any]:
        """The connection is gone: what was not answered will not be."""
        self._endpoint = Endpoint(self.version)
        self._answer_by_s = None
        return self._out(self.queue.disconnected(now))

    def received(self, text: str | bytes, now: float) -> list[Any]:
        """Take a message of the WebSocket."""
        found: list[Any] = []
        for one in self._endpoint.received(text):
            found += self._received(one, now)
        return found + self._send(now)

    def _received(self, event: Any, now: float) -> list[Any]:
        match event:
            case rpc.Received():
                return self._called(event, now)
            case rpc.Answered(message_id, action, payload):
                return self._answered(message_id, action, payload, now)
            case rpc.Refused(message_id, action, code, description):
                note = Note(f"the CSMS refused {action}: {code} {description}".strip())
                return [note, *self._out(self.queue.refused(message_id, code, description, now))]
            case rpc.ResultRefused(_, code, description):
                return [Note(f"the CSMS refused an answer: {code} {description}".strip())]
            case rpc.SendReceived(action):
                return [Note(f"the CSMS sent {action}, which no station expects")]
            case rpc.Invalid(reason):
                # 1.6 has the event for payloads only; 2.x for what is no frame.
                raised = [self._invalid(reason)] if self.version.is_2 else []
                return [Note(f"the CSMS sent no message of OCPP: {reason}"), *raised]
            case rpc.Ignored():
                return [Note("the CSMS sent an answer to a request that is not outstanding (late, twice, other id)")]
        return [event]

    def _invalid(self, reason: str) -> Any:
        return events.SecurityEventFound("InvalidMessages", reason[:255])

    def _called(self, call: rpc.Received, now: float) -> list[Any]:
        try:
            request = decode_request(self.version, call.action, call.payload)
        except MessageError as error:
            found: list[Any] = [Note(f"{call.action[:50]} of the CSMS: {error}")]
            if not self.version.is_2:
                found.append(self._invalid(str(error)))
            return found + self._refuse(call.call_id, error.code, error.description, error.details, now)
        self._answer_by_s = now + ANSWER_LIMIT_S
        self._answering, self._answering_action = call.call_id, call.action
        return [events.CallReceived(call.call_id, call.action, request)]

    def _answered(self, message_id: str, action: str, payload: Any, now: float) -> list[Any]:
        try:
            if not isinstance(payload, dict):
                raise MessageError(self.version, Violation.FORMAT, "the payload is not an object")
            response = decode_response(self.version, action, payload)
        except MessageError as error:
            found: list[Any] = [Note(f"the answer to {action} cannot be read: {error}")]
            if not self.version.is_2:
                found.append(self._invalid(str(error)))
            found += self._endpoint.refuse_result(message_id, error.code, error.description)
            return found + self._out(self.queue.unreadable(message_id, payload, error.description, now))
        return self._out(self.queue.answered(message_id, payload, now), response)

    # The station.

    def enqueue(self, effect: effects.Enqueue, now: float) -> list[Any]:
        """Take a request of the station."""
        request = effect.request
        action = request.action_name
        try:
            payload = encode(self.version, request)
        except NotEncodable as error:
            failed = events.MessageFailed(effect.message_id, action, request, "FormatViolation", str(error))
            return [Note(f"{action} is not sent: {error}"), failed]
        found = self.queue.enqueue(
            effect.message_id,
            action,
            payload,
            now,
            timestamp=self._stamp(now),
            transaction=effect.transaction,
            triggered=effect.triggered,
        )
        return self._out(found, requests={effect.message_id: request}) + self._send(now)

    def answer(self, effect: effects.Answer, now: float) -> list[Any]:
        """Answer a request of the CSMS."""
        try:
            payload = encode(self.version, effect.response)
        except NotEncodable as error:
            note = Note(f"the answer to {self._answering_action} is not sent: {error}")
            return [note, *self._refuse(effect.call_id, RpcError.INTERNAL_ERROR, "the answer failed", None, now)]
        return self._next_call(self._endpoint.answer(effect.call_id, payload), now)

    def refuse(self, effect: effects.Refuse, now: float) -> list[Any]:
        """Refuse a request of the CSMS."""
        return self._refuse(effect.call_id, effect.code, effect.description, effect.details, now)

    def leave(self, effect: effects.LeaveUnanswered, now: float) -> list[Any]:
        """Answer a request of the CSMS with nothing."""
        return self._next_call(self._endpoint.ignore(effect.call_id), now)

    def _refuse(self, call_id: str, code: str, text: str, details: Any, now: float) -> list[Any]:
        return self._next_call(self._endpoint.refuse(call_id, code, text, details), now)

    def _next_call(self, found: list[Any], now: float) -> list[Any]:
        """Go on after an answer: with a request that waited for it, or with the queue."""
        done: list[Any] = []
        if not self._endpoint.is_answering or any(isinstance(one, rpc.Received) for one in found):
            self._answer_by_s = None
        for one in found:
            done += self._received(one, now)
        return done + self._send(now)

    def registered(self, status: str, now: float) -> list[Any]:
        """The CSMS answered a BootNotification."""
        self.queue.registration = status
        return self._send(now)

    def configured(self, settings: Settings) -> None:
        """Use other settings."""
        self.queue.settings = settings

    def written(self, ticket: int, now: float) -> list[Any]:
        """The file has everything up to this ticket."""
        self.queue.written(ticket)
        return self._send(now)

    # Time.

    @property
    def deadline(self) -> float | None:
        """The monotonic second at which `wake` is to be called."""
        at_s = self.queue.deadline
        by_s = self._answer_by_s
        return at_s if by_s is None else by_s if at_s is None else min(at_s, by_s)

    def wake(self, now: float) -> list[Any]:
        """Let time pass."""
        found: list[Any] = []
        if self._answer_by_s is not None and now >= self._answer_by_s:
            self._answer_by_s = None
            note = Note(f"{self._answering_action} was not answered within {ANSWER_LIMIT_S:g} s")
            text = f"{self._answering_action} was not answered in time"
            found += [note, *self._refuse(self._answering, RpcError.INTERNAL_ERROR, text, None, now)]
        message_id, changed = self.queue.wake(now)
        if message_id:
            self._endpoint.give_up(message_id)
        return found + self._out(changed) + self._send(now)

    def _send(self, now: float) -> list[Any]:
        found: list[Any] = []
        while not self._endpoint.is_answering:
            entry = self.queue.next(now)
            if entry is None:
                break
            payload = self.queue.payload_of(entry)
            if entry.version is not self.version:
                try:
                    # Another version was spoken when it was queued, perhaps by an earlier run.
                    payload = encode(self.version, decode_request(self.version, entry.action, payload))
                except (MessageError, NotEncodable) as error:
                    found.append(Note(f"{entry.action} cannot be sent in {self.version}: {error}"))
                    found += self._out(self.queue.unsendable(entry, str(error)))
                    continue
            if entry.action in UNANSWERED:
                found += self._endpoint.send(entry.wire_id, entry.action, payload)
                continue
            self._endpoint.outstanding = None
            found += self._endpoint.call(entry.wire_id, entry.action, payload)
        return found

    def _out(self, found: list[Any], response: Any = None, requests: Mapping[str, Any] | None = None) -> list[Any]:
        """Make events for the station of what became of messages; the file's effects come first, in one commit."""
        changes = [one for one in found if isinstance(one, Persist | Remove | KeepTransactionId)]
        outcomes: list[Any] = []
        for one in found:
            match one:
                case Done(entry):
                    request = self._request_of(entry)
                    outcomes.append(
                        events.MessageAnswered(entry.key, entry.action, request, response, entry.transaction)
                    )
                case Failed(entry, code, description):
                    request = (requests or {}).get(entry.key) or self._request_of(entry)
                    outcomes.append(
                        events.MessageFailed(
                            entry.key, entry.action, request, code, description, transaction=entry.transaction
                        )
                    )
        return changes + outcomes

    def _request_of(self, entry: Entry) -> Any:
        try:
            return decode_request(entry.version or self.version, entry.action, self.queue.payload_of(entry))
        except MessageError:
            return None

    def _stamp(self, now: float) -> str:
        try:
            return rfc3339(_EPOCH + timedelta(seconds=self.offset_s + now))
        except (OverflowError, ValueError):
            return rfc3339(_LAST)
