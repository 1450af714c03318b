"""Where cars find and reach the charger: the SDP socket and the listening sockets on the powerline interface.

Both are in memory where the interface is plugged into the wires. The interface, or its link-local address, may be
missing (the modem is still starting) and may go away: the link reports that once, tries again every second and recovers
by itself.
"""

from __future__ import annotations

import asyncio
import functools
import ipaddress
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.memory import Host, StreamEnd
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.transport import Accept, Layer, nothing
from chargebyte_fw.modules.v2g.transport.memory import MemoryTransport
from chargebyte_fw.modules.v2g.transport.tcp import TcpTransport

TCP_PORT = 61341
TLS_PORT = 64109
RETRY_S = 1.0
FIRST_DYNAMIC_PORT = 49_152
_DYNAMIC_PORTS = 64
"""So many are tried."""
_BACKLOG = 8
_ADDRESSES = Path("/proc/thread-self/net/if_inet6")
LOOPBACK = "lo"
_SCOPE_LINK = 0x20
_NOT_USABLE = 0x40 | 0x08
"""Address flags: tentative, duplicate address detection failed."""


Offer = Callable[[bytes, ipaddress.IPv6Address, Callable[[bytes], None]], None]
"""Takes an SDP request, our address, and what sends the response."""


class Endpoint(NamedTuple):
    """Where cars connect: a port, and TLS or nothing on it. A plain endpoint and one with TLS may share a port."""

    port: int
    security: int
    """SDP's code for it."""
    layer: Layer | None = None

    def offered(self) -> bool:
        """Return whether SDP may send a car here now."""
        return self.layer is None or self.layer.offered()


TCP = Endpoint(TCP_PORT, sdp.SECURITY_NONE)


class _SdpSocket(asyncio.DatagramProtocol):
    """The SDP server's socket."""

    def __init__(self, received: Callable[[bytes, Callable[[bytes], None]], None]) -> None:
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Pass a request on, with the way for its answer."""
        self._received(data, lambda answer: self._send(answer, addr))

    def _send(self, answer: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(answer, address)

    def error_received(self, exc: Exception) -> None:
        """Ignore it: a car that is gone does not need its answer."""


class LinkLocal(NamedTuple):
    """A link-local address of an interface, and whether it can be used now."""

    interface: str
    address: ipaddress.IPv6Address
    scope: int
    usable: bool = True


def link_local_addresses() -> list[LinkLocal]:
    """Return the IPv6 link-local addresses and ::1, in the kernel's order; raises Unavailable without IPv6."""
    try:
        lines = text_lines(_ADDRESSES.read_text())
    except OSError:
        raise Unavailable("this system has no IPv6") from None
    found = []
    for line in lines:
        packed, index, _, scope, flags, name = line.split()
        address = ipaddress.IPv6Address(bytes.fromhex(packed))
        if int(scope, 16) == _SCOPE_LINK or address.is_loopback:
            found.append(LinkLocal(name, address, int(index, 16), not int(flags, 16) & _NOT_USABLE))
    return found


def link_local(device: str) -> LinkLocal:
    """Return a usable link-local address of `device` (`auto`: of the first interface that has one).

    The loopback interface, for a multiplexer in another process, has ::1 instead. Raises Unavailable when there is none
    now.
    """
    listed = link_local_addresses()
    found = [one for one in listed if device == one.interface or (device == "auto" and not one.address.is_loopback)]
    for one in found:
        if one.usable:
            return one
    if device != "auto" and device not in (name for _, name in socket.if_nameindex()):
        raise Unavailable(f"there is no interface {device}")
    raise Unavailable(f"{device} has no {'usable ' if found else ''}IPv6 link-local address")


class V2gLink:
    """SDP and the endpoints on one interface.

    `admit` decides on each connection at its beginning, `accept` takes it once it can be used: with TLS after the
    handshake; `failed` is called for one whose handshake failed. `offer` gets each SDP request with our address and
    what sends the response.
    """

    def __init__(
        self,
        device: str,
        wires: Wires,
        admit: Accept,
        accept: Accept,
        offer: Offer,
        *,
        failed: Callable[[], None] = nothing,
        endpoints: Sequence[Endpoint] = (TCP,),
        with_sdp: bool = True,
    ) -> None:
        self.device = device
        self.endpoints = endpoints
        self.available = False
        self._admit = admit
        self._accept = accept
        self._offer = offer
        self._failed = failed
        self._with_sdp = with_sdp
        self._wires = wires
        self._host: Host | None = None
        self._servers: list[asyncio.Server] = []
        self._sdp: asyncio.DatagramTransport | None = None
        self._address: LinkLocal | None = None

    async def keep_open(self, opened: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """Open, watch, open again, for ever: `opened(where)` when it is open, `lost(why)` once when it is not."""
        self._host = self._wires.find(f"ip:{self.device}")
        if self._host is not None:
            self._open_memory(self._host)
            self.available = True
            opened(f"{self._host.address} port {self._ports}")
            await asyncio.get_running_loop().create_future()
        missing = ""
        while True:
            try:
                await self._open()
            except Unavailable as why:
                if not missing:
                    lost(str(why))
                missing = str(why)
                await asyncio.sleep(RETRY_S)
                continue
            missing = ""
            self.available = True
            assert self._address is not None
            opened(f"{self._address.address} port {self._ports} on {self._address.interface}")
            missing = await self._until_lost()
            self.close()
            lost(missing)

    def close(self) -> None:
        """Close every socket; running connections are their owner's."""
        self.available = False
        if self._host is not None:
            self._host.unbind(sdp.PORT)
            for port in self.ports:
                self._host.unbind(port)
        if self._sdp is not None:
            self._sdp.close()
            self._sdp = None
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._address = None
        self.drop_handshakes("the link is closed")

    def drop_handshakes(self, reason: str) -> None:
        """Give up every connection that is not accepted yet."""
        for endpoint in self.endpoints:
            if endpoint.layer is not None:
                endpoint.layer.close(reason)

    @property
    def ports(self) -> list[int]:
        """The ports of the endpoints, each once."""
        return list(dict.fromkeys(endpoint.port for endpoint in self.endpoints))

    @property
    def _ports(self) -> str:
        return ", ".join(str(port) for port in self.ports)

    def _acceptor(self, port: int) -> Accept:
        """Return what takes a connection to a port."""
        layers = [one.layer for one in self.endpoints if one.port == port]
        layer = next((one for one in layers if one is not None), None)
        if layer is None:
            return self._accept
        plain = self._accept if None in layers else None
        return layer.acceptor(self._admit, self._accept, plain=plain, failed=self._failed)

    def send_to_all(self, data: bytes, port: int) -> None:
        """Send a datagram to every node of the link; without effect while it is closed. Raises OSError."""
        if self._host is not None:
            self._host.send_datagram(data, port, FIRST_DYNAMIC_PORT)
        elif self._address is not None:
            with _sending_socket(self._address) as sock:
                sock.sendto(data, (sdp.MULTICAST, port, 0, self._address.scope))

    # -- in memory

    def _open_memory(self, host: Host) -> None:
        address = ipaddress.IPv6Address(host.address)

        def asked(data: bytes, source: tuple[str, int]) -> None:
            self._offer(data, address, lambda answer: host.send_datagram(answer, source[1], sdp.PORT))

        def connected(end: StreamEnd, accept: Accept) -> None:
            if not accept(MemoryTransport(end, host.peer.address if host.peer else "?")):
                end.close()

        if self._with_sdp:
            host.bind(asked, sdp.PORT)
        for port in self.ports:
            host.listen(functools.partial(connected, accept=self._acceptor(port)), port)

    # -- real sockets

    async def _open(self) -> None:
        self._address = link_local(self.device)
        name, address, scope, _ = self._address
        # With `auto` the first interface is the modem's from now on: another one may come first after its driver was
        # loaded again.
        self.device = name
        loop = asyncio.get_running_loop()
        try:
            for port in self.ports:
                self._servers.append(await self._listen(port, str(address), scope))
            if self._with_sdp:
                self._sdp, _ = await loop.create_datagram_endpoint(
                    lambda: _SdpSocket(lambda data, answer: self._offer(data, address, answer)),
                    sock=_sdp_socket(name, scope),
                )
        except OSError as error:
            self.close()
            raise Unavailable(f"cannot listen on {name}: {error.strerror or error}") from None

    async def _listen(self, port: int, address: str, scope: int) -> asyncio.Server:
        """Return the server of a port; raises OSError."""
        accept = self._acceptor(port)
        listening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, port, 0, scope))
            return await asyncio.get_running_loop().create_server(
                lambda: TcpTransport(accept), sock=listening, backlog=_BACKLOG
            )
        except OSError:
            listening.close()
            raise

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


def _sending_socket(where: LinkLocal) -> socket.socket:
    """Return a UDP socket at the first free dynamic port of an address; raises OSError."""
    for port in range(FIRST_DYNAMIC_PORT, FIRST_DYNAMIC_PORT + _DYNAMIC_PORTS):
        sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        try:
            sock.bind((str(where.address), port, 0, where.scope))
        except OSError:
            sock.close()
            continue
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, struct.pack("@I", where.scope))
        sock.setblocking(False)
        return sock
    raise OSError("no dynamic UDP port is free")


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
