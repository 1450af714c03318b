"""The hands of the V2G house: the SDP socket and the TCP server on the powerline interface, or both in memory.

The interface, or its link-local address, may be missing (the modem is still starting) and may go away: the link says so
once, tries again every second and recovers by itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.memory import Host, StreamEnd
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g import sdp

TCP_PORT = 61341
RETRY_S = 1.0
_BACKLOG = 8
_MOST_UNREAD_BYTES = 65_536
"""A car that leaves more than this unread is not listening."""
_ADDRESSES = Path("/proc/thread-self/net/if_inet6")
_SCOPE_LINK = 0x20
_NOT_USABLE = 0x40 | 0x08
"""Address flags: tentative, duplicate address detection failed."""


class Connection(Protocol):
    """A car's connection. The owner sets `on_data` and `on_closed` when it accepts it."""

    on_data: Callable[[bytes], None]
    on_closed: Callable[[], None]

    @property
    def peer(self) -> str:
        """Who is at the other end, for the log."""

    def send(self, data: bytes) -> None:
        """Send bytes; without effect once closed."""

    def shut_down(self) -> None:
        """Close our side: what was sent still arrives, the car's own end is waited for."""

    def abort(self) -> None:
        """Let go at once."""


def _nothing(*_: object) -> None:
    """Nobody listens yet, or any more."""


class _TcpConnection(asyncio.Protocol):
    """A connection over TCP."""

    def __init__(self, accept: Callable[[Connection], bool]) -> None:
        self.on_data: Callable[[bytes], None] = _nothing
        self.on_closed: Callable[[], None] = _nothing
        self.peer = "?"
        self._accept = accept
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the owner; a car too many is closed without a word."""
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]} port {address[1]}" if address else "?"
        if not self._accept(self):
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self.on_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the owner, once."""
        closed, self.on_data, self.on_closed = self.on_closed, _nothing, _nothing
        closed()

    def send(self, data: bytes) -> None:
        """Send bytes; without effect once closed."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            transport.abort()

    def shut_down(self) -> None:
        """Close our side."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write_eof()

    def abort(self) -> None:
        """Let go at once."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()


class _MemoryConnection:
    """A connection in memory."""

    def __init__(self, end: StreamEnd, peer: str) -> None:
        self.on_data: Callable[[bytes], None] = _nothing
        self.on_closed: Callable[[], None] = _nothing
        self.peer = peer
        self._end = end
        end.receive = lambda data: self.on_data(data)
        end.closed = self._closed

    def _closed(self) -> None:
        closed, self.on_data, self.on_closed = self.on_closed, _nothing, _nothing
        closed()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._end.send(data)

    def shut_down(self) -> None:
        """Close: a connection in memory has no half."""
        self._end.close()

    def abort(self) -> None:
        """Let go."""
        self._end.close()


class _SdpSocket(asyncio.DatagramProtocol):
    """The SDP server's socket."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self._answer = answer
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a request, if there is an answer."""
        answer = self._answer(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)

    def error_received(self, exc: Exception) -> None:
        """Overlook it: a car that is gone does not need its answer."""


class LinkLocal(NamedTuple):
    """A link-local address of an interface, and whether it can be used now."""

    interface: str
    address: ipaddress.IPv6Address
    scope: int
    usable: bool = True


def link_local_addresses() -> list[LinkLocal]:
    """Return every IPv6 link-local address of this host, in the kernel's order; raises Unavailable without IPv6."""
    try:
        lines = text_lines(_ADDRESSES.read_text())
    except OSError:
        raise Unavailable("this system has no IPv6") from None
    found = []
    for line in lines:
        packed, index, _, scope, flags, name = line.split()
        if int(scope, 16) == _SCOPE_LINK:
            address = ipaddress.IPv6Address(bytes.fromhex(packed))
            found.append(LinkLocal(name, address, int(index, 16), not int(flags, 16) & _NOT_USABLE))
    return found


def link_local(device: str) -> LinkLocal:
    """Return a usable link-local address of `device` (`auto`: of the first interface that has one).

    Raises Unavailable when there is none now.
    """
    found = [one for one in link_local_addresses() if device in (one.interface, "auto")]
    for one in found:
        if one.usable:
            return one
    if device != "auto" and device not in (name for _, name in socket.if_nameindex()):
        raise Unavailable(f"there is no interface {device}")
    raise Unavailable(f"{device} has no {'usable ' if found else ''}IPv6 link-local address")


