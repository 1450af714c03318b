"""Puts a TCP connection's octets back in order, one direction at a time: late, repeated and lost segments."""

from __future__ import annotations

from dataclasses import dataclass

from chargebyte_fw.modules.v2g.capture.files import Packet
from chargebyte_fw.modules.v2g.capture.packets import SYN, Segment

MAX_WAITING = 64
"""Most segments that wait behind a hole; then it is taken for lost."""
ACKNOWLEDGED_WAITING = 8
"""As many are enough when the peer acknowledged what is behind the hole: it had it, the capture did not."""
MAX_JUMP = 1 << 24
"""A sequence number further ahead belongs to another connection whose beginning was not captured."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets in their order, and the packet that made them complete. `lost` octets before them were not captured."""

    packet: Packet
    data: bytes
    lost: int = 0


class Direction:
    """One direction of a TCP connection."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._first: int | None = None
        self._waiting: dict[int, Segment] = {}
        self._lost = 0

    def feed(self, segment: Segment) -> list[Piece]:
        """Take a segment; return the octets that now follow one another."""
        if segment.flags & SYN:
            if self._first != segment.sequence:
                self._first = segment.sequence
                self._next = segment.sequence + 1 & 0xFFFF_FFFF
                self._waiting = {}
            return []
        if not segment.data and not segment.missing:
            return []
        if self._next is None or abs(self._ahead(segment.sequence)) > MAX_JUMP:
            self._next = segment.sequence
            self._waiting = {}
        known = self._waiting.get(segment.sequence)
        if known is None or len(known.data) < len(segment.data):
            self._waiting[segment.sequence] = segment
        pieces = self._in_order(segment.packet)
        if len(self._waiting) > MAX_WAITING:
            pieces += self.give_up(segment.packet)
        return pieces

    def acknowledged(self, number: int, packet: Packet) -> list[Piece]:
        """Take what the peer acknowledged; return octets behind a hole that will not be filled any more."""
        if len(self._waiting) <= ACKNOWLEDGED_WAITING or self._ahead(number) <= self._hole():
            return []
        return self.give_up(packet)

    def give_up(self, packet: Packet) -> list[Piece]:
        """Go on behind the first hole."""
        if not self._waiting or self._next is None:
            return []
        hole = self._hole()
        self._next = self._next + hole & 0xFFFF_FFFF
        self._lost += hole
        return self._in_order(packet)

    @property
    def is_waiting(self) -> bool:
        """Whether segments wait behind a hole."""
        return bool(self._waiting)

    def _hole(self) -> int:
        return min(self._ahead(sequence) for sequence in self._waiting)

    def _ahead(self, sequence: int) -> int:
        """Return how far a sequence number is ahead of what was put in order (negative: behind)."""
        distance = sequence - (self._next or 0) & 0xFFFF_FFFF
        return distance - (1 << 32) if distance >= 1 << 31 else distance

    def _in_order(self, packet: Packet) -> list[Piece]:
        pieces = []
        for segment in sorted(self._waiting.values(), key=lambda one: self._ahead(one.sequence)):
            ahead = self._ahead(segment.sequence)
            if ahead > 0:
                break
            del self._waiting[segment.sequence]
            new = segment.data[-ahead:] if ahead else segment.data
            if new:
                pieces.append(Piece(packet, new, self._lost))
                self._lost = 0
            end = segment.sequence + len(segment.data) + segment.missing & 0xFFFF_FFFF
            if self._ahead(end) > 0:
                self._lost += self._ahead(end) - len(new)
                self._next = end
        return pieces
