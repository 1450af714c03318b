"""RpcApi 1.0.0: the recorded dialogue of a client, the greeting's rules, limits per EVSE, notifications."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from chargebyte_fw.contracts.types.energy import CapabilityLimits
from chargebyte_fw.contracts.types.evse_manager import EVInfo, SessionEventEnum
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.api.rpc_api import RpcApi
from tests.api.helpers import charger, enforced, event, meter, publish_first_facts

Run = Callable[[Any], Any]
CONNECTIONS = {
    "evse_manager": "connector.evse",
    "evse_energy_sink": "grid.external_limits",
    "charger_information": "identity.main",
}
HELLO = {"jsonrpc": "2.0", "id": 1, "method": "API.Hello"}


class Client:
    """A client whose wire is two queues."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str] = asyncio.Queue()
        self.replies: asyncio.Queue[Any] = asyncio.Queue()
        self.notified: list[Any] = []
        self.closed: tuple[int, str] | None = None

    async def recv(self) -> str:
        return await self.inbox.get()

    async def send(self, message: bytes) -> None:
        assert isinstance(message, bytes)
        told = json.loads(message)
        if isinstance(told, dict) and "method" in told:
            self.notified.append(told)
        else:
            self.replies.put_nowait(told)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = (code, reason)

    async def ask(self, method: str, params: Any = None) -> Any:
        request = {"jsonrpc": "2.0", "id": 7, "method": method}
        self.inbox.put_nowait(json.dumps(request if params is None else {**request, "params": params}))
        reply = await self.replies.get()
        return reply.get("result", reply.get("error"))


class Bench:
    def __init__(self, runtime: Any, connections: dict[str, str] = CONNECTIONS) -> None:
        self._serve: Any = None
        runtime.wires.plug("websocket:8080", lambda serve: setattr(self, "_serve", serve))
        self.assembly = charger(runtime, RpcApi, connections)
        self.evse = self.assembly.implementations["connector", "evse"]
        self.sink = self.assembly.implementations.get(("grid", "external_limits"))

    async def start(self) -> None:
        await self.assembly.start()
        publish_first_facts(self.evse)
        await asyncio.sleep(0.1)

    def connect(self) -> tuple[Client, asyncio.Task[None]]:
        client = Client()
        return client, asyncio.get_running_loop().create_task(self._serve(client))


@pytest.fixture
def greeted(run: Run, runtime: Any) -> Callable[..., None]:
    def go(story: Callable[[Bench, Client], Any], connections: dict[str, str] = CONNECTIONS) -> None:
        async def main() -> None:
            bench = Bench(runtime, connections)
            await bench.start()
            client, task = bench.connect()
            client.inbox.put_nowait(json.dumps(HELLO))
            hello = await client.replies.get()
            assert hello["result"]["api_version"] == "1.0.0"
            await story(bench, client)
            task.cancel()
            await bench.assembly.stop()

        run(main())

    return go


def test_hello_says_who_we_are(greeted: Any) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        told = await client.ask("API.Hello")
        assert told["authentication_required"] is False
        assert told["charger_info"] == {
            "vendor": "ACME",
            "model": "DC1",
            "serial": "1234",
            "firmware_version": "1.0.0",
        }

    greeted(story)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ('{"jsonrpc":"2.0","id":1,"method":"EVSE.GetInfo"}', "Disconnected due to missing API.Hello request"),
        ("nonsense", "Disconnected due to missing API.Hello request"),
        (None, "Disconnected due to timeout"),
    ],
)
def test_who_does_not_say_hello_first_within_five_seconds_is_closed(
    run: Run, runtime: Any, said: str | None, reason: str
) -> None:
    async def main() -> None:
        bench = Bench(runtime)
        await bench.start()
        client, task = bench.connect()
        if said is not None:
            client.inbox.put_nowait(said)
        await task
        assert client.closed == (1002, reason)
        await bench.assembly.stop()

    run(main())


