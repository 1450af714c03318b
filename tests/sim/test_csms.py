"""The small CSMS: its answers are the standard's, it stops the car after a while, it has a line for each frame."""

from __future__ import annotations

import asyncio
import json
from random import Random
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim import csms_answers, csms_lines
from chargebyte_fw.sim.csms import Csms
from tests.ocpp.csms_in_memory import connect as connect_in_memory
from tests.ocpp.instances import valid_payload
from tests.ocpp.schemas import complaint

REQUESTS = [
    (version, action)
    for version in Version
    for action in sorted(catalogue(version).actions_from_station)
    if not catalogue(version).is_send(action)
]


@pytest.mark.parametrize(("version", "action"), REQUESTS)
def test_every_request_is_answered_as_the_schema_wants(version: Version, action: str) -> None:
    payload = valid_payload(catalogue(version).request(action), version, Random(1), 1.0)
    csms_answers.check(version, action, payload)
    answer = csms_answers.answer(version, action, payload, utc_now(), 1)
    assert complaint(catalogue(version).response(action), version, json.dumps(answer).encode()) == ""


@pytest.mark.parametrize(
    ("action", "payload", "code"),
    [("Reset", {"type": "Immediate"}, "NotImplemented"), ("StatusNotification", {"evseId": 1}, "FormatViolation")],
)
def test_what_no_station_sends_is_refused(action: str, payload: dict[str, Any], code: str) -> None:
    with pytest.raises(MessageError) as caught:
        csms_answers.check(Version.V201, action, payload)
    assert caught.value.code == code


def test_lines_have_what_matters_and_no_token() -> None:
    started = {
        "eventType": "Started",
        "triggerReason": "Authorized",
        "transactionInfo": {"transactionId": "t1", "chargingState": "EVConnected"},
        "idToken": {"idToken": "DEADBEEF", "type": "ISO14443"},
        "meterValue": [
            {"sampledValue": [{"value": 12.0}, {"value": 1.0, "phase": "L1"}, {"value": 1, "measurand": "SoC"}]}
        ],
    }
    line = csms_lines.request_line("station", "TransactionEvent", started)
    assert line == "station -> TransactionEvent Started Authorized t1 EVConnected ISO14443 12.0 Wh"
    assert csms_lines.response_line("csms", Version.V16, "Heartbeat", {}) == "csms -> Heartbeat.conf"
    assert len(csms_lines.request_line("station", "NotifyReport", {"reason": "x" * 5000})) < 200


