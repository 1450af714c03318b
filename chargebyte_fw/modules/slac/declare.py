"""How a management message entry (MME) is declared: one field a line, in the order of the wire, with its size.

Numbers are little endian. The codec is derived from the declaration; a frame shorter than its declaration is the
peer's error, a longer one is padding.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, dataclass_transform

from chargebyte_fw.kernel.declaration import struct_of
from chargebyte_fw.kernel.errors import PeerError

CLAUSE = "HomePlug GP, MME format"
_NUMBERS = {1: "B", 2: "H", 4: "I"}


class Place(NamedTuple):
    """Where a field lies and how it is read."""

    size: int
    kind: str
    """`number`, `octets`, `text`, or one that takes the rest of the frame: `counted`, `rest`."""
    offset: int = 0
    """Octets from the beginning of the MME; filled in by `mme`."""
    counter: str = ""
    """For `counted`: the name of the field with the number of octets."""
    default: Any = 0


def number(size: int = 1, default: int = 0) -> Any:
    """Declare a little endian number of 1, 2 or 4 octets."""
    return Place(size, "number", default=default)


def octets(size: int, default: bytes = b"") -> Any:
    """Declare octets that stay as they are."""
    return Place(size, "octets", default=default or bytes(size))


def text(size: int) -> Any:
    """Declare a text of at most `size` characters, filled up with zeros."""
    return Place(size, "text", default="")


def counted(count: str, default: bytes = b"") -> Any:
    """Declare as many octets as the field `count` has; the last field."""
    return Place(0, "counted", counter=count, default=default)


def rest(maximum: int, default: bytes = b"") -> Any:
    """Declare octets of which a peer may send fewer than `maximum`; the last field."""
    return Place(maximum, "rest", default=default)


class Mme:
    """Base of every management message entry."""

    __slots__ = ()

    mmtype: ClassVar[int]
    oui: ClassVar[bytes] = b""
    """First three octets of a vendor's MME; empty for a standard one."""
    mmv: ClassVar[int] = 1
    """Version of the header that it is sent with: 1 standard, 0 vendor."""
    places: ClassVar[dict[str, Place]]
    _fixed: ClassVar[struct.Struct]
    _names: ClassVar[tuple[str, ...]]
    _texts: ClassVar[tuple[tuple[int, int], ...]]
    _tail: ClassVar[tuple[str, Place] | None]

    @property
    def type(self) -> int:
        """MMTYPE of this message."""
        return self.mmtype

    @property
    def title(self) -> str:
        """Name in the words of the specification, as `CM_SLAC_PARM.REQ`."""
        return _title(self.__class__.__name__)

    def payload(self) -> bytes:
        """Return the MME's octets after the header; raises ValueError for a value that does not fit."""
        values = [getattr(self, name) for name in self._names]
        for index, size in self._texts:
            values[index] = values[index].encode("latin-1")[:size]
        for name, value in zip(self._names, values):
            if isinstance(value, bytes) and len(value) > self.places[name].size:
                raise ValueError(f"{name} takes {self.places[name].size} octets, not {len(value)}")
        try:
            head = self.oui + self._fixed.pack(*values)
        except struct.error as error:
            raise ValueError(f"{self.title}: {error}") from error
        if self._tail is None:
            return head
        name, place = self._tail
        tail: bytes = getattr(self, name)
        if place.kind == "counted" and len(tail) != getattr(self, place.counter):
            raise ValueError(f"{name} has {len(tail)} octets, {place.counter} says {getattr(self, place.counter)}")
        if place.kind == "rest" and len(tail) > place.size:
            raise ValueError(f"{name} takes {place.size} octets, not {len(tail)}")
        return head + tail

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Read the octets after the header (a vendor's OUI included); raises PeerError when they are too few."""
        data = payload[len(cls.oui) :]
        if len(data) < cls._fixed.size:
            raise PeerError(CLAUSE, f"{_title(cls.__name__)} needs {cls._fixed.size} octets, {len(data)} came")
        values: list[Any] = list(cls._fixed.unpack_from(data))
        for index, _ in cls._texts:
            values[index] = values[index].rstrip(b"\0").decode("latin-1")
        found = dict(zip(cls._names, values))
        if cls._tail is not None:
            name, place = cls._tail
            wanted = found[place.counter] if place.kind == "counted" else place.size
            tail = data[cls._fixed.size : cls._fixed.size + wanted]
            if place.kind == "counted" and len(tail) < wanted:
                raise PeerError(CLAUSE, f"{_title(cls.__name__)} announces {wanted} octets, {len(tail)} came")
            found[name] = tail
        return cls(**found)


M = TypeVar("M", bound=Mme)
_REGISTRY: dict[tuple[int, bytes], type[Mme]] = {}


def declared() -> tuple[type[Mme], ...]:
    """Return every declared MME in the order of declaration."""
    return tuple(_REGISTRY.values())


def find(mmtype: int, payload: bytes) -> type[Mme] | None:
    """Return the declaration of an MME, for a vendor's one by its OUI; None when it is not known here."""
    return _REGISTRY.get((mmtype, b"")) or _REGISTRY.get((mmtype, payload[:3]))


@dataclass_transform(frozen_default=True)
def header(cls: type[M]) -> type[M]:
    """Make the class below the first fields of every MME that derives from it."""
    return cls


@dataclass_transform(frozen_default=True)
def mme(mmtype: int, *, oui: bytes = b"") -> Callable[[type[M]], type[M]]:
    """Make the class below the declaration of MMTYPE `mmtype`, for a vendor's one after its `oui`."""

    def declare(cls: type[M]) -> type[M]:
        fields = [item for base in reversed(cls.__mro__) for item in vars(base).items() if isinstance(item[1], Place)]
        made = struct_of(cls, {name: place.default for name, place in fields})
        made.mmtype, made.oui, made.mmv = mmtype, oui, 0 if oui else 1
        made.places, made._tail = {}, None
        names: list[str] = []
        texts: list[tuple[int, int]] = []
        shape, offset = "<", len(oui)
        for name, declared_place in fields:
            place = made.places[name] = declared_place._replace(offset=offset)
            if place.kind in ("counted", "rest"):
                made._tail = (name, place)
                continue
            if made._tail is not None:
                raise TypeError(f"{cls.__name__}.{name} follows a field that takes the rest")
            if place.kind == "text":
                texts.append((len(names), place.size))
            names.append(name)
            shape += _NUMBERS[place.size] if place.kind == "number" else f"{place.size}s"
            offset += place.size
        made._fixed, made._names, made._texts = struct.Struct(shape), tuple(names), tuple(texts)
        _REGISTRY[mmtype, oui] = made
        return made

    return declare


_SUFFIXES = {"Req": "REQ", "Cnf": "CNF", "Ind": "IND", "Rsp": "RSP"}


def _title(name: str) -> str:
    """Write `CmSlacParmReq` as the specification does: `CM_SLAC_PARM.REQ`."""
    body, suffix = (name[:-3], _SUFFIXES[name[-3:]]) if name[-3:] in _SUFFIXES else (name, "")
    words = "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(body)).upper()
    return f"{words}.{suffix}" if suffix else words
