"""Wires in memory: a serial line, an Ethernet cable and an IPv6 link between two ends on one event loop.

They stand in for the operating system's where a whole session runs under a virtual clock. What is sent arrives in order
on the loop's next turn, never inside the call. `cut` models a pulled plug: what is sent meanwhile is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

Receive = Callable[[bytes], None]
Datagram = Callable[[bytes, tuple[str, int]], None]


@dataclass
class Plug:
    """The state of a wire, common to both ends."""

    cut: bool = False


class WireEnd:
    """One end of a serial line (chunks of bytes) or of an Ethernet cable (one frame a call)."""

    def __init__(self, plug: Plug, mac: bytes = bytes(6)) -> None:
        self.plug = plug
        self.mac = mac
        """Hardware address of this end (Ethernet only)."""
        self.peer: WireEnd | None = None
        self.receive: Receive | None = None
        """Set by the owner of this end; called with what is received."""

    def send(self, data: bytes) -> None:
        """Send bytes (serial) or one frame (Ethernet, from the destination address on, without checksum)."""
        if not self.plug.cut and self.peer is not None:
            asyncio.get_running_loop().call_soon(self.peer._arrive, data)

    def _arrive(self, data: bytes) -> None:
        if self.receive is not None:
            self.receive(data)


def wire(mac_a: bytes = b"\x02\0\0\0\0\x01", mac_b: bytes = b"\x02\0\0\0\0\x02") -> tuple[WireEnd, WireEnd]:
    """Make a serial line or an Ethernet cable; returns its two ends."""
    plug = Plug()
    a, b = WireEnd(plug, mac_a), WireEnd(plug, mac_b)
    a.peer, b.peer = b, a
    return a, b


class StreamEnd:
    """One end of a connection (TCP): ordered bytes; `closed` is called once when the other end is gone."""

    def __init__(self) -> None:
        self.peer: StreamEnd | None = None
        self.peer_port = 0
        """The port that the other end has."""
        self.receive: Receive | None = None
        self.closed: Callable[[], None] | None = None
        self._open = True

    def send(self, data: bytes) -> None:
        """Send bytes; after a close they are lost."""
        if self._open and self.peer is not None:
            asyncio.get_running_loop().call_soon(self.peer._arrive, data)

    def close(self) -> None:
        """Close the connection; `closed` of both ends is called once."""
        if self._open and self.peer is not None:
            loop = asyncio.get_running_loop()
            loop.call_soon(self.peer._end)
            loop.call_soon(self._end)

    def _arrive(self, data: bytes) -> None:
        if self._open and self.receive is not None:
            self.receive(data)

    def _end(self) -> None:
        if self._open:
            self._open = False
            if self.closed is not None:
                self.closed()


class Host:
    """One end of an IPv6 link: datagrams (a multicast address reaches the other end) and connections."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.peer: Host | None = None
        self._bound: dict[int, Datagram] = {}
        self._listening: dict[int, Callable[[StreamEnd], None]] = {}
        self._next_port = 49152
        self._connections = 0

    def _port(self, wanted: int) -> int:
        if wanted:
            return wanted
        self._next_port += 1
        return self._next_port

    def bind(self, receive: Datagram, port: int = 0) -> int:
        """Receive datagrams on `port` (0: any) as `receive(data, (address, port))`; returns the port."""
        port = self._port(port)
        self._bound[port] = receive
        return port

    def unbind(self, port: int) -> None:
        """Stop receiving datagrams and connections on `port`."""
        self._bound.pop(port, None)
        self._listening.pop(port, None)

    def is_bound(self, port: int) -> bool:
        """Whether datagrams are received on `port`."""
        return port in self._bound

    def send_datagram(self, data: bytes, port: int, from_port: int) -> None:
        """Send a datagram to `port` of the other end."""
        asyncio.get_running_loop().call_soon(self._carry, data, port, from_port)

    def _carry(self, data: bytes, port: int, from_port: int) -> None:
        receive = self.peer._bound.get(port) if self.peer is not None else None
        if receive is not None:
            receive(data, (self.address, from_port))

    def listen(self, accept: Callable[[StreamEnd], None], port: int = 0) -> int:
        """Accept connections on `port` (0: any) as `accept(our end)`; returns the port."""
        port = self._port(port)
        self._listening[port] = accept
        return port

    def connect(self, port: int) -> StreamEnd:
        """Connect to `port` of the other end; raises ConnectionRefusedError without a listener."""
        accept = self.peer._listening.get(port) if self.peer is not None else None
        if accept is None:
            raise ConnectionRefusedError(f"nothing listens on port {port}")
        ours, theirs = StreamEnd(), StreamEnd()
        ours.peer, theirs.peer = theirs, ours
        self._connections += 1
        ours.peer_port, theirs.peer_port = port, 50_000 + self._connections % 10_000
        accept(theirs)
        return ours


def link(address_a: str = "fe80::a", address_b: str = "fe80::b") -> tuple[Host, Host]:
    """Make an IPv6 link; returns its two ends."""
    a, b = Host(address_a), Host(address_b)
    a.peer, b.peer = b, a
    return a, b
