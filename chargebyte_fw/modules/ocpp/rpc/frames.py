"""The frames of OCPP-J: JSON arrays that begin with the number of their message type (1.6J 4.2; 2.x part 4, 4.2)."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.modules.ocpp.rpc.errors import RpcError, description, spelled
from chargebyte_fw.modules.ocpp.version import Version

SIZE_LIMIT_BYTES = 512 * 1024
"""The longest message that is read: a local list of some thousand tokens. The WebSocket has the same limit."""
NO_ID = "-1"
"""The id of an answer to a frame whose own cannot be read (2.x part 4, 4.2.3)."""
ID_LIMIT = 255
"""Characters of an id. The standard has 36; longer ones are known from the field, and are answered as they are."""

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6


class Call(msgspec.Struct, frozen=True):
    """A request, which the other party has to answer."""

    message_id: str
    action: str
    payload: dict[str, Any]


class CallResult(msgspec.Struct, frozen=True):
    """The answer to a request."""

    message_id: str
    payload: Any
    """An object; what else stands there is kept, as the request that it answers has to be released."""


class CallError(msgspec.Struct, frozen=True):
    """A refused request."""

    message_id: str
    code: str
    description: str
    details: Any


class CallResultError(msgspec.Struct, frozen=True):
    """An answer that its receiver refuses (2.1)."""

    message_id: str
    code: str
    description: str
    details: Any


class Send(msgspec.Struct, frozen=True):
    """A message without an answer (2.1)."""

    message_id: str
    action: str
    payload: dict[str, Any]


class Malformed(msgspec.Struct, frozen=True):
    """What is no frame of this version."""

    reason: str
    message_id: str = NO_ID
    error: RpcError | None = RpcError.RPC_FRAMEWORK_ERROR
    """The code of the CALLERROR that it is answered with; None where it is ignored."""


Frame = Call | CallResult | CallError | CallResultError | Send | Malformed


def parse(text: str | bytes, version: Version) -> Frame:
    """Return the frame in a WebSocket message; whatever it is, nothing is raised."""
    try:
        frame = decode_json(text, limit_bytes=SIZE_LIMIT_BYTES)
    except msgspec.DecodeError as error:
        return Malformed(f"not JSON that can be read: {error}")
    if not isinstance(frame, list) or len(frame) < 2:
        return Malformed("not an array of a message type and an id")
    kind, found = frame[0], frame[1]
    message_id = found if isinstance(found, str) and 0 < len(found) <= ID_LIMIT else None
    if isinstance(kind, bool) or not isinstance(kind, int):
        return Malformed("the message type is not a number", message_id or NO_ID)
    if kind not in (CALL, CALLRESULT, CALLERROR) and (kind not in (CALLRESULTERROR, SEND) or version < Version.V21):
        # OCPP-J 1.6 4.1.3: a message type that is not known is ignored.
        answer = None if version is Version.V16 else RpcError.MESSAGE_TYPE_NOT_SUPPORTED
        return Malformed(f"there is no message type {shorten(str(kind), 20)}", message_id or NO_ID, answer)
    if message_id is None:
        return Malformed("the message id is not a text of 1 to 255 characters", error=_answerable(kind))
    return _of_kind(kind, message_id, frame)


def _answerable(kind: int) -> RpcError | None:
    """Return the code for a CALL; other frames are never answered, or two parties would refuse each other for ever."""
    return RpcError.RPC_FRAMEWORK_ERROR if kind == CALL else None


def _of_kind(kind: int, message_id: str, frame: list[Any]) -> Frame:
    rest = frame[2:]
    if kind in (CALL, SEND):
        match rest:
            case [str(action), dict(payload)]:
                return (Call if kind == CALL else Send)(message_id, action, payload)
            case [str(action), _]:
                reason = f"the payload of {shorten(action, 50)} is not an object"
            case [_, _]:
                reason = "the action is not a text"
            case _:
                reason = f"{len(frame)} elements where a request has 4"
        return Malformed(reason, message_id, _answerable(kind))
    if kind == CALLRESULT:
        return CallResult(message_id, rest[0] if rest else None)
    # Texts of another type, or left out, do not matter: the request has been refused.
    code, text, details = (*rest, "", "", None)[:3]
    kept = (shorten(code if isinstance(code, str) else "", 50), shorten(text if isinstance(text, str) else ""), details)
    return (CallError if kind == CALLERROR else CallResultError)(message_id, *kept)


def call(message_id: str, action: str, payload: bytes) -> str:
    """Return the frame of a request, whose payload is JSON already."""
    return _with_payload(CALL, message_id, action, payload)


def send(message_id: str, action: str, payload: bytes) -> str:
    """Return the frame of a message without an answer (2.1)."""
    return _with_payload(SEND, message_id, action, payload)


def _with_payload(kind: int, message_id: str, action: str, payload: bytes) -> str:
    head = msgspec.json.encode([kind, message_id, action])
    return (head[:-1] + b"," + payload + b"]").decode()


def call_result(message_id: str, payload: bytes) -> str:
    """Return the frame of an answer, whose payload is JSON already."""
    return (msgspec.json.encode([CALLRESULT, message_id])[:-1] + b"," + payload + b"]").decode()


def call_error(version: Version, message_id: str, error: str, text: str, details: Any = None) -> str:
    """Return the frame that refuses a request."""
    return _error(CALLERROR, version, message_id, error, text, details)


def call_result_error(version: Version, message_id: str, error: str, text: str, details: Any = None) -> str:
    """Return the frame that refuses an answer (2.1)."""
    return _error(CALLRESULTERROR, version, message_id, error, text, details)


def _error(kind: int, version: Version, message_id: str, error: str, text: str, details: Any) -> str:
    frame = [kind, message_id, spelled(error, version), description(text), {} if details is None else details]
    return msgspec.json.encode(frame).decode()
