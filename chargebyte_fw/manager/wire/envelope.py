"""EVerest's MQTT messages: `{msg_type, data}` and the content of `data` (EVerest 2026.02 and 2026.10)."""

from __future__ import annotations

import math
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.decoding import decode_json, shorten
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Fault, FaultState

_encode = msgspec.json.Encoder().encode
_VAR_HEAD, _VAR_TAIL = b'{"msg_type":"Var","data":{"data":', b"}}"


ERROR_TYPES = frozenset(
    ("MessageParsingError", "SchemaValidationError", "HandlerException", "CmdTimeout", "Shutdown", "NotReady")
)
"""A C++ caller fails on any other."""


class CallData(msgspec.Struct):
    """`data` of a command."""

    id: Annotated[str, Meta(max_length=256)]
    """C++ EVerest counts or makes a UUID; it is repeated in the answer."""
    origin: Annotated[str, Meta(max_length=128, pattern=r"^[A-Za-z0-9_.:@-]+\Z")]
    """The caller's module id: the last level of the topic of the answer."""
    args: dict[str, Any] | None = None
    """C++ EVerest sends null where there are no arguments."""


class Call(msgspec.Struct):
    """A command as received."""

    msg_type: str
    data: CallData


def read_call(payload: bytes) -> CallData:
    """Read a command; raises msgspec.MsgspecError for anything else."""
    call = decode_json(payload, Call)
    if call.msg_type != "Cmd":
        raise msgspec.ValidationError(f"msg_type is {shorten(call.msg_type)}, not Cmd")
    return call.data


class _VarData(msgspec.Struct):
    data: Any


class _Var(msgspec.Struct):
    data: _VarData


class _Error(msgspec.Struct):
    data: Fault


class _Failed(msgspec.Struct):
    kind: str = msgspec.field(name="__everest__error_type", default="HandlerException")
    text: str = msgspec.field(name="__everest__error_msg", default="")


class _Returned(msgspec.Struct):
    id: str
    retval: Any = None
    error: _Failed | None = None


class _ResultData(msgspec.Struct):
    data: _Returned


class _Result(msgspec.Struct):
    data: _ResultData


def read_variable(payload: bytes) -> Any:
    """Read the value of a variable; raises msgspec.MsgspecError."""
    return decode_json(payload, _Var).data.data


def read_error(payload: bytes) -> Fault:
    """Read a fault, active or cleared by its state; raises msgspec.MsgspecError."""
    return decode_json(payload, _Error).data


def read_result(payload: bytes) -> tuple[str, Any]:
    """Read an answer: the call's id, and the value or a CommandError; raises msgspec.MsgspecError."""
    returned = decode_json(payload, _Result).data.data
    if returned.error is not None:
        return returned.id, CommandError(returned.error.kind, returned.error.text)
    return returned.id, returned.retval


def call(call_id: str, origin: str, arguments: dict[str, Any]) -> bytes:
    """Write a command."""
    return message("Cmd", {"id": call_id, "args": arguments, "origin": origin})


def variable(value: Any) -> bytes:
    """Write the message of a variable; raises ValueError for what JSON cannot express."""
    return _VAR_HEAD + _finite(_encode(value), value) + _VAR_TAIL


def encoded_variable(value: bytes) -> bytes:
    """Write the message of a variable whose value is JSON text already."""
    return _VAR_HEAD + value + _VAR_TAIL


def message(msg_type: str, data: Any) -> bytes:
    """Write any other message; raises ValueError for what JSON cannot express."""
    return _finite(_encode({"msg_type": msg_type, "data": data}), data)


def _finite(encoded: bytes, value: Any) -> bytes:
    """Return the text unless a number of it is none: JSON has no word for it, and a null ends a C++ module."""
    if b"null" in encoded and not _is_finite(msgspec.to_builtins(value)):
        raise ValueError("a number of it is not finite")
    return encoded


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(_is_finite(one) for one in value.values())
    return all(_is_finite(one) for one in value) if isinstance(value, list | tuple) else True


def error(fault: Fault) -> bytes:
    """Write a fault, active or cleared."""
    raised = fault.state is FaultState.Active
    return message("RaiseError" if raised else "ClearError", fault)


def result(call: CallData, callee: str, value: Any) -> bytes:
    """Write the answer to a command."""
    return _result({"id": call.id, "origin": callee, "retval": value})


def failure(call: CallData, callee: str, kind: str, text: str) -> bytes:
    """Write that a command failed, with EVerest's name for how."""
    known = kind if kind in ERROR_TYPES else "HandlerException"
    error = {"__everest__error_type": known, "__everest__error_msg": text}
    return _result({"id": call.id, "origin": callee, "error": error})


def _result(data: dict[str, Any]) -> bytes:
    return message("CmdResult", {"type": "result", "data": data})