class V2gLink:
    """SDP and TCP on one interface. `accept` decides on each car, `offer` on each SDP request (None: stay silent)."""

    def __init__(
        self,
        device: str,
        wires: Wires,
        accept: Callable[[Connection], bool],
        offer: Callable[[bytes, ipaddress.IPv6Address, int], bytes | None],
        *,
        with_sdp: bool = True,
    ) -> None:
        self.device = device
        self.available = False
        self._accept = accept
        self._offer = offer
        self._with_sdp = with_sdp
        self._host: Host | None = wires.find(f"ip:{device}")
        self._server: asyncio.Server | None = None
        self._sdp: asyncio.DatagramTransport | None = None
        self._address: LinkLocal | None = None

    async def keep_open(self, came: Callable[[str], None], went: Callable[[str], None]) -> None:
        """Open, watch, open again, for ever: `came(where)` when it stands, `went(why)` once when it does not."""
        if self._host is not None:
            self._open_memory(self._host)
            self.available = True
            came(f"{self._host.address} port {TCP_PORT}")
            await asyncio.get_running_loop().create_future()
        missing = ""
        while True:
            try:
                await self._open()
            except Unavailable as why:
                if not missing:
                    went(str(why))
                missing = str(why)
                await asyncio.sleep(RETRY_S)
                continue
            missing = ""
            self.available = True
            assert self._address is not None
            came(f"{self._address.address} port {TCP_PORT} on {self._address.interface}")
            missing = await self._until_lost()
            self.close()
            went(missing)

    def close(self) -> None:
        """Let go of every socket; running connections are their owner's."""
        self.available = False
        if self._host is not None:
            self._host.unbind(sdp.PORT)
            self._host.unbind(TCP_PORT)
        if self._sdp is not None:
            self._sdp.close()
            self._sdp = None
        if self._server is not None:
            self._server.close()
            self._server = None
        self._address = None

    def _answer(self, address: ipaddress.IPv6Address, data: bytes) -> bytes | None:
        return self._offer(data, address, TCP_PORT)

    # -- in memory

    def _open_memory(self, host: Host) -> None:
        address = ipaddress.IPv6Address(host.address)

        def asked(data: bytes, source: tuple[str, int]) -> None:
            answer = self._answer(address, data)
            if answer is not None:
                host.send_datagram(answer, source[1], sdp.PORT)

        def connected(end: StreamEnd) -> None:
            if not self._accept(_MemoryConnection(end, host.peer.address if host.peer else "?")):
                end.close()

        if self._with_sdp:
            host.bind(asked, sdp.PORT)
        host.listen(connected, TCP_PORT)

    # -- real sockets

    async def _open(self) -> None:
        self._address = link_local(self.device)
        name, address, scope, _ = self._address
        # With `auto` the first interface is the modem's from now on: another one may come first after its driver was
        # loaded again.
        self.device = name
        loop = asyncio.get_running_loop()
        try:
            listening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
            try:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listening.bind((str(address), TCP_PORT, 0, scope))
                self._server = await loop.create_server(
                    lambda: _TcpConnection(self._accept), sock=listening, backlog=_BACKLOG
                )
            except OSError:
                listening.close()
                raise
            if self._with_sdp:
                self._sdp, _ = await loop.create_datagram_endpoint(
                    lambda: _SdpSocket(lambda data: self._answer(address, data)), sock=_sdp_socket(name, scope)
                )
        except OSError as error:
            self.close()
            raise Unavailable(f"cannot listen on {name}: {error.strerror or error}") from None

    async def _until_lost(self) -> str:
        """Wait until the chosen address is not listed any more; returns why.

        Other addresses, their order and other interfaces are no reason, and neither is an address that the kernel
        checks again after the carrier was lost for a moment.
        """
        chosen = self._address
        assert chosen is not None
        while True:
            await asyncio.sleep(RETRY_S)
            try:
                listed = [one[:3] for one in link_local_addresses()]
            except Unavailable as why:
                return str(why)
            if chosen[:3] not in listed:
                missing = chosen.interface not in (name for _, name in socket.if_nameindex())
                return f"{chosen.interface} is gone" if missing else f"{chosen.interface} lost {chosen.address}"


def _sdp_socket(name: str, scope: int) -> socket.socket:
    """Return a UDP socket for SDP requests that reach interface `name`; raises OSError."""
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, name.encode() + b"\0")
        sock.bind(("::", sdp.PORT))
        group = ipaddress.IPv6Address(sdp.MULTICAST).packed + struct.pack("@I", scope)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock
