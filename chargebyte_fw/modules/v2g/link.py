"""Where cars find and reach the charger: the SDP socket and the listening sockets on the powerline interface.

Both are in memory where the interface is plugged into the wires. The interface, or its link-local address, may be
missing (the modem is still starting) and may go away: the link reports that once, tries again every second and recovers
by itself.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.memory import Host, StreamEnd
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.v2g import sdp
from chargebyte_fw.modules.v2g.transport import Accept
from chargebyte_fw.modules.v2g.transport.memory import MemoryTransport
from chargebyte_fw.modules.v2g.transport.tcp import TcpTransport

if TYPE_CHECKING:
    import ssl

TCP_PORT = 61341
RETRY_S = 1.0
_BACKLOG = 8
_ADDRESSES = Path("/proc/thread-self/net/if_inet6")
_SCOPE_LINK = 0x20
_NOT_USABLE = 0x40 | 0x08
"""Address flags: tentative, duplicate address detection failed."""


class Endpoint(NamedTuple):
    """A listening socket and what it carries: `transport` makes the asyncio protocol of a connection."""

    port: int
    security: int
    """SDP's code for it."""
    transport: Callable[[Accept], asyncio.Protocol]
    tls: ssl.SSLContext | None = None


TCP = Endpoint(TCP_PORT, sdp.SECURITY_NONE, TcpTransport)


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
        """Ignore it: a car that is gone does not need its answer."""


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
    """SDP and the endpoints on one interface.

    `accept` decides on each car, `offer` on each SDP request: it gets the datagram and our address, and returns the
    response, or None to send none.
    """

    def __init__(
        self,
        device: str,
        wires: Wires,
        accept: Accept,
        offer: Callable[[bytes, ipaddress.IPv6Address], bytes | None],
        *,
        endpoints: Sequence[Endpoint] = (TCP,),
        with_sdp: bool = True,
    ) -> None:
        self.device = device
        self.endpoints = endpoints
        self.available = False
        self._accept = accept
        self._offer = offer
        self._with_sdp = with_sdp
        self._host: Host | None = wires.find(f"ip:{device}")
        self._servers: list[asyncio.Server] = []
        self._sdp: asyncio.DatagramTransport | None = None
        self._address: LinkLocal | None = None

    async def keep_open(self, opened: Callable[[str], None], lost: Callable[[str], None]) -> None:
        """Open, watch, open again, for ever: `opened(where)` when it is open, `lost(why)` once when it is not."""
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
            for endpoint in self.endpoints:
                self._host.unbind(endpoint.port)
        if self._sdp is not None:
            self._sdp.close()
            self._sdp = None
        for server in self._servers:
            server.close()
        self._servers.clear()
        self._address = None

    @property
    def _ports(self) -> str:
        return ", ".join(str(endpoint.port) for endpoint in self.endpoints)

    # -- in memory

    def _open_memory(self, host: Host) -> None:
        address = ipaddress.IPv6Address(host.address)

        def asked(data: bytes, source: tuple[str, int]) -> None:
            answer = self._offer(data, address)
            if answer is not None:
                host.send_datagram(answer, source[1], sdp.PORT)

        def connected(end: StreamEnd) -> None:
            if not self._accept(MemoryTransport(end, host.peer.address if host.peer else "?")):
                end.close()

        if self._with_sdp:
            host.bind(asked, sdp.PORT)
        for endpoint in self.endpoints:
            host.listen(connected, endpoint.port)

    # -- real sockets

    async def _open(self) -> None:
        self._address = link_local(self.device)
        name, address, scope, _ = self._address
        # With `auto` the first interface is the modem's from now on: another one may come first after its driver was
        # loaded again.
        self.device = name
        loop = asyncio.get_running_loop()
        try:
            for endpoint in self.endpoints:
                self._servers.append(await self._listen(endpoint, str(address), scope))
            if self._with_sdp:
                self._sdp, _ = await loop.create_datagram_endpoint(
                    lambda: _SdpSocket(lambda data: self._offer(data, address)), sock=_sdp_socket(name, scope)
                )
        except OSError as error:
            self.close()
            raise Unavailable(f"cannot listen on {name}: {error.strerror or error}") from None

    async def _listen(self, endpoint: Endpoint, address: str, scope: int) -> asyncio.Server:
        """Return the server of an endpoint; raises OSError."""
        listening = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((address, endpoint.port, 0, scope))
            return await asyncio.get_running_loop().create_server(
                lambda: endpoint.transport(self._accept), sock=listening, backlog=_BACKLOG, ssl=endpoint.tls
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
