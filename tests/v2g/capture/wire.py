"""Packets and capture files as tests need them: every link layer, IP version and file format, written by hand."""

from __future__ import annotations

import ipaddress
import json
import struct
from collections.abc import Sequence
from pathlib import Path

CAPTURES = Path(__file__).parents[2] / "captures"
SESSION = CAPTURES / "v2g/iso2-dc-session.pcap"
CAR, CHARGER = "fe80::1", "fe80::2"
CAR_MAC, CHARGER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SYN, PSH, ACK = 2, 8, 16
ETHERNET, RAW, COOKED_V1, COOKED_V2, NULL = 1, 101, 113, 276, 0


def frames(protocol: str = "iso15118-2", session: str = "everest-iso15118-2-dc-forward") -> list[bytes]:
    """Return the recorded V2GTP frames of one session."""
    lines = (CAPTURES / "v2g/recorded-frames.jsonl").read_text("utf-8").splitlines()
    entries = [json.loads(line) for line in lines]
    return [
        bytes.fromhex(e["frame"]) for e in entries if e["protocol"] == protocol and e.get("session", session) == session
    ]


def tcp(
    source: tuple[str, int],
    destination: tuple[str, int],
    sequence: int,
    data: bytes = b"",
    flags: int = PSH | ACK,
    acknowledged: int = 0,
) -> bytes:
    """Return an IP packet with a TCP segment."""
    head = struct.pack(
        ">HHIIBBHHH",
        source[1],
        destination[1],
        sequence % 2**32,
        acknowledged % 2**32,
        8 << 4,
        flags,
        64,
        0,
        0,
    )
    return ip(source[0], destination[0], 6, head + bytes(12) + data)


def udp(source: tuple[str, int], destination: tuple[str, int], data: bytes) -> bytes:
    """Return an IP packet with a datagram."""
    head = struct.pack(">HHHH", source[1], destination[1], 8 + len(data), 0)
    return ip(source[0], destination[0], 17, head + data)


def ip(source: str, destination: str, protocol: int, data: bytes) -> bytes:
    """Return an IPv4 or IPv6 packet."""
    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if a.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(data), protocol, 64) + a.packed + b.packed + data
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, protocol, 0) + a.packed + b.packed + data


def link(packet: bytes, link_type: int, vlans: Sequence[int] = (), direction: int = 0, index: int = 2) -> bytes:
    """Put a link layer around an IP packet, or around an MME (which begins with its MMV, so not with 0x45 or 0x6?)."""
    kind = {4: 0x0800, 6: 0x86DD}.get(packet[0] >> 4, 0x88E1)
    kinds = [*vlans, kind]
    tags = b"".join(struct.pack(">HH", 7, following) for following in kinds[1:])
    match link_type:
        case 1:
            return CHARGER_MAC + CAR_MAC + struct.pack(">H", kinds[0]) + tags + packet + bytes(max(0, 46 - len(packet)))
        case 113:
            return (
                struct.pack(">HHH", direction, 1, 6) + CAR_MAC + bytes(2) + struct.pack(">H", kinds[0]) + tags + packet
            )
        case 276:
            head = struct.pack(">HHIHBB", kinds[0], 0, index, 1, direction, 6)
            return head + CAR_MAC + bytes(2) + tags + packet
        case 0:
            return struct.pack("<I", 10) + packet
    return packet


def pcap(
    packets: Sequence[bytes],
    link_type: int = ETHERNET,
    order: str = "<",
    nanoseconds: bool = False,
    step_s: float = 0.1,
) -> bytes:
    """Return a pcap file; packets are `step_s` apart."""
    parts = 10**9 if nanoseconds else 10**6
    file = struct.pack(order + "IHHiIII", 0xA1B23C4D if nanoseconds else 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    for number, packet in enumerate(packets):
        ticks = round((1_700_000_000 + number * step_s) * parts)
        file += struct.pack(order + "IIII", ticks // parts, ticks % parts, len(packet), len(packet)) + packet
    return file


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """Return a pcapng block."""
    body += bytes(-len(body) % 4)
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    """Return a pcapng section header."""
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type: int = ETHERNET, order: str = "<", resolution: int | None = None, offset_s: int = 0) -> bytes:
    """Return a pcapng interface description."""
    options = b"" if resolution is None else struct.pack(order + "HHB3x", 9, 1, resolution)
    options += struct.pack(order + "HHq", 14, 8, offset_s) if offset_s else b""
    return block(1, struct.pack(order + "HHI", link_type, 0, 0) + options + (bytes(4) if options else b""), order)


def enhanced(packet: bytes, ticks: int, order: str = "<", face: int = 0) -> bytes:
    """Return a pcapng packet."""
    head = struct.pack(order + "IIIII", face, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, head + packet, order)


def conversation(
    exchanged: Sequence[bytes], first: int = 1000, size: int = 10_000, car: tuple[str, int] = (CAR, 50000)
) -> list[bytes]:
    """Return the IP packets of one connection: requests and responses in turn, cut into segments of `size` octets."""
    charger = ("192.168.0.2" if "." in car[0] else CHARGER, 61341)
    at = {car: first, charger: 7 * first}
    packets = [
        tcp(car, charger, at[car], flags=SYN),
        tcp(charger, car, at[charger], flags=SYN | ACK, acknowledged=at[car] + 1),
    ]
    at = {end: sequence + 1 for end, sequence in at.items()}
    for number, frame in enumerate(exchanged):
        sender, receiver = (car, charger) if number % 2 == 0 else (charger, car)
        for start in range(0, len(frame), size):
            part = frame[start : start + size]
            packets.append(tcp(sender, receiver, at[sender], part, acknowledged=at[receiver]))
            at[sender] += len(part)
        packets.append(tcp(receiver, sender, at[receiver], flags=ACK, acknowledged=at[sender]))
    return packets
