"""How a message is declared; decoding, encoding and tests are derived from the declarations.

A type is a `Type`, a message a `Message`: one field per member of the JSON object. The annotation is the type of the
value; `Annotated` adds the facets of the schema, and the version that brought them:

* `Annotated[str, Text(20)]`, `Annotated[int, Range(0, 3)]`, `Annotated[list[X], Items(1, 6)]` bound a value;
* `X | None` with the default None is optional;
* `SINCE_21` marks a member that 2.1 added, `Since("2.1")` in the tuple of an enumeration's value does so there;
* `In201(...)` and `In21(...)` are facets of one version, where the versions differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

import msgspec

from chargebyte_fw.modules.ocpp.version import Version


class Facet(msgspec.Struct, frozen=True):
    """Base of what bounds a value."""


class Text(Facet, frozen=True):
    """Length of a text in characters; `folded`: equal whatever the case (CiString, identifierString)."""

    longest: int
    folded: bool = False


class Uri(Facet, frozen=True):
    """The text is a URI (RFC 3986)."""


class Range(Facet, frozen=True):
    """Least and greatest value of a number; None is no bound."""

    low: float | None = None
    high: float | None = None


class Items(Facet, frozen=True):
    """Least and greatest number of items of a list; None is no bound."""

    low: int = 0
    high: int | None = None


class Tenths(Facet, frozen=True):
    """The number has one decimal (`multipleOf` 0.1): sent so; one that has more is accepted."""


class Whole(Facet, frozen=True):
    """The number is an integer."""


class OneOf(Facet, frozen=True):
    """The text is a value of this enumeration."""

    values: type[StrEnum]


class Required(Facet, frozen=True):
    """The member is required."""


class InVersion(msgspec.Struct, frozen=True):
    """Facets of one version only: each replaces the one of its class that stands beside it."""

    version: Version
    facets: tuple[Facet, ...]


def In201(*facets: Facet) -> InVersion:
    """Facets of 2.0.1 only."""
    return InVersion(Version.V201, facets)


def In21(*facets: Facet) -> InVersion:
    """Facets of 2.1 only."""
    return InVersion(Version.V21, facets)


class Since(msgspec.Struct, frozen=True):
    """The version that added a member or a value of an enumeration."""

    version: Version


SINCE_21 = Since(Version.V21)


class Values(StrEnum):
    """Base of enumerations with values that a later version added: `A = "A", SINCE_21` or `A = "A", SINCE_21, "B"`.

    The third element is the value that an older version gets instead.
    """

    since: Since | None
    instead: str | None

    def __new__(cls, value: str, since: Since | None = None, instead: str | None = None) -> Self:
        """Return the member of a row."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.since = since
        member.instead = instead
        return member


CustomData = dict[str, Any]
"""An object of a vendor's own members, `vendorId` (255 characters) among them. It passes through as it is."""


class Type(msgspec.Struct, kw_only=True, omit_defaults=True, gc=False):
    """Base of every type inside of a message. Messages are trees, so the garbage collector need not follow them."""


class Message(msgspec.Struct, kw_only=True, omit_defaults=True, dict=True):
    """Base of requests and responses."""

    action_name: ClassVar[str] = ""
    """The name of the message on the wire: `BootNotification` of `BootNotificationRequest`."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Derive the action from the name of the class."""
        super().__init_subclass__(**options)
        cls.action_name = cls.__name__.removesuffix("Request").removesuffix("Response")

    @property
    def unknown(self) -> Mapping[str, Any]:
        """Members that the version does not have, by their path. They are kept for reports, and never sent."""
        members: Mapping[str, Any] = self.__dict__.get("_unknown", {})
        return members


class Request(Message):
    """Base of the payload of a CALL or SEND."""


class Response(Message):
    """Base of the payload of a CALLRESULT."""
