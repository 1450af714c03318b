"""Parses packets: link layer, VLAN tags, IPv4 and IPv6, down to TCP segments, UDP datagrams and HomePlug MMEs.

Everything else, and what is fragmented or damaged, yields None.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from chargebyte_fw.modules.v2g.capture.files import Packet

ETHERNET = 1
LOOPBACK = (0, 108)
RAW_IP = (12, 14, 101, 228, 229)
COOKED_V1 = 113
COOKED_V2 = 276
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)
IPV4 = 0x0800
IPV6 = 0x86DD
HOMEPLUG = 0x88E1
TCP = 6
UDP = 17
IPV6_EXTENSIONS = (0, 43, 60)
"""Hop-by-hop options, routing, destination options: a length in units of eight octets after the next header."""
SYN, ACK = 0x02, 0x10
NO_ADDRESS = bytes(6)


@dataclass(frozen=True, slots=True)
class Segment:
    """One TCP segment. `missing` octets at its end were not captured."""

    packet: Packet
    source: str
    destination: str
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram."""

    packet: Packet
    source: str
    destination: str
    source_port: int
    destination_port: int
    data: bytes
    channel: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Homeplug:
    """One HomePlug frame from the destination address on (zeros where a cooked capture does not keep it)."""

    packet: Packet
    frame: bytes
    channel: tuple[int, ...] = ()


def dissect(packet: Packet) -> Segment | Datagram | Homeplug | None:
    """Parse one packet; None when it is none of these."""
    try:
        return _dissect(packet)
    except (struct.error, IndexError):
        return None


def is_known(link_type: int) -> bool:
    """Return whether packets of a link type can be parsed."""
    return link_type in (ETHERNET, COOKED_V1, COOKED_V2, *RAW_IP, *LOOPBACK)


def _dissect(packet: Packet) -> Segment | Datagram | Homeplug | None:
    data = packet.data
    addresses = NO_ADDRESS * 2
    # In a capture of all interfaces one packet shows up once each: `channel` distinguishes these copies.
    channel: tuple[int, ...] = (packet.interface,)
    if packet.link_type == ETHERNET:
        addresses, kind, start = data[:12], _word(data, 12), 14
    elif packet.link_type == COOKED_V1:
        direction, _, length = struct.unpack_from(">HHH", data)
        addresses = NO_ADDRESS + (data[6:12] if length == 6 else NO_ADDRESS)
        channel, kind, start = (packet.interface, direction), _word(data, 14), 16
    elif packet.link_type == COOKED_V2:
        kind, _, index, _, direction, length = struct.unpack_from(">HHIHBB", data)
        addresses = NO_ADDRESS + (data[12:18] if length == 6 else NO_ADDRESS)
        channel, start = (packet.interface, index, direction), 20
    elif packet.link_type in RAW_IP or packet.link_type in LOOPBACK:
        start = 4 if packet.link_type in LOOPBACK else 0
        kind = {4: IPV4, 6: IPV6}.get(data[start] >> 4, 0)
    else:
        return None
    while kind in VLAN_TAGS:
        kind, start = _word(data, start + 2), start + 4
    if kind == HOMEPLUG:
        return Homeplug(packet, addresses + HOMEPLUG.to_bytes(2, "big") + data[start:], channel)
    if kind == IPV4:
        return _ipv4(packet, data[start:], channel)
    return _ipv6(packet, data[start:], channel) if kind == IPV6 else None


def _word(data: bytes, at: int) -> int:
    (value,) = struct.unpack_from(">H", data, at)
    return int(value)


def _ipv4(packet: Packet, data: bytes, channel: tuple[int, ...]) -> Segment | Datagram | None:
    head, _, length, _, fragment, _, protocol = struct.unpack_from(">BBHHHBB", data)
    start = 4 * (head & 15)
    if head >> 4 != 4 or start < 20 or fragment & 0x3FFF:
        return None
    ends = str(ipaddress.IPv4Address(data[12:16])), str(ipaddress.IPv4Address(data[16:20]))
    # A length of zero: the network card was to cut the packet (segmentation offload).
    return _transport(packet, protocol, data[start:], (length or len(data)) - start, ends, channel)


def _ipv6(packet: Packet, data: bytes, channel: tuple[int, ...]) -> Segment | Datagram | None:
    head, length, protocol = struct.unpack_from(">IHB", data)
    if head >> 28 != 6 or len(data) < 40:
        return None
    ends = str(ipaddress.IPv6Address(data[8:24])), str(ipaddress.IPv6Address(data[24:40]))
    end, start = 40 + (length or len(data) - 40), 40
    while protocol in IPV6_EXTENSIONS:
        protocol, start = data[start], start + 8 * (data[start + 1] + 1)
    return _transport(packet, protocol, data[start:], end - start, ends, channel)


def _transport(
    packet: Packet, protocol: int, data: bytes, length: int, ends: tuple[str, str], channel: tuple[int, ...]
) -> Segment | Datagram | None:
    missing = max(0, length - len(data))
    data = data[:length] if length >= 0 else b""
    if protocol == UDP:
        source, destination = struct.unpack_from(">HH", data)
        return Datagram(packet, *ends, source, destination, data[8:], channel) if not missing else None
    if protocol != TCP:
        return None
    source, destination, sequence, acknowledged, offset, flags = struct.unpack_from(">HHIIBB", data)
    start = 4 * (offset >> 4)
    if not 20 <= start <= len(data):
        return None
    names = endpoint(ends[0], source), endpoint(ends[1], destination)
    return Segment(packet, *names, sequence, acknowledged, flags, data[start:], missing)


def endpoint(address: str, port: int) -> str:
    """Return address and port as one text: `[fe80::1]:61341`, `192.168.1.2:61341`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
