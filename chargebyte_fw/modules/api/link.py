"""The WebSocket server of RpcApi: listens on one interface, one task a client, sends to all."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, Protocol, cast

from chargebyte_fw.kernel import lazy_import
from chargebyte_fw.kernel.admission import Admission
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.interfaces import addresses_of
from chargebyte_fw.modules.api.origins import is_allowed

SUBPROTOCOL = "EVerestRpcApi"
RETRY_S = 5.0
MAX_MESSAGE_BYTES = 65_536
MAX_CLIENTS = 64
"""Clients that are served."""
MAX_CONNECTIONS = MAX_CLIENTS + 16
"""Connections, those included that are not as far yet: a stranger who only connects takes no more."""
MAX_CONNECTIONS_PER_PEER = 24
HANDSHAKE_LIMIT_S = 5.0
BACKLOG = 16
"""asyncio accepts so many connections in one turn of the loop, before the first of them can be refused."""
_NOT_HERE = frozenset((errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT))
"""A machine without IPv6 (or IPv4) has one of the addresses only."""


class Connection(Protocol):
    """One client: the part of a WebSocket connection that is used here."""

    async def recv(self) -> bytes | str:
        """Return the next message; raises the library's ConnectionClosed."""

    async def send(self, message: bytes) -> None:
        """Send a binary message."""

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close with a code and a reason."""


Serve = Callable[[Any], Awaitable[None]]


class _Complaints(logging.Handler):
    """Log the library's complaints about clients in one line each, without its tracebacks."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._complain = complain

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the message on, with the error's own words."""
        error = record.exc_info[1] if record.exc_info else None
        self._complain(f"{record.getMessage()}: {error}" if error is not None else record.getMessage())


class WebSocketServer:
    """Listens until closed. `serve(connection)` runs once a client; a connection ends when it returns.

    `complain(text)` is called for clients that did not get as far as that. `origins` are web pages that may connect
    beside those of this host itself.
    """

    def __init__(
        self,
        interface: str,
        port: int,
        serve: Serve,
        complain: Callable[[str], None] = lambda text: None,
        origins: Sequence[str] = (),
    ) -> None:
        self.interface = interface
        self.port = port
        self._serve = serve
        self._complain = complain
        self._origins = list(origins)
        self._servers: list[Any] = []
        self._log = logging.Logger("websockets", logging.WARNING)
        self._log.addHandler(_Complaints(complain))

    async def open(self) -> None:
        """Begin to listen; raises Unavailable when the port is taken or the interface has no address."""
        lazy_import.with_first_use("importlib.metadata")
        from websockets.asyncio.server import serve

        missing: list[str] = []
        connection = _bounded(Admission(MAX_CONNECTIONS, MAX_CONNECTIONS_PER_PEER), self._complain)
        for address in addresses_of(self.interface):
            try:
                server = await serve(
                    self._serve,
                    address,
                    self.port,
                    subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                    select_subprotocol=_only_ours,
                    process_request=self._check_origin,
                    create_connection=connection,
                    open_timeout=HANDSHAKE_LIMIT_S,
                    backlog=BACKLOG,
                    compression=None,
                    max_size=MAX_MESSAGE_BYTES,
                    logger=self._log,
                    close_timeout=1.0,
                )
            except OSError as error:
                if error.errno in _NOT_HERE:
                    missing.append(f"{address}: {error.strerror}")
                    continue
                await self.close()
                raise Unavailable(f"port {self.port} on {self.interface}: {error.strerror or error}") from error
            self._servers.append(server)
            if self.port == 0:
                self.port = next(iter(server.sockets)).getsockname()[1]
        if not self._servers:
            raise Unavailable(f"port {self.port} on {self.interface}: {'; '.join(missing)}")

    def _check_origin(self, connection: Any, request: Any) -> Any:
        """Refuse a web page of another origin."""
        headers = request.headers
        origins, hosts = headers.get_all("Origin"), headers.get_all("Host")
        origin = ", ".join(origins) if origins else None
        if is_allowed(origin, hosts[0] if len(hosts) == 1 else None, self._origins):
            return None
        self._complain(f"the web page {shorten(origin or '')} may not connect (Origin)")
        return connection.respond(HTTPStatus.FORBIDDEN, "this web page may not connect\n")

    def send_all(self, connections: set[Any], message: bytes) -> None:
        """Send to every connection without waiting for slow ones."""
        from websockets.asyncio.server import broadcast

        broadcast(connections, message)

    async def close(self) -> None:
        """Close every connection and stop listening."""
        for server in self._servers:
            server.close()
        await asyncio.gather(*(server.wait_closed() for server in self._servers))
        self._servers.clear()


def _bounded(admission: Admission, complain: Callable[[str], None]) -> type[Any]:
    """Return the library's class of connections, with a count of them from the first moment on."""
    from websockets.asyncio.server import ServerConnection

    class Bounded(ServerConnection):
        """A connection that is counted."""

        counted_as = ""

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            address = transport.get_extra_info("peername") or ("?",)
            refusal = admission.refusal(address[0])
            if refusal:
                complain(f"{address[0]}: {refusal}")
                cast(asyncio.Transport, transport).set_protocol(asyncio.Protocol())
                cast(asyncio.Transport, transport).abort()
                return
            self.counted_as = address[0]
            admission.enter(self.counted_as)
            super().connection_made(transport)

        def connection_lost(self, exc: Exception | None) -> None:
            admission.leave(self.counted_as)
            super().connection_lost(exc)

    return Bounded


def _only_ours(_connection: Any, offered: Any) -> Any:
    from websockets.exceptions import NegotiationError

    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    raise NegotiationError(f"the sub-protocol {SUBPROTOCOL} is needed")
