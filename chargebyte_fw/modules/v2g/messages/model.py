"""How a V2G message is declared; codec, limits, JSON and tests are derived from the declarations.

A complex type is a `Type` subclass: one field per attribute or element under its exact wire name, in schema order.
Annotations add what Python's types do not express:

* a simple type is `Annotated[int, Coding(...)]` or a `StrEnum` whose members stand in code order;
* `X | None = None` is optional, `Annotated[list[X], Occurs(1, 6)]` repeats;
* `Attribute()` and `Text()` mark what is no element;
* `Annotated[A | B, Group("Head", A=AType, B=BType)]` is a substitution group: the object's class is the member;
* a type that extends another one is its subclass: the inherited fields come first, and belong to the base's namespace;
* `model = choice("boolValue", ...)` where the content is no plain sequence of the fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec


class Coding(msgspec.Struct, frozen=True):
    """How a simple value is coded (EXI 1.0 section 7.1), and its facets.

    `low`/`high` bound numbers (None: unbounded), `shortest`/`longest` count characters or octets. `nbit` is `bits` wide
    and counted from `low`. `text`: how octets are displayed.
    """

    kind: Literal["nbit", "uint", "int", "bool", "string", "bin"]
    bits: int = 0
    low: int | None = None
    high: int | None = None
    shortest: int = 0
    longest: int | None = None
    text: Literal["hex", "base64"] = "base64"


class Occurs(msgspec.Struct, frozen=True):
    """How often the elements of a list field stand; `high` None is unbounded."""

    low: int
    high: int | None


class Attribute(msgspec.Struct, frozen=True):
    """The field is an XML attribute."""


class Text(msgspec.Struct, frozen=True):
    """The field is the character content of its type."""


class Group:
    """A substitution group: its head and the members with their types.

    A head that is no member itself is abstract: it never stands on the wire, but has an event code.
    """

    def __init__(self, head: str, **members: type[Type]) -> None:
        self.head = head
        self.members = members


class Within(msgspec.Struct, frozen=True):
    """The field is directly the only content of an element of type `wrapper` (the body element in `Body`)."""

    wrapper: type[Type]


class Reference(msgspec.Struct, frozen=True):
    """The element is a global one of another namespace."""

    namespace: str


class Particle(msgspec.Struct, frozen=True):
    """A part of a content model: an element (named like its field), `seq` or `choice` of parts, `any` (wildcard)."""

    kind: Literal["element", "seq", "choice", "any"]
    name: str = ""
    type: Any = None
    """Only where there is no field of that name: the elements of an ordered `content`."""
    parts: tuple[Particle, ...] = ()
    low: int = 1
    high: int | None = 1


def element(name: str, type: Any = None, low: int = 1, high: int | None = 1) -> Particle:
    """Declare an element in a content model."""
    return Particle("element", name, type, (), low, high)


def wildcard(low: int = 1, high: int | None = 1) -> Particle:
    """Declare a place for elements beyond the schema: it has an event code, its content is not supported."""
    return Particle("any", "*", None, (), low, high)


def seq(*parts: Particle | str, low: int = 1, high: int | None = 1) -> Particle:
    """Declare parts that follow one another; a bare name is a field that stands once."""
    return Particle("seq", "", None, tuple(element(p) if isinstance(p, str) else p for p in parts), low, high)


def choice(*parts: Particle | str, low: int = 1, high: int | None = 1) -> Particle:
    """Declare parts of which one stands; a bare name is a field."""
    return Particle("choice", "", None, tuple(element(p) if isinstance(p, str) else p for p in parts), low, high)


class Type(msgspec.Struct, kw_only=True, gc=False):
    """Base of every complex type. Messages are trees, so the garbage collector need not follow them."""

    namespace: ClassVar[str] = ""
    qualified: ClassVar[bool] = True
    """Whether local elements carry the namespace (all sets but the handshake)."""
    attributes_qualified: ClassVar[bool] = True
    """Whether attributes carry the namespace (all sets but the handshake and XML signature)."""
    mixed: ClassVar[bool] = False
    """Mixed content: characters between elements have an event code, and are not supported."""
    model: ClassVar[Particle | None] = None
    """The content model, where it is no plain sequence of the fields. Content whose order matters is then the field
    `content`, a list of (element name, value)."""


class Schema(msgspec.Struct, frozen=True):
    """A schema set: global elements by namespace and name (None: abstract), and which of them open a message."""

    name: str
    elements: Mapping[str, Mapping[str, Any]]
    roots: tuple[str, ...] = ()
    types: tuple[type[Type], ...] = ()
    """Types that no message may have; the fragment grammar has codes for their elements all the same."""
    copies: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Namespaces whose types the set repeats word by word in a namespace of its own."""


xs_boolean = Annotated[bool, Coding("bool")]
xs_byte = Annotated[int, Coding("nbit", 8, -128, 127)]
xs_unsignedByte = Annotated[int, Coding("nbit", 8, 0, 255)]
xs_short = Annotated[int, Coding("int", low=-(2**15), high=2**15 - 1)]
xs_int = Annotated[int, Coding("int", low=-(2**31), high=2**31 - 1)]
xs_long = Annotated[int, Coding("int", low=-(2**63), high=2**63 - 1)]
xs_integer = Annotated[int, Coding("int")]
xs_unsignedShort = Annotated[int, Coding("uint", low=0, high=2**16 - 1)]
xs_unsignedInt = Annotated[int, Coding("uint", low=0, high=2**32 - 1)]
xs_unsignedLong = Annotated[int, Coding("uint", low=0, high=2**64 - 1)]
xs_string = Annotated[str, Coding("string")]
xs_anyURI = xs_string
xs_ID = xs_string
xs_IDREF = xs_string
xs_base64Binary = Annotated[bytes, Coding("bin")]
xs_hexBinary = Annotated[bytes, Coding("bin", text="hex")]
