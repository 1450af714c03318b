"""The control socket for `secc` on the same machine: a Unix socket below the run root, one JSON line each way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.admission import Admission
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import Unavailable, in_words
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root, socket_path
from chargebyte_fw.manager.recording import Recorder, reason

SOCKET = "/run/secc/control"
LONGEST_LINE = 65536
LONGEST_ANSWER = 16 << 20
LIMIT_S = 60.0
MAX_CONNECTIONS = 8

Operator = Mapping[str, Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]]
"""What modules answer, by the name of the subcommand: `Runtime.operator`."""


class NoCharger(Unavailable):
    """No charger runs below this root."""


class Control:
    """Listens while the charger runs. Without a place for a socket that is a line in the log."""

    def __init__(
        self,
        root: Root,
        recorder: Recorder | None,
        log: ModuleLog,
        operator: Operator | None = None,
        place: str = SOCKET,
    ) -> None:
        """`operator` answers what it contains; saving a trace is the recorder's."""
        self._root = root
        self._place = place
        self._operator = {} if operator is None else operator
        self._recorder = recorder
        self._log = log
        self._server: asyncio.Server | None = None
        self._path: Path | None = None
        self._admission = Admission(MAX_CONNECTIONS, MAX_CONNECTIONS)

    async def start(self) -> None:
        """Begin to listen, except on a virtual clock."""
        if loop_speed() is None:
            return
        try:
            path = self._root.write(self._place)
            with socket_path(path) as short:
                self._server = await asyncio.start_unix_server(self._serve, short, limit=LONGEST_LINE)
            path.chmod(0o600)
        except OSError as error:
            self._log.warning("`secc trace save` cannot reach this charger: %s", error)
        else:
            self._path = path

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._admission.refusal(""):
            writer.close()
            return
        self._admission.enter("")
        try:
            await self._converse(reader, writer)
        finally:
            self._admission.leave("")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(LIMIT_S):
                try:
                    answer = await self._answer(await reader.readline())
                except ValueError:
                    answer = {"error": "this is no request"}
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        writer.close()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        request = decode_json(line)
        asked = request.get("do") if isinstance(request, dict) else None
        if isinstance(asked, str) and asked in self._operator:
            return await self._operator[asked](request)
        if not isinstance(request, dict) or asked != "save trace" or self._recorder is None:
            return {"error": "a request that this charger does not know"}
        try:
            target, entries = await self._recorder.save(str(request.get("why") or "request"))
        except Exception as error:
            # Any error of the disk or the installation is the answer to the request.
            return {"error": f"the trace could not be saved: {reason(error)}"}
        self._log.info("trace of %d entries saved to %s", entries, target)
        return {"file": str(target), "entries": entries}


async def ask_soon(root: Root, request: dict[str, Any], place: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Ask another process of this charger; one that does not answer is an error in the answer."""
    try:
        with socket_path(root.state / place.lstrip("/")) as short:
            reader, writer = await asyncio.open_unix_connection(short, limit=LONGEST_ANSWER)
        async with asyncio.timeout(limit_s):
            writer.write(json.dumps(request).encode() + b"\n")
            answer = decode_json(await reader.readline(), dict[str, Any])
        writer.close()
    except (OSError, ValueError) as error:
        return {"error": f"{place} does not answer: {str(error) or type(error).__name__}"}
    return answer


def ask(root: Root, request: dict[str, Any], limit_s: float = LIMIT_S) -> dict[str, Any]:
    """Ask the charger that runs below this root; raises Unavailable when there is none, or it does not answer."""
    path = root.state / SOCKET.lstrip("/")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client, socket_path(path) as short:
            client.settimeout(limit_s)
            client.connect(short)
            client.sendall(json.dumps(request).encode() + b"\n")
            line = client.makefile("rb").readline()
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoCharger(f"no charger runs here (nothing listens at {path})") from None
    except PermissionError:
        raise Unavailable(f"the charger at {path} may only be asked by root, or by the user that it runs as") from None
    except OSError as error:
        raise Unavailable(f"the charger at {path} does not answer: {in_words(error)}") from None
    if not line:
        raise Unavailable(f"the charger at {path} ended before it answered")
    try:
        return decode_json(line, dict[str, Any])
    except ValueError as error:
        raise Unavailable(f"what the charger at {path} answers makes no sense: {error}") from None
