"""The car's end of a real (or virtual) interface: AF_PACKET for SLAC, UDP and TCP over IPv6 for SDP and V2G."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable, in_words
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.sim.net import Connecting, Line

ETHERTYPE_HOMEPLUG = 0x88E1
LARGEST_FRAME = 2048


class PacketPort:
    """HomePlug frames of one interface. Raises Unavailable when the interface cannot be opened."""

    def __init__(self, interface: str) -> None:
        self.receive: Callable[[bytes], None] | None = None
        try:
            self.mac = bytes.fromhex(Path(f"/sys/class/net/{interface}/address").read_text().replace(":", ""))
        except OSError:
            self.mac = b""
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_HOMEPLUG))
            self._socket.bind((interface, ETHERTYPE_HOMEPLUG))
        except OSError as error:
            raise Unavailable(f"cannot open {interface} for SLAC: {in_words(error)}") from error
        # /sys shows the interfaces of the namespace it was mounted in; the socket knows its own.
        self.mac = bytes(self._socket.getsockname()[4]) or self.mac
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._readable)

    def send(self, frame: bytes) -> None:
        """Send one frame; what the interface cannot take is lost, as on the line."""
        try:
            self._socket.send(frame)
        except OSError:
            return

    def _readable(self) -> None:
        try:
            frame, address = self._socket.recvfrom(LARGEST_FRAME)
        except OSError:
            return
        if address[2] != socket.PACKET_OUTGOING and self.receive is not None:
            self.receive(frame)

    def close(self) -> None:
        """Give the interface back."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


class SocketNet:
    """IPv6 on one interface. Raises Unavailable when SDP cannot be opened."""

    def __init__(self, interface: str) -> None:
        self._interface = interface
        self._index = socket.if_nametoindex(interface)
        self._sdp: socket.socket | None = None
        self._received: Callable[[bytes], None] | None = None
        self._lines: set[_SocketLine] = set()

    def open(self, received: Callable[[bytes], None]) -> None:
        """Take part in SDP."""
        self._received = received
        if self._sdp is not None:
            return
        try:
            self._sdp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            self._sdp.setblocking(False)
            self._sdp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, self._index)
            self._sdp.bind(("::", 0, 0, self._index))
        except OSError as error:
            raise Unavailable(f"cannot open {self._interface} for SDP: {in_words(error)}") from error
        asyncio.get_running_loop().add_reader(self._sdp, self._readable)

    def _readable(self) -> None:
        if self._sdp is None:
            return
        try:
            data = self._sdp.recv(LARGEST_FRAME)
        except OSError:
            return
        if self._received is not None:
            self._received(data)

    def send_sdp(self, data: bytes) -> None:
        """Send a datagram to ff02::1; without an address yet it is lost, and the car asks again."""
        if self._sdp is not None:
            try:
                self._sdp.sendto(data, (sdp.MULTICAST, sdp.PORT, 0, self._index))
            except OSError:
                return

    def connect(self, address: str, port: int, who: Connecting) -> Line:
        """Begin a connection."""
        line = _SocketLine(who, self._lines.discard)
        self._lines.add(line)
        line.begin(address, port, self._index)
        return line

    def close(self) -> None:
        """Give everything back."""
        for line in tuple(self._lines):
            line.close()
        if self._sdp is not None:
            asyncio.get_running_loop().remove_reader(self._sdp)
            self._sdp.close()
            self._sdp = None


class _SocketLine(asyncio.Protocol):
    def __init__(self, who: Connecting, gone: Callable[[_SocketLine], None]) -> None:
        self._who: Connecting | None = who
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, address: str, port: int, index: int) -> None:
        self._task = asyncio.get_running_loop().create_task(self._connect(address, port, index), name="car: connect")

    async def _connect(self, address: str, port: int, index: int) -> None:
        loop = asyncio.get_running_loop()
        end = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        end.setblocking(False)
        end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            # Not create_connection(host): the scope of a link-local address is the interface, not in the text.
            await loop.sock_connect(end, (address, port, 0, index))
            await loop.create_connection(lambda: self, sock=end)
        except asyncio.CancelledError:
            end.close()
            raise
        except OSError as error:
            end.close()
            self._end(f"cannot connect to [{address}]:{port}: {in_words(error)}")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._who is None:
            transport.abort()
        else:
            self._who.connected()

    def data_received(self, data: bytes) -> None:
        if self._who is not None:
            self._who.received(data)

    def connection_lost(self, error: Exception | None) -> None:
        self._end(f"the connection broke: {error}" if error else "the charger closed the connection")

    def _end(self, reason: str) -> None:
        self._gone(self)
        who, self._who = self._who, None
        if who is not None:
            who.disconnected(reason)

    def send(self, data: bytes) -> None:
        if self._transport is not None and self._who is not None:
            self._transport.write(data)

    def close(self) -> None:
        self._who = None
        if self._transport is not None:
            self._transport.close()
        elif self._task is not None:
            self._task.cancel()
        self._gone(self)

    def abandon(self) -> None:
        # A kernel cannot keep silent about a socket that goes away: a reset is the closest to a pulled cable.
        self._who = None
        if self._transport is not None:
            self._transport.abort()
        elif self._task is not None:
            self._task.cancel()
        self._gone(self)
