"""EVerest's MQTT protocol: what tools of others see, and how they call (framework: sections 4 and 5)."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from tests.manager.broker import Mosquitto
from tests.manager.parts import Pump, Report, User
from tests.manager.test_mqtt import until

VALVE = "everest/modules/pump/impl/main"


class Onlooker:
    """A tool of somebody else: hears everything, calls commands."""

    def __init__(self, broker: Mosquitto) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.client = MqttClient(BrokerAddress("127.0.0.1", broker.port))
        self.client.subscribe("everest/#", self._hear)

    def _hear(self, topic: str, payload: bytes) -> None:
        self.heard.append((topic, json.loads(payload)))

    def at(self, topic: str) -> list[Any]:
        return [message for heard, message in self.heard if heard == topic]

    async def call(self, command: str, args: Any, call_id: str = "id-1", origin: str = "tool") -> Any:
        data = {"id": call_id, "args": args, "origin": origin}
        self.client.publish(f"{VALVE}/cmd/{command}", json.dumps({"msg_type": "Cmd", "data": data}).encode())
        topic = f"{VALVE}/cmd/{command}/response/{origin}"
        await until(lambda: any(message["data"]["data"]["id"] == call_id for message in self.at(topic)))
        return next(message for message in self.at(topic) if message["data"]["data"]["id"] == call_id)


def with_wire(
    broker: Mosquitto,
    runtime: Runtime,
    test: Callable[[Assembly, Onlooker, Publisher], Awaitable[None]],
    **options: Any,
) -> None:
    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", broker.port))
        wire = Publisher(Carrier(client, "everest/"), **{"commands_from": ["tool"], **options})
        onlooker = Onlooker(broker)
        client.start()
        onlooker.client.start()
        await until(lambda: client.online and onlooker.client.online)
        assembly = Assembly(runtime)
        ends = {
            "valve": [Connection("pump", "main")],
            "levels": [Connection("pump", "tank"), Connection("pump", "tank")],
        }
        assembly.build(
            [
                ModulePlan("pump", Pump, Pump.Config(power_W=5)),
                ModulePlan("user", User, User.Config(), connections=ends),
            ]
        )
        wire.join(assembly)
        await assembly.start()
        wire.announce_ready()
        await until(lambda: bool(onlooker.at("everest/ready")))
        try:
            await test(assembly, onlooker, wire)
        finally:
            await assembly.stop()
            wire.leave()
            await client.stop()
            await onlooker.client.stop()

    run_loop(main())


def test_readiness_is_announced_as_by_modules_and_manager(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        assert onlooker.at("everest/modules/pump/metadata") == [
            {
                "msg_type": "ConfigurationResponse",
                "data": {
                    "module": "Pump",
                    "provides": {"main": {"interface": "valve"}, "tank": {"interface": "level"}},
                },
            }
        ]
        assert onlooker.at("everest/modules/user/ready") == [{"msg_type": "ModuleReady", "data": True}]
        assert onlooker.heard[-1] == ("everest/ready", {"msg_type": "GlobalReady", "data": True})

    with_wire(mosquitto, runtime, test)


def test_variables_go_out_in_everests_envelope(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        main = assembly.modules["pump"].main  # type: ignore[attr-defined]
        main.position.publish(12.5)
        main.report.publish(Report(litres=1.0))
        main.opened.publish(None)
        await until(lambda: bool(onlooker.at(f"{VALVE}/var/opened")))
        assert onlooker.at(f"{VALVE}/var/position") == [{"msg_type": "Var", "data": {"data": 12.5}}]
        # What is not there is left out: a null in its place ends a C++ peer.
        assert onlooker.at(f"{VALVE}/var/report") == [{"msg_type": "Var", "data": {"data": {"litres": 1.0}}}]
        assert onlooker.at(f"{VALVE}/var/opened") == [{"msg_type": "Var", "data": {"data": None}}]

    with_wire(mosquitto, runtime, test)


def test_faults_are_raised_and_cleared_with_the_same_uuid_and_time(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        faults = assembly.modules["pump"].main.faults  # type: ignore[attr-defined]
        faults.raise_fault("generic/VendorError", "valve is stuck", sub_type="stuck")
        faults.clear("generic/VendorError", "stuck")
        topic = f"{VALVE}/error/generic/VendorError"
        await until(lambda: len(onlooker.at(topic)) == 2)
        raised, cleared = onlooker.at(topic)
        assert (raised["msg_type"], cleared["msg_type"]) == ("RaiseError", "ClearError")
        assert raised["data"]["origin"] == {"module_id": "pump", "implementation_id": "main"}
        assert cleared["data"] == {**raised["data"], "state": "ClearedByModule"}
        names = "description message origin severity state sub_type timestamp type uuid vendor_id"
        assert set(raised["data"]) == set(names.split())

    with_wire(mosquitto, runtime, test)


def test_a_command_is_carried_out_and_answered_on_the_callers_topic(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        answer = await onlooker.call("turn", {"to": 30, "mode": "Fast"})
        assert answer == {
            "msg_type": "CmdResult",
            "data": {"type": "result", "data": {"id": "id-1", "origin": "pump", "retval": {"litres": 15.0}}},
        }
        # C++ EVerest sends null for no arguments; a command without a result answers null.
        answer = await onlooker.call("close", None)
        assert answer["data"]["data"] == {"id": "id-1", "origin": "pump", "retval": None}

    with_wire(mosquitto, runtime, test)


@pytest.mark.parametrize(
    ("command", "args", "kind", "text"),
    [
        ("turn", {"to": 30}, "MessageParsingError", "missing argument mode"),
        ("turn", {"to": "x", "mode": "Fast"}, "MessageParsingError", "Expected `int`, got `str`"),
        ("turn", {"to": 1, "mode": "Fst"}, "MessageParsingError", "Invalid enum value 'Fst'"),
        ("turn", {"to": 1, "mode": "Fast", "x": 1}, "MessageParsingError", "unknown argument x"),
        ("turn", {"to": 101, "mode": "Fast"}, "HandlerException", "a valve opens to 100 at most"),
        ("trun", {}, "MessageParsingError", "everest/modules/pump/impl/main/cmd/trun is no command here"),
    ],
)
def test_a_command_that_fails_says_so_with_everests_names(
    mosquitto: Mosquitto, runtime: Runtime, command: str, args: Any, kind: str, text: str
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        answer = await onlooker.call(command, args)
        data = answer["data"]["data"]
        assert "retval" not in data
        assert data["error"] == {"__everest__error_type": kind, "__everest__error_msg": text}

    with_wire(mosquitto, runtime, test)


def test_calls_of_one_command_run_one_after_the_other(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        slow = asyncio.ensure_future(onlooker.call("turn", {"to": 1, "mode": "Slow"}, "a"))
        await asyncio.sleep(0)
        await onlooker.call("turn", {"to": 2, "mode": "Fast"}, "b")
        assert slow.done()
        ids = [one["data"]["data"]["id"] for one in onlooker.at(f"{VALVE}/cmd/turn/response/tool")]
        assert ids == ["a", "b"]

    with_wire(mosquitto, runtime, test)


def test_rubbish_on_a_command_topic_is_a_line_and_no_more(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        for rubbish in (b"", b"{", b"\xff", b"[]", b'{"msg_type":"Var","data":{"id":"1","origin":"x"}}', b"1" * 10000):
            wire._on_call(f"{VALVE}/cmd/turn", rubbish)
        data = {"id": "1", "args": {}, "origin": "a/#"}
        wire._on_call(f"{VALVE}/cmd/turn", json.dumps({"msg_type": "Cmd", "data": data}).encode())
        await onlooker.call("close", {})
        failed = assembly.modules["pump"].failed
        assert failed is not None and not failed.done()

    with_wire(mosquitto, runtime, test)


def test_rubbish_by_the_thousand_is_a_few_lines_and_leaves_nothing_behind(
    mosquitto: Mosquitto, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        for number in range(1000):
            wire._on_call(f"{VALVE}/cmd/turn", f"{{{number}".encode())
            call = {"msg_type": "Cmd", "data": {"id": "1", "args": {}, "origin": "tool"}}
            wire._on_call(f"{VALVE}/cmd/no_{number}", json.dumps(call).encode())
        assert len(wire.calls.lines) <= 1
        complaints = [record for record in caplog.records if record.levelno == logging.WARNING]
        assert len(complaints) == 5
        wire.leave()
        assert "995 more messages made no sense within 60 s" in [record.getMessage() for record in caplog.records]

    caplog.set_level(logging.INFO, "secc")
    with_wire(mosquitto, runtime, test)


def test_commands_and_variables_work_again_when_the_broker_is_back(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        onlooker.heard.clear()
        mosquitto.kill()
        await until(lambda: not wire.client.online and not onlooker.client.online)
        mosquitto.start()
        await until(lambda: wire.client.online and onlooker.client.online)
        # Which of the two the new broker serves first is open: a call may be there before the charger listens.
        for attempt in range(100):
            try:
                async with asyncio.timeout(0.1):
                    await onlooker.call("turn", {"to": 3, "mode": "Fast"}, f"id-{attempt}")
                    break
            except TimeoutError:
                continue
        assert onlooker.at(f"{VALVE}/var/position")[-1]["data"]["data"] == 3.0

    with_wire(mosquitto, runtime, test)


def test_a_value_that_cannot_be_written_costs_the_onlooker_only(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        main = assembly.modules["pump"].main  # type: ignore[attr-defined]
        main.report.publish(object())
        main.position.publish(1.0)
        await until(lambda: bool(onlooker.at(f"{VALVE}/var/position")))
        assert all(module.failed is not None and not module.failed.done() for module in assembly.modules.values())

    with_wire(mosquitto, runtime, test)


def test_the_managers_metadata_is_kept_on_the_broker_when_asked_for(mosquitto: Mosquitto, runtime: Runtime) -> None:
    async def test(assembly: Assembly, onlooker: Onlooker, wire: Publisher) -> None:
        late = Onlooker(mosquitto)
        late.client.start()
        await until(lambda: bool(late.at("everest/module_names")))
        assert late.at("everest/interfaces")[0]["data"] == ["level", "valve"]
        assert late.at("everest/interface_definitions/valve")[0]["data"]["cmds"]["turn"]["arguments"]["to"] == {
            "type": "integer"
        }
        assert late.at("everest/interface_definitions/level")[0]["data"] == {
            "cmds": {},
            "errors": {},
            "vars": {"litres": {"type": "number"}},
        }
        manifest = late.at("everest/manifests/User")[0]["data"]
        assert "config" not in manifest
        assert manifest["requires"]["levels"] == {"interface": "level", "min_connections": 2, "max_connections": 3}
        assert late.at("everest/module_names")[0]["data"] == {"pump": "Pump", "user": "User"}
        await late.client.stop()

    with_wire(mosquitto, runtime, test, retain_topics=True)


def test_the_envelopes_read_what_cpp_everest_writes() -> None:
    call = envelope.read_call(b'{"data":{"args":null,"id":"3","origin":"evse_manager"},"msg_type":"Cmd"}')
    assert (call.id, call.origin, call.args) == ("3", "evse_manager", None)
    with pytest.raises(msgspec.ValidationError):
        envelope.read_call(b'{"data":{"args":null,"id":"3","origin":"evse_manager"},"msg_type":"Var"}')
