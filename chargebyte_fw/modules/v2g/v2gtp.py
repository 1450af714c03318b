"""V2GTP: the header of eight bytes before every message, and a receiver that cuts a byte stream into frames.

ISO 15118-2 clause 7.8.3: version 0x01, its inverse, payload type and length (big endian).
"""

from __future__ import annotations

import struct

import msgspec

from chargebyte_fw.kernel.errors import PeerError

VERSION = 0x01
HEADER_BYTES = 8
MAX_PAYLOAD_BYTES = 8184
"""A frame of more than 8 kB is no message of DIN 70121 or ISO 15118-2, and no handshake."""
MAX_ISO20_PAYLOAD_BYTES = 65_528
"""ISO 15118-20: two chains of four certificates have 13 kB, the longest power profile for three phases has 36 kB."""

EXI_DIN_ISO2 = 0x8001
"""Handshake of every protocol, and all messages of DIN 70121 and ISO 15118-2."""
EXI_ISO20_MAIN = 0x8002
"""ISO 15118-20, CommonMessages (table 12)."""
EXI_ISO20_AC = 0x8003
EXI_ISO20_DC = 0x8004
EXI_ISO20_ACDP = 0x8005
EXI_ISO20_WPT = 0x8006
EXI_ISO20_AC_DER_IEC = 0x8010
"""ISO 15118-20 Amendment 1."""
EXI_ISO20_AC_DER_SAE = 0x8011
EXI_ISO20_SCHEDULE_RENEGOTIATION = 0x8101
"""A stream of CommonMessages beside the charge loop."""
EXI_ISO20_METERING_CONFIRMATION = 0x8102
EXI_ISO20_ACDP_SYSTEM_STATUS = 0x8103
EXI_ISO20_PARKING_STATUS = 0x8104
EXI_ISO20 = range(EXI_ISO20_MAIN, 0x9000)
"""Payload types of ISO 15118-20."""
SDP_REQUEST = 0x9000
SDP_RESPONSE = 0x9001

_HEADER = struct.Struct(">BBHI")


class Frame(msgspec.Struct, frozen=True):
    """One V2GTP frame: payload type and payload."""

    payload_type: int
    payload: bytes

    def to_bytes(self) -> bytes:
        """Return the frame with its header."""
        return _HEADER.pack(VERSION, VERSION ^ 0xFF, self.payload_type, len(self.payload)) + self.payload


def parse_header(header: bytes) -> tuple[int, int]:
    """Return (payload type, payload length) of a header; raises PeerError."""
    version, inverse, payload_type, length = _HEADER.unpack_from(header)
    if version != VERSION or inverse != VERSION ^ 0xFF:
        raise PeerError("V2GTP", f"header {header[:HEADER_BYTES].hex()} is not version 1")
    longest = MAX_ISO20_PAYLOAD_BYTES if payload_type in EXI_ISO20 else MAX_PAYLOAD_BYTES
    if length > longest:
        raise PeerError("V2GTP", f"a payload of {length} bytes (at most {longest})")
    return payload_type, length


def parse_datagram(data: bytes) -> Frame:
    """Return the one frame that a datagram must be; raises PeerError."""
    if len(data) < HEADER_BYTES:
        raise PeerError("V2GTP", f"{len(data)} bytes are shorter than a header")
    payload_type, length = parse_header(data)
    if len(data) != HEADER_BYTES + length:
        raise PeerError("V2GTP", f"{len(data) - HEADER_BYTES} bytes of payload where the header says {length}")
    return Frame(payload_type, data[HEADER_BYTES:])


class Receiver:
    """Bytes as they come in, frames out. After a PeerError the stream is useless: close it."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes, return the frames they complete; raises PeerError for a header that is none."""
        self._buffer += data
        frames = []
        while len(self._buffer) >= HEADER_BYTES:
            payload_type, length = parse_header(bytes(self._buffer[:HEADER_BYTES]))
            end = HEADER_BYTES + length
            if len(self._buffer) < end:
                break
            frames.append(Frame(payload_type, bytes(self._buffer[HEADER_BYTES:end])))
            del self._buffer[:end]
        return frames
