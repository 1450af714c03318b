"""Run a CSMS that is a server of its own for `tests.peers.csms`: `arthexis` or `ocpp-broker` of PyPI.

Arguments: PEER PYTHON VERSION PROFILE PASSWORD FOLDER. A WebSocket relay stands before it, which reads along, and
writes the JSON lines of csms_python.py. Calls come from the relay: the servers have pages and commands for people
instead. The relay appends the slash that `arthexis` wants behind the identity.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from http import HTTPStatus
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed, WebSocketException

from chargebyte_fw.kernel.children import ends_with_us

START_LIMIT_S = 60.0
HASH = """
import sys
from django.conf import settings
settings.configure()
from django.contrib.auth.hashers import make_password
print(make_password(sys.argv[1]))
"""


def write(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Arthexis:
    """A server on Django, with SQLite; stations enrol by a token, which is their password."""

    path = "/ws/ocpp/{identity}/"

    def __init__(self, python: str, version: str, password: str, folder: Path, port: int) -> None:
        data = folder / "arthexis"
        data.mkdir(parents=True)
        run = subprocess.run([python, "-c", HASH, password], capture_output=True, text=True, check=True)
        self.environment = {
            **os.environ,
            "ARTHEXIS_DATA_DIR": str(data),
            "ARTHEXIS_ALLOWED_HOSTS": "127.0.0.1",
            "ARTHEXIS_OCPP_ENROLLMENT_TOKEN_HASH": run.stdout.strip(),
            "DJANGO_SETTINGS_MODULE": "arthexis.settings",
        }
        commands = Path(python).parent
        subprocess.run(
            [commands / "arthexis", "migrate"], env=self.environment, check=True, stdout=sys.stderr, stderr=sys.stderr
        )
        self.command = [str(commands / "daphne"), "-b", "127.0.0.1", "-p", str(port), "arthexis.asgi:application"]


class Broker:
    """A broker between stations and back ends, which is a back end itself where none is configured."""

    path = "/org/{identity}"

    def __init__(self, python: str, version: str, password: str, folder: Path, port: int) -> None:
        tag = {"id_tag": "DEADBEEF", "status": "Accepted"}
        organization = {
            "name": "org",
            "connect_to_backend": False,
            "ocpp_subprotocol": f"ocpp{version}",
            "tag_management": {"enabled": True},
            "tags": [tag],
        }
        configuration = {"broker": {"host": "127.0.0.1", "port": port}, "organizations": [organization]}
        file = folder / "broker.yaml"
        file.write_text(json.dumps(configuration))  # JSON is YAML
        self.environment = dict(os.environ)
        self.command = [str(Path(python).parent / "ocpp-broker-server"), "-c", str(file)]


PEERS: dict[str, type[Arthexis] | type[Broker]] = {"arthexis": Arthexis, "ocpp-broker": Broker}


class Wire:
    """The relay: reads along, and sends calls of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._far: dict[Any, Any] = {}
        self._station: Any = None
        self._calls: dict[str, int] = {}
        self._open: dict[str, tuple[str, dict[str, Any]]] = {}

    async def dial(self, connection: Any, request: Any) -> Any:
        """Connect to the server first: a station that it refuses is refused here."""
        headers = {"Authorization": value} if (value := request.headers.get("Authorization")) else {}
        offered = [name.strip() for name in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        url = self._url.format(identity=request.path.rpartition("/")[2])
        try:
            self._far[connection] = await connect(
                url,
                subprotocols=offered,
                additional_headers=headers,
                proxy=None,
                max_size=None,
            )
        except (WebSocketException, OSError, EOFError) as error:
            return connection.respond(HTTPStatus.UNAUTHORIZED, f"{error}\n")
        return None

    def select(self, connection: Any, offered: Any) -> Any:
        return self._far[connection].subprotocol

    async def serve(self, station: Any) -> None:
        """Pass everything on until one end is gone."""
        far = self._far.pop(station)
        self._station = station
        passing = [asyncio.ensure_future(self._up(station, far)), asyncio.ensure_future(self._down(far, station))]
        await asyncio.wait(passing, return_when=asyncio.FIRST_COMPLETED)
        for one in passing:
            one.cancel()
        await asyncio.gather(*passing, far.close(), return_exceptions=True)

    async def _up(self, station: Any, far: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in station:
                frame = json.loads(text)
                if frame[0] == 2:
                    self._open[frame[1]] = (frame[2], frame[3])
                number = self._calls.pop(frame[1], None) if frame[0] in (3, 4) else None
                if number is None:
                    await far.send(text)
                elif frame[0] == 3:
                    write(id=number, answer=frame[2])
                else:
                    write(id=number, failure=f"{frame[2]}: {frame[3]}")

    async def _down(self, far: Any, station: Any) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for text in far:
                self._judge(json.loads(text))
                await station.send(text)

    def _judge(self, frame: Any) -> None:
        action, payload = self._open.pop(str(frame[1]), ("", {})) if frame[0] in (3, 4) else ("", {})
        if frame[0] == 3:
            write(received=action, payload=payload, response=frame[2])
        elif frame[0] == 4 and frame[2] in ("NotImplemented", "NotSupported"):
            write(unknown=action)
        elif frame[0] == 4:
            write(refused=f"{action}: {frame[2]} {frame[3]}"[:600])

    async def call(self, order: dict[str, Any]) -> None:
        """Send a request to the station."""
        message_id = f"relay-{order['id']}"
        self._calls[message_id] = order["id"]
        try:
            await self._station.send(json.dumps([2, message_id, order["call"], order["payload"]]))
        except (ConnectionClosed, AttributeError):
            write(id=order["id"], failure="the station is not connected")


async def until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while process.poll() is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.1)
    sys.exit("the server has ended")


async def main(name: str, python: str, version: str, _profile: str, password: str, folder: str) -> None:
    port = free_port()
    peer = PEERS[name](python, version, password, Path(folder), port)
    wire = Wire(f"ws://127.0.0.1:{port}{peer.path}")
    # `Peer.stop` kills this process, and the server is to end with it.
    with subprocess.Popen(
        peer.command, env=peer.environment, stdout=sys.stderr, stderr=sys.stderr, preexec_fn=ends_with_us()
    ) as process:
        try:
            await until_it_listens(process, port)
            subprotocol: Any = f"ocpp{version}"
            async with serve(
                wire.serve,
                "127.0.0.1",
                0,
                process_request=wire.dial,
                subprotocols=[subprotocol],
                select_subprotocol=wire.select,
                max_size=None,
            ) as server:
                write(listening=next(iter(server.sockets)).getsockname()[1])
                lines = asyncio.StreamReader()
                protocol = asyncio.StreamReaderProtocol(lines)
                await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
                while line := await lines.readline():
                    await wire.call(json.loads(line))
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
