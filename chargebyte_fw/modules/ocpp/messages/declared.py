"""A declaration as a tree of what a version allows: readers, writers and tests walk it instead of annotations."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache
from typing import Annotated, Any, Union

import msgspec

from chargebyte_fw.modules.ocpp.messages import model
from chargebyte_fw.modules.ocpp.version import Version

INTEGER_LOW = -(2**63)
INTEGER_HIGH = 2**63 - 1
"""Bounds of every integer: what SQLite and the C++ implementations keep."""
VENDOR_ID_LONGEST = 255


class Node(msgspec.Struct, frozen=True):
    """Base of what a value may be."""


class Boolean(Node, frozen=True):
    """A boolean."""


class Integer(Node, frozen=True):
    """An integer with its bounds; `widened` where a later version has a number."""

    low: int = INTEGER_LOW
    high: int = INTEGER_HIGH
    widened: bool = False


class Number(Node, frozen=True):
    """A finite number with its bounds; `tenths`: sent with one decimal."""

    low: float | None = None
    high: float | None = None
    tenths: bool = False


class String(Node, frozen=True):
    """A text of at most `longest` characters."""

    longest: int | None = None
    uri: bool = False


class Enumeration(Node, frozen=True):
    """One of the values that the version has; `kind` has those of every version."""

    values: tuple[str, ...]
    kind: type[StrEnum]


class Date(Node, frozen=True):
    """A date with time and zone."""


class Anything(Node, frozen=True):
    """Any JSON value."""


class VendorData(Node, frozen=True):
    """`customData`: an object with `vendorId`, open for everything else."""


class Array(Node, frozen=True):
    """A list."""

    item: Node
    low: int = 0
    high: int | None = None


class Member(msgspec.Struct, frozen=True):
    """A member of an object: attribute, name on the wire, what it may be."""

    attribute: str
    name: str
    node: Node
    required: bool
    default: Any = None


class Object(Node, frozen=True):
    """An object of a declared type; no member beside `members` is known."""

    type: type[msgspec.Struct]
    members: tuple[Member, ...]


@cache
def describe(kind: type[msgspec.Struct], version: Version) -> Object:
    """Return what a version allows for a type or message."""
    hints = typing.get_type_hints(kind, include_extras=True)
    members = []
    for field in msgspec.structs.fields(kind):
        hint, marks = _unwrapped(hints[field.name])
        since = next((mark.version for mark in marks if isinstance(mark, model.Since)), None)
        if since is not None and version != since:
            continue
        facets = _facets(marks, version)
        required = field.required or model.Required in facets
        default = None if field.required else field.default
        node = _node(hint, facets, version)
        members.append(Member(field.name, field.encode_name, node, required, default))
    return Object(kind, tuple(members))


def _unwrapped(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return a hint without `Annotated` and `| None`, and the annotations."""
    marks: tuple[Any, ...] = ()
    while True:
        origin = typing.get_origin(hint)
        if origin is Annotated:
            marks += hint.__metadata__
            hint = hint.__origin__
        elif origin in (Union, types.UnionType):
            (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
        else:
            return hint, marks


def _facets(marks: tuple[Any, ...], version: Version) -> Mapping[type, Any]:
    facets = {type(mark): mark for mark in marks if isinstance(mark, model.Facet)}
    for mark in marks:
        if isinstance(mark, model.InVersion) and mark.version == version:
            facets.update({type(facet): facet for facet in mark.facets})
    return facets


def _node(hint: Any, facets: Mapping[type, Any], version: Version) -> Node:
    if hint is Any:
        return Anything()
    if typing.get_origin(hint) is list:
        (item,) = typing.get_args(hint)
        inner, marks = _unwrapped(item)
        items = facets.get(model.Items, model.Items())
        return Array(_node(inner, _facets(marks, version), version), items.low, items.high)
    if typing.get_origin(hint) is dict:
        return VendorData()
    return _scalar(hint, facets, version)


def _scalar(hint: type, facets: Mapping[type, Any], version: Version) -> Node:
    if issubclass(hint, msgspec.Struct):
        return describe(hint, version)
    if hint is bool:
        return Boolean()
    if issubclass(hint, datetime):
        return Date()
    if issubclass(hint, Enum):
        return _enumeration(typing.cast("type[StrEnum]", hint), version)
    if hint is str:
        if model.OneOf in facets:
            return _enumeration(facets[model.OneOf].values, version)
        text = facets.get(model.Text)
        return String(text.longest if text else None, model.Uri in facets)
    bounds = facets.get(model.Range, model.Range())
    if hint is int or model.Whole in facets:
        low = INTEGER_LOW if bounds.low is None else int(bounds.low)
        high = INTEGER_HIGH if bounds.high is None else int(bounds.high)
        return Integer(low, high, hint is float)
    return Number(bounds.low, bounds.high, model.Tenths in facets)


def _enumeration(kind: type[StrEnum], version: Version) -> Enumeration:
    values = []
    for value in kind:
        since = getattr(value, "since", None)
        if since is None or since.version == version:
            values.append(value.value)
    return Enumeration(tuple(values), kind)
