"""How a V2G message is declared: codings of simple types, occurrence, attributes, substitution groups.

A complex type is a `Type` subclass whose fields stand in schema order under their exact wire names. The EXI grammar
(ISO 15118-2 clause 7.9, W3C EXI 1.0) is derived from these declarations by `modules/v2g/exi`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import msgspec


@dataclass(frozen=True, slots=True)
class Coding:
    """How the value of a simple type stands in the stream, and its facets.

    `kind`: `nbit` (`bits` wide, offset `low`), `uint`, `int`, `bool`, `string`, `bin`. `low`/`high` bound numbers,
    `shortest`/`longest` bound characters or octets.
    """

    kind: str
    bits: int = 0
    low: int | None = None
    high: int | None = None
    shortest: int = 0
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Occurs:
    """How often an element stands in a list; `high` None is unbounded."""

    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class Attribute:
    """The field is an XML attribute."""


@dataclass(frozen=True, slots=True)
class Text:
    """The field is the character content of its type."""


@dataclass(frozen=True, eq=False)
class Group:
    """The field is a substitution group: `members` in code order, abstract ones (never on the wire) included."""

    members: tuple[str, ...]
    types: dict[str, type]
    """The class of each member that may stand on the wire."""


ANY = object()
"""A wildcard: it takes an event code, its content cannot be spoken."""


@dataclass(frozen=True, slots=True)
class Particle:
    """A part of an irregular content model: an element, or a `seq`/`choice` of parts, with its occurrence."""

    kind: str
    name: str = ""
    type: Any = None
    parts: tuple[Particle, ...] = ()
    low: int = 1
    high: int | None = 1


def element(name: str, type: Any, low: int = 1, high: int | None = 1) -> Particle:
    """Declare an element of an irregular content model."""
    return Particle("element", name, type, (), low, high)


def wildcard(low: int = 1, high: int | None = 1) -> Particle:
    """Declare a wildcard of an irregular content model."""
    return Particle("element", "*", ANY, (), low, high)


def seq(*parts: Particle, low: int = 1, high: int | None = 1) -> Particle:
    """Declare a sequence of an irregular content model."""
    return Particle("seq", "", None, parts, low, high)


def choice(*parts: Particle, low: int = 1, high: int | None = 1) -> Particle:
    """Declare a choice of an irregular content model."""
    return Particle("choice", "", None, parts, low, high)


class Type(msgspec.Struct, kw_only=True):
    """Base of every complex type."""


class Irregular(Type):
    """Base of a complex type whose content is not a plain sequence: `content` lists (element name, value) in order."""

    particles: ClassVar[Particle]
    mixed: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Document:
    """The document grammar of one schema set: code width and the codes of the elements that open a message."""

    name: str
    bits: int
    roots: dict[int, type]


xs_boolean = Annotated[bool, Coding("bool")]
xs_byte = Annotated[int, Coding("nbit", 8, -128, 127)]
xs_unsignedByte = Annotated[int, Coding("nbit", 8, 0, 255)]
xs_short = Annotated[int, Coding("int", low=-32768, high=32767)]
xs_int = Annotated[int, Coding("int", low=-(2**31), high=2**31 - 1)]
xs_long = Annotated[int, Coding("int", low=-(2**63), high=2**63 - 1)]
xs_integer = Annotated[int, Coding("int")]
xs_unsignedShort = Annotated[int, Coding("uint", low=0, high=65535)]
xs_unsignedInt = Annotated[int, Coding("uint", low=0, high=2**32 - 1)]
xs_unsignedLong = Annotated[int, Coding("uint", low=0, high=2**64 - 1)]
xs_string = Annotated[str, Coding("string")]
xs_anyURI = xs_string
xs_ID = xs_string
xs_IDREF = xs_string
xs_base64Binary = Annotated[bytes, Coding("bin")]
xs_hexBinary = xs_base64Binary
