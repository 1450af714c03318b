"""A connection over TCP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from chargebyte_fw.modules.v2g.security import PLAIN
from chargebyte_fw.modules.v2g.transport import Accept, nothing

_MOST_UNREAD_BYTES = 65_536
"""A car that leaves more than this unread does not read."""


class TcpTransport(asyncio.Protocol):
    """A connection over TCP: asyncio's protocol on one side, `Transport` on the other."""

    security = PLAIN

    def __init__(self, accept: Accept) -> None:
        self.on_data: Callable[[bytes], None] = nothing
        self.on_closed: Callable[[str], None] = nothing
        self.peer = "?"
        self.peer_port = 0
        self._accept = accept
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Give the connection to the owner; a car too many is closed."""
        self._transport = cast(asyncio.Transport, transport)
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        address = transport.get_extra_info("peername")
        if address:
            self.peer = f"{address[0]} port {address[1]}"
            self.peer_port = address[1]
        if not self._accept(self):
            transport.close()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on."""
        self.on_data(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Notify the owner, once."""
        closed, self.on_data, self.on_closed = self.on_closed, nothing, nothing
        closed("" if error is None else str(error))

    def send(self, data: bytes) -> None:
        """Send bytes; without effect once closed."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > _MOST_UNREAD_BYTES:
            transport.abort()

    def shut_down(self) -> None:
        """Close our side; a connection that the car has reset already is closed at once."""
        if self._transport is not None and not self._transport.is_closing():
            try:
                self._transport.write_eof()
            except OSError:
                self._transport.abort()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.abort()