def test_the_read_methods_answer_as_recorded(greeted: Any) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        info = {
            "available_connectors": [{"index": 1, "type": "Unknown"}],
            "id": "DE*PNX*E12345*1",
            "index": 1,
            "supported_energy_transfer_modes": ["DC_extended"],
        }
        assert await client.ask("ChargePoint.GetEVSEInfos") == {"error": "NoError", "infos": [info]}
        assert await client.ask("EVSE.GetInfo", [1]) == {"error": "NoError", "info": info}
        assert await client.ask("ChargePoint.GetActiveErrors") == {"active_errors": [], "error": "NoError"}
        assert await client.ask("EVSE.GetStatus", {"evse_index": 1}) == {
            "error": "NoError",
            "status": {
                "active_connector_index": 1,
                "available": True,
                "charge_protocol": "Unknown",
                "charged_energy_wh": 0.0,
                "charging_allowed": True,
                "charging_duration_s": 0,
                "discharged_energy_wh": 0.0,
                "error_present": False,
                "state": "Unplugged",
            },
        }
        capabilities = await client.ask("EVSE.GetHardwareCapabilities", {"evse_index": 1})
        assert capabilities["hardware_capabilities"] == {
            "max_current_A_export": 16.126,
            "max_current_A_import": 32.0,
            "max_phase_count_export": 3,
            "max_phase_count_import": 3,
            "min_current_A_export": 0.0,
            "min_current_A_import": 6.0,
            "min_phase_count_export": 1,
            "min_phase_count_import": 1,
            "phase_switch_during_charging": True,
        }
        told = (await client.ask("EVSE.GetMeterData", {"evse_index": 1}))["meter_data"]
        assert told["meter_id"] == "DC_POWERMETER" and told["current_A"] == {"DC": 0.0}

    greeted(story)


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("EVSE.GetInfo", [7]),
        ("EVSE.GetStatus", [7]),
        ("EVSE.GetHardwareCapabilities", [7]),
        ("EVSE.GetMeterData", [7]),
        ("EVSE.SetChargingAllowed", [7, True]),
        ("EVSE.SetACChargingCurrent", [7, 16]),
        ("EVSE.SetACChargingPhaseCount", [7, 1]),
        ("EVSE.SetDCChargingPower", [7, 1000]),
        ("EVSE.EnableConnector", [7, 1, True, 10]),
    ],
)
def test_an_unknown_evse_is_an_invalid_index(greeted: Any, method: str, params: list[Any]) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        assert (await client.ask(method, params))["error"] == "ErrorInvalidEVSEIndex"

    greeted(story)


@pytest.mark.parametrize("method", ["EVSE.SetACCharging", "EVSE.SetDCCharging", "EVSE.Nonsense"])
def test_methods_that_do_not_exist_are_not_found(greeted: Any, method: str) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        assert await client.ask(method, {}) == {"code": -32601, "message": f"method not found: {method}"}

    greeted(story)


def test_without_an_energy_node_limits_are_not_supported(greeted: Any) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        assert await client.ask("EVSE.SetDCChargingPower", [1, 5000.0]) == {"error": "ErrorOperationNotSupported"}

    greeted(story, {"evse_manager": "connector.evse"})


