"""A CSMS for tests: scripted answers, recorded frames; on a real socket (`listen`) or in memory (`plug`).

    csms = Csms("2.0.1")
    csms.plug(runtime.wires)                     # or: url = await csms.listen()
    csms.answers["Authorize"] = {"idTokenInfo": {"status": "Blocked"}}
    boot = await csms.received("BootNotification")
    result = await csms.call("Reset", {"type": "Immediate"})
    assert csms.requests("StatusNotification") == [...]

The station connects to `csms.url`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.ocpp.connection.web_socket import (
    Closed,
    Handshake,
    HandshakeFailed,
    MemoryWebSocket,
    WebSocket,
    pair,
)

TIMEOUT_S = 30.0
HOST, PORT = "csms.test", 9000


class Silent:
    """An answer that is not given."""


SILENT = Silent()


class Refusal(Exception):
    """An answer with CALLERROR."""

    def __init__(self, code: str, description: str = "", details: Any = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code, self.description, self.details = code, description, details


Answer = dict[str, Any] | Silent | Refusal | Callable[[dict[str, Any]], Any]
"""A payload, SILENT, a Refusal, or a function of the request's payload that returns (or raises) one."""


class Csms:
    """One station's view of its back end. `version` may be several, in the order of preference."""

    def __init__(self, *versions: str, identity: str = "cp001") -> None:
        self.versions = versions or ("1.6",)
        self.identity = identity
        self.url = f"ws://{HOST}:{PORT}"
        """What the station is configured with; its identity is the last part of what it asks for."""
        self.answers: dict[str, Answer] = {}
        """Answers by action, in place of the usual ones."""
        self.frames: list[tuple[str, Any]] = []
        """Every frame in order: `("station", frame)` or `("csms", frame)`; text that is no JSON as text."""
        self.handshakes: list[Handshake] = []
        self.refuse_handshake: HandshakeFailed | None = None
        """In memory: what a handshake fails with."""
        self.select: Callable[[list[str]], str | None] = self._first_offered
        """Choose a sub-protocol among those that are offered."""
        self.socket: WebSocket | None = None
        """The open connection, None without one."""
        self.auto_answer = True
        self._taken: dict[str, int] = {}
        self._calls: dict[str, asyncio.Future[Any]] = {}
        self._number = 0
        self._transaction = 0
        self._changed = asyncio.Condition()
        self._server: Any = None
        self._tasks: set[asyncio.Task[None]] = set()

    # Where it listens.

    def plug(self, wires: Wires, at: str = f"{HOST}:{PORT}") -> None:
        """Be reachable in memory at `ws://<at>`."""
        self.url = f"ws://{at}"
        wires.plug(f"websocket:{at}", self._dialled)

    async def _dialled(self, handshake: Handshake) -> MemoryWebSocket:
        self.handshakes.append(handshake)
        if self.refuse_handshake is not None:
            raise self.refuse_handshake
        theirs, ours = pair(self.select(list(handshake.subprotocols)))
        task = asyncio.get_running_loop().create_task(self.serve(ours))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return theirs

    async def listen(self, ssl: Any = None, port: int = 0, **how: Any) -> str:
        """Listen on a free port of the loopback; returns the URL."""
        from websockets.asyncio.server import serve

        def select(connection: Any, offered: Any) -> Any:
            return self.select(list(offered))

        async def served(connection: Any) -> None:
            request = connection.request
            headers = dict(request.headers.raw_items())
            self.handshakes.append(Handshake(request.path, [], headers))
            await self.serve(_Real(connection))

        how = {"compression": None, "ping_interval": None, "select_subprotocol": select, "close_timeout": 0.2} | how
        self._server = await serve(served, "127.0.0.1", port, ssl=ssl, **how)
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"{'ws' if ssl is None else 'wss'}://localhost:{port}"
        return self.url

    @property
    def listens(self) -> bool:
        """Whether it is on a real socket."""
        return self._server is not None

    async def close(self) -> None:
        """Stop listening and close the connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _first_offered(self, offered: list[str]) -> str | None:
        names = [f"ocpp{version}" for version in self.versions]
        return next((name for name in offered if name in names), None)

    # The conversation.

    async def serve(self, socket: Any) -> None:
        """Receive until the connection is closed."""
        self.socket = socket
        try:
            while True:
                await self._take(await socket.recv())
        except Closed:
            return
        finally:
            if self.socket is socket:
                self.socket = None
            await self._notify()

    async def _take(self, text: str | bytes) -> None:
        try:
            frame = json.loads(text)
        except ValueError:
            frame = text
        self.frames.append(("station", frame))
        if isinstance(frame, list) and frame[0] == 2 and self.auto_answer:
            await self._answer(frame)
        elif isinstance(frame, list) and frame[0] in (3, 4):
            future = self._calls.pop(frame[1], None)
            if future is not None and not future.done():
                if frame[0] == 3:
                    future.set_result(frame[2])
                else:
                    future.set_exception(Refusal(*frame[2:5]))
        await self._notify()

    async def _answer(self, frame: list[Any]) -> None:
        _, message_id, action, payload = frame
        answer: Any = self.answers[action] if action in self.answers else self.usual(action, payload)
        if callable(answer):
            try:
                answer = answer(payload)
            except Refusal as refusal:
                answer = refusal
        if isinstance(answer, Refusal):
            await self.send([4, message_id, answer.code, answer.description, answer.details or {}])
        elif answer is not SILENT:
            await self.send([3, message_id, answer])

    def usual(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer of a CSMS that accepts everything."""
        now = rfc3339(utc_now())
        match action:
            case "BootNotification":
                return {"currentTime": now, "interval": 300, "status": "Accepted"}
            case "Heartbeat":
                return {"currentTime": now}
            case "Authorize" if "idTag" in payload:
                return {"idTagInfo": {"status": "Accepted"}}
            case "Authorize":
                return {"idTokenInfo": {"status": "Accepted"}}
            case "StartTransaction":
                self._transaction += 1
                return {"transactionId": self._transaction, "idTagInfo": {"status": "Accepted"}}
            case "TransactionEvent" if "idToken" in payload:
                return {"idTokenInfo": {"status": "Accepted"}}
            case "DataTransfer" | "SignCertificate" | "NotifyEVChargingNeeds" | "NotifyEVChargingSchedule":
                return {"status": "Accepted"}
            case _:
                return {}

    async def send(self, frame: Any) -> None:
        """Send a frame, or text as it is."""
        if self.socket is None:
            raise Closed(1006, "not connected")
        self.frames.append(("csms", frame))
        text = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        await self.socket.send(text)  # type: ignore[arg-type]

    async def call(self, action: str, payload: dict[str, Any] | None = None, *, message_id: str = "") -> Any:
        """Send a request; returns the payload of its answer, raises Refusal for a CALLERROR."""
        self._number += 1
        message_id = message_id or f"csms-{self._number}"
        future = self._calls[message_id] = asyncio.get_running_loop().create_future()
        await self.send([2, message_id, action, payload or {}])
        async with asyncio.timeout(TIMEOUT_S):
            return await future

    # What was received.

    def requests(self, action: str) -> list[dict[str, Any]]:
        """The payloads of every request of this action so far."""
        return [frame[3] for who, frame in self.frames if who == "station" and self._is(frame, action)]

    def actions(self) -> list[str]:
        """The actions of every request so far, in order."""
        return [
            frame[2] for who, frame in self.frames if who == "station" and isinstance(frame, list) and frame[0] == 2
        ]

    @staticmethod
    def _is(frame: Any, action: str) -> bool:
        return isinstance(frame, list) and frame[0] in (2, 6) and frame[2] == action

    async def received(self, action: str, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
        """Return the payload of the next request of this action that no earlier call has returned; wait for it."""
        taken = self._taken.get(action, 0)

        async def wait() -> None:
            async with self._changed:
                await self._changed.wait_for(lambda: len(self.requests(action)) > taken)

        try:
            async with asyncio.timeout(timeout_s):
                await wait()
        except TimeoutError:
            raise AssertionError(f"no {action} within {timeout_s:g} s; there were {self.actions()}") from None
        self._taken[action] = taken + 1
        return self.requests(action)[taken]

    async def connected(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a station is connected."""
        await self.until(lambda: self.socket is not None, timeout_s)

    async def until(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> None:
        """Wait until a condition holds, looked at 20 times a second."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                await asyncio.sleep(0.05)

    async def disconnect(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection from here."""
        if self.socket is not None:
            await self.socket.close(code, reason)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class _Real:
    """A connection of websockets as a `WebSocket`."""

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.subprotocol = connection.subprotocol

    async def recv(self) -> str | bytes:
        with _closing():
            return await self.connection.recv()

    async def send(self, message: str | bytes) -> None:
        with _closing():
            await self.connection.send(message)

    async def ping(self, data: bytes) -> Any:
        with _closing():
            return await self.connection.ping(data)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await self.connection.close(code, reason)

    def drop(self) -> None:
        """Lose the connection without a close frame."""
        self.connection.transport.abort()


@contextlib.contextmanager
def _closing() -> Any:
    from websockets.exceptions import ConnectionClosed

    try:
        yield
    except ConnectionClosed as error:
        frame = error.rcvd
        raise Closed(frame.code if frame else 1006, frame.reason if frame else "") from error
