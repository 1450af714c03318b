"""One schema set's codec: EXI header, document or fragment grammar, message; bytes in, objects out and back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from chargebyte_fw.modules.v2g.exi import fused_reading, fused_writing
from chargebyte_fw.modules.v2g.exi.errors import Deviation, EncodeError, ExiError, Refused
from chargebyte_fw.modules.v2g.exi.fused_reading import fused_reader
from chargebyte_fw.modules.v2g.exi.fused_writing import fused_writer
from chargebyte_fw.modules.v2g.exi.generation import generate, reads, writes
from chargebyte_fw.modules.v2g.exi.grammar import (
    code_bits,
    element_types,
    grammar_of,
    is_simple,
    sorted_names,
)
from chargebyte_fw.modules.v2g.exi.reading import element_reader
from chargebyte_fw.modules.v2g.exi.relaxed import RelaxedElement, can_be_relaxed
from chargebyte_fw.modules.v2g.exi.source import place_of
from chargebyte_fw.modules.v2g.exi.writing import element_writer
from chargebyte_fw.modules.v2g.messages.model import Schema, Type

M = TypeVar("M", bound=Type)

HEADER = 0x80
"""EXI header of every V2G stream: no cookie, no options, final version 1."""
MAX_BYTES = 65_536
"""No message that V2GTP carries is longer."""


class Outline(NamedTuple):
    """The beginning of a message: its root element, the session id if it has one, of a V2G_Message the body's type."""

    root: type[Type]
    session_id: bytes = b""
    body: type[Type] | None = None


