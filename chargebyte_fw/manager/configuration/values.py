"""Configuration values: each checked against the type, bounds and default that the module declares."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.report import Report, truth_hint
from chargebyte_fw.manager.configuration.tree import MapNode, Node, Scalar, kind, unreadable

_BOUND = re.compile(r"Expected `(?:int|float|str)` (?:of length )?(.+)$")
_COMPARISONS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def fill(
    config: type[ModuleConfig],
    given: MapNode,
    owner: str,
    place: Place,
    report: Report,
    elsewhere: Mapping[str, str] | None = None,
) -> ModuleConfig | None:
    """Return the values of `config` with every default filled in; None (with findings) when one is wrong.

    `owner` names whose values these are, `place` is shown for a mandatory value that is missing, `elsewhere` is
    where each key of others belongs.
    """
    fields = {info.encode_name: info for info in msgspec.structs.fields(config)}
    values: dict[str, Any] = {}
    wrong = False
    for key, entry in given.entries.items():
        if key not in fields:
            report.unknown_key(entry, owner, fields, (elsewhere or {}).get(key, ""))
            wrong = True
            continue
        ok, value = convert(fields[key].type, entry.node, key, report)
        if ok:
            values[fields[key].name] = value
        else:
            wrong = True
    for name, info in fields.items():
        if info.required and name not in given.entries:
            report.error(place, f"{owner} needs a value for {name}", f"add {name}: {example(info.type)}", number="C026")
            wrong = True
    if wrong:
        return None
    try:
        return config(**values)
    except ValueError as error:
        report.error(place, f"{owner}: {error}", number="C029")
        return None


def base_type(kind_of: Any) -> Any:
    """Return the type without its annotations and without `| None`."""
    while get_origin(kind_of) is Annotated:
        kind_of = get_args(kind_of)[0]
    rest = [part for part in get_args(kind_of) if part is not type(None)]
    if type(None) in get_args(kind_of) and len(rest) == 1:
        return base_type(rest[0])
    return kind_of


def choices(kind_of: Any) -> list[str]:
    """Return the allowed texts of an enumeration, or nothing."""
    bare = base_type(kind_of)
    if get_origin(bare) is Literal:
        return [str(choice) for choice in get_args(bare)]
    return [str(member.value) for member in bare] if isinstance(bare, type) and issubclass(bare, Enum) else []


def example(kind_of: Any) -> str:
    """Return what a value of this type looks like."""
    allowed = choices(kind_of)
    if allowed:
        return " or ".join(allowed)
    names = {bool: "true or false", int: "an integer", float: "a number", str: "a text"}
    return f"<{names.get(base_type(kind_of), 'a value')}>"


def convert(kind_of: Any, node: Node, key: str, report: Report) -> tuple[bool, Any]:
    """Return (True, value) or (False, None) after reporting why not."""
    if unreadable(node):
        return False, None
    if not isinstance(node, Scalar) or node.value is None:
        report.error(node.place, f"{key} must be {expected(kind_of)}, not {kind(node)}", number="C027")
        return False, None
    value = node.value
    bare = base_type(kind_of)
    allowed = choices(kind_of)
    if allowed and (not isinstance(value, str) or value not in allowed):
        hint = nearest(str(value), allowed)
        report.error(node.place, f"{key} must be one of {', '.join(allowed)}, not {kind(node)}", hint, number="C027")
        return False, None
    if not allowed and not _fits(bare, value):
        report.error(
            node.place, f"{key} must be {expected(kind_of)}, not {kind(node)}", _hint(bare, node), number="C027"
        )
        return False, None
    try:
        return True, msgspec.convert(value, kind_of)
    except msgspec.ValidationError as error:
        report.error(node.place, f"{key} must be {_bound(str(error))}, not {kind(node)}", number="C028")
        return False, None


def _fits(bare: Any, value: str | int | float | bool) -> bool:
    # EVerest's rule: the types must be the same, only an integer may stand for a number.
    if bare is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is bare if bare in (bool, int, str) else True


def expected(kind_of: Any) -> str:
    """Return the name of a type for a message."""
    allowed = choices(kind_of)
    if allowed:
        return "one of " + ", ".join(allowed)
    names = {bool: "true or false", int: "an integer", float: "a number", str: "text"}
    return names.get(base_type(kind_of), "a value of another kind")


def _hint(bare: Any, node: Scalar) -> str:
    if bare is bool:
        return truth_hint(node)
    if bare is str:
        return f'write "{node.source}" in quotes'
    if bare is int and isinstance(node.value, float) and node.value.is_integer():
        return f"write {int(node.value)}"
    if bare in (int, float) and isinstance(node.value, str):
        return _number_hint(node.value)
    return ""


def _number_hint(text: str) -> str:
    """Return what to write for a number in quotes, with a comma or with a unit after it."""
    if re.fullmatch(r"[-+]?[0-9.]+", text):
        return "write it without quotes"
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", text):
        return f"write {text.replace(',', '.')}"
    number = re.fullmatch(r"([-+]?[0-9]+(?:\.[0-9]+)?) ?([A-Za-z%]+)", text)
    return f"write {number[1]}, the unit is fixed" if number else ""


def _bound(message: str) -> str:
    message = message.split(" - at ")[0]
    found = _BOUND.search(message)
    if found is None:
        return message[:1].lower() + message[1:]
    sign, _, limit = found[1].partition(" ")
    if sign == "matching":
        return f"text of the form {limit.removeprefix('regex ')}"
    unit = " characters long" if "of length" in message else ""
    return f"{_COMPARISONS.get(sign, sign)} {limit.removesuffix('.0')}{unit}"
