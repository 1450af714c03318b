"""`python -m chargebyte_fw.sim.csms`: a small CSMS, which prints what it receives and sends and stops each transaction.

It accepts stations of one version of OCPP, answers every request, has the meter sampled every few seconds, and sends a
remote stop when a car has charged for a while. Without TLS and without passwords: for demos and trials on one machine.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.extras import require
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim import csms_lines
from chargebyte_fw.sim.csms_station import SAMPLE_S, Report, StationAtCsms

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

VERSIONS = {"1.6": Version.V16, "2.0.1": Version.V201, "2.1": Version.V21}
HOST, PORT = "127.0.0.1", 9000
CHARGING_S = 20.0
"""How long a car charges before the remote stop."""
HANDSHAKE_LIMIT_S = 60.0
BACKLOG = 1024
"""Connections that may wait to be accepted: as many stations come back after an outage."""

_LOG = logging.Logger("websockets", logging.CRITICAL + 1)
"""What fails is reported in one line; the library would write a traceback."""


class Csms:
    """The back end of stations of one version, each known by its identity.

    `report` is called with `{"frame": line}` for each frame, `{"connected": identity}`, `{"disconnected": identity}`,
    `{"failure": reason}`, and at the end of a transaction with `{"ended": reason, "stopped": whether it was the remote
    stop that ended it}`.
    """

    def __init__(
        self,
        version: Version,
        report: Callable[[Report], None],
        charging_s: float = CHARGING_S,
        *,
        shows_frames: bool = True,
        sample_s: int = SAMPLE_S,
    ) -> None:
        """`charging_s` is how long a car charges before the remote stop; 0: there is none.

        Stations have their meters sampled every `sample_s`; 0: as they are configured.
        """
        self.version = version
        self._report = report
        self._charging_s = charging_s
        self._shows_frames = shows_frames
        self._sample_s = sample_s
        self._stations: dict[str, StationAtCsms] = {}
        """By identity."""
        self._transactions = count(1)

    async def listen(self, host: str = HOST, port: int = PORT) -> Any:
        """Accept stations until the server that is returned is closed; raises Unavailable where it cannot listen."""
        from websockets.asyncio.server import serve

        try:
            return await serve(
                self.serve,
                host,
                port,
                subprotocols=[self.version.value],  # type: ignore[list-item]
                select_subprotocol=self._select,
                logger=_LOG,
                open_timeout=HANDSHAKE_LIMIT_S,
                ping_interval=None,
                compression=None,
                close_timeout=1.0,
                backlog=BACKLOG,
            )
        except OSError as error:
            raise Unavailable(f"cannot listen on {host}:{port}: {error.strerror or error}") from error

    def _select(self, _connection: Any, offered: Any) -> Any:
        from websockets.exceptions import NegotiationError

        if self.version in offered:
            return self.version.value
        versions = ", ".join(offered) or "no version"
        self._report({"failure": f"a station is refused: it offers {versions}, and this CSMS has {self.version}"})
        raise NegotiationError(f"the sub-protocol {self.version} is needed")

    async def serve(self, connection: ServerConnection) -> None:
        """Have the conversation with a station that is connected, until it is not any more."""
        request = connection.request
        identity = (request.path if request is not None else "").rpartition("/")[2]
        station = self._stations.get(identity)
        if station is None:
            station = StationAtCsms(
                self.version,
                self._report,
                self._charging_s,
                self._next_transaction,
                self._shows_frames,
                self._sample_s,
            )
            self._stations[identity] = station
        self._report({"connected": identity})
        if await station.serve(connection):
            self._report({"disconnected": identity})

    def _next_transaction(self) -> int:
        return next(self._transactions)

    async def close(self) -> None:
        """End what is under way."""
        for station in self._stations.values():
            await station.close()


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m chargebyte_fw.sim.csms", description=(__doc__ or "").split(": ")[1]
    )
    result.add_argument("--ocpp", choices=tuple(VERSIONS), default="2.0.1", help="version (default 2.0.1)")
    result.add_argument("--host", default=HOST, help=f"address to listen on (default {HOST})")
    result.add_argument("--port", type=int, default=PORT, help=f"default {PORT}")
    result.add_argument(
        "--charging-s",
        type=float,
        default=CHARGING_S,
        metavar="S",
        help="charge so long, then stop (default 20; 0: never)",
    )
    result.add_argument(
        "--sample-s", type=int, default=SAMPLE_S, metavar="S", help="time between meter values (5; 0: the station's)"
    )
    result.add_argument("--quiet", action="store_true", help="report no frames, as for a load of many stations")
    result.add_argument("--speed", type=float, default=1.0, metavar="N", help="N times faster than real time")
    result.add_argument("--json", action="store_true", help="one JSON object a line, for programs")
    return result


async def _run(arguments: argparse.Namespace) -> int:
    over = asyncio.Event()

    def report(one: Report) -> None:
        try:
            print(msgspec.json.encode(one).decode() if arguments.json else csms_lines.as_text(one), flush=True)
        except BrokenPipeError:
            # The reader of the lines is gone: there is nothing left to do.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            over.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    csms = Csms(
        VERSIONS[arguments.ocpp],
        report,
        arguments.charging_s,
        shows_frames=not arguments.quiet,
        sample_s=arguments.sample_s,
    )
    server = await csms.listen(arguments.host, arguments.port)
    port = next(iter(server.sockets)).getsockname()[1]
    report({"listening": f"ws://{arguments.host}:{port}"})
    await over.wait()
    await csms.close()
    server.close()
    await server.wait_closed()
    return 0


def main() -> int:
    """Run the CSMS; exit status 0 when it was asked to end."""
    arguments = parser().parse_args()
    try:
        require("websockets", extra="api")
        return clock.run(_run(arguments), speed=arguments.speed)
    except Unavailable as error:
        print(f"chargebyte_fw.sim.csms: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
