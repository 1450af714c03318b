"""WebSocket of EVerest's admin panel, sub-protocol `everest-controller`, for programs and pages of this machine."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.everest.panel import Panel

SUBPROTOCOL = "everest-controller"
HOST = "127.0.0.1"
"""Whoever connects can start all modules again and write configurations: none but programs of this machine."""
MAX_MESSAGE_BYTES = 1 << 20
MAX_CLIENTS = 8
HERE = ("localhost", "127.0.0.1", "::1")


class PanelServer:
    """Listens from `open` to `close`."""

    def __init__(self, panel: Panel, port: int) -> None:
        """`port` 0: any that is free."""
        self._panel = panel
        self._port = port
        self._server: Any = None
        self._clients = 0

    async def open(self) -> int:
        """Begin to listen and return the port; raises Unavailable when it is taken, or the library is missing."""
        try:
            from websockets.asyncio.server import serve
        except ImportError as error:
            raise Unavailable(f"the admin panel needs the package websockets: {error}") from error
        try:
            self._server = await serve(
                self._serve,
                HOST,
                self._port,
                subprotocols=[SUBPROTOCOL],  # type: ignore[list-item]
                process_request=self._admit,
                max_size=MAX_MESSAGE_BYTES,
                compression=None,
                close_timeout=1.0,
            )
        except OSError as error:
            raise Unavailable(f"the admin panel cannot listen at {HOST}:{self._port}: {error.strerror}") from error
        return int(next(iter(self._server.sockets)).getsockname()[1])

    async def close(self) -> None:
        """Close every connection."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    def _admit(self, connection: Any, request: Any) -> Any:
        """Refuse pages of other machines (RFC 6455, 10.2) and more clients than are served."""
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).hostname not in HERE:
            return connection.respond(HTTPStatus.FORBIDDEN, "this page may not command the manager\n")
        if self._clients >= MAX_CLIENTS:
            return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "too many clients\n")
        return None

    async def _serve(self, connection: Any) -> None:
        self._clients += 1
        try:
            async for message in connection:
                # Manifests and interfaces take a while to make: charging goes on meanwhile.
                answer = await asyncio.to_thread(self._panel.answer, message)
                if answer is not None:
                    await connection.send(answer.decode())
        finally:
            self._clients -= 1