class Codec(Generic[M]):
    """Reads and writes the messages of one declared schema set, and its elements as fragments (for signatures)."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        names = sorted_names((name, space) for space, elements in schema.elements.items() for name in elements)
        self._types = [schema.elements[space][name] for name, space in names]
        # SE(*) is the last production of DocContent; there is no escape (EXI 1.0 section 8.5.1).
        self._bits = len(names).bit_length()
        self._names = [name for name, _ in names]
        self._roots = {
            code: kind for code, (kind, name) in enumerate(zip(self._types, self._names)) if name in schema.roots
        }
        self._openings = {HEADER << self._bits | code: kind for code, kind in self._roots.items()}
        """Types of the messages by EXI header and first event code."""
        self._codes = {kind: code for code, kind in self._roots.items()}
        self.generated: set[str] = set()
        """Names of elements as fragments, and "" for the messages, once everything for them is compiled."""

    @property
    def name(self) -> str:
        """Short name of the set: `sap`, `din`, `iso2`."""
        return self.schema.name

    @property
    def root_bits(self) -> tuple[int, frozenset[int]]:
        """Width of the first event code and the codes that open a message: these identify the set of a stream."""
        return self._bits, frozenset(self._roots)

    def prepare(self) -> None:
        """Compile every type of the set now; otherwise each is compiled at its first message."""
        for _, kind in self._fragments:
            if kind is not None:
                if is_simple(kind):
                    element_reader(kind)
                    element_writer(kind)
                else:
                    fused_reader(kind)
                    fused_writer(kind)
        for code in self._relaxed:
            # As those of libcbv2g are read.
            element_reader(self._fragments[code][1])
            element_writer(self._fragments[code][1])

    def generate(self) -> Iterator[str]:
        """Compile what a charger needs, to read requests and to write responses; yields the type after each one."""
        if "" in self.generated:
            return
        for kind in self._roots.values():
            if reads(kind):
                yield from generate(fused_reader(kind), kind, reads)
            if writes(kind):
                yield from generate(fused_writer(kind), kind, writes)
        self.generated.add("")

    def generate_fragment(self, name: str) -> Iterator[str]:
        """Compile what writes one element as a fragment; yields the type after each one."""
        if name in self.generated:
            return
        kind = self._fragments[self._fragment_codes[name]][1]
        yield from generate(fused_writer(kind), kind, lambda _: True)
        yield from (str(code) for code in self._relaxed)
        self.generated.add(name)

    def decode(self, payload: bytes) -> M:
        """Read one message; raises ExiError naming path and bit. Zero padding behind the message is tolerated."""
        size = len(payload)
        if 2 <= size <= MAX_BYTES:
            data, left = int.from_bytes(payload, "big"), 8 * size - 8 - self._bits
            opening = self._openings.get(data >> left)
            if opening is not None:
                try:
                    message: M
                    message, left = fused_reader(opening)(data, left)
                    if not data & (1 << left) - 1:
                        return message
                except fused_reading.FAILURES:
                    pass
        return self._decode_exactly(payload)

    def _decode_exactly(self, payload: bytes) -> M:
        data, left = self._opened(payload, self._bits)
        cls = self._roots.get(data >> left & (1 << self._bits) - 1)
        if cls is None:
            code = data >> left & (1 << self._bits) - 1
            raise ExiError(f"global element {code} opens no message of {self.name}", bit=8)
        message: M = self._read(cls, payload, data, left)[0]
        return message

    def outline(self, payload: bytes) -> Outline | None:
        """Read the beginning of a stream that `decode` refuses; returns None where not even that can be read."""
        try:
            data, left = self._opened(payload, self._bits)
            root = self._roots.get(data >> left & (1 << self._bits) - 1)
            if root is None:
                return None
            slots = grammar_of(root).slots
            if slots[0].name != "Header":
                return Outline(root)
            # One production leads to the header, one to the body: a bit each, which is zero.
            header, left = element_reader(slots[0].type)(data, left - _no_choice(data, left))
            if len(slots) < 2 or slots[1].within is None:
                return Outline(root, header.SessionID)
            states, members = grammar_of(slots[1].within).state(-1), grammar_of(slots[1].within).slots[0].members
            left -= _no_choice(data, left) + code_bits(len(states))
            code = data >> left & (1 << code_bits(len(states))) - 1
            body = members[states[code].member][1] if code < len(states) and states[code].slot == 0 else None
            return Outline(root, header.SessionID, body)
        except (Deviation, ExiError, ValueError):
            return None

    def encode(self, message: M) -> bytes:
        """Write one message; raises EncodeError naming the path of the field."""
        cls = type(message)
        code = self._codes.get(cls)
        if code is not None:
            try:
                return _padded(fused_writer(cls)(message, HEADER << self._bits | code))
            except fused_writing.FAILURES:
                pass
        return self._encode_exactly(message)

    def _encode_exactly(self, message: M) -> bytes:
        cls = type(message)
        code = self._codes.get(cls)
        if code is None:
            raise EncodeError(f"{cls.__name__} opens no message of {self.name}")
        return _padded(_write(cls, message, HEADER << self._bits | code))

    def place(self, payload: bytes, bit: int) -> str:
        """Return the path of the field to which a bit of a stream belongs; empty behind the end of the message."""
        if bit < 8:
            return "EXI header"
        if bit < 8 + self._bits:
            return "first event"
        try:
            # Cut off before that bit, the stream ends too early for the field that needs it.
            data, left = self._opened(payload, self._bits)
            cls = self._roots[data >> left & (1 << self._bits) - 1]
            rest = len(payload) * 8 - bit
            element_reader(cls)(data >> rest, left - rest)
        except (Deviation, ValueError) as error:
            return place_of(error.__traceback__)
        except (ExiError, KeyError):
            return "first event"
        return ""

    # -- fragments (EXI 1.0 section 8.5.2): a signature's digest is calculated over them

    @cached_property
    def _elements(self) -> dict[tuple[str, str], list[Any]]:
        found = element_types(self.schema)
        return {name: found[name] for name in sorted_names(found)}

    @cached_property
    def _fragments(self) -> list[tuple[str, Any]]:
        """Name and type of every element, in code order.

        Of several types under one name the complex one, which can have an Id and be signed, stands for all.
        """
        return [
            (name, next((kind for kind in kinds if kind is not None and not is_simple(kind)), kinds[-1]))
            for (name, _), kinds in self._elements.items()
        ]

    @cached_property
    def _fragment_codes(self) -> dict[str, int]:
        """Code by local name; of a name in two namespaces the global element counts."""
        codes: dict[str, int] = {}
        for code, (name, space) in enumerate(self._elements):
            if name not in codes or name in self.schema.elements.get(space, ()):
                codes[name] = code
        return codes

    @property
    def _fragment_bits(self) -> int:
        # Behind the elements come SE(*) and the end of the fragment; there is no escape.
        return (len(self._fragments) + 1).bit_length()

    def fragment_code(self, name: str) -> tuple[int, int]:
        """Return event code and width of an element in the fragment grammar (KeyError: the set has none so named)."""
        return self._fragment_codes[name], self._fragment_bits

    @cached_property
    def _relaxed(self) -> dict[int, RelaxedElement]:
        """The elements with several types, by code."""
        return {
            code: RelaxedElement(self.schema, kind, len(self._fragments))
            for code, ((_, kind), kinds) in enumerate(zip(self._fragments, self._elements.values()))
            if len(kinds) > 1 and can_be_relaxed(kind)
        }

    def fragment_forms(self, element: Any, name: str | None = None) -> list[bytes]:
        """Write one element as a fragment in each form that is in use, the standard's first; raises EncodeError.

        An element whose name has several types in the set (eMAID of ISO 15118-2) has a grammar of its own. libcbv2g
        writes it by its type, as any other; EXIficient, Josev and the late OpenV2G do not.
        """
        forms = [self.encode_fragment(element, name)]
        code = self._fragment_code(element, name)
        if code in self._relaxed:
            forms.append(self._closed_fragment(_write(self._fragments[code][1], element, self._opening(code))))
        return forms

    def encode_fragment(self, element: Any, name: str | None = None) -> bytes:
        """Write one element as a fragment; raises EncodeError.

        `name` may be left out where the type is named like the element, with or without `Type`: `AuthorizationReq(...)`
        and `SignedInfoType(...)`, but not `EMAIDType(...)` (element eMAID).
        """
        code = self._fragment_code(element, name)
        kind = self._fragments[code][1]
        if code in self._relaxed:
            return self._closed_fragment(_write(self._relaxed[code], element, self._opening(code)))
        if not is_simple(kind):
            with suppress(*fused_writing.FAILURES):
                return self._closed_fragment(fused_writer(kind)(element, self._opening(code)))
        return self._closed_fragment(_write(kind, element, self._opening(code)))

    def _fragment_code(self, element: Any, name: str | None) -> int:
        if name is None:
            name = type(element).__name__
            name = name if name in self._fragment_codes else name.removesuffix("Type")
        code = self._fragment_codes.get(name)
        if code is None:
            raise EncodeError(f"{self.name} has no element {name}")
        if self._fragments[code][1] is None:
            raise EncodeError(f"{name} is abstract")
        return code

    def _opening(self, code: int) -> int:
        return HEADER << self._fragment_bits | code

    def _closed_fragment(self, stream: int) -> bytes:
        return _padded(stream << self._fragment_bits | len(self._fragments) + 1)

    def decode_fragment(self, payload: bytes) -> tuple[str, Any]:
        """Read a fragment of one element: its name and value; raises ExiError."""
        bits = self._fragment_bits
        data, left = self._opened(payload, bits)
        code = data >> left & (1 << bits) - 1
        name, kind = self._fragments[code] if code < len(self._fragments) else ("", None)
        if kind is None:
            raise ExiError(f"{code} opens no element of {self.name}", bit=8)
        closing = (bits, len(self._fragments) + 1)
        if code in self._relaxed:
            with suppress(Deviation, ValueError):  # libcbv2g writes it by its type
                return name, _closed(*self._relaxed[code].read(data, left), data, closing)[0]
        element, _ = self._read(kind, payload, data, left, closing)
        return name, element

    # -- common to both

    def _opened(self, payload: bytes, bits: int) -> tuple[int, int]:
        """Return the stream as an integer and the bits left behind the first event code of `bits` bits."""
        if not 2 <= len(payload) <= MAX_BYTES:
            raise ExiError(f"{len(payload)} bytes are no {self.name} message")
        if payload[0] != HEADER:
            raise ExiError(f"the EXI header is 0x{payload[0]:02X} where V2G has 0x80", bit=0)
        left = (len(payload) - 1) * 8 - bits
        if left < 0:
            raise ExiError("the stream ends too early", bit=len(payload) * 8)
        return int.from_bytes(payload, "big"), left

    def _read(
        self, kind: Any, payload: bytes, data: int, left: int, closing: tuple[int, int] = (0, 0)
    ) -> tuple[Any, int]:
        try:
            return _read_to_end(kind, data, left, closing, wide=False)
        except (Deviation, ValueError) as error:
            try:
                # libcbv2g keeps an event code's width behind a list at its maximum; this reads such streams.
                return _read_to_end(kind, data, left, closing, wide=True)
            except (Deviation, ValueError):
                raise _exi_error(error, len(payload) * 8) from None


def _no_choice(data: int, left: int) -> int:
    """Return the width of an event code without a choice; raises Deviation where it is the escape."""
    if data >> left - 1 & 1:
        raise Deviation("a deviation from the schema", left)
    return 1


def _read_to_end(kind: Any, data: int, left: int, closing: tuple[int, int], wide: bool) -> tuple[Any, int]:
    return _closed(*element_reader(kind, wide)(data, left), data, closing)


def _closed(value: Any, left: int, data: int, closing: tuple[int, int]) -> tuple[Any, int]:
    """Check what comes behind an element: the end of the fragment if there is one, then nothing."""
    bits, code = closing
    left -= bits
    if bits and data >> left & (1 << bits) - 1 != code:
        raise Deviation("something behind the element of the fragment", left + bits)
    if left and data & (1 << left) - 1:
        raise Deviation("something behind the end of the message", left)
    return value, left


def _exi_error(error: Deviation | ValueError, bits: int) -> ExiError:
    path = place_of(error.__traceback__)
    if isinstance(error, Deviation):
        return ExiError(error.what, path, bits - error.left)
    # A shift by a negative count: beyond the end of the stream.
    return ExiError("the stream ends too early", path, bits)


def _write(kind: Any, value: Any, stream: int) -> int:
    try:
        return kind.write(value, stream) if isinstance(kind, RelaxedElement) else element_writer(kind)(value, stream)
    except Refused as error:
        raise EncodeError(str(error), place_of(error.__traceback__)) from None
    except (TypeError, AttributeError, KeyError, ValueError) as error:
        # Messages are not checked when they are made: a field may hold anything.
        what = f"{error.args[0]!r} is not one of its values" if isinstance(error, KeyError) else str(error)
        raise EncodeError(what, place_of(error.__traceback__)) from error


def _padded(stream: int) -> bytes:
    bits = stream.bit_length()
    padding = -bits % 8
    return (stream << padding).to_bytes((bits + padding) // 8, "big")


def bit_difference(wanted: bytes, got: bytes) -> int | None:
    """Return the number of the first bit in which two streams differ, None when they are the same."""
    if wanted == got:
        return None
    for index, (a, b) in enumerate(zip(wanted, got)):
        if a != b:
            return index * 8 + (8 - (a ^ b).bit_length())
    return min(len(wanted), len(got)) * 8


AnyCodec = Codec[Any]
