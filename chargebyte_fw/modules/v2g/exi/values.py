"""The variable-length values of EXI (integers, strings, octets) and the refusals; the compiled functions call these.

A reader is the pair (`data`, `left`): the stream as one integer and the number of bits not yet read. A stream that ends
too early makes a shift by a negative count, whose ValueError the codec translates. A writer is one integer with a
leading 1 bit (the one of the EXI header), so that its length is known.
"""

from __future__ import annotations

from chargebyte_fw.modules.v2g.exi.errors import Deviation, Refused

MAX_OCTETS = 10
"""Ten groups of seven bits hold any 64-bit number."""
MAX_OCTETS_UNBOUNDED = 40
"""For xs:integer (serial numbers of certificates: up to 20 octets)."""


def deviation(code: int, bits: int, left: int, what: str) -> Deviation:
    """Return the error for a field of `bits` bits whose value, expected zeros before it included, is too big."""
    if code >> bits:
        return Deviation("a deviation from the schema, which V2G never uses,", left + code.bit_length())
    return Deviation(f"no {what} {code} here", left + bits)


def read_uint(data: int, left: int, code: int, low: int | None, high: int | None, octets: int) -> tuple[int, int]:
    """Go on with an unsigned integer whose first octet, expected zeros before it included, is `code`."""
    start = left + 8
    if code > 255:
        raise deviation(code, 8, left, "")
    value = code & 0x7F
    shift = 7
    while code > 127:
        if shift == 7 * octets:
            raise Deviation(f"an integer of more than {octets} octets", start)
        left -= 8
        code = data >> left & 255
        value |= (code & 0x7F) << shift
        shift += 7
    if (high is not None and value > high) or (low is not None and value < low):
        raise Deviation(f"{value} is out of range", start)
    return value, left


def read_int(data: int, left: int, code: int, low: int | None, high: int | None, octets: int) -> tuple[int, int]:
    """Go on with an integer: `code` is its sign and first octet, expected zeros before them included."""
    start = left + 9
    if code > 511:
        raise deviation(code, 9, left, "")
    value, left = read_uint(data, left, code & 255, None, None, octets)
    if code > 255:
        value = -1 - value
    if (high is not None and value > high) or (low is not None and value < low):
        raise Deviation(f"{value} is out of range", start)
    return value, left


def _length(data: int, left: int, zeros: int) -> tuple[int, int]:
    left -= zeros + 8
    code = data >> left & ((1 << zeros + 8) - 1)
    if code > 127:
        return read_uint(data, left, code, None, 1 << 32, MAX_OCTETS)
    return code, left


def read_bytes(data: int, left: int, zeros: int, shortest: int, longest: int | None) -> tuple[bytes, int]:
    """Read octets: `zeros` expected zero bits, the count, then the octets (not byte-aligned)."""
    start = left - zeros
    length, left = _length(data, left, zeros)
    if length < shortest or (longest is not None and length > longest):
        raise Deviation(f"{length} octets are out of bounds", start)
    left -= length * 8
    # A negative shift (the stream is too short) comes before anything of the claimed size is made.
    return (data >> left & (1 << length * 8) - 1).to_bytes(length, "big"), left


def read_string(data: int, left: int, zeros: int, shortest: int, longest: int | None) -> tuple[str, int]:
    """Read a string: `zeros` expected zero bits, the count of characters plus two, each character as an integer."""
    start = left - zeros
    length, left = _length(data, left, zeros)
    length -= 2
    if length < 0:
        raise Deviation("a string table hit, where value tables are switched off,", start)
    if length < shortest or (longest is not None and length > longest):
        raise Deviation(f"{length} characters are out of bounds", start)
    after = left - length * 8
    plain = (data >> after & (1 << length * 8) - 1).to_bytes(length, "big")
    if plain.isascii():
        return plain.decode("ascii"), after
    return _read_unicode(data, left, length)


def _read_unicode(data: int, left: int, length: int) -> tuple[str, int]:
    """Read characters beyond ASCII from a copy of the octets (each character has at most three), in linear time."""
    octets = min(left // 8, length * 3)
    rest = (data >> left - octets * 8 & (1 << octets * 8) - 1).to_bytes(octets, "big")
    characters = []
    point = shift = used = 0
    for octet in rest:
        used += 1
        point |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80 or shift > 21:
            if shift > 21 or point > 0x10FFFF or 0xD800 <= point < 0xE000:
                raise Deviation(f"U+{point:X} is not a character", left - used * 8 + 8)
            characters.append(chr(point))
            point = shift = 0
            if len(characters) == length:
                return "".join(characters), left - used * 8
    raise Deviation("characters without an end", left - used * 8)


def write_uint(stream: int, value: int) -> int:
    """Append an unsigned integer."""
    while value > 0x7F:
        stream = stream << 8 | value & 0x7F | 0x80
        value >>= 7
    return stream << 8 | value


def write_int(stream: int, value: int) -> int:
    """Append an integer: sign, then what is left."""
    return write_uint(stream << 1 | 1, -1 - value) if value < 0 else write_uint(stream << 1, value)


def write_bytes(stream: int, value: bytes, shortest: int, longest: int | None) -> int:
    """Append octets with their count."""
    length = len(value)
    if length < shortest or (longest is not None and length > longest):
        raise Refused(f"{length} octets are out of bounds")
    return write_uint(stream, length) << length * 8 | int.from_bytes(value, "big")


def write_string(stream: int, value: str, shortest: int, longest: int | None) -> int:
    """Append a string."""
    length = len(value)
    if length < shortest or (longest is not None and length > longest):
        raise Refused(f"{length} characters are out of bounds")
    stream = write_uint(stream, length + 2)
    plain = value.encode("utf-8")
    if len(plain) == length:
        return stream << length * 8 | int.from_bytes(plain, "big")
    octets = bytearray()
    for point in map(ord, value):
        while point > 0x7F:
            octets.append(point & 0x7F | 0x80)
            point >>= 7
        octets.append(point)
    return stream << len(octets) * 8 | int.from_bytes(octets, "big")


def join(stream: int, part: int) -> int:
    """Append a stream of its own (its leading 1 falls away): long things stay linear when they grow in parts."""
    bits = part.bit_length() - 1
    return stream << bits | part ^ 1 << bits
