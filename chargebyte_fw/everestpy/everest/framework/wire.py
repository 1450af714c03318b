"""EVerest's messages and topics: the envelope, both dialects, commands and their results. Opens nothing."""

from __future__ import annotations

import json
from typing import Any

REQUESTS = {"2026.02": "GetConfig", "2026.10": "ConfigurationRequest"}
"""Message type of a request for configuration, by dialect."""
RESPONSES = {"GetConfigResponse": "2026.02", "ConfigurationResponse": "2026.10"}
"""Dialect by the message type of answers and of retained metadata."""
ERROR_TYPES = frozenset(
    ("MessageParsingError", "SchemaValidationError", "HandlerException", "CmdTimeout", "Shutdown", "NotReady")
)
"""How a command can fail; a C++ caller ends on any other."""
WHOLE_MODULE = "!module"
"""Stands for the implementation where a parameter is the module's own."""


class CommandFailed(RuntimeError):
    """A command was answered with an error, or not at all. `kind` is EVerest's name for how."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text or kind)
        self.kind = kind


class BadMessage(ValueError):
    """A message is not one of EVerest's."""


def response_type(dialect: str) -> str:
    """Return the message type of an answer in this dialect."""
    return next(name for name, known in RESPONSES.items() if known == dialect)


def encode(msg_type: str, data: Any) -> bytes:
    """Write a message; raises ValueError or TypeError for what JSON cannot express."""
    text = json.dumps({"msg_type": msg_type, "data": data}, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def decode(payload: bytes) -> tuple[str, Any]:
    """Return type and data of a message; raises BadMessage."""
    try:
        message = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from error
    if not isinstance(message, dict) or not isinstance(message.get("msg_type"), str):
        raise BadMessage("no msg_type")
    return message["msg_type"], message.get("data")


def value_of(data: Any) -> Any:
    """Return the value that a variable's message carries; raises BadMessage."""
    if not isinstance(data, dict) or "data" not in data:
        raise BadMessage("a variable without a value")
    return data["data"]


def call_of(data: Any) -> tuple[str, str, dict[str, Any]]:
    """Return id, origin and arguments of a command; raises BadMessage."""
    if not isinstance(data, dict):
        raise BadMessage("a command that is not an object")
    call_id, origin, arguments = data.get("id"), data.get("origin"), data.get("args")
    if not isinstance(call_id, str) or not isinstance(origin, str) or not isinstance(arguments or {}, dict):
        raise BadMessage("a command without id, origin or args")
    return call_id, origin, arguments or {}


def result_of(data: Any) -> tuple[str, Any]:
    """Return the call's id, and the value or a CommandFailed; raises BadMessage."""
    returned = data.get("data") if isinstance(data, dict) else None
    if not isinstance(returned, dict) or not isinstance(returned.get("id"), str):
        raise BadMessage("a result without the id of its call")
    failed = returned.get("error")
    if failed is None:
        return returned["id"], returned.get("retval")
    if not isinstance(failed, dict):
        raise BadMessage("an error that is not an object")
    kind, text = failed.get("__everest__error_type"), failed.get("__everest__error_msg")
    return returned["id"], CommandFailed(str(kind or "HandlerException"), str(text or ""))


def result(call_id: str, callee: str, value: Any) -> bytes:
    """Write the answer to a command."""
    return encode("CmdResult", {"type": "result", "data": {"id": call_id, "origin": callee, "retval": value}})


def failure(call_id: str, callee: str, kind: str, text: str) -> bytes:
    """Write that a command failed."""
    known = kind if kind in ERROR_TYPES else "HandlerException"
    error = {"__everest__error_type": known, "__everest__error_msg": text}
    return encode("CmdResult", {"type": "result", "data": {"id": call_id, "origin": callee, "error": error}})


class Topics:
    """The topics below one prefix, which ends with a slash."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def of(self, name: str) -> str:
        """Return a topic of the manager: `interfaces`, `settings`, `manifests/<Name>`, `ready`, ..."""
        return self.prefix + name

    def module(self, module_id: str, name: str) -> str:
        """Return a topic of a module as a whole: `ready`, `metadata`, `response`, ..."""
        return f"{self.prefix}modules/{module_id}/{name}"

    def _implementation(self, module_id: str, implementation_id: str) -> str:
        return f"{self.prefix}modules/{module_id}/impl/{implementation_id}"

    def variable(self, module_id: str, implementation_id: str, name: str) -> str:
        """Return the topic on which the provider publishes a variable."""
        return f"{self._implementation(module_id, implementation_id)}/var/{name}"

    def command(self, module_id: str, implementation_id: str, name: str) -> str:
        """Return the topic on which the provider takes a command."""
        return f"{self._implementation(module_id, implementation_id)}/cmd/{name}"

    def error(self, module_id: str, implementation_id: str, kind: str) -> str:
        """Return the topic of an error `namespace/Name`."""
        return f"{self._implementation(module_id, implementation_id)}/error/{kind}"
