"""Reads pcap and pcapng files from front to back: one `Packet` after the other, an error where a file breaks off.

libpcap's file format (draft-ietf-opsawg-pcap) and pcapng (draft-ietf-opsawg-pcapng).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

PCAP_MAGICS = {
    0xA1B2C3D4: 1_000_000,
    0xA1B23C4D: 1_000_000_000,
    0xA1B2CD34: 1_000_000,
}
"""First word of a pcap file, and the parts of a second in which it counts."""
KUZNETSOV = 0xA1B2CD34
"""An old patched libpcap: eight more octets (interface, protocol, packet type) in the header of a packet."""
FCS_IS_KNOWN = 1 << 26
"""In the last word of a pcap header: the highest four bits are the length of a frame's checksum in words of 16 bits."""
SECTION = 0x0A0D0D0A
INTERFACE = 1
PACKET = 2
"""Obsolete, and still written."""
SIMPLE_PACKET = 3
ENHANCED_PACKET = 6
PACKET_HEADS = {PACKET: "H2x", ENHANCED_PACKET: "I"}
"""How a block with a packet names its interface."""
MAX_OCTETS = 1 << 24
"""No packet or block is longer: a length beyond this means that the file is damaged."""


class CaptureError(Exception):
    """A file is cut off or damaged: `where` (file and octet) and what is wrong."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


@dataclass(frozen=True, slots=True)
class Packet:
    """One captured packet. `interface` distinguishes the interfaces of one file."""

    number: int
    time_s: float
    link_type: int
    data: bytes
    interface: int = 0


def is_capture(beginning: bytes) -> bool:
    """Return whether a file is pcap or pcapng, by its first four octets."""
    if len(beginning) < 4:
        return False
    words = {int.from_bytes(beginning[:4], "big"), int.from_bytes(beginning[:4], "little")}
    return bool(words & (PCAP_MAGICS.keys() | {SECTION}))


def packets(file: BinaryIO, name: str) -> Iterator[Packet]:
    """Yield the packets of a file; raises CaptureError where it is cut off or damaged."""
    reader = _Octets(file, name)
    word = reader.take(4, "the file's first word")
    if int.from_bytes(word, "big") == SECTION:
        yield from _pcapng(reader)
        return
    for order in (">", "<"):
        (magic,) = struct.unpack(f"{order}I", word)
        if magic in PCAP_MAGICS:
            yield from _pcap(reader, order, PCAP_MAGICS[magic], more=8 if magic == KUZNETSOV else 0)
            return
    raise CaptureError(reader.where(0), "this is neither pcap nor pcapng")


class _Octets:
    """A file, and how far it has been read."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self._name = name
        self.at = 0

    def where(self, at: int) -> str:
        return f"{self._name}: octet {at}"

    def take(self, count: int, what: str) -> bytes:
        data = self._read(count)
        if len(data) < count:
            raise CaptureError(
                self.where(self.at - len(data)), f"the file ends in {what} ({len(data)} of {count} octets)"
            )
        return data

    def take_or_end(self, count: int, what: str) -> bytes | None:
        """Like `take`, None at the end of the file."""
        data = self._read(count)
        if data and len(data) < count:
            raise CaptureError(
                self.where(self.at - len(data)), f"the file ends in {what} ({len(data)} of {count} octets)"
            )
        return data or None

    def _read(self, count: int) -> bytes:
        data = self._file.read(count)
        self.at += len(data)
        # What was compressed may end elsewhere than it seems to.
        damage = getattr(getattr(self._file, "raw", None), "damage", "") if len(data) < count else ""
        if damage:
            raise CaptureError(self.where(self.at), damage)
        return data


def _pcap(reader: _Octets, order: str, parts: int, more: int) -> Iterator[Packet]:
    *_, network = struct.unpack(f"{order}HHiIII", reader.take(20, "the file's header"))
    link = network & 0xFFFF
    checksum_octets = 2 * (network >> 28) if network & FCS_IS_KNOWN else 0
    number = 0
    while head := reader.take_or_end(16 + more, f"the header of packet {number + 1}"):
        number += 1
        seconds, fraction, captured, length = struct.unpack_from(f"{order}IIII", head)
        if captured > MAX_OCTETS:
            raise CaptureError(reader.where(reader.at - more - 8), f"packet {number} claims {captured} octets: damaged")
        data = reader.take(captured, f"packet {number}")
        # Of a frame that was captured in part, the checksum is what is missing first.
        data = data[: max(0, length - checksum_octets)]
        yield Packet(number, seconds + fraction / parts, link, data)


