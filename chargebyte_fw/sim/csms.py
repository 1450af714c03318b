"""`python -m chargebyte_fw.sim.csms`: a small CSMS, which prints what it receives and sends and stops each transaction.

It accepts a station of one version of OCPP, answers every request, has the meter sampled every few seconds, and sends a
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
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.extras import require
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.rpc import frames
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim import csms_answers, csms_lines

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

VERSIONS = {"1.6": Version.V16, "2.0.1": Version.V201, "2.1": Version.V21}
HOST, PORT = "127.0.0.1", 9000
CHARGING_S = 20.0
"""How long a car charges before the remote stop."""
SAMPLE_S = 5
ANSWER_LIMIT_S = 60.0
HANDSHAKE_LIMIT_S = 60.0

Report = dict[str, Any]

_LOG = logging.Logger("websockets", logging.CRITICAL + 1)
"""What fails is reported in one line; the library would write a traceback."""


class Csms:
    """The back end of one station.

    `report` is called with `{"frame": line}` for each frame, `{"connected": identity}`, `{"disconnected": identity}`,
    `{"failure": reason}`, and at the end of a transaction with `{"ended": reason, "stopped": whether it was the remote
    stop that ended it}`.
    """

    def __init__(self, version: Version, report: Callable[[Report], None], charging_s: float = CHARGING_S) -> None:
        self.version = version
        self._report = report
        self._charging_s = charging_s
        self._connection: ServerConnection | None = None
        self._transaction: str | int | None = None
        self._transactions = 0
        self._charging = False
        self._stop_sent = False
        self._stop: asyncio.TimerHandle | None = None
        self._open: dict[str, tuple[str, asyncio.Future[Any]]] = {}
        self._calls = 0
        self._calling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

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
        from websockets.exceptions import ConnectionClosed

        self._connection = connection
        request = connection.request
        identity = (request.path if request is not None else "").rpartition("/")[2]
        self._report({"connected": identity})
        with suppress(ConnectionClosed):  # what a station does that is reset or switched off
            async for text in connection:
                await self._take(connection, text)
        if self._connection is connection:
            self._connection = None
            self._report({"disconnected": identity})

    # What is received.

    async def _take(self, connection: ServerConnection, text: str | bytes) -> None:
        frame = frames.parse(text, self.version)
        match frame:
            case frames.Call(message_id, action, payload):
                self._report({"frame": csms_lines.request_line("station", action, payload)})
                await self._answer(connection, message_id, action, payload)
            case frames.Send(_, action, payload):
                self._report({"frame": csms_lines.request_line("station", action, payload)})
            case frames.CallResult(message_id, payload) if message_id in self._open:
                action, future = self._open.pop(message_id)
                self._report({"frame": csms_lines.response_line("station", self.version, action, payload)})
                if not future.done():
                    future.set_result(payload)
            case frames.CallError(message_id, code, description) if message_id in self._open:
                action, future = self._open.pop(message_id)
                self._report({"frame": csms_lines.error_line("station", action, code, description)})
                if not future.done():
                    future.set_result(None)
            case frames.Malformed(reason, message_id, error):
                self._report({"failure": f"the station sent what is no frame: {reason}"})
                if error is not None:
                    await connection.send(frames.call_error(self.version, message_id, error, reason))
            case _:
                self._report({"failure": f"the station answered a request that was not sent: {frame}"})

    async def _answer(
        self, connection: ServerConnection, message_id: str, action: str, payload: dict[str, Any]
    ) -> None:
        try:
            csms_answers.check(self.version, action, payload)
        except MessageError as error:
            self._report({"frame": csms_lines.error_line("csms", action, error.code, error.description)})
            await connection.send(
                frames.call_error(self.version, message_id, error.code, error.description, error.details)
            )
            return
        if action == "StartTransaction":
            self._transactions += 1
        answer = csms_answers.answer(self.version, action, payload, clock.utc_now(), self._transactions)
        await connection.send(frames.call_result(message_id, msgspec.json.encode(answer)))
        self._report({"frame": csms_lines.response_line("csms", self.version, action, answer)})
        self._follow(action, payload)

    def _follow(self, action: str, payload: dict[str, Any]) -> None:
        """Note what the request has changed, and send what is to be sent then."""
        match action:
            case "BootNotification":
                self._start(self._sample_often())
            case "StartTransaction":
                self._began(self._transactions)
            case "StatusNotification" if payload.get("status") == "Charging":
                self._charging = True
            case "StatusNotification" if "status" in payload and payload.get("connectorId") != 0:
                self._charging = False
            case "StopTransaction":
                self._ended(payload.get("reason", "Local"))
            case "TransactionEvent":
                self._transaction_event(payload)
            case _:
                return
        self._arm()

    def _transaction_event(self, payload: dict[str, Any]) -> None:
        info = payload["transactionInfo"]
        if payload["eventType"] == "Ended":
            self._ended(info.get("stoppedReason", "Local"))
            return
        if self._transaction != info["transactionId"]:
            self._began(info["transactionId"])
        if "chargingState" in info:
            self._charging = info["chargingState"] == "Charging"

    def _began(self, transaction: str | int) -> None:
        self._transaction = transaction
        self._stop_sent = False

    def _ended(self, reason: str) -> None:
        self._transaction = None
        self._charging = False
        self._report({"ended": reason, "stopped": self._stop_sent and reason == "Remote"})

    def _arm(self) -> None:
        """Have the remote stop sent once the car of a transaction has charged for long enough."""
        wanted = self._transaction is not None and self._charging
        if not wanted and self._stop is not None:
            self._stop.cancel()
            self._stop = None
        elif wanted and self._stop is None and not self._stop_sent:
            loop = asyncio.get_running_loop()
            self._stop = loop.call_later(self._charging_s, lambda: self._start(self._remote_stop()))

    # What is sent.

    async def _sample_often(self) -> None:
        if self.version.is_2:
            variable = {
                "component": {"name": "SampledDataCtrlr"},
                "variable": {"name": "TxUpdatedInterval"},
                "attributeValue": str(SAMPLE_S),
            }
            await self.call("SetVariables", {"setVariableData": [variable]})
        else:
            await self.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": str(SAMPLE_S)})

    async def _remote_stop(self) -> None:
        action = "RequestStopTransaction" if self.version.is_2 else "RemoteStopTransaction"
        # Not first at the answer: the end of the transaction may be received together with it.
        self._stop_sent = True
        answer = await self.call(action, {"transactionId": self._transaction})
        status = answer.get("status") if isinstance(answer, dict) else None
        if status != "Accepted":
            self._report({"failure": f"the station did not accept the remote stop: {status or 'no answer'}"})

    async def call(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a request when no other one is open; return the payload of its answer, None without one."""
        from websockets.exceptions import ConnectionClosed

        async with self._calling:
            connection = self._connection
            if connection is None:
                return None
            self._calls += 1
            message_id = f"csms-{self._calls}"
            future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._open[message_id] = (action, future)
            self._report({"frame": csms_lines.request_line("csms", action, payload)})
            try:
                await connection.send(frames.call(message_id, action, msgspec.json.encode(payload)))
                async with asyncio.timeout(ANSWER_LIMIT_S):
                    return await future
            except (ConnectionClosed, TimeoutError):
                return None
            finally:
                self._open.pop(message_id, None)

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """End what is under way."""
        if self._stop is not None:
            self._stop.cancel()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m chargebyte_fw.sim.csms", description=(__doc__ or "").split(": ")[1]
    )
    result.add_argument("--ocpp", choices=tuple(VERSIONS), default="2.0.1", help="version (default 2.0.1)")
    result.add_argument("--host", default=HOST, help=f"address to listen on (default {HOST})")
    result.add_argument("--port", type=int, default=PORT, help=f"default {PORT}")
    result.add_argument(
        "--charging-s", type=float, default=CHARGING_S, metavar="S", help="charge so long, then stop (default 20)"
    )
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
    csms = Csms(VERSIONS[arguments.ocpp], report, arguments.charging_s)
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
