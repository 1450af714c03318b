"""Random messages, derived from the declarations: valid ones, and ones that are broken in one known place.

message = instance(SetChargingProfileRequest, Version.V201, Random(1))
for broken in broken_payloads(SetChargingProfileRequest, Version.V201, Random(1)): ...
"""

from __future__ import annotations

import copy
import json
import string
from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple, TypeVar

from chargebyte_fw.modules.ocpp.messages import declared
from chargebyte_fw.modules.ocpp.messages.declared import describe
from chargebyte_fw.modules.ocpp.messages.errors import Violation
from chargebyte_fw.modules.ocpp.messages.model import Message, Request
from chargebyte_fw.modules.ocpp.messages.schema import decode_request, decode_response
from chargebyte_fw.modules.ocpp.version import Version

M = TypeVar("M", bound=Message)

LETTERS = string.ascii_letters + string.digits + '*-_=:+|@. äß€😀"\\\n'


class Broken(NamedTuple):
    """A payload with one fault."""

    payload: Any
    path: str
    violation: Violation
    what: str


def instance(kind: type[M], version: Version, random: Random, share: float = 0.5) -> M:
    """Return a valid message; `share` of the optional members stand in it (0: none, 1: all)."""
    payload = valid_payload(kind, version, random, share)
    decode = decode_request if issubclass(kind, Request) else decode_response
    message: Any = decode(version, kind.action_name, payload)
    return message


def valid_payload(kind: type[Message], version: Version, random: Random, share: float = 0.5) -> Any:
    """Return the JSON value of a valid message."""
    return _value(describe(kind, version), random, share)


def broken_payloads(
    kind: type[Message], version: Version, random: Random, known: set[type] | None = None
) -> Iterator[Broken]:
    """Break every member of a message in every way that its declaration knows, one at a time.

    Members of a type in `known` are left alone; what was broken is added to it.
    """
    node = describe(kind, version)
    whole = _value(node, random, 1.0)
    for path, at, steps in _places(node, whole, "", (), set() if known is None else known):
        for value, violation, what in _faults(at):
            payload = copy.deepcopy(whole)
            place = f"{path}.vendorId" if what == "vendorId too long" else path
            yield Broken(_put(payload, steps, value), place, violation, what)
        if isinstance(at, declared.Object):
            for member in at.members:
                if member.required:
                    payload = copy.deepcopy(whole)
                    del _get(payload, steps)[member.name]
                    yield Broken(payload, f"{path}.{member.name}" if path else member.name, Violation.FORMAT, "missing")


def _value(node: declared.Node, random: Random, share: float) -> Any:
    match node:
        case declared.Object(members=members):
            return {
                one.name: _value(one.node, random, share) for one in members if one.required or random.random() < share
            }
        case declared.Array(item=item, low=low, high=high):
            count = random.randint(max(low, 0), min(max(low, 1) + 1, high or 99))
            return [_value(item, random, share) for _ in range(count)]
        case declared.String(longest=longest, uri=uri):
            if uri:
                return "ftp://user@host/" + _text(random, 20, "abc0/")
            return _text(random, random.choice((0, 1, min(longest or 200, 300))))
        case declared.Enumeration(values=values):
            return random.choice(values)
        case declared.Date():
            return f"20{random.randint(10, 99)}-0{random.randint(1, 9)}-{random.randint(10, 28)}T11:22:33.4Z"
        case declared.Integer(widened=True):
            return random.randint(-(2**40), 2**40)
        case declared.Integer(low=low, high=high):
            return random.choice((low, high, random.randint(max(low, -5), min(high, 1000))))
        case declared.Number(low=low, high=high, tenths=tenths):
            value = random.uniform(-1000.0 if low is None else low, 1000.0 if high is None else high)
            return round(value, 1) if tenths else value
        case declared.Boolean():
            return random.random() < 0.5
        case declared.VendorData():
            return {"vendorId": "org.example", "anything": [1, {"else": None}]}
        case _:
            return random.choice((None, 1, "text", [1, 2], {"a": {"b": [True]}}))


def _text(random: Random, length: int, letters: str = LETTERS) -> str:
    return "".join(random.choice(letters) for _ in range(length))


def _faults(node: declared.Node) -> Iterator[tuple[Any, Violation, str]]:
    wrong: Any = 5
    match node:
        case declared.Anything():
            return
        case declared.String(longest=longest):
            if longest is not None:
                yield "x" * (longest + 1), Violation.FORMAT, "too long"
        case declared.Enumeration():
            yield "", Violation.FORMAT, "no value of the enumeration"
            yield "Nonsense", Violation.FORMAT, "no value of the enumeration"
        case declared.Date():
            yield "2024-02-30T10:00:00Z", Violation.FORMAT, "no date"
        case declared.Integer(low=low, high=high) | declared.Number(low=low, high=high):
            wrong = "5"
            if low is not None:
                yield int(low) - 1, Violation.RANGE, "too small"
            if high is not None:
                yield int(high) + 1, Violation.RANGE, "too large"
            if isinstance(node, declared.Integer):
                yield 1.5, Violation.FORMAT, "no integer"
        case declared.Array(item=item, low=low, high=high):
            if low:
                yield [], Violation.ITEMS, "too few items"
            if high is not None:
                one = _value(item, Random(1), 0.0)
                yield [one] * (high + 1), Violation.ITEMS, "too many items"
        case declared.VendorData():
            yield {"vendorId": "x" * 256}, Violation.FORMAT, "vendorId too long"
    yield wrong, Violation.FORMAT, "wrong type"
    yield {} if not isinstance(node, declared.Object | declared.VendorData) else [], Violation.FORMAT, "wrong type"


def _places(
    node: declared.Node, value: Any, path: str, steps: tuple[str | int, ...], known: set[type]
) -> Iterator[tuple[str, declared.Node, tuple[str | int, ...]]]:
    """Path, declaration and steps of every value inside of a payload."""
    yield path, node, steps
    if isinstance(node, declared.Object):
        if node.type in known:
            return
        known.add(node.type)
        for member in node.members:
            inner = f"{path}.{member.name}" if path else member.name
            yield from _places(member.node, value[member.name], inner, (*steps, member.name), known)
    elif isinstance(node, declared.Array) and value:
        yield from _places(node.item, value[-1], f"{path}[{len(value) - 1}]", (*steps, len(value) - 1), known)


def _get(payload: Any, steps: tuple[str | int, ...]) -> Any:
    for step in steps:
        payload = payload[step]
    return payload


def _put(payload: Any, steps: tuple[str | int, ...], value: Any) -> Any:
    if not steps:
        return value
    _get(payload, steps[:-1])[steps[-1]] = value
    return payload


def as_text(payload: Any) -> bytes:
    """Return a payload as JSON text."""
    return json.dumps(payload).encode()
