"""msgspec types of a version: the quick check of what comes in, and the form of what goes out.

A declaration has the members of every version. What a version allows is a second set of types, made on first use from
`declared`: texts with their lengths, enumerations with the values of the version, required members, no unknown ones.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chargebyte_fw.modules.ocpp.messages import dates
from chargebyte_fw.modules.ocpp.messages.declared import (
    VENDOR_ID_LONGEST,
    Anything,
    Array,
    Boolean,
    Date,
    Enumeration,
    Integer,
    Member,
    Node,
    Number,
    Object,
    String,
    VendorData,
    describe,
)
from chargebyte_fw.modules.ocpp.version import Version

GREATEST = 1.7e308
"""Bound of every number that goes out: neither NaN nor an infinity is JSON."""


class Outgoing:
    """A value with a form of its own on the wire (dates, rounded numbers, customData)."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


class OutgoingDate(Outgoing):
    """A date as text."""


class OutgoingTenths(Outgoing):
    """A number with one decimal."""


class OutgoingWhole(Outgoing):
    """A number as an integer."""


class OutgoingVendorData(Outgoing):
    """An object of `customData`."""


class _IncomingVendorData(msgspec.Struct):
    vendorId: Annotated[str, Meta(max_length=VENDOR_ID_LONGEST)]


@cache
def incoming(kind: type[msgspec.Struct], version: Version) -> Any:
    """Return a type that accepts what the schema does, with dates in their usual form and integers of 64 bit."""
    return _incoming(describe(kind, version), version)


@cache
def outgoing(kind: type[msgspec.Struct], version: Version) -> Any:
    """Return a type into which a message is converted by its attributes, with `to_wire` as hook."""
    return _outgoing(describe(kind, version), version)


def _incoming(node: Node, version: Version) -> Any:
    if isinstance(node, Object):
        fields = [
            (m.attribute, incoming_member(m.node, version), msgspec.field(name=m.name))
            if m.required
            else (m.attribute, incoming_member(m.node, version) | UnsetType, msgspec.field(name=m.name, default=UNSET))
            for m in node.members
        ]
        return _struct(node, fields, incoming=True)
    if isinstance(node, Array):
        return Annotated[list[incoming_member(node.item, version)], _items(node)]  # type: ignore[misc]
    if isinstance(node, Integer):
        return Annotated[int, Meta(ge=node.low, le=node.high)]
    if isinstance(node, Number):
        return _number(node)
    if isinstance(node, Date):
        return Annotated[str, Meta(pattern=dates.USUAL)]
    if isinstance(node, VendorData):
        return _IncomingVendorData
    return _simple(node)


def incoming_member(node: Node, version: Version) -> Any:
    """Return the type of a member; objects are shared between messages."""
    return incoming(node.type, version) if isinstance(node, Object) else _incoming(node, version)


def _outgoing(node: Node, version: Version) -> Any:
    if isinstance(node, Object):
        fields = [_outgoing_field(m, version) for m in node.members]
        return _struct(node, fields, incoming=False)
    if isinstance(node, Array):
        return Annotated[list[outgoing_member(node.item, version)], _items(node)]  # type: ignore[misc]
    if isinstance(node, Integer):
        return OutgoingWhole if node.widened else Annotated[int, Meta(ge=node.low, le=node.high)]
    if isinstance(node, Number):
        low = -GREATEST if node.low is None else node.low
        high = GREATEST if node.high is None else node.high
        return OutgoingTenths if node.tenths else Annotated[float, Meta(ge=low, le=high)]
    if isinstance(node, Date):
        return OutgoingDate
    if isinstance(node, VendorData):
        return OutgoingVendorData
    return _simple(node)


def _outgoing_field(member: Member, version: Version) -> tuple[str, Any, Any]:
    kind = outgoing_member(member.node, version)
    if member.required:
        return member.attribute, kind, msgspec.field(name=member.name)
    if member.default is None:
        return member.attribute, kind | None, msgspec.field(name=member.name, default=None)
    return member.attribute, kind, msgspec.field(name=member.name, default=member.default)


def outgoing_member(node: Node, version: Version) -> Any:
    """Return the type of a member; objects are shared between messages."""
    return outgoing(node.type, version) if isinstance(node, Object) else _outgoing(node, version)


def _struct(node: Object, fields: list[Any], *, incoming: bool) -> Any:
    return msgspec.defstruct(
        node.type.__name__, fields, kw_only=True, omit_defaults=not incoming, forbid_unknown_fields=incoming
    )


def _items(node: Array) -> Meta:
    return Meta(min_length=node.low or None, max_length=node.high)


def _number(node: Number) -> Any:
    return Annotated[float, Meta(ge=node.low, le=node.high)]


def _simple(node: Node) -> Any:
    match node:
        case Boolean():
            return bool
        case String(longest=longest):
            return str if longest is None else Annotated[str, Meta(max_length=longest)]
        case Enumeration(values=values):
            return Literal[values]
        case Anything():
            return Any
    raise TypeError(node)


def to_wire(kind: type, value: Any) -> Any:
    """Return a value as what goes out (`dec_hook` of msgspec); raises ValueError for what no wire can carry."""
    return kind(_WRITERS[kind](value))


def _date(value: Any) -> str:
    if not isinstance(value, datetime):
        raise ValueError("no date")
    return dates.write(value)


def _rounded(value: Any, digits: int) -> float:
    number = float(value)
    if not -GREATEST <= number <= GREATEST:
        raise ValueError("no finite number")
    return round(number, digits)


def _vendor_data(value: Any) -> Any:
    vendor = value.get("vendorId") if isinstance(value, dict) else None
    if not isinstance(vendor, str) or len(vendor) > VENDOR_ID_LONGEST:
        raise ValueError("customData is an object with a vendorId")
    return value


_WRITERS: dict[type, Callable[[Any], Any]] = {
    OutgoingDate: _date,
    OutgoingTenths: lambda value: _rounded(value, 1),
    OutgoingWhole: lambda value: int(_rounded(value, 0)),
    OutgoingVendorData: _vendor_data,
}


def written(value: Any) -> Any:
    """Return the plain value of an `Outgoing` (`enc_hook` of msgspec)."""
    if isinstance(value, Outgoing):
        return value.value
    raise TypeError(f"{type(value).__name__} is no JSON")
