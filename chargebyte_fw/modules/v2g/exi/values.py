"""The variable-length values of EXI: unsigned integers, strings, octets; the compiled code calls these.

A reader is the pair (`data`, `left`): the stream as one integer and the number of bits not yet read. A shift by a
negative count (ValueError) means that the stream ended too early; the codec turns it into an ExiError.
"""

from __future__ import annotations

from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError

MAX_UINT_OCTETS = 10
"""Ten groups of seven bits hold any 64-bit number; more is an attack or a bug."""
MAX_INTEGER_OCTETS = 32
"""For xs:integer (X509 serial numbers: up to 20 octets)."""


def read_uint(data: int, left: int, octets: int = MAX_UINT_OCTETS) -> tuple[int, int]:
    """Read an unsigned integer: groups of seven bits, least significant first, top bit says that more follow."""
    value = shift = 0
    for _ in range(octets):
        left -= 8
        octet = (data >> left) & 0xFF
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value, left
        shift += 7
    raise ExiError(f"an integer longer than {octets} octets")


def read_bytes(data: int, left: int, longest: int | None) -> tuple[bytes, int]:
    """Read octets: count, then the octets (not byte-aligned)."""
    length, left = read_uint(data, left)
    if longest is not None and length > longest:
        raise ExiError(f"{length} octets where at most {longest} are allowed")
    if length * 8 > left:
        raise ExiError(f"the stream ends before its {length} octets")
    left -= length * 8
    return ((data >> left) & ((1 << (length * 8)) - 1)).to_bytes(length, "big"), left


def read_string(data: int, left: int, longest: int | None) -> tuple[str, int]:
    """Read a string: length in characters plus two, then each character as an unsigned integer."""
    length, left = read_uint(data, left)
    if length < 2:
        raise ExiError("a string table hit; value tables are switched off in V2G")
    length -= 2
    if longest is not None and length > longest:
        raise ExiError(f"{length} characters where at most {longest} are allowed")
    if length * 8 > left:
        raise ExiError(f"the stream ends before its {length} characters")
    plain = ((data >> (left - length * 8)) & ((1 << (length * 8)) - 1)).to_bytes(length, "big")
    if plain.isascii():
        return plain.decode("ascii"), left - length * 8
    characters = []
    for _ in range(length):
        point, left = read_uint(data, left)
        if point > 0x10FFFF or 0xD800 <= point < 0xE000:
            raise ExiError(f"U+{point:X} is not a character")
        characters.append(chr(point))
    return "".join(characters), left


def write_uint(stream: int, bits: int, value: int) -> tuple[int, int]:
    """Append an unsigned integer."""
    while value > 0x7F:
        stream = stream << 8 | value & 0x7F | 0x80
        value >>= 7
        bits += 8
    return stream << 8 | value, bits + 8


def write_bytes(stream: int, bits: int, value: bytes) -> tuple[int, int]:
    """Append octets with their count."""
    stream, bits = write_uint(stream, bits, len(value))
    size = len(value) * 8
    return stream << size | int.from_bytes(value, "big"), bits + size


def write_string(stream: int, bits: int, value: str) -> tuple[int, int]:
    """Append a string."""
    stream, bits = write_uint(stream, bits, len(value) + 2)
    if value.isascii():
        size = len(value) * 8
        return stream << size | int.from_bytes(value.encode("ascii"), "big"), bits + size
    for character in value:
        stream, bits = write_uint(stream, bits, ord(character))
    return stream, bits


def check(condition: bool, where: str, value: object) -> None:
    """Refuse to write a value beyond its facets."""
    if not condition:
        raise EncodeError(f"{where}: {value!r} is outside what the schema allows")
