"""The captured matches, frame by frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "captures" / "slac"
CAPTURES = ("slac-plcutils.pcap", "slac-everest-pev.pcap")


def frames(name: str) -> Iterator[bytes]:
    """Each Ethernet frame of a capture (classic pcap, little endian)."""
    data = (FOLDER / name).read_bytes()
    assert data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"), "not a little endian pcap"
    at = 24
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        yield data[at + 16 : at + 16 + length]
        at += 16 + length
