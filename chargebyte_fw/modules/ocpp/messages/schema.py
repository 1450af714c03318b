"""From payload to message and back, by the schema of a version.

`decode_request` and `decode_response` take the JSON text of a payload, or what a JSON decoder made of it. msgspec
checks it against the types of `wire_types`; what these refuse is read again by `ExactReader`, which has the reason or a
tolerance. `encode` converts a message into the type of the version, which checks it and leaves out what a later version
added.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.modules.ocpp.messages import wire_types
from chargebyte_fw.modules.ocpp.messages.catalogue import Catalogue, catalogue
from chargebyte_fw.modules.ocpp.messages.declared import describe
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, NotEncodable, Violation
from chargebyte_fw.modules.ocpp.messages.exact_reader import ExactReader
from chargebyte_fw.modules.ocpp.messages.model import Message, Request, Response, Type
from chargebyte_fw.modules.ocpp.messages.older_version import LaterValueError, adapted
from chargebyte_fw.modules.ocpp.version import Version

D = TypeVar("D", bound=Type)
S = TypeVar("S", bound=msgspec.Struct)

__all__ = [
    "PAYLOAD_LIMIT_BYTES",
    "Catalogue",
    "MessageError",
    "NotEncodable",
    "Version",
    "catalogue",
    "decode_data",
    "decode_request",
    "decode_response",
    "encode",
    "encode_data",
    "to_object",
]

PAYLOAD_LIMIT_BYTES = 1024 * 1024
"""Longest payload that is read; the link has a limit of its own for frames."""

_UNFIT = (msgspec.MsgspecError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
"""What converting and encoding raise for a value that does not fit."""
_ENCODER = msgspec.json.Encoder(enc_hook=wire_types.written)


def decode_request(version: Version, action: str, payload: Any) -> Request:
    """Return the request of a CALL or SEND; raises MessageError with the code of the CALLERROR."""
    try:
        kind = catalogue(version).request(action)
    except KeyError:
        raise MessageError(version, Violation.ACTION, f"no action {action[:50]!r} in {version}") from None
    message = _decode(version, kind, payload, null_is_absent=False)
    assert isinstance(message, Request)
    return message


def decode_response(version: Version, action: str, payload: Any) -> Response:
    """Return the response of a CALLRESULT to a request with this action; raises MessageError."""
    try:
        kind = catalogue(version).response(action)
    except KeyError:
        raise MessageError(version, Violation.ACTION, f"no answer to {action[:50]!r} in {version}") from None
    message = _decode(version, kind, payload, null_is_absent=True)
    assert isinstance(message, Response)
    return message


def decode_data(version: Version, kind: type[D], payload: Any) -> D:
    """Return an object that is inside of a message (`data`, `customData`); raises MessageError.

    Members that its type does not have are left out.
    """
    return _decode(version, kind, payload, null_is_absent=True)


def encode_data(version: Version, data: Type) -> str:
    """Return the JSON text of an object for the inside of a message; raises NotEncodable."""
    return _encoded(version, data).decode()


def encode(version: Version, message: Message) -> bytes:
    """Return the payload as JSON text; raises NotEncodable where the version does not allow a value."""
    return _encoded(version, message)


def to_object(version: Version, message: Message) -> dict[str, Any]:
    """Return the payload as plain data; raises NotEncodable where the version does not allow a value."""
    converted = _outgoing(version, message)
    try:
        plain: dict[str, Any] = msgspec.to_builtins(converted, enc_hook=wire_types.written)
    except _UNFIT as error:
        raise _not_encodable(version, message, error) from None
    return plain


def _encoded(version: Version, message: msgspec.Struct) -> bytes:
    converted = _outgoing(version, message)
    try:
        return _ENCODER.encode(converted)
    except _UNFIT as error:
        raise _not_encodable(version, message, error) from None


def _outgoing(version: Version, message: msgspec.Struct) -> Any:
    try:
        return _converted(version, message)
    except _UNFIT as error:
        reason = error
    if version is not Version.V21:
        try:
            return _converted(version, adapted(describe(type(message), version), message))
        except LaterValueError:
            pass
        except _UNFIT as error:
            reason = error
    raise _not_encodable(version, message, reason)


def _not_encodable(version: Version, message: msgspec.Struct, reason: Exception) -> NotEncodable:
    return NotEncodable(f"{type(message).__name__} in {version}: {shorten(str(reason))}")


def _converted(version: Version, message: msgspec.Struct) -> Any:
    kind = wire_types.outgoing(type(message), version)
    return msgspec.convert(message, kind, from_attributes=True, dec_hook=wire_types.to_wire)


def _decode(version: Version, kind: type[S], payload: Any, *, null_is_absent: bool) -> S:
    check = wire_types.incoming(kind, version)
    try:
        if isinstance(payload, bytes | str):
            decode_json(payload, check, limit_bytes=PAYLOAD_LIMIT_BYTES)
            return msgspec.json.decode(payload, type=kind)
        msgspec.convert(payload, check)
        return msgspec.convert(payload, kind)
    except (msgspec.DecodeError, RecursionError, OverflowError, UnicodeError):
        return _decode_exactly(version, kind, payload, null_is_absent)


def _decode_exactly(version: Version, kind: type[S], payload: Any, null_is_absent: bool) -> S:
    reader = ExactReader(version, null_is_absent=null_is_absent)
    try:
        if isinstance(payload, bytes | str):
            payload = decode_json(payload, limit_bytes=PAYLOAD_LIMIT_BYTES)
        clean = reader.read(describe(kind, version), payload)
        message = msgspec.convert(clean, kind)
    except (msgspec.DecodeError, RecursionError, OverflowError, UnicodeError) as error:
        raise MessageError(version, Violation.FORMAT, f"payload: {error}") from None
    if reader.unknown and isinstance(message, Message):
        message.__dict__["_unknown"] = reader.unknown
    return message
