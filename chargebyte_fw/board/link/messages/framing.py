"""Twelve bytes a frame: SOF, COM id, eight payload bytes, CRC-8, EOF. No escaping, no sequence number, no answer.

SOF and EOF may occur inside a payload, so a frame counts only when SOF, EOF and CRC all fit; after a false SOF the
search goes on one byte later, so that a frame right behind noise is never lost.
"""

from __future__ import annotations

from typing import NamedTuple

from chargebyte_fw.board.link.messages.declaration import Message

SOF = 0xA5
EOF = 0x03
FRAME_BYTES = 12
_CRC_AT = 10
_EOF_AT = 11


def _table(polynomial: int) -> tuple[int, ...]:
    entries = []
    for value in range(256):
        for _ in range(8):
            value = ((value << 1) ^ polynomial if value & 0x80 else value << 1) & 0xFF
        entries.append(value)
    return tuple(entries)


_CRC_TABLE = _table(0x1D)


def crc8(data: bytes | bytearray | memoryview) -> int:
    """CRC-8/SAE-J1850: polynomial 0x1D, start 0xFF, result inverted."""
    crc = 0xFF
    for byte in data:
        crc = _CRC_TABLE[crc ^ byte]
    return crc ^ 0xFF


class Frame(NamedTuple):
    """What a frame carries."""

    com_id: int
    payload: bytes


def encode(com_id: int, payload: bytes) -> bytes:
    """Return the twelve bytes of a frame."""
    body = bytes((com_id,)) + payload
    return bytes((SOF,)) + body + bytes((crc8(body), EOF))


def encode_message(message: Message) -> bytes:
    """Return the twelve bytes that carry `message`."""
    return encode(message.com_id, message.payload())


class Receiver:
    """Finds frames in a stream of bytes, however they are cut. Keeps at most one unfinished frame."""

    def __init__(self) -> None:
        self.discarded_bytes = 0
        self.bad_frames = 0
        """How often SOF and EOF were in place and the CRC was wrong."""
        self._kept = b""
        self._last_chunk = b""
        self._last_frames: tuple[Frame, ...] = ()

    def reset(self) -> None:
        """Forget an unfinished frame (the port was opened anew)."""
        self._kept = b""

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes as they come; return the frames that they complete."""
        if not self._kept:
            # The periodic frames repeat for minutes: a chunk known to be good need not be checked again.
            if data == self._last_chunk:
                return list(self._last_frames)
            frames = self._scan(data)
            if not self._kept and frames and len(data) == FRAME_BYTES * len(frames):
                self._last_chunk, self._last_frames = data, tuple(frames)
            return frames
        return self._scan(self._kept + data)

    def _scan(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        at = 0
        while True:
            start = data.find(SOF, at)
            if start < 0:
                self.discarded_bytes += len(data) - at
                self._kept = b""
                return frames
            self.discarded_bytes += start - at
            if len(data) - start < FRAME_BYTES:
                self._kept = data[start:]
                return frames
            if data[start + _EOF_AT] == EOF:
                if crc8(data[start + 1 : start + _CRC_AT]) == data[start + _CRC_AT]:
                    frames.append(Frame(data[start + 1], data[start + 2 : start + _CRC_AT]))
                    at = start + FRAME_BYTES
                    continue
                self.bad_frames += 1
            self.discarded_bytes += 1
            at = start + 1
