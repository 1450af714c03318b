"""A trace as a pcap file: SLAC frames as recorded, SDP and V2G in packets made up around the messages.

The recorder sees what an application sees, so that IPv6, UDP and TCP below it are made up here, with the recorded
addresses, correct lengths, sequence numbers and checksums. Times are the wall clock's, by the head of the trace.
"""

from __future__ import annotations

import ipaddress
import re
import struct
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.trace_view import wall_of
from chargebyte_fw.kernel.trace import Entry

LINKTYPE_ETHERNET = 1
SNAP_OCTETS = 65_535
ETHERTYPE_IPV6 = 0x86DD
TCP, UDP = 6, 17
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
SEGMENT_OCTETS = 1440
WINDOW = 65_535
SDP_PORT = 15118
V2G_PORT = 61341
_ALL_NODES = ipaddress.IPv6Address("ff02::1")
_CAR = ipaddress.IPv6Address("fe80::ca2")
_CHARGER = ipaddress.IPv6Address("fe80::5ecc")
_CAR_PORT = 49152
_PLACE = re.compile(r"([0-9a-fA-F:]+)(?:%\S+)?(?: port (\d+))?")


def write_pcap(entries: Sequence[Entry], target: Path) -> int:
    """Write the file (`-`: standard output); returns the number of packets. Raises OSError."""
    wall = wall_of(entries)
    octets = bytearray(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, SNAP_OCTETS, LINKTYPE_ETHERNET))
    count = 0
    for t_s, frame in packets(entries):
        at_us = max(0, round(wall(t_s).timestamp() * 1e6))
        octets += struct.pack("<IIII", at_us // 1_000_000, at_us % 1_000_000, len(frame), len(frame)) + frame
        count += 1
    if target == Path("-"):
        sys.stdout.buffer.write(octets)
    else:
        target.write_bytes(octets)
    return count


@dataclass
class Side:
    """One end of a connection."""

    address: ipaddress.IPv6Address
    port: int
    sequence: int = 1000
    closed: bool = False

    @property
    def mac(self) -> bytes:
        """The address of its interface: the one its link-local address was made of, or one made of that."""
        last = self.address.packed[8:]
        if last[3:5] == b"\xff\xfe":
            return bytes((last[0] ^ 0x02, *last[1:3], *last[5:8]))
        return b"\x02\x00" + last[4:]


class Connection:
    """One TCP connection between a car and the charger."""

    def __init__(self, car: Side, charger: Side) -> None:
        self.car = car
        self.charger = charger

    def _segment(self, source: Side, flags: int, payload: bytes = b"") -> bytes:
        destination = self.charger if source is self.car else self.car
        options = struct.pack("!BBH", 2, 4, SEGMENT_OCTETS) if flags & SYN else b""
        acknowledged = destination.sequence if flags & ACK else 0
        offset = (20 + len(options)) // 4 << 4
        head = struct.pack(
            "!HHIIBBHHH", source.port, destination.port, source.sequence, acknowledged, offset, flags, WINDOW, 0, 0
        )
        source.sequence = (source.sequence + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFF_FFFF
        return _ipv6(source, destination, TCP, head + options + payload, checksum_at=16)

    def open(self) -> Iterator[bytes]:
        """The three-way handshake."""
        yield self._segment(self.car, SYN)
        yield self._segment(self.charger, SYN | ACK)
        yield self._segment(self.car, ACK)

    def send(self, source: Side, data: bytes) -> Iterator[bytes]:
        """What one side sends."""
        for at in range(0, len(data), SEGMENT_OCTETS):
            yield self._segment(source, PSH | ACK, data[at : at + SEGMENT_OCTETS])

    def close(self, first: Side) -> Iterator[bytes]:
        """Both sides close, this one first."""
        other = self.charger if first is self.car else self.car
        for side in (first, other):
            if not side.closed:
                side.closed = True
                yield self._segment(side, FIN | ACK)
        yield self._segment(first, ACK)

    def reset(self) -> Iterator[bytes]:
        """The charger lets go."""
        self.car.closed = self.charger.closed = True
        yield self._segment(self.charger, RST | ACK)


def packets(entries: Sequence[Entry]) -> Iterator[tuple[float, bytes]]:
    """Yield time and octets of each Ethernet frame, in the trace's order."""
    running: dict[str, Connection] = {}
    opened = 0
    for place, (t_s, kind, source, data) in enumerate(entries):
        module_id, _, side = source.rpartition(".")
        made: Iterator[bytes] | tuple[bytes, ...] = ()
        if kind == "slac" and isinstance(data, bytes):
            made = (data,)
        elif kind == "sdp" and isinstance(data, bytes):
            made = (_sdp(_sides(entries, place, module_id), side, data),)
        elif kind == "v2g" and isinstance(data, bytes):
            if module_id not in running:
                # The ring begins in the middle of a connection.
                running[module_id] = Connection(*_sides(entries, place, module_id))
            connection = running[module_id]
            made = connection.send(connection.car if side == "car" else connection.charger, data)
        elif kind == "conn" and isinstance(data, dict):
            opened += "opened" in data
            made = _event(running, source, data, _CAR_PORT + opened)
        for frame in made:
            yield t_s, frame


def _event(running: dict[str, Connection], source: str, data: dict[str, Any], port: int) -> Iterator[bytes]:
    connection = running.get(source)
    if "opened" in data:
        running[source] = connection = Connection(*_of_opening(data, port))
        yield from connection.open()
    elif connection is not None and "closed" in data:
        yield from connection.close(connection.car)
    elif connection is not None and "ended" in data:
        del running[source]
        if not connection.charger.closed:
            yield from connection.close(connection.charger)
    elif connection is not None and "replaced" in data:
        del running[source]
        yield from connection.reset()
    elif connection is not None and "lost" in data and not connection.charger.closed:
        yield from connection.reset()


def _sides(entries: Sequence[Entry], place: int, module_id: str) -> tuple[Side, Side]:
    """Return the ends of the next connection of this module: SDP comes before it, from the same car."""
    for _, kind, source, data in entries[place:]:
        if (kind, source) == ("conn", module_id) and isinstance(data, dict) and "opened" in data:
            return _of_opening(data)
    return Side(_CAR, _CAR_PORT), Side(_CHARGER, V2G_PORT)


def _of_opening(data: dict[str, Any], port: int = _CAR_PORT) -> tuple[Side, Side]:
    return _place(data.get("opened"), _CAR, port), _place(data.get("at"), _CHARGER, V2G_PORT)


def _place(text: Any, address: ipaddress.IPv6Address, port: int) -> Side:
    found = _PLACE.match(text) if isinstance(text, str) else None
    if found is None:
        return Side(address, port)
    try:
        address = ipaddress.IPv6Address(found[1])
    except ValueError:
        return Side(address, port)
    return Side(address, int(found[2] or port) & 0xFFFF)


def _sdp(sides: tuple[Side, Side], side: str, data: bytes) -> bytes:
    car, charger = sides
    asks = side == "car"
    source = Side(car.address, _CAR_PORT) if asks else Side(charger.address, SDP_PORT)
    destination = Side(_ALL_NODES, SDP_PORT) if asks else Side(car.address, _CAR_PORT)
    head = struct.pack("!HHHH", source.port, destination.port, 8 + len(data), 0)
    return _ipv6(source, destination, UDP, head + data, checksum_at=6)


def _ipv6(source: Side, destination: Side, protocol: int, segment: bytes, *, checksum_at: int) -> bytes:
    addresses = source.address.packed + destination.address.packed
    total = _checksum(addresses + struct.pack("!II", len(segment), protocol) + segment)
    # Zero would mean that there is none.
    checked = segment[:checksum_at] + struct.pack("!H", total or 0xFFFF) + segment[checksum_at + 2 :]
    multicast = destination.address.is_multicast
    mac = b"\x33\x33" + destination.address.packed[12:] if multicast else destination.mac
    head = mac + source.mac + struct.pack("!H", ETHERTYPE_IPV6)
    return head + struct.pack("!IHBB", 6 << 28, len(segment), protocol, 255 if multicast else 64) + addresses + checked


def _checksum(octets: bytes) -> int:
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
