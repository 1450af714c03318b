"""Packets of the boot loader of a Renesas RA controller, as pure data.

A command is `01 LNH LNL COM data SUM 03`, data and status are `81 LNH LNL RES data SUM 03`. The length counts COM or
RES and the data, SUM makes the 8-bit sum from LNH on zero, numbers are big-endian. A status has one byte; with bit 7 of
RES set it is an error.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple

from chargebyte_fw.board.link.messages.declaration import OpenEnum

SOD_COMMAND = 0x01
SOD_DATA = 0x81
ETX = 0x03
DATA_LIMIT = 1024
"""Most data bytes of one packet."""
ERROR_BIT = 0x80
LOW_PULSE = b"\x00"
"""Sent twice so that the loader can measure the rate; it acknowledges with one."""
GENERIC_CODE = b"\x55"
BOOT_CODE = 0xC3
"""The loader's answer to the generic code."""
_FRAME_BYTES = 6


class Command(IntEnum):
    """What the loader can be asked."""

    INQUIRY = 0x00
    ERASE = 0x12
    WRITE = 0x13
    READ = 0x15
    ID_AUTHENTICATION = 0x30
    BAUD_RATE = 0x34
    SIGNATURE = 0x3A
    AREA_INFO = 0x3B

    @property
    def text(self) -> str:
        """The command in words."""
        return self.name.lower().replace("_", " ")


class Status(OpenEnum):
    """What the loader answers; `text`: in words, with what to do."""

    OK = 0x00
    UNSUPPORTED = 0xC0
    PACKET = 0xC1
    CHECKSUM = 0xC2
    FLOW = 0xC3
    ADDRESS = 0xD0
    BAUD_MARGIN = 0xD4
    PROTECTED = 0xDA
    ID_MISMATCH = 0xDB
    SERIAL_DISABLED = 0xDC
    ERASE_FAILED = 0xE1
    WRITE_FAILED = 0xE2
    SEQUENCER = 0xE7

    @property
    def text(self) -> str:
        """The status in words."""
        return _STATUS_TEXTS.get(self.value, "a status that is not documented")


_STATUS_TEXTS = {
    0x00: "done",
    0xC0: "the boot loader does not know this command",
    0xC1: "the packet arrived damaged (length or end): noise on the UART? try again",
    0xC2: "the packet arrived damaged (checksum): noise on the UART? try again",
    0xC3: "this packet was not expected now: the controller and the tool lost step, try again",
    0xD0: "the address is outside of the flash or not on the border of a block",
    0xD4: "the boot loader cannot make this baud rate",
    0xDA: "the flash is protected against this (access window or security setting of the chip)",
    0xDB: "the chip wants another ID code before it can be programmed",
    0xDC: "serial programming is disabled in this chip for good",
    0xE1: "the flash could not be erased: try again; if it stays, the chip is worn or damaged",
    0xE2: "the flash could not be written: try again; if it stays, the chip is worn or damaged",
    0xE7: "the flash sequencer failed: reset the controller and try again",
}


class AreaKind(OpenEnum):
    """What an area of the flash is for."""

    CODE = 0
    DATA = 1
    CONFIG = 2


class Packet(NamedTuple):
    """A packet that arrived whole."""

    start: int
    code: int
    """COM of a command, RES of data and status."""
    data: bytes


class Damaged(NamedTuple):
    """Something arrived that is no packet."""

    status: Status
    what: str


def checksum(data: bytes) -> int:
    """Two's complement of the 8-bit sum."""
    return -sum(data) & 0xFF


def _packet(start: int, code: int, data: bytes) -> bytes:
    if len(data) > DATA_LIMIT:
        raise ValueError(f"{len(data)} bytes do not fit into a packet")
    body = struct.pack(">HB", 1 + len(data), code) + data
    return bytes((start,)) + body + bytes((checksum(body), ETX))


def command(code: int, data: bytes = b"") -> bytes:
    """Return a command."""
    return _packet(SOD_COMMAND, code, data)


