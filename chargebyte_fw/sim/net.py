"""The car's end of the cable: Ethernet for SLAC, IPv6 for SDP and V2G; here in memory, for real in net_sockets.py."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from chargebyte_fw.kernel import memory
from chargebyte_fw.modules.v2g import sdp


class Port(Protocol):
    """An Ethernet port; `memory.WireEnd` is one."""

    mac: bytes
    receive: Callable[[bytes], None] | None

    def send(self, frame: bytes) -> None:
        """Send one frame, from the destination address on."""


class Line(Protocol):
    """One connection to the charger."""

    def send(self, data: bytes) -> None:
        """Send bytes; after the end they are lost."""

    def close(self) -> None:
        """Close in order, so that the charger is notified (TCP FIN)."""

    def abandon(self) -> None:
        """Drop the connection as a pulled cable does: nothing is sent, nothing more is received."""


class Connecting(Protocol):
    """Who asked for a connection; each is called at most once, but `received`."""

    def connected(self) -> None:
        """The connection stands."""

    def received(self, data: bytes) -> None:
        """Bytes came."""

    def disconnected(self, reason: str) -> None:
        """The connection is gone or could not be made."""


class Net(Protocol):
    """IPv6 at the car's end."""

    def open(self, received: Callable[[bytes], None]) -> None:
        """Take part in SDP: `received` is called with each datagram that answers one of ours."""

    def send_sdp(self, data: bytes) -> None:
        """Send a datagram to the SDP multicast address."""

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        """Begin a connection; `who` is notified of its course."""

    def close(self) -> None:
        """Give everything back."""


class MemoryNet:
    """The car's end of a link in memory."""

    def __init__(self, host: memory.Host) -> None:
        self._host = host
        self._port: int | None = None

    def open(self, received: Callable[[bytes], None]) -> None:
        """Take part in SDP."""
        self.close()
        self._port = self._host.bind(lambda data, _from: received(data))

    def send_sdp(self, data: bytes) -> None:
        """Send a datagram to the SDP port of the other end."""
        if self._port is not None:
            self._host.send_datagram(data, sdp.PORT, self._port)

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        """Connect; `who` is notified on the loop's next turn."""
        soon = asyncio.get_running_loop().call_soon
        line = _MemoryLine(who)
        if self._host.peer is None or address != self._host.peer.address:
            soon(line.ended, f"no way to {address}")
            return line
        try:
            end = self._host.connect(port)
        except ConnectionRefusedError as error:
            soon(line.ended, str(error))
            return line
        line.take(end)
        soon(line.began)
        return line

    def close(self) -> None:
        """Leave SDP."""
        if self._port is not None:
            self._host.unbind(self._port)
            self._port = None


class _MemoryLine:
    def __init__(self, who: Connecting) -> None:
        self._who: Connecting | None = who
        self._end: memory.StreamEnd | None = None

    def take(self, end: memory.StreamEnd) -> None:
        self._end = end
        end.receive = self._arrived
        end.closed = lambda: self.ended("the charger closed the connection")

    def began(self) -> None:
        if self._who is not None:
            self._who.connected()

    def _arrived(self, data: bytes) -> None:
        if self._who is not None:
            self._who.received(data)

    def ended(self, reason: str) -> None:
        who, self._who = self._who, None
        if who is not None:
            who.disconnected(reason)

    def send(self, data: bytes) -> None:
        if self._end is not None and self._who is not None:
            self._end.send(data)

    def close(self) -> None:
        self._who = None
        if self._end is not None:
            self._end.close()

    def abandon(self) -> None:
        self._who = None
        self._end = None
