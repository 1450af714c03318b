"""How a JSON value becomes a row of the KVS table (EVerest's column TYPE names the C++ type) and comes back."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import PeerError

COLUMNS = {"KEY": "TEXT UNIQUE", "VALUE": "TEXT", "TYPE": "TEXT"}
STORED_LIMIT_BYTES = 4 << 20
_STORED_KEY = re.compile(r"[A-Za-z0-9_.]+\Z")


def checked(key: str) -> str:
    """Return `key`; raises ValueError for one that the interface does not allow (letters, digits, `_`, `.`)."""
    if not _STORED_KEY.match(key):
        raise ValueError(f"{key!r} is no key: letters, digits, underscore and dot only, at least one of them")
    return key


def to_row(value: Any) -> tuple[str, str]:
    """Return (VALUE, TYPE) of a JSON value; raises ValueError for anything that JSON cannot express."""
    if isinstance(value, str):
        return value, "std::string"
    try:
        plain = msgspec.to_builtins(value)
        # The library's own writer turns what is no number into null without a word.
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError, msgspec.MsgspecError) as error:
        raise ValueError(f"not a JSON value: {error}") from error
    return text, _type_name(plain)


def _type_name(plain: Any) -> str:
    if plain is None:
        return "nullptr_t"
    # bool is a kind of int in Python, so it is asked first.
    for kind, name in ((bool, "bool"), (int, "int"), (float, "double"), (dict, "Object"), (list, "Array")):
        if isinstance(plain, kind):
            return name
    raise ValueError(f"not a JSON value: {type(plain).__name__}")


def from_row(key: str, text: object, type_name: object) -> Any:
    """Return the value of a row; raises PeerError when another program left something unreadable there."""
    if not isinstance(text, str):
        # SQLite keeps whatever type another program bound to the column.
        raise PeerError("KVS", f"the value of {key} is no text")
    if type_name == "std::string":
        return text
    if type_name == "nullptr_t":
        return None
    if type_name == "bool" and text in ("0", "1"):
        return text == "1"
    try:
        value = decode_json(text, limit_bytes=STORED_LIMIT_BYTES)
    except msgspec.DecodeError as error:
        raise PeerError("KVS", f"the value of {key} is not readable as {type_name}: {error}") from error
    return float(value) if type_name == "double" and isinstance(value, int) else value
