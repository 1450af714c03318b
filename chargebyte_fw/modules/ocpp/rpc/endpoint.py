"""One party of an OCPP-J connection: matches answers to requests, one outstanding request in each direction."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

import msgspec

from chargebyte_fw.modules.ocpp.rpc import frames
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError
from chargebyte_fw.modules.ocpp.version import Version

MOST_CALLS = 8
"""Requests of the other party that wait for the answer to an earlier one. It should not send them at all."""


class Transmit(msgspec.Struct, frozen=True):
    """Effect: send this frame."""

    text: str


class Received(msgspec.Struct, frozen=True):
    """A request of the other party: give its answer with `answer` or `refuse`."""

    call_id: str
    """Of this endpoint; the ids of the other party may recur."""
    action: str
    payload: dict[str, Any]


class Answered(msgspec.Struct, frozen=True):
    """The answer to the outstanding request."""

    message_id: str
    action: str
    payload: Any


class Refused(msgspec.Struct, frozen=True):
    """The outstanding request was refused."""

    message_id: str
    action: str
    code: str
    description: str


class ResultRefused(msgspec.Struct, frozen=True):
    """An answer of ours was refused (2.1)."""

    message_id: str
    code: str
    description: str


class SendReceived(msgspec.Struct, frozen=True):
    """A message without an answer (2.1)."""

    action: str
    payload: dict[str, Any]


class Invalid(msgspec.Struct, frozen=True):
    """Something that is no frame came: one line of the log, and InvalidMessages."""

    reason: str


class Ignored(msgspec.Struct, frozen=True):
    """An answer to nothing that is outstanding came: late, twice, or with another id."""

    message_id: str


class _Open(NamedTuple):
    """A request that is not answered yet, under the id that its sender gave it."""

    call_id: str
    message_id: str
    action: str
    payload: dict[str, Any]


class Endpoint:
    """The state of one connection. Methods return events for the owner, and Transmit for the wire, in order.

    After a request has been received the next frame that is sent is its answer: `is_answering` keeps the queue waiting.
    """

    def __init__(self, version: Version) -> None:
        self.version = version
        self.outstanding: str | None = None
        """The id of the request of ours that is not answered yet."""
        self._action = ""
        self._answering: _Open | None = None
        self._waiting: deque[_Open] = deque()
        self._deferred: list[Transmit] = []
        self._count = 0

    @property
    def is_answering(self) -> bool:
        """Whether a request of the other party is not answered yet."""
        return self._answering is not None

    def received(self, text: str | bytes) -> list[Any]:
        """Take one message of the WebSocket."""
        frame = frames.parse(text, self.version)
        match frame:
            case frames.Call():
                return self._called(frame)
            case frames.CallResult(message_id, payload) if message_id == self.outstanding:
                self.outstanding = None
                return [Answered(message_id, self._action, payload)]
            case frames.CallError(message_id, code, description) if message_id == self.outstanding:
                self.outstanding = None
                return [Refused(message_id, self._action, code, description)]
            case frames.CallResult(message_id) | frames.CallError(message_id):
                return [Ignored(message_id)]
            case frames.CallResultError(message_id, code, description):
                return [ResultRefused(message_id, code, description)]
            case frames.Send(_, action, payload):
                return [SendReceived(action, payload)]
        effects: list[Any] = [Invalid(frame.reason)]
        if frame.error is not None:
            effects += self._refuse(frame.message_id, frame.error, frame.reason)
        return effects

    def _refuse(self, message_id: str, error: str, text: str) -> list[Any]:
        answer = Transmit(frames.call_error(self.version, message_id, error, text))
        if self._answering is None:
            return [answer]
        if len(self._deferred) < MOST_CALLS:
            self._deferred.append(answer)
        return []

    def _called(self, frame: frames.Call) -> list[Any]:
        self._count += 1
        one = _Open(f"{self._count}/{frame.message_id}", frame.message_id, frame.action, frame.payload)
        if self._answering is None:
            return self._begin(one)
        if len(self._waiting) >= MOST_CALLS:
            reason = f"{MOST_CALLS} requests wait for the answer to an earlier one"
            return [Invalid(reason), *self._refuse(frame.message_id, RpcError.GENERIC_ERROR, reason)]
        self._waiting.append(one)
        return []

    def _begin(self, one: _Open) -> list[Any]:
        self._answering = one
        return [Received(one.call_id, one.action, one.payload)]

    def answer(self, call_id: str, payload: bytes) -> list[Any]:
        """Answer the request that was received last; nothing, where it is not outstanding any more."""
        one = self._answering
        if one is None or one.call_id != call_id:
            return []
        return self._answered(Transmit(frames.call_result(one.message_id, payload)))

    def refuse(self, call_id: str, error: str, text: str, details: Any = None) -> list[Any]:
        """Refuse the request that was received last, with a code of RpcError; otherwise as `answer`."""
        one = self._answering
        if one is None or one.call_id != call_id:
            return []
        return self._answered(Transmit(frames.call_error(self.version, one.message_id, error, text, details)))

    def ignore(self, call_id: str) -> list[Any]:
        """Leave a request without an answer (1.6, 4.2: after a rejected BootNotification)."""
        one = self._answering
        return [] if one is None or one.call_id != call_id else self._answered()

    def _answered(self, *frame: Transmit) -> list[Any]:
        self._answering = None
        effects: list[Any] = [*frame, *self._deferred]
        self._deferred.clear()
        if self._waiting:
            effects += self._begin(self._waiting.popleft())
        return effects

    def call(self, message_id: str, action: str, payload: bytes) -> list[Any]:
        """Send a request. One at a time: the one before has been answered, refused or given up."""
        assert self.outstanding is None and self._answering is None
        self.outstanding, self._action = message_id, action
        return [Transmit(frames.call(message_id, action, payload))]

    def send(self, message_id: str, action: str, payload: bytes) -> list[Any]:
        """Send a message without an answer (2.1)."""
        return [Transmit(frames.send(message_id, action, payload))]

    def refuse_result(self, message_id: str, error: str, text: str) -> list[Any]:
        """Refuse the answer to a request of ours (2.1); the earlier versions have no frame for it."""
        if self.version < Version.V21 or self._answering is not None:
            return []
        return [Transmit(frames.call_result_error(self.version, message_id, error, text))]

    def give_up(self, message_id: str) -> None:
        """Wait no longer for the answer to a request of ours."""
        if self.outstanding == message_id:
            self.outstanding = None
