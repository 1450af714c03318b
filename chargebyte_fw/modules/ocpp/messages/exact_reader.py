"""The reader for what the quick check of `wire_types` refuses: it finds place and reason, or a known tolerance.

Tolerated in what comes in: members that the version does not have (reported), dates in other spellings (`dates`), an
integer with a decimal point (`5.0` is an integer of JSON schema since draft 6), and in responses null for an optional
member, as back ends serialise what they do not have; a response cannot be answered with an error before 2.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

import msgspec

from chargebyte_fw.modules.ocpp.messages import dates
from chargebyte_fw.modules.ocpp.messages.declared import (
    VENDOR_ID_LONGEST,
    Anything,
    Array,
    Boolean,
    Date,
    Enumeration,
    Integer,
    Node,
    Number,
    Object,
    String,
    VendorData,
)
from chargebyte_fw.modules.ocpp.messages.errors import MessageError, Violation
from chargebyte_fw.modules.ocpp.version import Version

UNKNOWN_LIMIT = 32
"""Unknown members that are kept."""


class ExactReader:
    """Reads one payload. `unknown` are the members that the version does not have, by their path."""

    def __init__(self, version: Version, *, null_is_absent: bool = False) -> None:
        self._version = version
        self._null_is_absent = null_is_absent
        self.unknown: dict[str, Any] = {}

    def read(self, node: Node, value: Any, path: str = "") -> Any:
        """Return the value without unknown members, dates as such; raises MessageError."""
        match node:
            case Object():
                return self._object(node, value, path)
            case Array():
                return self._array(node, value, path)
            case String() | Enumeration() | Date():
                return self._text(node, value, path)
            case Integer() | Number():
                return self._number(node, value, path)
            case Boolean():
                if not isinstance(value, bool):
                    self._wrong_type(path, "a boolean", value)
            case VendorData():
                self._vendor_data(value, path)
            case Anything():
                pass
        return value

    def _object(self, node: Object, value: Any, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            self._wrong_type(path, "an object", value)
        clean: dict[str, Any] = {}
        for member in node.members:
            at = f"{path}.{member.name}" if path else member.name
            item = value.get(member.name, msgspec.UNSET)
            if item is None and self._null_is_absent and not member.required and not isinstance(member.node, Anything):
                continue
            if item is not msgspec.UNSET:
                clean[member.name] = self.read(member.node, item, at)
            elif member.required:
                self._fail(Violation.FORMAT, at, "is missing")
        if len(clean) < len(value):
            self._keep_unknown(node, value, path)
        return clean

    def _keep_unknown(self, node: Object, value: Mapping[Any, Any], path: str) -> None:
        known = {member.name for member in node.members}
        for name, item in value.items():
            if name not in known and len(self.unknown) < UNKNOWN_LIMIT:
                self.unknown[f"{path}.{name}" if path else str(name)] = item

    def _array(self, node: Array, value: Any, path: str) -> list[Any]:
        if not isinstance(value, list | tuple):
            self._wrong_type(path, "a list", value)
        if len(value) < node.low:
            self._fail(Violation.ITEMS, path, f"has {len(value)} items, at least {node.low} are required")
        if node.high is not None and len(value) > node.high:
            self._fail(Violation.ITEMS, path, f"has {len(value)} items, at most {node.high} are allowed")
        return [self.read(node.item, item, f"{path}[{index}]") for index, item in enumerate(value)]

    def _text(self, node: Node, value: Any, path: str) -> str | datetime:
        if not isinstance(value, str):
            self._wrong_type(path, "a string", value)
        if isinstance(node, Enumeration):
            if value not in node.values:
                self._fail(Violation.FORMAT, path, f"{value[:50]!r} is none of its values")
        elif isinstance(node, Date):
            try:
                return dates.parse(value)
            except ValueError as error:
                self._fail(Violation.FORMAT, path, f"{value[:50]!r} is no date: {error}")
        elif isinstance(node, String) and node.longest is not None and len(value) > node.longest:
            self._fail(Violation.FORMAT, path, f"has {len(value)} characters, at most {node.longest} are allowed")
        return value

    def _number(self, node: Integer | Number, value: Any, path: str) -> int | float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._wrong_type(path, "an integer" if isinstance(node, Integer) else "a number", value)
        number: int | float = value
        if isinstance(node, Integer) and isinstance(value, float):
            if not value.is_integer():
                self._wrong_type(path, "an integer", value)
            number = int(value)
        if isinstance(number, float) and not abs(number) < float("inf"):
            self._wrong_type(path, "a finite number", value)
        if node.low is not None and number < node.low:
            self._fail(Violation.RANGE, path, f"{number} is below {node.low}")
        if node.high is not None and number > node.high:
            self._fail(Violation.RANGE, path, f"{number} is above {node.high}")
        return number

    def _vendor_data(self, value: Any, path: str) -> None:
        if not isinstance(value, Mapping):
            self._wrong_type(path, "an object", value)
        at = f"{path}.vendorId"
        if "vendorId" not in value:
            self._fail(Violation.FORMAT, at, "is missing")
        self._text(String(VENDOR_ID_LONGEST), value["vendorId"], at)

    def _wrong_type(self, path: str, wanted: str, value: Any) -> NoReturn:
        name = "null" if value is None else _JSON_NAMES.get(type(value), type(value).__name__)
        self._fail(Violation.FORMAT, path, f"is {name}, {wanted} is required")

    def _fail(self, violation: Violation, path: str, text: str) -> NoReturn:
        place = path or "payload"
        raise MessageError(self._version, violation, f"{place[-120:]}: {text}", {"path": place[-120:]})


_JSON_NAMES: Mapping[type, str] = {
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "an object",
}
