"""One station at the small CSMS: the conversation with it, over however many connections it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel import clock
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.rpc import frames
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim import csms_answers, csms_lines

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

SAMPLE_S = 5
ANSWER_LIMIT_S = 60.0

Report = dict[str, Any]


class StationAtCsms:
    """What the CSMS knows of a station; `next_transaction` returns a new id (1.6), the others are as in `Csms`."""

    def __init__(
        self,
        version: Version,
        report: Callable[[Report], None],
        charging_s: float,
        next_transaction: Callable[[], int],
        shows_frames: bool = True,
        sample_s: int = SAMPLE_S,
    ) -> None:
        self.version = version
        self._report = report
        self._charging_s = charging_s
        self._next_transaction = next_transaction
        self._shows_frames = shows_frames
        self._sample_s = sample_s
        self._connection: ServerConnection | None = None
        self._transaction: str | int | None = None
        self._charging = False
        self._stop_sent = False
        self._stop: asyncio.TimerHandle | None = None
        self._open: dict[str, tuple[str, asyncio.Future[Any]]] = {}
        self._calls = 0
        self._calling = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, connection: ServerConnection) -> bool:
        """Have the conversation over a connection; returns whether it was the last one when it ended."""
        from websockets.exceptions import ConnectionClosed

        self._connection = connection
        with suppress(ConnectionClosed):  # what a station does that is reset or switched off
            async for text in connection:
                await self._take(connection, text)
        if self._connection is not connection:
            return False
        self._connection = None
        return True

    def _show(self, line: Callable[..., str], *what: Any) -> None:
        """Report a frame in a line, where frames are reported."""
        if self._shows_frames:
            self._report({"frame": line(*what)})

    # What is received.

    async def _take(self, connection: ServerConnection, text: str | bytes) -> None:
        frame = frames.parse(text, self.version)
        match frame:
            case frames.Call(message_id, action, payload):
                self._show(csms_lines.request_line, "station", action, payload)
                await self._answer(connection, message_id, action, payload)
            case frames.Send(_, action, payload):
                self._show(csms_lines.request_line, "station", action, payload)
            case frames.CallResult(message_id, payload) if message_id in self._open:
                action, future = self._open.pop(message_id)
                self._show(csms_lines.response_line, "station", self.version, action, payload)
                if not future.done():
                    future.set_result(payload)
            case frames.CallError(message_id, code, description) if message_id in self._open:
                action, future = self._open.pop(message_id)
                self._show(csms_lines.error_line, "station", action, code, description)
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
            self._show(csms_lines.error_line, "csms", action, error.code, error.description)
            await connection.send(
                frames.call_error(self.version, message_id, error.code, error.description, error.details)
            )
            return
        transaction = self._next_transaction() if action == "StartTransaction" else 0
        answer = csms_answers.answer(self.version, action, payload, clock.utc_now(), transaction)
        await connection.send(frames.call_result(message_id, msgspec.json.encode(answer)))
        self._show(csms_lines.response_line, "csms", self.version, action, answer)
        self._follow(action, payload, transaction)

    def _follow(self, action: str, payload: dict[str, Any], transaction: int) -> None:
        """Note what the request has changed, and send what is to be sent then."""
        match action:
            case "BootNotification" if self._sample_s > 0:
                self._start(self._sample_often())
            case "StartTransaction":
                self._began(transaction)
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
        wanted = self._transaction is not None and self._charging and self._charging_s > 0
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
                "attributeValue": str(self._sample_s),
            }
            await self.call("SetVariables", {"setVariableData": [variable]})
        else:
            await self.call("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": str(self._sample_s)})

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
            self._show(csms_lines.request_line, "csms", action, payload)
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