@dataclass
class _Interface:
    link_type: int
    snap_octets: int
    parts: float = 1e6
    offset_s: int = 0


def _pcapng(reader: _Octets) -> Iterator[Packet]:
    order = "<"
    interfaces: list[_Interface] = []
    number = 0
    word: bytes | None = SECTION.to_bytes(4, "big")
    while word:
        began = reader.at - 4
        if int.from_bytes(word, "big") == SECTION:
            order, body = _section(reader, began)
            kind = SECTION
            interfaces = []
        else:
            (kind,) = struct.unpack(f"{order}I", word)
            body = _block(reader, order, began)
        try:
            if kind == INTERFACE:
                interfaces.append(_interface(body, order))
            elif kind in (ENHANCED_PACKET, PACKET):
                number += 1
                at, high, low, captured = struct.unpack_from(f"{order}{PACKET_HEADS[kind]}III", body)
                if 20 + captured > len(body):
                    raise CaptureError(reader.where(began), f"packet {number} is longer than its block")
                face = interfaces[at]
                stamp = (high << 32 | low) / face.parts + face.offset_s
                yield Packet(number, stamp, face.link_type, body[20 : 20 + captured], at)
            elif kind == SIMPLE_PACKET:
                number += 1
                (length,) = struct.unpack_from(f"{order}I", body)
                face = interfaces[0]
                kept = min(length, face.snap_octets or length, len(body) - 4)
                yield Packet(number, 0.0, face.link_type, body[4 : 4 + kept])
        except struct.error:
            raise CaptureError(reader.where(began), f"a block of type {kind} is too short") from None
        except IndexError:
            raise CaptureError(reader.where(began), f"packet {number} is of an interface never described") from None
        word = reader.take_or_end(4, "a block's header")


def _section(reader: _Octets, began: int) -> tuple[str, bytes]:
    length, magic = struct.unpack("<II", reader.take(8, "the section header"))
    order = {0x1A2B3C4D: "<", 0x4D3C2B1A: ">"}.get(magic)
    if order is None:
        raise CaptureError(reader.where(began + 8), f"no byte order is told by 0x{magic:08X}")
    if order == ">":
        length = int.from_bytes(length.to_bytes(4, "little"), "big")
    return order, _rest(reader, order, began, length, taken=12)


def _block(reader: _Octets, order: str, began: int) -> bytes:
    (length,) = struct.unpack(f"{order}I", reader.take(4, "a block's header"))
    return _rest(reader, order, began, length, taken=8)


def _rest(reader: _Octets, order: str, began: int, length: int, taken: int) -> bytes:
    """Return a block's body behind the octets taken, and check that its length stands at its end once more."""
    if length % 4 or not taken + 4 <= length <= MAX_OCTETS:
        raise CaptureError(reader.where(began + 4), f"a block claims {length} octets: damaged")
    body = reader.take(length - taken - 4, f"a block of {length} octets")
    (again,) = struct.unpack(f"{order}I", reader.take(4, "a block's end"))
    if again != length:
        raise CaptureError(reader.where(reader.at - 4), f"a block of {length} octets ends as one of {again}")
    return body


def _interface(body: bytes, order: str) -> _Interface:
    link, _, snap = struct.unpack_from(f"{order}HHI", body)
    face = _Interface(link, snap)
    at = 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0:
            break
        if code == 9 and len(value) == 1:
            # if_tsresol: the upper bit distinguishes a power of two from one of ten.
            face.parts = 2.0 ** (value[0] & 0x7F) if value[0] & 0x80 else 10.0 ** value[0]
        elif code == 14 and len(value) == 8:
            (face.offset_s,) = struct.unpack(f"{order}q", value)
        at += 4 + length + -length % 4
    return face
