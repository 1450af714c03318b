"""What a link needs of a WebSocket, and two ends of one in memory.

A CSMS in memory is plugged into `Wires` as `websocket:<host>:<port>`: an `async` callable that takes a `Handshake` and
returns its client's end, or raises `HandshakeFailed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

NORMAL, GOING_AWAY, SERVICE_RESTART, ABNORMAL, TOO_BIG = 1000, 1001, 1012, 1006, 1009
"""Close codes of RFC 6455, clause 7.4.1 and of the registry that it begins; 1006 stands for a lost connection."""


class Handshake(msgspec.Struct, frozen=True):
    """What a client asks for when it connects."""

    url: str
    subprotocols: Sequence[str]
    headers: Mapping[str, str]


class HandshakeFailed(Exception):
    """No WebSocket: the text is the reason, `event` a security event (`InvalidCsmsCertificate`, ...) or empty."""

    def __init__(self, reason: str, event: str = "") -> None:
        super().__init__(reason)
        self.event = event


class Closed(Exception):
    """The WebSocket is closed."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(f"{code} {reason}".strip())
        self.code = code
        self.reason = reason


class WebSocket(Protocol):
    """One end of an open WebSocket. Every method raises Closed where it is not open any more."""

    subprotocol: str | None
    former_root: bool
    """The new root of the CSMS does not verify it."""

    async def recv(self) -> str | bytes:
        """Return the next message."""

    async def send(self, message: str) -> None:
        """Send a text message."""

    async def ping(self, data: bytes) -> Awaitable[object]:
        """Send a ping; the result is done with its pong."""

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close it, with a code and a reason; within a bounded time also where the other end is silent."""

    def abort(self) -> None:
        """Let go of it at once, also where it is closed already."""


Dial = Callable[[Handshake], Awaitable[WebSocket]]


class MemoryWebSocket:
    """One end of a WebSocket in memory; messages arrive on the loop's next turn."""

    def __init__(self, subprotocol: str | None) -> None:
        self.subprotocol = subprotocol
        self.former_root = False
        self.answers_pings = True
        self.pings: list[bytes] = []
        """The payloads of the pings that came from the other end."""
        self._peer: MemoryWebSocket | None = None
        self._arrived: asyncio.Queue[str | bytes | Closed] = asyncio.Queue()
        self._closed: Closed | None = None

    async def recv(self) -> str | bytes:
        """Return the next message."""
        if self._closed is not None and self._arrived.empty():
            raise self._closed
        message = await self._arrived.get()
        if isinstance(message, Closed):
            raise message
        return message

    async def send(self, message: str | bytes) -> None:
        """Send a message."""
        if self._closed is not None:
            raise self._closed
        assert self._peer is not None
        asyncio.get_running_loop().call_soon(self._peer._arrive, message)

    async def ping(self, data: bytes) -> Awaitable[object]:
        """Send a ping; the result is done on the loop's next turn, unless the other end answers none."""
        if self._closed is not None:
            raise self._closed
        assert self._peer is not None
        loop = asyncio.get_running_loop()
        pong = loop.create_future()
        self._peer.pings.append(data)
        if self._peer.answers_pings:
            loop.call_soon(_pong_arrives, pong)
        return pong

    async def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close both ends."""
        self.drop(code, reason)

    def abort(self) -> None:
        """Close both ends as if the network were gone."""
        self.drop()

    def drop(self, code: int = ABNORMAL, reason: str = "no close frame") -> None:
        """Close both ends; without arguments as if the network were gone. What was sent before arrives before."""
        if self._closed is None and self._peer is not None:
            closed = Closed(code, reason)
            self._end(closed)
            asyncio.get_running_loop().call_soon(self._peer._end, closed)

    def _end(self, closed: Closed) -> None:
        if self._closed is None:
            self._closed = closed
            self._arrived.put_nowait(closed)

    def _arrive(self, message: str | bytes) -> None:
        if self._closed is None:
            self._arrived.put_nowait(message)


def _pong_arrives(pong: asyncio.Future[None]) -> None:
    if not pong.done():
        pong.set_result(None)


def pair(subprotocol: str | None) -> tuple[MemoryWebSocket, MemoryWebSocket]:
    """Return the two ends of a new WebSocket."""
    a, b = MemoryWebSocket(subprotocol), MemoryWebSocket(subprotocol)
    a._peer, b._peer = b, a
    return a, b
