"""Messages as people read them, ready for JSON: octets in hex, enumerations by name, physical values as numbers."""

from __future__ import annotations

from functools import cache
from typing import Any

from chargebyte_fw.modules.v2g.exi.grammar import fields_of
from chargebyte_fw.modules.v2g.messages.model import Type

PHYSICAL = "PhysicalValueType"
RATIONAL = "RationalNumberType"


def plain(value: Any) -> Any:
    """Return a message or a part of one as plain data.

    What is missing is left out, a substitution group is named by its member, and a physical value is
    `{"value": 400.1, "unit": "V"}`; those of ISO 15118-20 have no unit and are numbers.
    """
    if isinstance(value, Type):
        if type(value).__name__ == PHYSICAL:
            return _physical(value)
        return _rational(value) if type(value).__name__ == RATIONAL else _fields(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, str):
        return str(value)
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    if isinstance(value, tuple):
        name, entry = value
        return {name: plain(entry)}
    return value


def _fields(value: Type) -> dict[str, Any]:
    groups = _groups(type(value))
    found = {}
    for name in value.__struct_fields__:
        held = getattr(value, name)
        if held is None or held == []:
            continue
        members = groups.get(name, {})
        found[members.get(type(held), name)] = plain(held)
    return found


@cache
def _groups(cls: type[Type]) -> dict[str, dict[type, str]]:
    """Return, by field of a substitution group, the element that a class stands for."""
    return {
        field.name: {member: name for name, member in field.members if member is not None}
        for field in fields_of(cls)
        if field.members
    }


def _physical(value: Any) -> dict[str, Any]:
    number = _scaled(value.Value, value.Multiplier)
    return {"value": number} if value.Unit is None else {"value": number, "unit": str(value.Unit)}


def _rational(value: Any) -> int | float:
    return _scaled(value.Value, value.Exponent)


def _scaled(number: int, exponent: int) -> int | float:
    # A quotient of two integers is rounded once: 4001 / 10 is 400.1, 4001 * 10**-1 is 400.1000...02.
    scaled: int | float = number * 10**exponent if exponent >= 0 else number / 10**-exponent
    return scaled


def one_line(value: Any) -> str:
    """Return plain data (of `plain`) in one line, leaves only: `EVTargetCurrent 20 A, EVTargetVoltage 400 V`."""
    return ", ".join(_leaves("", value))


def _leaves(name: str, value: Any) -> list[str]:
    if isinstance(value, dict):
        if value.keys() <= {"value", "unit"} and "value" in value:
            return [" ".join(str(part) for part in (name, value["value"], value.get("unit", "")) if part != "")]
        return [leaf for inner, entry in value.items() for leaf in _leaves(inner, entry)]
    if isinstance(value, list):
        if all(not isinstance(entry, dict | list) for entry in value):
            return [f"{name} {' '.join(_printable(str(entry)) for entry in value)}"]
        return [f"{name}[{n}]: {'; '.join(_leaves('', entry))}" for n, entry in enumerate(value)]
    shown = ("no", "yes")[value] if isinstance(value, bool) else str(value)
    return [f"{name} {_printable(shown)}".strip()]


def _printable(text: str) -> str:
    """Escape what a terminal would act on: strings come from the other side."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
