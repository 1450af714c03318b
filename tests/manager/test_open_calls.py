"""A program that has called another one is answered when that ends, and can call the next one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.module_restarts import ModuleRestarts
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.foreign import class_of
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.modules.system.store import Store
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

PROGRAM = Path(__file__).parent / "foreign/ForeignStore"
LOGGING = Path(__file__).parents[2] / "etc/everest/default_logging.cfg"
AT = "everest/modules/first/impl/main/cmd/"


def plans() -> list[ModulePlan]:
    """`first` passes each command on to `last`, that to `store`; these two are programs."""
    program = class_of(PROGRAM, yaml.safe_load((PROGRAM / "manifest.yaml").read_text()))

    def handing_on(name: str, to: str) -> ModulePlan:
        return ModulePlan(name, program, program.Config(), {}, {"behind": [Connection(to, "main")]})

    return [ModulePlan("store", Store, Store.Config()), handing_on("last", "store"), handing_on("first", "last")]


def threads_are_stopped(pid: int) -> bool:
    stats = [task.read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").glob("*/stat")]
    return set(stats) == {"T"}


def test_a_call_to_a_program_that_ends_is_refused(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    answers: dict[str, Any] = {}

    def take(_topic: str, payload: bytes) -> None:
        returned = json.loads(payload)["data"]["data"]
        answers[returned["id"]] = returned

    async def main() -> None:
        client, tool = (MqttClient(BrokerAddress("127.0.0.1", mosquitto.port)) for _ in range(2))
        wire = Publisher(Carrier(client, "everest/", logging_file=str(LOGGING)))
        client.start()
        tool.start()
        assembly = Assembly(runtime)
        assembly.build(plans())
        wire.join(assembly)
        restarts = ModuleRestarts(assembly, ModuleLog("manager"), wire.adopt, wire.announce_to, wire.refuse_calls)
        tool.subscribe(f"{AT}+/response/tool", take)

        async def call(call_id: str, command: str, **arguments: Any) -> None:
            tool.publish(AT + command, envelope.call(call_id, "tool", arguments), qos=2)

        try:
            await assembly.start(wire.announce_ready)
            restarts.begin()
            await tool.subscribed()
            await call("before", "store", key="k", value=5)
            await until(lambda: "before" in answers)
            pid = assembly.modules["last"].pid  # type: ignore[attr-defined]
            os.kill(pid, signal.SIGSTOP)
            await until(lambda: threads_are_stopped(pid))
            await call("lost", "load", key="k")
            await asyncio.sleep(0.3)
            assert "lost" not in answers
            os.kill(pid, signal.SIGKILL)
            await until(lambda: "lost" in answers)
            failed = answers["lost"]["error"]
            assert failed["__everest__error_type"] == "NotReady"
            assert failed["__everest__error_msg"].startswith("last has failed")
            await until(lambda: not assembly.modules["last"].away, 20)
            await call("after", "load", key="k")
            await until(lambda: "after" in answers)
            assert answers["after"]["retval"] == 5
        finally:
            restarts.cancel()
            await assembly.stop()
            await restarts.closed()
            wire.leave()
            await client.stop()
            await tool.stop()

    run_loop(main(), speed=1.0)
