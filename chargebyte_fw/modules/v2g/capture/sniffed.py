"""From packets to frames: follows connections, cuts V2GTP frames out of them, counts copies of a packet once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import sdp, v2gtp
from chargebyte_fw.modules.v2g.capture import packets
from chargebyte_fw.modules.v2g.capture.files import CaptureError, Packet
from chargebyte_fw.modules.v2g.capture.files import packets as read_packets
from chargebyte_fw.modules.v2g.capture.packets import Datagram, Homeplug, Segment, endpoint
from chargebyte_fw.modules.v2g.capture.streams import Direction, Piece
from chargebyte_fw.modules.v2g.capture.traffic import HomeplugFrame, Item, Origin, Trouble, V2gFrame, of_octets

BEGINNING = bytes((v2gtp.VERSION, v2gtp.VERSION ^ 0xFF))
TLS_HANDSHAKE = b"\x16\x03"
COPIES_S = 5.0
"""Copies of a packet that a capture of all interfaces makes are never further apart."""
AT_ONCE_S = 0.002
"""No car and no charger sends the same twice within this time."""


@dataclass(frozen=True, slots=True)
class Decrypted:
    """What another program decrypted of the TLS connections in a capture."""

    octets: Mapping[int, bytes] = field(default_factory=dict)
    """By the number of the packet that completed them."""
    connections: frozenset[frozenset[str]] = frozenset()
    """By their ends: those of which something was decrypted."""


def of_capture(file: BinaryIO, name: str, decrypted: Decrypted | None = None) -> Iterator[Item]:
    """Yield the frames of a capture; raises CaptureError where the file breaks off, after everything before it."""
    sniffer = Sniffer(decrypted)
    last: Packet | None = None
    unknown: set[int] = set()
    try:
        for packet in read_packets(file, name):
            last = packet
            if not packets.is_known(packet.link_type) and packet.link_type not in unknown:
                unknown.add(packet.link_type)
                yield Trouble(
                    Origin(f"packet {packet.number}", packet.time_s), f"packets of link type {packet.link_type}"
                )
            yield from sniffer.feed(packet)
    except CaptureError:
        if last is not None:
            # That the last frame is incomplete is known then.
            yield from (item for item in sniffer.close(last) if not isinstance(item, Trouble))
        raise
    if last is not None:
        yield from sniffer.close(last)


class Sniffer:
    """Takes packets, returns what they complete."""

    def __init__(self, decrypted: Decrypted | None = None) -> None:
        self._decrypted = decrypted or Decrypted()
        self._connections: dict[frozenset[str], dict[str, _Flow]] = {}
        self._copies = _Copies()

    def feed(self, packet: Packet) -> list[Item]:
        """Take one packet."""
        found = packets.dissect(packet)
        if isinstance(found, Segment):
            return self._segment(found)
        if isinstance(found, Datagram):
            return self._datagram(found)
        if isinstance(found, Homeplug):
            return self._homeplug(found)
        return []

    def close(self, packet: Packet) -> list[Item]:
        """Take the end of the capture."""
        items: list[Item] = []
        for flows in self._connections.values():
            for flow in flows.values():
                items += flow.close(packet)
        return items

    def _segment(self, segment: Segment) -> list[Item]:
        ends = frozenset((segment.source, segment.destination))
        flows = self._connections.setdefault(ends, {})
        flow = flows.get(segment.source)
        items: list[Item] = []
        if flow is not None and segment.flags & packets.SYN and flow.is_another(segment):
            # The same ports once more.
            items = [item for old in flows.values() for item in old.close(segment.packet)]
            flows.clear()
            flow = None
        if flow is None:
            flow = flows[segment.source] = _Flow(segment, ends in self._decrypted.connections)
        items += flow.feed(segment)
        items += flow.decrypted(segment.packet, self._decrypted.octets.get(segment.packet.number, b""))
        other = flows.get(segment.destination)
        if other is not None and segment.flags & packets.ACK:
            items += other.acknowledged(segment)
        return items

    def _datagram(self, datagram: Datagram) -> list[Item]:
        if sdp.PORT not in (datagram.source_port, datagram.destination_port):
            return []
        source = endpoint(datagram.source, datagram.source_port)
        destination = endpoint(datagram.destination, datagram.destination_port)
        content = f"{source} {destination} ".encode() + datagram.data
        if self._copies.has(content, datagram.channel, datagram.packet.time_s):
            return []
        return [of_octets(datagram.data, _origin(datagram.packet, source, destination))]

    def _homeplug(self, found: Homeplug) -> list[Item]:
        # On its way out a short frame is not yet padded.
        if self._copies.has(found.frame.rstrip(b"\0"), found.channel, found.packet.time_s):
            return []
        source, destination = found.frame[6:12].hex(":"), found.frame[:6].hex(":")
        destination = "" if found.frame[:6] == packets.NO_ADDRESS else destination
        return [HomeplugFrame(_origin(found.packet, source, destination), found.frame)]


def _origin(packet: Packet, source: str, destination: str, conversation: object = None) -> Origin:
    return Origin(f"packet {packet.number}", packet.time_s, source, destination, conversation)


class _Copies:
    """Distinguishes a further copy of a packet from the same message sent again.

    A copy comes by another channel, or by the same one (two interfaces that a cooked capture does not distinguish) at
    once.
    """

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[float, dict[tuple[int, ...], int]]] = {}

    def has(self, content: bytes, channel: tuple[int, ...], time_s: float) -> bool:
        last, counts = self._seen.get(content, (time_s, {}))
        if time_s - last > COPIES_S:
            counts = {}
        if len(channel) > 1 and channel in counts and time_s - last < AT_ONCE_S:
            return True
        known = max(counts.values(), default=0)
        counts[channel] = counts.get(channel, 0) + 1
        self._seen[content] = (time_s, counts)
        return counts[channel] <= known


class _Flow:
    """One direction of a connection: its octets in order, V2GTP frames cut out of them."""

    def __init__(self, segment: Segment, is_decrypted: bool = False) -> None:
        self._names = segment.source, segment.destination
        self._is_decrypted = is_decrypted
        self._began = segment.sequence if segment.flags & packets.SYN else None
        self._from_start = self._began is not None
        self._direction = Direction()
        self._buffer = bytearray()
        self._kind = ""
        """`v2g`, `tls`, `other`; empty while it is not known."""

    def is_another(self, segment: Segment) -> bool:
        """Return whether this is the first segment of a new connection, not this one's repeated."""
        return self._began != segment.sequence

    def feed(self, segment: Segment) -> list[Item]:
        return self._pieces(self._direction.feed(segment))

    def decrypted(self, packet: Packet, octets: bytes) -> list[Item]:
        """Take what was in the TLS records that a packet completed."""
        if self._kind != "tls" or not octets:
            return []
        self._buffer += octets
        return list(self._frames(packet, self._origin(packet)))

    def acknowledged(self, segment: Segment) -> list[Item]:
        return self._pieces(self._direction.acknowledged(segment.acknowledged, segment.packet))

    def close(self, packet: Packet) -> list[Item]:
        """Give up holes; report a frame that was begun and not ended."""
        items: list[Item] = []
        while self._direction.is_waiting:
            items += self._pieces(self._direction.give_up(packet))
        if self._kind in ("v2g", "tls") and self._buffer:
            items.append(Trouble(self._origin(packet), f"the last {len(self._buffer)} octets are no whole frame"))
        self._buffer.clear()
        return items

    def _origin(self, packet: Packet) -> Origin:
        return _origin(packet, *self._names, frozenset(self._names))

    def _pieces(self, pieces: list[Piece]) -> list[Item]:
        return [item for piece in pieces for item in self._piece(piece)]

    def _piece(self, piece: Piece) -> Iterator[Item]:
        origin = self._origin(piece.packet)
        if piece.lost and self._kind in ("", "v2g"):
            if self._kind:
                yield Trouble(origin, f"{piece.lost} octets before this were not captured")
            self._buffer.clear()
            self._kind, self._from_start = "", False
        if not self._kind:
            yield from self._recognize(piece, origin)
        if self._kind == "v2g":
            self._buffer += piece.data
            yield from self._frames(piece.packet, origin)

    def _recognize(self, piece: Piece, origin: Origin) -> Iterator[Item]:
        """Recognize a stream by its beginning; one that is joined midway, by the first beginning of a frame."""
        if piece.data.startswith(BEGINNING[: len(piece.data)]):
            self._kind = "v2g"
        elif piece.data.startswith(TLS_HANDSHAKE):
            self._kind = "tls"
            if not self._is_decrypted:
                yield Trouble(origin, "this connection is encrypted (TLS) from here on", is_error=False)
        elif self._from_start:
            self._kind = "other"

    def _frames(self, packet: Packet, origin: Origin) -> Iterator[Item]:
        while len(self._buffer) >= v2gtp.HEADER_BYTES:
            try:
                payload_type, length = v2gtp.parse_header(bytes(self._buffer[: v2gtp.HEADER_BYTES]))
            except PeerError as error:
                yield Trouble(origin, str(error))
                self._buffer.clear()
                self._kind, self._from_start = "", False
                return
            end = v2gtp.HEADER_BYTES + length
            if len(self._buffer) < end:
                return
            yield V2gFrame(origin, payload_type, bytes(self._buffer[v2gtp.HEADER_BYTES : end]))
            del self._buffer[:end]
