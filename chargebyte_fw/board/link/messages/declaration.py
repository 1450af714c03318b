"""How a message of the safety controller is declared: one field a line with its bits, scale and unit.

The payload is eight bytes read as one big-endian number: bit 63 is the top bit of the first byte. Encoding and decoding
derive from the declaration; a value that has no name survives (`OpenEnum`).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, IntEnum
from inspect import get_annotations
from typing import Any, ClassVar, NamedTuple, Self, TypeVar, cast, dataclass_transform

from msgspec.structs import replace

from chargebyte_fw.kernel.declaration import struct_of

PAYLOAD_BYTES = 8
PAYLOAD_BITS = 64


class Sender(Enum):
    """Who sends a message."""

    HOST = "host"
    MCU = "mcu"


class OpenEnum(IntEnum):
    """An enumeration that newer firmware may extend: an unknown value becomes a member named `UNKNOWN_<value>`."""

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, int) or not 0 <= value < 256:
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        cls._value2member_map_[value] = member
        return member

    @property
    def is_known(self) -> bool:
        """Whether this product has a name for the value."""
        return not self.name.startswith("UNKNOWN_")


class Place(NamedTuple):
    """Where a field lies and how its number is read."""

    high: int
    low: int
    scale: float = 1.0
    signed: bool = False
    unit: str = ""
    maximum: int | None = None
    """Larger and negative values are sent as this and 0."""
    absent: int | None = None
    """The raw value that stands for "no value"."""
    octets: bool = False
    """The bits are bytes to be kept as they are."""
    default: Any = 0

    @property
    def width(self) -> int:
        """Number of bits."""
        return self.high - self.low + 1

    @property
    def mask(self) -> int:
        """As many ones as there are bits."""
        return (1 << self.width) - 1


def bits(
    high: int,
    low: int | None = None,
    *,
    scale: float = 1.0,
    signed: bool = False,
    unit: str = "",
    maximum: int | None = None,
    absent: int | None = None,
    default: Any = 0,
) -> Any:
    """Declare a field in bits `high` to `low` (one bit: `high` alone); the value is the raw number times `scale`."""
    return Place(high, high if low is None else low, scale, signed, unit, maximum, absent, default=default)


def octets(first: int, count: int) -> Any:
    """Declare a field of `count` bytes from byte `first`, kept as bytes."""
    high = PAYLOAD_BITS - 1 - 8 * first
    return Place(high, high - 8 * count + 1, octets=True, default=bytes(count))


def pin(index: int) -> Any:
    """Declare one bit of a digital image, counted as the signal database does: byte times 8 plus bit, bit 0 lowest."""
    return bits(PAYLOAD_BITS - 8 - 8 * (index // 8) + index % 8, default=False)


class Message:
    """Base of every message."""

    __slots__ = ()

    com_id: ClassVar[int]
    sender: ClassVar[Sender]
    places: ClassVar[dict[str, Place]]
    _readers: ClassVar[tuple[tuple[str, int, int, Callable[[int], Any]], ...]]
    _writers: ClassVar[tuple[tuple[str, int, Callable[[Any], int]], ...]]

    def payload(self) -> bytes:
        """Return the eight bytes of this message."""
        number = 0
        for name, low, write in self._writers:
            number |= write(getattr(self, name)) << low
        return number.to_bytes(PAYLOAD_BYTES, "big")

    def changed(self, **fields: Any) -> Self:
        """Return this message with other values in some fields."""
        message: Any = self
        return cast(Self, replace(message, **fields))

    @classmethod
    def from_payload(cls, payload: bytes) -> Self:
        """Read eight bytes; every combination of bits is a message."""
        number = int.from_bytes(payload[:PAYLOAD_BYTES], "big")
        return cls(**{name: read((number >> low) & mask) for name, low, mask, read in cls._readers})


M = TypeVar("M", bound=Message)

_REGISTRY: list[type[Message]] = []


def declared() -> tuple[type[Message], ...]:
    """Return every declared message in the order of declaration (once, in its newest layout)."""
    return tuple(_REGISTRY)


@dataclass_transform(frozen_default=True, field_specifiers=(bits, octets, pin))
def frame(com_id: int, sender: Sender, *, generation: bool = False) -> Callable[[type[M]], type[M]]:
    """Make the class below the declaration of message `com_id`; `generation`: another layout of a declared message."""

    def declare(cls: type[M]) -> type[M]:
        hints = get_annotations(cls, eval_str=True)
        places = {name: getattr(cls, name) for name in hints}
        made = struct_of(cls, {name: place.default for name, place in places.items()})
        made.com_id, made.sender, made.places = com_id, sender, places
        made._readers = tuple(
            (name, place.low, place.mask, _reader(hints[name], place)) for name, place in made.places.items()
        )
        made._writers = tuple((name, place.low, _writer(name, place)) for name, place in made.places.items())
        if not generation:
            _REGISTRY.append(made)
        return made

    return declare


def _reader(kind: Any, place: Place) -> Callable[[int], Any]:
    if place.octets:
        return lambda raw: raw.to_bytes(place.width // 8, "big")
    if kind is bool:
        return bool
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    top = 1 << (place.width - 1)

    def number(raw: int) -> int | float | None:
        if raw == place.absent:
            return None
        if place.signed and raw & top:
            raw -= top << 1
        return raw if place.scale == 1.0 else round(raw * place.scale, 6)

    return number


def _writer(name: str, place: Place) -> Callable[[Any], int]:
    if place.octets:
        return lambda value: int.from_bytes(value.ljust(place.width // 8, b"\0")[: place.width // 8], "big")
    lowest = -(1 << (place.width - 1)) if place.signed else 0
    highest = place.mask >> 1 if place.signed else place.mask

    def number(value: Any) -> int:
        if value is None and place.absent is not None:
            return place.absent
        raw: int = round(value / place.scale)
        if place.maximum is not None:
            raw = min(max(raw, 0), place.maximum)
        if not lowest <= raw <= highest:
            raise ValueError(f"{name} = {value!r} does not fit into {place.width} bits")
        return raw & place.mask

    return number
