"""The product's own small CSMS (`chargebyte_fw.sim.csms`), reached in memory and on a virtual clock."""

from __future__ import annotations

import asyncio
from typing import Any

from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.connection.web_socket import Closed, Handshake, MemoryWebSocket, pair
from chargebyte_fw.sim.csms import Csms


class Connection:
    """An end in memory with what the CSMS uses of a connection of `websockets`."""

    def __init__(self, socket: MemoryWebSocket, path: str) -> None:
        self._socket = socket
        self.request = type("Request", (), {"path": path})

    def __aiter__(self) -> Connection:
        return self

    async def __anext__(self) -> str | bytes:
        try:
            return await self._socket.recv()
        except Closed:
            raise StopAsyncIteration from None

    async def send(self, text: str) -> None:
        await self._socket.send(text)


def connect(csms: Csms, path: str = "/cp001") -> tuple[MemoryWebSocket, asyncio.Task[None]]:
    """Return the station's end of a new connection, and what serves the other end."""
    theirs, ours = pair(csms.version.value)
    connection: Any = Connection(ours, path)
    return theirs, asyncio.get_running_loop().create_task(csms.serve(connection))


def plug(csms: Csms, wires: Wires, at: str) -> None:
    """Have the CSMS answer at `ws://<at>` of a charger's wires."""
    tasks: list[asyncio.Task[None]] = []

    async def dialled(handshake: Handshake) -> MemoryWebSocket:
        socket, task = connect(csms)
        tasks.append(task)
        return socket

    wires.plug(f"websocket:{at}", dialled)
