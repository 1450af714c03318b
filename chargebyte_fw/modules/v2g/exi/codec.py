"""One schema set's codec: EXI header, document grammar, message; bytes in, objects out and back."""

from __future__ import annotations

import traceback
from typing import Any, Generic, TypeVar

from chargebyte_fw.modules.v2g.exi import compiler
from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError
from chargebyte_fw.modules.v2g.messages.model import Document, Type

M = TypeVar("M", bound=Type)

HEADER = 0x80
"""EXI header of every V2G stream: no cookie, no options, final version 1."""
MAX_BYTES = 65_536
"""More than any message of these sets needs (certificate chains stay below 8 kB)."""
_PIECE = 1024


class Codec(Generic[M]):
    """Reads and writes the messages of one declared document. `roots` restricts what `decode` returns (typing)."""

    def __init__(self, document: Document, message: type[M] | None = None) -> None:
        self.document = document
        self._codes = {cls: code for code, cls in document.roots.items()}
        self._message = message

    @property
    def name(self) -> str:
        """Short name of the set: `sap`, `din`, `iso2`."""
        return self.document.name

    def decode(self, payload: bytes) -> M:
        """Read one message; raises ExiError naming what and where. Zero padding behind the message is tolerated."""
        if not 2 <= len(payload) <= MAX_BYTES:
            raise ExiError(f"{len(payload)} bytes are no {self.name} message")
        if payload[0] != HEADER:
            raise ExiError(f"an EXI header 0x{payload[0]:02X} where V2G has 0x80")
        if len(payload) > _PIECE:
            return self._decode_long(payload)
        return self._decode(payload)

    def _decode(self, payload: bytes) -> M:
        data = int.from_bytes(payload, "big")
        left = (len(payload) - 1) * 8 - self.document.bits
        if left < 0:
            raise ExiError("the stream ends before its first element")
        code = data >> left & ((1 << self.document.bits) - 1)
        cls = self.document.roots.get(code)
        if cls is None:
            raise ExiError(f"{self.name}: element {code} opens no message")
        try:
            message, left = compiler.reader(cls)(data, left)
        except ValueError as error:
            # A shift beyond the end of the stream.
            raise ExiError(f"{_place(error, cls)}: the stream ends too early") from None
        except ExiError as error:
            raise ExiError(f"{_place(error, cls)}: {error.what}") from None
        if left < 0:
            raise ExiError(f"{cls.__name__}: the stream ends too early")
        if data & ((1 << left) - 1):
            raise ExiError(f"{left // 8} bytes of something behind the message")
        return message  # type: ignore[no-any-return]

    def _decode_long(self, payload: bytes) -> M:
        """Read a long stream. One integer per message makes each shift cost its length, so trailing zeros go first."""
        return self._decode(payload.rstrip(b"\0") + bytes(8))

    def encode(self, message: M) -> bytes:
        """Write one message; raises EncodeError naming type and field."""
        code = self._codes.get(type(message))
        if code is None:
            raise EncodeError(f"{type(message).__name__} opens no {self.name} message")
        stream, bits = HEADER << self.document.bits | code, 8 + self.document.bits
        try:
            stream, bits = compiler.writer(type(message))(message, stream, bits)
        except (TypeError, AttributeError) as error:
            raise EncodeError(f"{type(message).__name__}: a field has the wrong type ({error})") from error
        padding = -bits % 8
        return (stream << padding).to_bytes((bits + padding) // 8, "big")

    def encode_fragment(self, code: int, width: int, end_code: int, element: Type) -> bytes:
        """Write one element as an EXI fragment for a signature (`code` of `width` bits opens it, `end_code` closes)."""
        stream, bits = HEADER << width | code, 8 + width
        stream, bits = compiler.writer(type(element))(element, stream, bits)
        stream, bits = stream << width | end_code, bits + width
        padding = -bits % 8
        return (stream << padding).to_bytes((bits + padding) // 8, "big")


def _place(error: BaseException, root: type) -> str:
    """Name the path of types in which reading stopped, from the generated functions on the way."""
    path = [root.__name__]
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith("<EXI read "):
            name = frame.filename[len("<EXI read ") : -1].split(".")[-1]
            if name != path[-1]:
                path.append(name)
    return " > ".join(path)


def bit_difference(wanted: bytes, got: bytes) -> int | None:
    """Return the number of the first bit in which two streams differ, None when they are the same."""
    if wanted == got:
        return None
    for index, (a, b) in enumerate(zip(wanted, got)):
        if a != b:
            return index * 8 + (8 - (a ^ b).bit_length())
    return min(len(wanted), len(got)) * 8


AnyCodec = Codec[Any]
