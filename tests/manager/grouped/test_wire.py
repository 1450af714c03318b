"""Programs whose other end is in a process that ends: their calls are refused, and they begin when it is back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.grouped import wire
from chargebyte_fw.manager.grouped.wire import ManagerWire
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.wire import envelope, open_calls
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.foreign import class_of
from chargebyte_fw.modules.system.persistent_store import PersistentStore
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

PROGRAM = Path(__file__).parents[1] / "foreign/ForeignStore"
LOAD = "everest/modules/store/impl/main/cmd/load"
ANSWER = f"{LOAD}/response/relay"
GONE = "store has failed (its process has ended) and is being started again"


class Stage:
    """The manager's part of the protocol, a tool on the broker, and what that has received."""

    def __init__(self, port: int, folder: Path) -> None:
        self.store = ModulePlan("store", PersistentStore, PersistentStore.Config())
        program = class_of(PROGRAM, yaml.safe_load((PROGRAM / "manifest.yaml").read_text()))
        relay = ModulePlan("relay", program, program.Config(), {}, {"behind": [Connection("store", "main")]})
        self.client, self.tool = (MqttClient(BrokerAddress("127.0.0.1", port)) for _ in range(2))
        runtime = Runtime(root=Root(folder, folder))
        self.manager = ManagerWire(Carrier(self.client, "everest/"), runtime, [self.store, relay])
        self.received: list[tuple[str, Any]] = []

    def take(self, topic: str, payload: bytes) -> None:
        self.received.append((topic, json.loads(payload)["data"]))

    def of(self, topic: str) -> list[Any]:
        return [data for at, data in self.received if at == topic]

    def call(self, call_id: str, origin: str = "relay") -> None:
        self.tool.publish(LOAD, envelope.call(call_id, origin, {"key": "k"}), qos=2)

    def answer(self, call_id: str) -> None:
        self.tool.publish(ANSWER, envelope.result(envelope.CallData(call_id, "relay"), "store", 5), qos=2)

    def report_ready(self) -> None:
        self.tool.publish("everest/modules/relay/ready", envelope.message("ModuleReady", True), qos=2)

    def announced(self) -> int:
        return len(self.of("everest/ready"))


@asynccontextmanager
async def stage_of(mosquitto: Mosquitto, folder: Path) -> AsyncIterator[Stage]:
    """All modules are ready."""
    stage = Stage(mosquitto.port, folder)
    stage.client.start()
    stage.tool.start()
    await until(lambda: stage.client.online and stage.tool.online)
    for topic in (f"{LOAD}/response/+", "everest/ready"):
        stage.tool.subscribe(topic, stage.take)
    await stage.tool.subscribed()
    stage.manager.begin()
    await stage.client.subscribed()
    stage.manager.all_are_ready()
    await until(lambda: stage.announced() == 1)
    stage.received.clear()
    try:
        yield stage
    finally:
        stage.manager.end()
        await stage.client.stop()
        await stage.tool.stop()


def refusal(call_id: str) -> Any:
    error = {"__everest__error_type": "NotReady", "__everest__error_msg": GONE}
    return {"type": "result", "data": {"id": call_id, "origin": "store", "error": error}}


def test_calls_that_wait_when_the_process_ends_are_refused(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        async with stage_of(mosquitto, tmp_path) as stage:
            for call_id, origin in (("answered", "relay"), ("of another", "tool"), ("lost", "relay")):
                stage.call(call_id, origin)
            stage.answer("answered")
            await until(lambda: len(stage.of(ANSWER)) == 1)
            stage.manager.absent(stage.store, GONE, lasting=False)
            await until(lambda: len(stage.of(ANSWER)) == 2)
            await asyncio.sleep(0.1)
            assert stage.of(ANSWER)[1:] == [refusal("lost")] and stage.of(f"{LOAD}/response/tool") == []

    run_loop(main(), speed=1.0)


def test_a_call_while_it_is_away_is_refused_unless_it_is_back_to_answer(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        async with stage_of(mosquitto, tmp_path) as stage:
            stage.manager.absent(stage.store, GONE, lasting=False)
            began_s = time.monotonic()
            stage.call("lost")
            stage.call("in time")
            await until(lambda: len(stage.manager._calls._open.get("store", ())) == 2)
            stage.manager.present(stage.store)
            stage.answer("in time")
            await until(lambda: len(stage.of(ANSWER)) == 2)
            assert time.monotonic() - began_s >= open_calls.LATE_S
            assert stage.of(ANSWER)[1] == refusal("lost")
            stage.call("later")
            await asyncio.sleep(open_calls.LATE_S + 0.1)
            assert len(stage.of(ANSWER)) == 2, "it is there"

    run_loop(main(), speed=1.0)


def test_a_program_begins_when_what_it_is_connected_to_is_back(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        async with stage_of(mosquitto, tmp_path) as stage:
            stage.manager.absent(stage.store, GONE, lasting=False)
            stage.report_ready()
            await asyncio.sleep(0.2)
            assert stage.announced() == 0
            stage.manager.present(stage.store)
            await until(lambda: stage.announced() == 1)
            stage.report_ready()
            await until(lambda: stage.announced() == 2)

    run_loop(main(), speed=1.0)


@pytest.mark.parametrize("lasting", [True, False])
def test_a_program_begins_without_what_does_not_come_back(
    mosquitto: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, lasting: bool
) -> None:
    monkeypatch.setattr(wire, "AWAY_LIMIT_S", 0.5)

    async def main() -> None:
        async with stage_of(mosquitto, tmp_path) as stage:
            stage.manager.absent(stage.store, GONE, lasting=lasting)
            began_s = time.monotonic()
            stage.report_ready()
            await until(lambda: stage.announced() == 1)
            assert (time.monotonic() - began_s < 0.5) is lasting

    run_loop(main(), speed=1.0)
