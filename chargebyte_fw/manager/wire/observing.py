"""What a tool reads from the topics of EVerest's modules: one message as one line or object."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json, shorten

_KINDS = {"var": "variable", "cmd": "command", "error": "error"}


class Seen(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message between modules."""

    module: str
    implementation: str
    kind: str
    """`variable`, `command`, `result`, `error` (raised), `cleared` or `garbage`."""
    name: str
    """Of the variable, the command or the type of error."""
    content: Any = None
    """Value, arguments, return value or error object; the text of what is no message of EVerest."""
    peer: str = ""
    """Who calls, or gets the result."""


def read(topic: str, payload: bytes, prefix: str) -> Seen | None:
    """Return the message on a topic of a module's implementation; None for any other topic."""
    parts = topic.removeprefix(f"{prefix}modules/").split("/")
    if not topic.startswith(f"{prefix}modules/") or len(parts) < 5 or parts[1] != "impl" or parts[3] not in _KINDS:
        return None
    module, _impl, implementation, level, name, *rest = parts
    if level == "error":
        # The type of an error has a slash.
        name, rest = "/".join([name, *rest]), []
    kind = _KINDS[level]
    try:
        data = decode_json(payload)["data"]
        if kind == "variable":
            return Seen(module, implementation, kind, name, data["data"])
        if kind == "error":
            return Seen(module, implementation, kind if data["state"] == "Active" else "cleared", name, data)
        if rest:
            inner = data["data"]
            failed = inner.get("error")
            result = inner.get("retval") if failed is None else {"error": failed}
            return Seen(module, implementation, "result", name, result, rest[-1])
        return Seen(module, implementation, kind, name, data["args"], str(data["origin"]))
    except (msgspec.MsgspecError, KeyError, TypeError, AttributeError):
        return Seen(module, implementation, "garbage", name, shorten(payload[:400].decode("utf-8", "backslashreplace")))
