"""Clients in memory of a charger's ports: JSON-RPC over WebSocket, and whoever reaches the MQTT broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from websockets.exceptions import ConnectionClosedOK

from chargebyte_fw.manager.mqtt.topics import Subscriptions


class RpcClient:
    """One WebSocket connection as RpcApi's server uses it; requests are sent without waiting for the answers."""

    def __init__(self) -> None:
        self._to_server: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self.answers: list[bytes] = []
        self._number = 0
        self.closed = False

    async def recv(self) -> bytes | str:
        """Return what the client sent next."""
        message = None if self.closed else await self._to_server.get()
        if message is None:
            raise ConnectionClosedOK(None, None)
        return message

    async def send(self, message: bytes) -> None:
        """Take an answer or a notification."""
        if self.closed:
            raise ConnectionClosedOK(None, None)
        self.answers.append(message)
        del self.answers[:-20]

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """End the connection from the server's side."""
        self.closed = True

    def leave(self) -> None:
        """End the connection from the client's side."""
        self.closed = True
        self._to_server.put_nowait(None)

    def send_text(self, text: bytes | str) -> None:
        """Send anything."""
        if not self.closed:
            self._to_server.put_nowait(text)

    def send_request(self, method: str, **params: Any) -> None:
        """Send a request."""
        self._number += 1
        request = {"jsonrpc": "2.0", "id": self._number, "method": method, **({"params": params} if params else {})}
        self.send_text(json.dumps(request))


class MqttClients:
    """Stands for the process's MQTT client with a broker that is always there; `send` is any client of that broker."""

    online = True

    def __init__(self) -> None:
        self.on_up: list[Callable[[], None]] = []
        self.on_down: list[Callable[[], None]] = []
        self.published = 0
        self._subscriptions = Subscriptions()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, wait: bool = True, qos: int = 0) -> None:
        """Count what the charger publishes."""
        self.published += 1

    def second_link(self, accepted: Callable[[], None], lost: Callable[[str], None]) -> None:
        """Refuse MQTT 5: everything is published here."""

    def subscribe(self, topic_filter: str, callback: Any) -> Callable[[], None]:
        """Keep who listens."""
        self._subscriptions.add(topic_filter, callback)

        def stop() -> None:
            self._subscriptions.remove(topic_filter, callback)

        return stop

    def send(self, topic: str, payload: bytes) -> None:
        """Publish as any client of the broker."""
        soon = asyncio.get_running_loop().call_soon
        for callback in self._subscriptions.callbacks(topic):
            soon(callback, topic, payload)
