"""Firmware images: the information block in them, and whether a file fits a board.

The block lies 0x3E0 bytes after the start, 32 bytes, little-endian, between two markers. Its checksum is a CRC-32 with
polynomial 0x04C11DB7 that starts with all ones, is not inverted and not reflected, over the whole image as
little-endian 32-bit words, leaving out the word that holds it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from chargebyte_fw.board.link.messages.charge_som import Application, Platform

INFO_AT = 0x3E0
INFO_BYTES = 32
MARKER = 0xCAFEBABE
_CRC_AT = INFO_AT + 8
_FORM = struct.Struct("<IIIBBBQBBHBI")
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class BadImage(Exception):
    """A file that must not be flashed, and why."""


@dataclass(frozen=True, slots=True)
class Info:
    """The information block of an image."""

    size: int
    """Bytes of the whole image."""
    crc: int
    version: tuple[int, int, int]
    git_hash: int
    platform: Platform
    application: Application
    parameter_version: int
    """Version of the parameter block that this firmware needs; with another one it goes to its safe state at once."""

    @property
    def version_text(self) -> str:
        """`0.3.1`."""
        return ".".join(str(number) for number in self.version)

    @property
    def git_text(self) -> str:
        """Sixteen hexadecimal digits."""
        return f"{self.git_hash:016x}"

    @property
    def text(self) -> str:
        """The firmware in one line."""
        kind = f"{self.platform.text}, {self.application.text}, parameter version {self.parameter_version}"
        return f"{self.version_text} (g{self.git_text}, {kind})"

    def pack(self) -> bytes:
        """Return the 32 bytes of the block."""
        return _FORM.pack(
            MARKER, self.size, self.crc, *self.version, self.git_hash, self.platform, self.application,
            self.parameter_version, 0, MARKER,
        )  # fmt: skip


def read_info(block: bytes) -> Info | None:
    """Read the 32 bytes of an information block; None when it is none."""
    if len(block) != INFO_BYTES:
        return None
    start, size, crc, major, minor, build, git, platform, application, parameters, _, end = _FORM.unpack(block)
    if start != MARKER or end != MARKER:
        return None
    return Info(
        size, crc, (major, minor, build), git, Platform(platform), Application(application), parameters
    )  # fmt: skip


def info_of(image: bytes) -> Info | None:
    """Read the information block of an image; None when there is none."""
    return read_info(image[INFO_AT : INFO_AT + INFO_BYTES])


def checksum(image: bytes) -> int:
    """Return the CRC of an image, without its block's; the length must be a multiple of four."""
    covered = image[:_CRC_AT] + image[_CRC_AT + 4 :]
    words = struct.unpack(f"<{len(covered) // 4}I", covered)
    mirrored = struct.pack(f">{len(words)}I", *words).translate(_MIRRORED)
    return int(f"{zlib.crc32(mirrored) ^ 0xFFFFFFFF:032b}"[::-1], 2)


def check(image: bytes) -> Info:
    """Return the information block of an image; raises BadImage for one that is not whole or is damaged."""
    if not image:
        raise BadImage("the file is empty")
    if len(image) < INFO_AT + INFO_BYTES:
        raise BadImage(f"no firmware of a safety controller: {len(image)} bytes are too few for its information block")
    info = info_of(image)
    if info is None:
        raise BadImage(f"no firmware of a safety controller: there is no information block at 0x{INFO_AT:X}")
    if len(image) < info.size:
        raise BadImage(f"the file is truncated: it has {len(image)} bytes, the firmware is {info.size} bytes long")
    if len(image) > info.size:
        raise BadImage(f"the file has {len(image) - info.size} bytes after the {info.size} bytes of the firmware")
    if info.size % 4:
        raise BadImage(f"the firmware's size of {info.size} bytes is no multiple of four")
    crc = checksum(image)
    if crc != info.crc:
        raise BadImage(f"the file is damaged: its CRC is 0x{crc:08X}, the firmware's is 0x{info.crc:08X}")
    return info


def check_fits(info: Info, platform: Platform | None, area_bytes: int, write_unit: int) -> None:
    """Refuse an image for another board or chip; `platform` None: the board is not known. Raises BadImage."""
    if platform is not None and info.platform != platform:
        raise BadImage(f"the firmware is for {info.platform.text}, this is a {platform.text}")
    check_size(info.size, area_bytes, write_unit)


def check_size(size: int, area_bytes: int, write_unit: int) -> None:
    """Refuse what does not fit into an area; raises BadImage."""
    if size == 0:
        raise BadImage("the file is empty")
    if size > area_bytes:
        raise BadImage(f"{size} bytes do not fit into the {area_bytes} bytes of the area")
    if write_unit and size % write_unit:
        raise BadImage(f"{size} bytes are no multiple of the {write_unit} bytes that the chip writes together")


def seal(code: bytes, info: Info) -> bytes:
    """Return `code` as an image with the block `info`, the right size and CRC (for tools and tests)."""
    body = bytearray(code.ljust(INFO_AT + INFO_BYTES, b"\xff"))
    body.extend(b"\xff" * (-len(body) % 4))

    def put(crc: int) -> bytes:
        block = Info(
            len(body), crc, info.version, info.git_hash, info.platform, info.application, info.parameter_version
        )
        body[INFO_AT : INFO_AT + INFO_BYTES] = block.pack()
        return bytes(body)

    return put(checksum(put(0)))