def data_packet(code: int, data: bytes) -> bytes:
    """Return a data packet for `code`."""
    return _packet(SOD_DATA, code, data)


def status_packet(code: int, status: int = Status.OK) -> bytes:
    """Return a status for `code`: OK, or an error with bit 7 set."""
    return _packet(SOD_DATA, code if status == Status.OK else code | ERROR_BIT, bytes((status,)))


def address_range(start: int, end: int) -> bytes:
    """Data of erase, write and read: both addresses, the last one included."""
    return struct.pack(">II", start, end)


class Signature(NamedTuple):
    """Answer to SIGNATURE (length 0x0D)."""

    clock_Hz: int
    """SCI: the operating clock that the rate is derived from."""
    max_baud: int
    """RMB: recommended highest baud rate."""
    areas: int
    """NOA: number of areas."""
    kind: int
    """TYP: type of the device."""
    loader_major: int
    loader_minor: int

    @classmethod
    def unpack(cls, data: bytes) -> Signature:
        """Read the data; raises ValueError when the length is wrong."""
        return cls(*_unpack(_SIGNATURE, data))

    def pack(self) -> bytes:
        """Return the data."""
        return _SIGNATURE.pack(*self)


class Area(NamedTuple):
    """Answer to AREA_INFO (length 0x12)."""

    kind: AreaKind
    start: int
    end: int
    """Last address, included."""
    erase_unit: int
    """Bytes that are erased together; 0: the area cannot be erased."""
    write_unit: int
    """Bytes that are written together."""

    @property
    def size(self) -> int:
        """Number of bytes."""
        return self.end - self.start + 1

    @classmethod
    def unpack(cls, data: bytes) -> Area:
        """Read the data; raises ValueError when the length or an address is wrong."""
        kind, *rest = _unpack(_AREA, data)
        area = cls(AreaKind(kind), *rest)
        if area.end < area.start:
            raise ValueError(f"area from 0x{area.start:X} to 0x{area.end:X}")
        return area

    def pack(self) -> bytes:
        """Return the data."""
        return _AREA.pack(*self)


_SIGNATURE = struct.Struct(">IIBBBB")
_AREA = struct.Struct(">BIIII")


def _unpack(form: struct.Struct, data: bytes) -> tuple[int, ...]:
    if len(data) != form.size:
        raise ValueError(f"{len(data)} data bytes instead of {form.size}")
    return form.unpack(data)


class Packets:
    """Finds packets in a stream of bytes, however they are cut; bytes before a start are dropped."""

    def __init__(self, *starts: int) -> None:
        self._starts = starts
        self._kept = b""

    def reset(self) -> None:
        """Forget an unfinished packet."""
        self._kept = b""

    def feed(self, data: bytes) -> list[Packet | Damaged]:
        """Take bytes; return what they complete. After damage everything that is there is dropped: both sides wait."""
        self._kept += data
        found: list[Packet | Damaged] = []
        while True:
            at = next((i for i, byte in enumerate(self._kept) if byte in self._starts), None)
            self._kept = b"" if at is None else self._kept[at:]
            if len(self._kept) < 3:
                return found
            length = int.from_bytes(self._kept[1:3], "big")
            if not 1 <= length <= DATA_LIMIT + 1:
                found.append(Damaged(Status.PACKET, f"a packet of length {length}"))
                self._kept = b""
                return found
            size = length - 1 + _FRAME_BYTES
            if len(self._kept) < size:
                return found
            packet, self._kept = self._kept[:size], self._kept[size:]
            if packet[-1] != ETX:
                found.append(Damaged(Status.PACKET, f"a packet that ends with 0x{packet[-1]:02X}"))
            elif checksum(packet[1:-2]) != packet[-2]:
                found.append(Damaged(Status.CHECKSUM, "a packet with a wrong checksum"))
            else:
                found.append(Packet(packet[0], packet[3], packet[4:-2]))
                continue
            self._kept = b""
            return found