def test_a_denied_car_is_paused_and_an_allowed_one_gets_its_limit_and_goes_on(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        bench.evse.session_event.publish(event(SessionEventEnum.ChargingStarted))
        await asyncio.sleep(0.1)
        await client.ask("EVSE.SetDCChargingPower", [1, 5000])
        assert await client.ask("EVSE.SetChargingAllowed", [1, False]) == {"error": "NoError"}
        bench.evse.session_event.publish(event(SessionEventEnum.ChargingPausedEVSE))
        await asyncio.sleep(0.1)
        assert await client.ask("EVSE.SetDCChargingPower", [1, 7000]) == {"error": "NoError"}
        assert bench.sink.in_force() == (0.0, None, None)
        assert await client.ask("EVSE.SetChargingAllowed", [1, True]) == {"error": "NoError"}
        assert bench.evse.calls == [("pause_charging",), ("resume_charging",)]
        assert bench.sink.limits[-1].schedule_import[0].limits_to_root.total_power_W.value == 7000.0
        assert bench.sink.limits[-1].schedule_import[0].limits_to_root.total_power_W.source == "RpcApi_module"

    greeted(story)


def test_denied_before_it_charges_the_limit_is_closed(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        await client.ask("EVSE.SetChargingAllowed", [1, False])
        assert bench.sink.limits[-1].schedule_import[0].limits_to_root.ac_max_current_A.value == 0.0
        await client.ask("EVSE.SetChargingAllowed", [1, True])
        assert bench.sink.limits[-1].schedule_import[0].limits_to_root.ac_max_current_A.value == 999.9

    greeted(story)


def test_an_energy_node_that_starts_again_gets_the_limits_in_force(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        bench.sink.capabilities.publish(
            CapabilityLimits(max_current_A=32, max_phase_count=3, nominal_voltage_V=230, total_power_W=22080)
        )
        await asyncio.sleep(0.1)
        assert bench.sink.limits == [], "nothing was ordered"
        await client.ask("EVSE.SetDCChargingPower", [1, 7000])
        bench.sink.capabilities.publish(
            CapabilityLimits(max_current_A=32, max_phase_count=3, nominal_voltage_V=230, total_power_W=22080)
        )
        await asyncio.sleep(0.1)
        assert len(bench.sink.limits) == 2 and bench.sink.in_force() == (None, 7000.0, None)

    greeted(story)


def test_an_ac_current_is_answered_when_it_is_in_force(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        asyncio.get_running_loop().call_later(2.0, lambda: bench.evse.enforced_limits.publish(enforced(10.0)))
        assert await client.ask("EVSE.SetACChargingCurrent", [1, 10.0]) == {"error": "NoError"}
        began = asyncio.get_running_loop().time()
        assert await client.ask("EVSE.SetACChargingCurrent", [1, 6.0]) == {"error": "ErrorValuesNotApplied"}
        assert asyncio.get_running_loop().time() - began == pytest.approx(5.0, abs=0.1)

    greeted(story)


@pytest.mark.parametrize(
    ("count", "error"), [(2, "ErrorInvalidParameter"), (4, "ErrorOutOfRange"), (1, "NoError"), (3, "NoError")]
)
def test_phases_are_one_or_three_within_what_the_board_switches(greeted: Any, count: int, error: str) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        assert await client.ask("EVSE.SetACChargingPhaseCount", [1, count]) == {"error": error}

    greeted(story)


def test_a_connector_is_enabled_by_number_and_the_answer_says_whether_it_is(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        assert await client.ask("EVSE.EnableConnector", [1, 9, True, 10]) == {"error": "ErrorInvalidConnectorIndex"}
        assert await client.ask("EVSE.EnableConnector", [1, 1, True, 10]) == {"error": "NoError"}
        bench.evse.answers["enable_disable"] = True
        assert await client.ask("EVSE.EnableConnector", [1, 1, False, 10]) == {"error": "ErrorValuesNotApplied"}

    greeted(story)


def test_changes_are_told_once_each(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        bench.evse.session_event.publish(event(SessionEventEnum.SessionStarted))
        bench.evse.selected_protocol.publish("IEC61851-1")
        bench.evse.ev_info.publish(EVInfo(soc=10.0))
        bench.evse.powermeter.publish(meter(5.0, 1000.0))
        await asyncio.sleep(0.1)
        bench.evse.selected_protocol.publish("IEC61851-1")
        await asyncio.sleep(0.1)
        assert [told["method"] for told in client.notified] == ["EVSE.MeterDataChanged", "EVSE.StatusChanged"]
        status = client.notified[1]["params"]["evse_status"]
        assert status["state"] == "Preparing" and status["charge_protocol"] == "IEC61851"
        assert status["display_parameters"] == {"present_soc": 10.0}

    greeted(story)


def test_faults_of_every_module_are_told_and_mark_the_status(greeted: Any) -> None:
    async def story(bench: Bench, client: Client) -> None:
        bench.evse.faults.raise_fault("evse_manager/Internal", "it hurts")
        await asyncio.sleep(0.1)
        raised = client.notified[0]
        assert raised["method"] == "ChargePoint.ActiveErrorsChanged"
        assert raised["params"]["active_errors"][0]["origin"] == {
            "module_id": "connector",
            "implementation_id": "evse",
            "evse_index": 1,
        }
        assert (await client.ask("EVSE.GetStatus", [1]))["status"]["error_present"] is True
        bench.evse.faults.clear("evse_manager/Internal")
        await asyncio.sleep(0.1)
        assert (await client.ask("ChargePoint.GetActiveErrors"))["active_errors"] == []

    greeted(story)


@pytest.mark.parametrize("key", ["websocket_tls_enabled", "authentication_required"])
def test_keys_that_would_promise_protection_we_do_not_have_stop_the_start(run: Run, runtime: Any, key: str) -> None:
    async def main() -> None:
        with pytest.raises(ConfigError, match=key):
            await charger(runtime, RpcApi, CONNECTIONS, **{key: True}).start()

    run(main())


def test_real_clients_over_a_real_socket(runtime: Any) -> None:
    async def main() -> None:
        assembly = charger(runtime, RpcApi, CONNECTIONS, websocket_port=0)
        await assembly.start()
        evse = assembly.implementations["connector", "evse"]
        publish_first_facts(evse)
        api = assembly.modules["api"]
        async with asyncio.timeout(10):
            while api.server is None:
                await asyncio.sleep(0.01)
        url = f"ws://127.0.0.1:{api.server.port}"
        with pytest.raises(InvalidStatus):
            await connect(url).__aenter__()
        async with (
            connect(url, subprotocols=[Subprotocol("EVerestRpcApi")]) as one,
            connect(url, subprotocols=[Subprotocol("EVerestRpcApi")]) as other,
        ):
            for client in (one, other):
                await client.send(json.dumps(HELLO))
                assert json.loads(await client.recv())["id"] == 1
            evse.powermeter.publish(meter(3.0))
            for client in (one, other):
                told = json.loads(await client.recv())
                assert told["params"]["meter_data"]["energy_Wh_import"] == {"total": 3.0}
            await assembly.stop()
            with pytest.raises(ConnectionClosed):
                await one.recv()

    clock.run(main())


def test_clients_that_speak_no_websocket_are_a_few_lines_without_a_traceback(
    runtime: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        assembly = charger(runtime, RpcApi, CONNECTIONS, websocket_port=0)
        await assembly.start()
        api = assembly.modules["api"]
        async with asyncio.timeout(10):
            while api.server is None:
                await asyncio.sleep(0.01)
        for rubbish in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 3000) * 5:
            reader, writer = await asyncio.open_connection("127.0.0.1", api.server.port)
            writer.write(rubbish)
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
        await assembly.stop()

    caplog.set_level(logging.DEBUG, "secc")
    clock.run(main())
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(told) == 6 and all(record.exc_info is None for record in told)
    assert told[0].getMessage().startswith("a client was turned away: opening handshake failed: ")
    assert "more clients were turned away" in told[-1].getMessage()
    assert "Traceback" not in capfd.readouterr().err


def test_a_port_that_is_taken_is_tried_again(runtime: Any, unused_tcp_port_holder: Any) -> None:
    holder, port = unused_tcp_port_holder

    async def main() -> None:
        assembly = charger(runtime, RpcApi, CONNECTIONS, websocket_port=port)
        await assembly.start()
        api = assembly.modules["api"]
        await asyncio.sleep(1.0)
        assert api.server is None
        holder.close()
        async with asyncio.timeout(60):
            while api.server is None:
                await asyncio.sleep(0.5)
        await assembly.stop()

    clock.run(main(), speed=20.0)
