"""Every block of a generation behind a connection: configured by variables, connected, booted, changed by the CSMS."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import Connector, Evse
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection.web_socket import MemoryWebSocket
from chargebyte_fw.modules.ocpp.station import effects, events
from chargebyte_fw.modules.ocpp.station.layout import Layout
from chargebyte_fw.modules.ocpp.variables import Variables
from chargebyte_fw.modules.ocpp.variables.registry import declared
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm
from chargebyte_fw.modules.ocpp.variables.standard import internal
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import SILENT, Csms, Refusal


def whole(runtime: Runtime, csms: Csms, version: Version, **how: Any) -> Point:
    """A station with every block; the CSMS is reached in memory where it does not listen."""
    if version.is_2:
        from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS
    else:
        from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS
    if not csms.listens:
        csms.plug(runtime.wires)
    variables = Variables(declared(connectors={1: 1}, legacy_keys=not version.is_2))
    variables.set(comm.NETWORK_URL.at(slot=1), csms.url)
    variables.set(comm.NETWORK_IDENTITY.at(slot=1), "cp001")
    variables.set(comm.NETWORK_SECURITY_PROFILE.at(slot=1), 0)
    variables.set(internal.ALLOW_SECURITY_LEVEL_ZERO_CONNECTIONS, True)
    layout = Layout([Evse(id=1, connectors=[Connector(id=1)])])
    return Point(runtime, csms.url, version, kinds=BLOCKS, variables=variables, layout=layout, **how)


async def start(point: Point, csms: Csms) -> None:
    await point.runner.load()
    point.runner.feed(events.Started(BootReason.PowerUp))
    await point.start_connection()
    await csms.received("BootNotification")
    await asyncio.sleep(5)


@pytest.mark.parametrize("version", Version)
def test_it_boots_and_reports_its_connectors(run: Any, runtime: Runtime, version: Version) -> None:
    async def main() -> None:
        csms = Csms(version.value.removeprefix("ocpp"))
        point = whole(runtime, csms, version)
        await start(point, csms)
        actions = csms.actions()
        assert actions[0] == "BootNotification"
        assert "StatusNotification" in actions and "SecurityEventNotification" in actions
        await asyncio.sleep(301)
        assert "Heartbeat" in csms.actions()
        await point.stop()

    run(main())


def test_pings_are_switched_on_by_the_csms(run: Any, runtime: Runtime) -> None:
    """Field case 13: first ping within 20 s on the same connection, then every 20 s."""

    async def main() -> None:
        csms = Csms("1.6")
        point = whole(runtime, csms, Version.V16)
        await start(point, csms)
        socket = csms.socket
        assert isinstance(socket, MemoryWebSocket)
        await csms.call("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "0"})
        socket.pings.clear()
        await asyncio.sleep(100)
        assert socket.pings == []
        answer = await csms.call("ChangeConfiguration", {"key": "WebSocketPingInterval", "value": "20"})
        assert answer == {"status": "Accepted"}
        await asyncio.sleep(20.5)
        assert socket.pings == [b"hello there"]
        await asyncio.sleep(100)
        assert len(socket.pings) == 6 and csms.socket is socket
        await point.stop()

    run(main())


def test_another_version_after_a_reconnection(run: Any, runtime: Runtime) -> None:
    """Field case 11: 2.0.1 at first, then 2.1; what was queued is valid in both."""

    async def main() -> None:
        csms = Csms("2.0.1")
        point = whole(runtime, csms, Version.V21)
        await start(point, csms)
        assert point.station.version is Version.V201
        csms.versions = ("2.1",)
        await csms.disconnect()
        await asyncio.sleep(60)
        assert point.station.version is Version.V21 and csms.socket is not None
        assert csms.actions().count("BootNotification") == 1
        await point.stop()

    run(main())


def test_a_new_password_is_used_on_a_new_connection(run: Any, runtime: Runtime) -> None:
    """A01: SetVariables, the answer, then the new connection with the new password."""

    async def main() -> None:
        csms = Csms("2.0.1")
        point = whole(runtime, csms, Version.V201)
        point.station.variables.set(comm.NETWORK_SECURITY_PROFILE.at(slot=1), 1)
        point.station.variables.set(comm.BASIC_AUTH_PASSWORD, "the first password")
        await start(point, csms)
        data = {
            "component": {"name": "SecurityCtrlr"},
            "variable": {"name": "BasicAuthPassword"},
            "attributeValue": "pa:ss wörter 16+",
        }
        result = await csms.call("SetVariables", {"setVariableData": [data]})
        assert result["setVariableResult"][0]["attributeStatus"] == "Accepted"
        await asyncio.sleep(30)
        assert [len(one.headers["Authorization"]) > 6 for one in csms.handshakes] == [True, True]
        assert csms.handshakes[0].headers["Authorization"] != csms.handshakes[1].headers["Authorization"]
        assert csms.handshakes[1].headers["Authorization"] == "Basic Y3AwMDE6cGE6c3Mgd8O2cnRlciAxNis="
        await point.stop()

    run(main())


async def refused(csms: Csms, action: str, payload: dict[str, Any], message_id: str = "") -> str:
    with pytest.raises(Refusal) as found:
        await csms.call(action, payload, message_id=message_id)
    return found.value.code


def test_a_text_that_is_too_long_is_refused_and_the_next_request_answered(run: Any, runtime: Runtime) -> None:
    """Field case 2."""

    async def main() -> None:
        csms = Csms("2.0.1")
        point = whole(runtime, csms, Version.V201)
        await start(point, csms)
        socket = csms.socket
        assert await refused(csms, "DataTransfer", {"vendorId": "x" * 300}, "b1") == "FormatViolation"
        variable = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}
        result = await csms.call("GetVariables", {"getVariableData": [variable]}, message_id="b2")
        assert result["getVariableResult"][0]["attributeStatus"] == "Accepted"
        assert csms.socket is socket
        for request in csms.requests("SecurityEventNotification"):
            assert len(request.get("techInfo", "")) <= 255
        await point.stop()

    run(main())


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("InstallCertificate", {"certificateType": "", "certificate": "-----BEGIN CERTIFICATE-----"}),
        (
            "GetLog",
            {
                "requestId": 7,
                "logType": "DiagnosticsLog",
                "log": {"remoteLocation": "ftp://127.0.0.1/x", "oldestTimestamp": "", "latestTimestamp": ""},
            },
        ),
        (
            "GetLog",
            {
                "requestId": 7,
                "logType": "DiagnosticsLog",
                "log": {"remoteLocation": "ftp://127.0.0.1/x", "oldestTimestamp": "2024-02-30T10:00:00Z"},
            },
        ),
    ],
)
def test_a_bad_payload_does_nothing(run: Any, runtime: Runtime, action: str, payload: dict[str, Any]) -> None:
    """Field cases 3 and 4."""

    async def main() -> None:
        csms = Csms("2.0.1")
        point = whole(runtime, csms, Version.V201)
        await start(point, csms)
        point.outward.clear()
        assert await refused(csms, action, payload) == "FormatViolation"
        await asyncio.sleep(10)
        assert "LogStatusNotification" not in csms.actions()
        assert not [one for one in point.outward if isinstance(one, effects.Command)]
        await point.stop()

    run(main())


def test_a_refusal_of_an_odd_form_releases_the_request(run: Any, runtime: Runtime) -> None:
    """Field case 7."""

    async def main() -> None:
        csms = Csms("1.6")
        point = whole(runtime, csms, Version.V16)
        await start(point, csms)
        loop = asyncio.get_running_loop()
        csms.answers["Heartbeat"] = SILENT
        await csms.call("TriggerMessage", {"requestedMessage": "Heartbeat"})
        await csms.received("Heartbeat")
        message_id = csms.frames[-1][1][1]
        await csms.call("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1})
        count = len(csms.requests("StatusNotification"))
        text = "a long text of more than 20 characters"
        begun_s = loop.time()
        await csms.send([4, message_id, "InternalError", text, "SQL detail"])
        await csms.until(lambda: len(csms.requests("StatusNotification")) > count)
        assert loop.time() - begun_s < 1.0
        await point.stop()

    run(main())


def test_ids_that_recur_and_are_no_uuid(run: Any, runtime: Runtime) -> None:
    """Field case 8."""

    async def main() -> None:
        csms = Csms("1.6")
        point = whole(runtime, csms, Version.V16)
        await start(point, csms)
        for message_id in ("1", "1", "req/2024-03-01T10:00:00.000#000001-A"):
            assert "listVersion" in await csms.call("GetLocalListVersion", {}, message_id=message_id)
            await asyncio.sleep(5)
        await point.stop()

    run(main())
