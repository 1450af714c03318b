"""The socket: one attempt at a time opens a WebSocket, and passes on what it receives."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import urlsplit

from chargebyte_fw import VERSION
from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.connection import events
from chargebyte_fw.modules.ocpp.connection.effects import CloseSocket, OpenSocket, SendPing
from chargebyte_fw.modules.ocpp.connection.settings import Profile
from chargebyte_fw.modules.ocpp.connection.tls_link import Certificates
from chargebyte_fw.modules.ocpp.connection.web_socket import (
    ABNORMAL,
    Closed,
    Handshake,
    HandshakeFailed,
    WebSocket,
)

CLOSE_LIMIT_S = 3.0
"""How long closing may take, with what was sent before it."""
STOP_LIMIT_S = 1.0
"""How long it may hold up the end of the process."""
MOST_UNSENT = 64
"""Messages that wait for the socket: one request, answers, and what is sent without one."""


def headers(profile: Profile) -> dict[str, str]:
    """Return the headers of the handshake (OCPP-J 1.6 security A.2; 2.x part 4, 3.1.1; EVerest's own)."""
    found = {"EVerest-Version": VERSION}
    if profile.host_name.isascii() and profile.host_name.isprintable() and profile.host_name:
        found["User-Host"] = profile.host_name
    if profile.security_profile in (1, 2) and profile.password is not None:
        token = base64.b64encode(profile.identity.encode() + b":" + profile.password).decode()
        found["Authorization"] = f"Basic {token}"
    return found


class Link:
    """Opens, feeds `feed` with events of the connection, and sends. `received(attempt, text)` gets each message."""

    def __init__(
        self,
        wires: Wires,
        feed: Callable[[Any], None],
        received: Callable[[int, str | bytes], None],
        spawn: Callable[[Coroutine[Any, Any, Any], str], asyncio.Task[Any]],
        certificates: Certificates,
    ) -> None:
        self._wires = wires
        self._feed = feed
        self._received = received
        self._spawn = spawn
        self._certificates = certificates
        self._task: asyncio.Task[Any] | None = None
        self._socket: WebSocket | None = None
        self._attempt = 0
        self._unsent: asyncio.Queue[str | None] = asyncio.Queue(MOST_UNSENT)
        self._closing: set[asyncio.Task[Any]] = set()

    def open(self, order: OpenSocket) -> None:
        """Begin an attempt; one before it is given up."""
        self._give_up()
        self._attempt = order.attempt
        self._unsent = asyncio.Queue(MOST_UNSENT)
        self._task = self._spawn(self._run(order, self._unsent), "connection")

    def send(self, text: str) -> None:
        """Send a message; it is lost where nothing is open. A socket that takes nothing any more is closed."""
        if self._socket is None:
            return
        try:
            self._unsent.put_nowait(text)
        except asyncio.QueueFull:
            self._feed(events.SocketClosed(self._attempt, ABNORMAL, f"{MOST_UNSENT} messages could not be sent"))
            self._give_up()

    def ping(self, order: SendPing) -> None:
        """Send a ping; `PongReceived` is its answer."""
        if self._socket is not None and order.attempt == self._attempt:
            self._spawn(self._ping(self._socket, order), "ping")

    def close(self, order: CloseSocket) -> None:
        """Close what is open, once everything was sent; nothing of it is reported any more."""
        if order.attempt != self._attempt:
            return
        socket, task, unsent = self._socket, self._task, self._unsent
        self._socket = self._task = None
        self._attempt = 0
        if task is not None and socket is not None:
            closing = self._spawn(self._close(socket, task, unsent, order), "closing")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        elif task is not None:
            task.cancel()

    async def stop(self) -> None:
        """Give up what is open, after what is being closed."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=STOP_LIMIT_S)
        self._give_up()

    def _give_up(self) -> None:
        if self._task is not None:
            self._task.cancel()
        self._task = self._socket = None

    async def _close(
        self, socket: WebSocket, task: asyncio.Task[Any], unsent: asyncio.Queue[str | None], order: CloseSocket
    ) -> None:
        try:
            with contextlib.suppress(TimeoutError, Closed):
                async with asyncio.timeout(CLOSE_LIMIT_S):
                    await unsent.join()
                    await socket.close(order.code, shorten(order.reason, 100))
        finally:
            task.cancel()

    async def _ping(self, socket: WebSocket, order: SendPing) -> None:
        try:
            await (await socket.ping(order.payload.encode()[:125]))
        except Closed:
            return  # is reported by who receives
        if order.attempt == self._attempt:
            self._feed(events.PongReceived(order.attempt))

    async def _run(self, order: OpenSocket, unsent: asyncio.Queue[str | None]) -> None:
        try:
            socket = await self._dial(order)
        except HandshakeFailed as error:
            if order.attempt == self._attempt:
                self._feed(events.OpenFailed(order.attempt, shorten(str(error)), error.event))
            return
        if order.attempt != self._attempt:
            socket.abort()
            return
        self._socket = socket
        self._feed(events.Opened(order.attempt, socket.subprotocol, socket.former_root))
        sending = self._spawn(self._write(socket, unsent), "sending")
        try:
            while True:
                text = await socket.recv()
                if order.attempt == self._attempt:
                    self._received(order.attempt, text)
        except Closed as closed:
            if order.attempt == self._attempt:
                self._socket = None
                self._feed(events.SocketClosed(order.attempt, closed.code, shorten(closed.reason)))
        finally:
            sending.cancel()
            socket.abort()

    async def _dial(self, order: OpenSocket) -> WebSocket:
        wanted = Handshake(order.url, order.subprotocols, headers(order.profile))
        try:
            parts = urlsplit(order.url)
            place = f"websocket:{parts.hostname}:{parts.port}"
        except ValueError as error:
            raise HandshakeFailed(f"{order.url} is not a URL of a CSMS: {error}") from None
        end = self._wires.find(place)
        if end is not None:
            return await end(wanted)  # type: ignore[no-any-return]
        from chargebyte_fw.modules.ocpp.connection.real_link import dial

        return await dial(wanted, order, self._certificates)

    async def _write(self, socket: WebSocket, unsent: asyncio.Queue[str | None]) -> None:
        while True:
            text = await unsent.get()
            try:
                if text is not None:
                    await socket.send(text)
            except Closed:
                return  # is reported by who receives
            finally:
                unsent.task_done()