class Station:
    """A station that a test plays, over a real socket."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0

    async def ask(self, action: str, payload: dict[str, Any]) -> Any:
        """Send a request and return the frame that answers it, after those requests that came before it."""
        self._number += 1
        await self._socket.send(json.dumps([2, str(self._number), action, payload]))
        while (frame := await self.receive())[0] == 2:
            await self._socket.send(json.dumps([3, frame[1], {"status": "Accepted"}]))
        return frame

    async def receive(self) -> Any:
        return json.loads(await self._socket.recv())


def conversation(
    version: Version, play: Any, reports: list[dict[str, Any]] | None = None, offered: str = ""
) -> list[dict[str, Any]]:
    """Connect a station and let `play` have it; returns what the CSMS reported."""
    from websockets.asyncio.client import connect

    reports = [] if reports is None else reports

    async def main() -> None:
        csms = Csms(version, reports.append, charging_s=0.01)
        server = await csms.listen(port=0)
        port = next(iter(server.sockets)).getsockname()[1]
        try:
            async with asyncio.timeout(20):
                protocols: Any = [offered or version.value]
                async with connect(f"ws://127.0.0.1:{port}/cp001", subprotocols=protocols) as socket:
                    await play(Station(socket), socket)
        finally:
            await csms.close()
            server.close()
            await server.wait_closed()

    asyncio.run(main())
    return reports


def test_a_transaction_of_ocpp_16_is_stopped_after_a_while() -> None:
    status = {"connectorId": 1, "errorCode": "NoError"}
    start = {"connectorId": 1, "idTag": "DEADBEEF", "meterStart": 0, "timestamp": "2026-01-01T00:00:00Z"}

    async def play(station: Station, socket: Any) -> None:
        await station.ask("StatusNotification", {**status, "status": "Charging"})
        assert (await station.ask("StartTransaction", start))[2]["transactionId"] == 1
        kind, message_id, action, payload = await station.receive()
        assert (kind, action, payload) == (2, "RemoteStopTransaction", {"transactionId": 1})
        await socket.send(json.dumps([3, message_id, {"status": "Accepted"}]))
        stop = {"transactionId": 1, "meterStop": 9, "timestamp": "2026-01-01T00:00:01Z", "reason": "Remote"}
        await station.ask("StopTransaction", stop)

    reports = conversation(Version.V16, play)
    assert {"connected": "cp001"} in reports and {"ended": "Remote", "stopped": True} in reports
    assert {"frame": "station -> RemoteStopTransaction.conf Accepted"} in reports
    assert {"frame": "csms -> StartTransaction.conf 1 Accepted"} in reports


def event(kind: str, trigger: str, number: int, **info: str) -> dict[str, Any]:
    return {
        "eventType": kind,
        "timestamp": "2026-01-01T00:00:00Z",
        "triggerReason": trigger,
        "seqNo": number,
        "transactionInfo": {"transactionId": "t1", **info},
    }


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_station_that_refuses_the_remote_stop_is_a_failure(version: Version) -> None:
    async def play(station: Station, socket: Any) -> None:
        await station.ask("TransactionEvent", event("Started", "Authorized", 0, chargingState="Charging"))
        _, message_id, action, payload = await station.receive()
        assert (action, payload) == ("RequestStopTransaction", {"transactionId": "t1"})
        await socket.send(json.dumps([3, message_id, {"status": "Rejected"}]))
        await station.ask("TransactionEvent", event("Ended", "EVDeparted", 1, stoppedReason="EVDisconnected"))

    reports = conversation(version, play)
    assert {"failure": "the station did not accept the remote stop: Rejected"} in reports
    assert {"ended": "EVDisconnected", "stopped": False} in reports


def test_a_car_that_pauses_is_not_stopped(run: Any) -> None:
    reports: list[dict[str, Any]] = []

    async def main() -> None:
        csms = Csms(Version.V201, reports.append, charging_s=20)
        socket, serving = connect_in_memory(csms)
        station = Station(socket)
        await station.ask("TransactionEvent", event("Started", "Authorized", 0, chargingState="Charging"))
        await asyncio.sleep(19)
        await station.ask("TransactionEvent", event("Updated", "ChargingStateChanged", 1, chargingState="SuspendedEV"))
        await asyncio.sleep(60)
        assert "Stop" not in str(reports)
        await station.ask("TransactionEvent", event("Updated", "ChargingStateChanged", 2, chargingState="Charging"))
        await asyncio.sleep(21)
        assert "csms -> RequestStopTransaction t1" in str(reports)
        await csms.close()
        await socket.close()
        await serving

    run(main())


def test_what_is_no_frame_is_refused_and_the_conversation_goes_on() -> None:
    async def play(station: Station, socket: Any) -> None:
        await socket.send("no JSON")
        assert (await station.receive())[:3] == [4, "-1", "RpcFrameworkError"]
        assert (await station.ask("Reset", {"type": "Immediate"}))[2] == "NotImplemented"
        assert "currentTime" in (await station.ask("Heartbeat", {}))[2]
        await socket.send(json.dumps([3, "never", {}]))
        await station.ask("Heartbeat", {})

    failures = [report["failure"] for report in conversation(Version.V201, play) if "failure" in report]
    assert len(failures) == 2 and "no frame" in failures[0] and "not sent" in failures[1]


def test_a_station_of_another_version_is_refused_with_the_reason() -> None:
    from websockets.exceptions import InvalidHandshake

    async def play(station: Station, socket: Any) -> None:
        raise AssertionError("it is connected")

    reports: list[dict[str, Any]] = []
    with pytest.raises(InvalidHandshake):
        conversation(Version.V21, play, reports, offered="ocpp1.6")
    (report,) = reports
    assert "it offers ocpp1.6, and this CSMS has ocpp2.1" in report["failure"]


def test_a_port_that_is_taken_is_named() -> None:
    async def main() -> None:
        first = await Csms(Version.V16, print).listen(port=0)
        port = next(iter(first.sockets)).getsockname()[1]
        with pytest.raises(Unavailable, match=f"cannot listen on 127.0.0.1:{port}"):
            await Csms(Version.V16, print).listen(port=port)
        first.close()
        await first.wait_closed()

    asyncio.run(main())
