"""Connection, queue and station together, against a CSMS in memory and on a socket."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.connection.web_socket import HandshakeFailed
from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.station.events import Connected, Disconnected, SlotConfirmed
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import SILENT, Csms, Refusal

V16, V201, V21 = Version


@pytest.mark.parametrize("version", Version)
def test_the_first_boot_notification_over_a_real_socket(runtime: Runtime, version: Version) -> None:
    async def main() -> None:
        csms = Csms(version.value.removeprefix("ocpp"))
        point = Point(runtime, await csms.listen(), version)
        await point.start()
        boot = await csms.received("BootNotification")
        assert "M" in str(boot)
        assert csms.handshakes[0].url == "/cp001"
        await csms.until(lambda: bool(point.recorder.of(SlotConfirmed)))
        (connected,) = point.recorder.of(Connected)
        assert (connected.ocpp_version, connected.slot, connected.identity) == (version.value, 1, "cp001")
        await point.stop()
        await csms.close()

    clock.run(main())


@pytest.mark.parametrize("version", Version)
def test_the_same_in_memory(run: Any, runtime: Runtime, version: Version) -> None:
    async def main() -> None:
        csms = Csms(version.value.removeprefix("ocpp"))
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url, version)
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        assert point.queue.registration == "Accepted"
        await point.stop()

    run(main())


def test_a_lost_connection_is_opened_again_and_the_station_does_not_boot_twice(run: Any, runtime: Runtime) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        await csms.disconnect()
        await asyncio.sleep(20)
        assert csms.socket is not None
        assert len(csms.requests("BootNotification")) == 1
        assert len(point.recorder.of(Disconnected)) == 1
        await point.stop()

    run(main())


def test_what_happened_offline_arrives_in_order_with_the_id_of_the_csms(run: Any, runtime: Runtime) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        csms.refuse_handshake = HandshakeFailed("no route")
        await csms.disconnect()
        now = point.station.utc
        point.send(
            v16.StartTransactionRequest(connector_id=1, id_tag="A", meter_start_Wh=0, timestamp=now), transaction="s1"
        )
        point.send(v16.StopTransactionRequest(transaction_id=-1, meter_stop_Wh=5, timestamp=now), transaction="s1")
        await asyncio.sleep(3600)
        csms.refuse_handshake = None
        await csms.received("StopTransaction")
        assert csms.actions() == ["BootNotification", "StartTransaction", "StopTransaction"]
        assert csms.requests("StopTransaction")[0]["transactionId"] == 1
        await point.stop()

    run(main())


def test_crossing_calls(run: Any, runtime: Runtime) -> None:
    """Field case 6."""

    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        await point.start()
        await csms.received("BootNotification")
        csms.answers["MeterValues"] = SILENT
        now = point.station.utc
        value = v16.MeterValue(timestamp=now, sampled_value=[v16.SampledValue(value="1")])
        point.send(v16.MeterValuesRequest(connector_id=1, meter_value=[value]))
        point.send(v16.MeterValuesRequest(connector_id=1, meter_value=[value]))
        await csms.received("MeterValues")
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        answer = await csms.call("ChangeAvailability", {"connectorId": 1, "type": "Operative"})
        assert answer == {"status": "Accepted"} and loop.time() - begun_s < 2.0
        await asyncio.sleep(15)
        assert len(csms.requests("MeterValues")) == 1
        del csms.answers["MeterValues"]
        message_id = csms.frames[[frame[1][2:3] for frame in csms.frames].index(["MeterValues"])][1][1]
        await csms.send([3, message_id, {}])
        await csms.received("MeterValues")
        await point.stop()

    run(main())


@pytest.mark.parametrize(
    ("version", "payload", "code"),
    [
        (V16, {"connectorId": 1, "type": "Broken"}, "FormationViolation"),
        (V201, {"operationalStatus": "Broken"}, "FormatViolation"),
        (V21, {"operationalStatus": "Broken"}, "FormatViolation"),
    ],
)
@pytest.mark.ocpp("FR.03")
def test_the_code_for_a_bad_payload(
    run: Any, runtime: Runtime, version: Version, payload: dict[str, Any], code: str
) -> None:
    """Field case 1."""

    async def main() -> None:
        csms = Csms(version.value.removeprefix("ocpp"))
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url, version)
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        with pytest.raises(Refusal) as refused:
            await csms.call("ChangeAvailability", payload, message_id="a1")
        assert refused.value.code == code
        assert csms.frames[-1][1][1] == "a1"
        with pytest.raises(Refusal) as unknown:
            await csms.call("NoSuchAction", {})
        assert unknown.value.code == "NotImplemented"
        await point.stop()

    run(main())


def test_how_things_stand(run: Any, runtime: Runtime) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        loop = asyncio.get_running_loop()
        assert point.machine.status(loop.time()).state == "not wanted"
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        status = point.machine.status(loop.time())
        assert (status.state, status.slot, status.version, status.registration) == (
            "connected",
            1,
            "ocpp1.6",
            "Accepted",
        )
        csms.refuse_handshake = HandshakeFailed("no route")
        await csms.disconnect(1001, "maintenance")
        point.send(v16.StopTransactionRequest(transaction_id=1, meter_stop_Wh=5, timestamp=point.station.utc))
        await asyncio.sleep(1)
        assert "maintenance" in point.machine.status(loop.time()).last_reason
        await asyncio.sleep(60)
        status = point.machine.status(loop.time())
        assert status.last_reason == "no route" and status.next_attempt_in_s is not None
        assert status.messages == 1 and status.oldest_message.startswith("2026-01-01T00:00:0")
        await point.stop()

    run(main())
