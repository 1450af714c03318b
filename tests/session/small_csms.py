"""A CSMS of OCPP 2.0.1 that accepts everything and keeps what it receives of transactions."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

_QUIET = logging.Logger("websockets", logging.CRITICAL + 1)


class SmallCsms:
    """Listens at `port` from `start` to `stop`."""

    def __init__(self) -> None:
        self.port = 0
        self.events: list[dict[str, Any]] = []
        """TransactionEvent as received, in order."""
        self.others: list[tuple[str, dict[str, Any]]] = []
        self.connections = 0
        self.boots = 0
        """Stations that have been accepted: before that they answer no request."""
        self._server: Server | None = None
        self._station: ServerConnection | None = None
        self._asked: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def start(self) -> None:
        """Listen on a free port."""
        subprotocols: Any = ["ocpp2.0.1"]
        self._server = await serve(self._talk, "127.0.0.1", 0, subprotocols=subprotocols, logger=_QUIET)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def _talk(self, connection: ServerConnection) -> None:
        self.connections += 1
        self._station = connection
        with suppress(ConnectionClosed):
            async for text in connection:
                kind, number, *rest = json.loads(text)
                if kind == 2:
                    action, payload = rest
                    if action == "TransactionEvent":
                        self.events.append(payload)
                    else:
                        self.others.append((action, payload))
                    await connection.send(json.dumps([3, number, _answer(action)]))
                    self.boots += action == "BootNotification"
                elif kind == 3 and number in self._asked:
                    self._asked.pop(number).set_result(rest[0])
                elif kind == 4 and number in self._asked:
                    self._asked.pop(number).set_exception(AssertionError(rest))

    async def ask(self, action: str, payload: dict[str, Any], limit_s: float = 5.0) -> dict[str, Any]:
        """Send a request to the station; return the payload of its answer."""
        assert self._station is not None
        number = f"{action}-{len(self._asked)}-{asyncio.get_running_loop().time()}"[:36]
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        await self._station.send(json.dumps([2, number, action, payload]))
        async with asyncio.timeout(limit_s):
            return await answer

    def transactions(self) -> dict[str, list[dict[str, Any]]]:
        """Return the events by transaction."""
        found: dict[str, list[dict[str, Any]]] = {}
        for event in self.events:
            found.setdefault(event["transactionInfo"]["transactionId"], []).append(event)
        return found


def _answer(action: str) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    match action:
        case "BootNotification":
            return {"currentTime": now, "interval": 300, "status": "Accepted"}
        case "Heartbeat":
            return {"currentTime": now}
        case "Authorize":
            return {"idTokenInfo": {"status": "Accepted"}}
        case _:
            return {}


def what_is_wrong(events: list[dict[str, Any]], *, ended: bool = True) -> str:
    """Return in what way the events of one transaction are not whole; nothing if they are."""
    numbers = [event["seqNo"] for event in events]
    kinds = [event["eventType"] for event in events]
    if numbers != list(range(len(numbers))):
        return f"sequence numbers {numbers}"
    last = ["Ended"] if ended else []
    wanted = ["Started", *["Updated"] * (len(kinds) - 1 - len(last)), *last]
    return "" if kinds == wanted else f"events {kinds}"
