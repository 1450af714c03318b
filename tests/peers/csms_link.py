"""A CSMS by others as a process, and the TCP connection to it, which can be cut."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.peers.josev import Failed

LIMIT_S = 60.0
LINE_LIMIT_bytes = 1 << 24
"""A NotifyReport is one line."""


class Peer:
    """A program that writes JSON lines: see csms_python.py."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.refused: list[str] = []
        self.unknown: set[str] = set()
        """Actions that the peer has not."""
        self.port = 0
        self._received: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self._answers: dict[int, dict[str, Any]] = {}
        self._process = process
        self._lines: list[str] = []
        self._reader = asyncio.get_running_loop().create_task(self._read())
        self._number = 0

    @classmethod
    async def start(cls, command: list[str], errors: Path, **environment: str) -> Peer:
        """Return when it listens."""
        with errors.open("wb") as stderr:
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(
                *command, stdin=pipe, stdout=pipe, stderr=stderr, env=environment or None, limit=LINE_LIMIT_bytes
            )
        peer = cls(process)
        try:
            await peer.until(lambda: peer.port != 0, "listening socket")
        except Failed as why:
            await peer.stop(errors.with_suffix(".lines"))
            last = errors.read_text().strip().splitlines()[-1:]
            raise Failed(f"{why} {last}") from None
        return peer

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            self._lines.append(line.decode())
            match json.loads(line):
                case {"listening": port}:
                    self.port = port
                case {"received": action, "payload": payload, "response": response}:
                    self._received.append((action, payload, response))
                case {"unknown": action}:
                    self.unknown.add(action)
                case {"refused": text}:
                    self.refused.append(text)
                case {"id": number} as answer:
                    self._answers[number] = answer

    async def until(self, true: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> None:
        """Wait until something is true; raises Failed when it never is, or the peer refuses a frame."""
        try:
            async with asyncio.timeout(limit_s):
                while not true():
                    if self.refused:
                        raise Failed(f"refused {self.refused[0]}")
                    if self._reader.done():
                        raise Failed(f"ended before: {what}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise Failed(f"no {what} within {limit_s:g} s; received {[one[0] for one in self._received]}") from None

    def payloads(self, action: str) -> list[dict[str, Any]]:
        """Return all requests of an action."""
        return [payload for name, payload, _ in self._received if name == action]

    async def received(self, action: str, **members: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return request and answer of the first request of an action with these members; it is not taken again."""

        def found() -> list[int]:
            return [
                place
                for place, (name, payload, _) in enumerate(self._received)
                if name == action and members.items() <= payload.items()
            ]

        await self.until(found, f"{action} {members or ''}")
        _, payload, response = self._received.pop(found()[0])
        return payload, response

    async def call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Return the charger's answer as the peer has it; raises Failed for an error."""
        self._number = number = self._number + 1
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"id": number, "call": action, "payload": payload}).encode() + b"\n")
        await self.until(lambda: number in self._answers, f"answer to {action}")
        answer = self._answers[number]
        if "failure" in answer:
            raise Failed(f"{action}: {answer['failure']}")
        return answer["answer"]

    async def stop(self, log: Path) -> None:
        """End the process and keep its lines."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reader
        log.write_text("".join(self._lines))


class Relay:
    """A TCP port of the loopback that passes everything on to another, until it is cut."""

    def __init__(self, to_port: int) -> None:
        self.port = 0
        self._to = to_port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen, again on the same port after `cut`."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection without a word of the protocol, and refuse new ones."""
        if self._server is None:
            return
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        await asyncio.gather(self._pass(reader, far_writer), self._pass(far_reader, writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except ConnectionError:
            return
        finally:
            self._writers.discard(writer)
            writer.close()
