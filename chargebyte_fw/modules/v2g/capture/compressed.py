"""Reads gzip (RFC 1952) while it arrives, as far as it goes: a file that breaks off is read up to there."""

from __future__ import annotations

import io
import zlib
from typing import Any, BinaryIO

MAGIC = b"\x1f\x8b"
_CHUNK_OCTETS = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Unzipped(io.RawIOBase):
    """The content of a gzip file of one or several members. `damage`: why it ends before its end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._member = zlib.decompressobj(_GZIP)
        self._begun = False
        self._left = b""
        self.damage = ""

    def readable(self) -> bool:
        """Return true."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some content; 0 at the end, whether it is one or a break."""
        room = memoryview(buffer).cast("B")
        while not self.damage:
            octets = self._left or self._file.read(_CHUNK_OCTETS)
            if not octets:
                self.damage = "the gzip stream is cut off" if self._begun else ""
                return 0
            if self._member.eof:
                self._member = zlib.decompressobj(_GZIP)
            self._begun = True
            try:
                content = self._member.decompress(octets, len(room))
            except zlib.error as error:
                self.damage = f"the gzip stream is damaged ({error})"
                return 0
            self._left = self._member.unconsumed_tail or self._member.unused_data
            if self._member.eof:
                self._begun = False
                # tar and dd fill up with zeros.
                self._left = self._left.lstrip(b"\0")
            if content:
                room[: len(content)] = content
                return len(content)
        return 0
