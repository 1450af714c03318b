"""A client on the broker that means harm, with a real broker and a whole charger that charges meanwhile."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.calls import arguments_of
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.world import MemoryWorld
from tests.manager.broker import Mosquitto
from tests.session.plant import CONFIGURATIONS, REPOSITORY

MESSAGES = 4000
SPEED = 2.0


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


class Stack:
    """The charger as `secc run` makes it, the world in memory, and everything that is said of both."""

    def __init__(self, state: Path, broker: Mosquitto, model: Model) -> None:
        self.runtime = Runtime(root=Root(REPOSITORY, state), random=random.Random(1))
        self.runtime.wires.plug("websocket:8080", lambda serve: None)
        self.world = MemoryWorld(self.runtime.wires, model, report=lambda _: None, seed=1)
        plans = load(REPOSITORY / "etc/everest" / CONFIGURATIONS[model.protocol], self.runtime.root, environment={})
        self.mqtt = MqttClient(BrokerAddress("127.0.0.1", broker.port))
        self.runtime.mqtt = External(self.mqtt)
        self.wire = Publisher(Carrier(self.mqtt, "everest/"), commands_from=["tool", "connector"])
        self.charger = Supervisor(plans.require_sound().plans, self.runtime, self.mqtt, self.wire)
        self.states: list[str] = []

    async def charging(self) -> None:
        await self.world.charger_is_ready()
        self.world.plug_in()
        async with asyncio.timeout(300):
            while self.world.car.inlet.power_W <= 0:
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Stack]:
        running = asyncio.ensure_future(self.charger.run())
        try:
            yield self
            assert not running.done()
        finally:
            self.charger.request_stop()
            await running
            self.world.close()


UNCONDITIONAL = (
    "/pause_charging",
    "/resume_charging",
    "/stop_charging",
    "/force_unlock",
    "1/cmd/enable",
    "1/cmd/disable",
)
"""Commands that ask nothing of their payload: there every message is a wish that has to be granted."""


def subscribed(stack: Stack) -> list[str]:
    """Every topic that the charger listens to, and of the commands of its modules each one by name."""
    topics = [one for one in stack.mqtt._subscriptions if "+" not in one and not one.endswith(UNCONDITIONAL)]
    assembly = stack.charger.assembly
    assert assembly is not None
    for (module_id, name), implementation in assembly.implementations.items():
        at = f"everest/modules/{module_id}/impl/{name}/cmd/"
        topics += [at + command.rstrip("_") for command in implementation.commands]
    return topics


TEXTS = ["", "a", "1", "Enable", "x" * 5000, "\0", "\n\r\x1b[2J", "\u2028", "%s%n", "../../etc", "é" * 100]
NUMBERS: list[Any] = [0, -1, 1, 2**31, -(2**63), 2**63, 10**25, 1e308, -1e308, 0.1, True]


def value(random_: random.Random, depth: int = 3) -> Any:
    kind = random_.randrange(5 if depth else 3)
    if kind == 0:
        return random_.choice(TEXTS)
    if kind == 1:
        return random_.choice(NUMBERS)
    if kind == 2:
        return None
    if kind == 3:
        return [value(random_, depth - 1) for _ in range(random_.randrange(4))]
    return {random_.choice(TEXTS): value(random_, depth - 1) for _ in range(random_.randrange(4))}


ORIGINS: list[Any] = [
    "tool",
    "connector",
    "o" * 65_000,
    "a/#",
    "+",
    "\n",
    "a\x01b",
    "\u2028",
    "",
    None,
    7,
    "\ud800",
    "$SYS",
]


def mutated(random_: random.Random) -> bytes:
    """Return a payload: a command that nearly is one, its octets changed, deep or long JSON, or plain octets."""
    kind = random_.randrange(8)
    if kind == 0:
        depth = random_.choice([50, 100, 1000, 20_000])
        args = b"[" * depth + b"]" * depth
        return b'{"msg_type":"Cmd","data":{"id":"1","origin":"tool","args":{"value":' + args + b"}}}"
    if kind == 1:
        return random_.randbytes(random_.randrange(200))
    if kind == 2:
        return random_.choice([b"", b"NaN", b"1e999", b"1" * 30, b'"\\ud800 x y z"', b"\xff\xfe{\0}\0", b"null", b"-0"])
    if kind == 3:
        return json.dumps(value(random_)).encode()
    data = {"id": random_.choice(["1", "i" * 1000, 5]), "origin": random_.choice(ORIGINS), "args": value(random_)}
    call = json.dumps({"msg_type": random_.choice(["Cmd", "Cmd", "Cmd", "Var"]), "data": data}).encode()
    if kind == 4:
        place = random_.randrange(len(call))
        return call[:place] + random_.randbytes(1) + call[place + 1 :]
    return call


def is_wish(stack: Stack, topic: str, payload: bytes) -> bool:
    """Tell whether a message is what its topic is for, so that it has to be carried out, and may end a session."""
    if not topic.startswith("everest/modules/"):
        try:
            float(payload)
        except ValueError:
            return payload.strip() in (b"true", b"false", b"enable", b"disable", b"cancel")
        return True
    try:
        call = envelope.read_call(payload)
        _, _, module_id, _, name, _, command = topic.split("/")
        assert stack.charger.assembly is not None
        provider = stack.charger.assembly.implementations[module_id, name]
        attribute = next(one for one in provider.commands if one.rstrip("_") == command)
        arguments_of(provider, attribute, call.args or {})
    except msgspec.DecodeError:
        return False
    return True


def test_thousands_of_mutated_messages_cost_a_few_lines_and_no_session(
    mosquitto: Mosquitto,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        stack = Stack(tmp_path, mosquitto, Model("iso2", battery_kWh=80.0, soc_percent=20, target_soc_percent=90))
        async with stack.running():
            await stack.charging()
            assembly = stack.charger.assembly
            caplog.clear()
            hostile = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
            hostile.start()
            while not hostile.online:
                await asyncio.sleep(0.05)
            topics = subscribed(stack)
            assert any("everest_api/" in topic for topic in topics) and len(topics) > 50
            random_ = random.Random(7)
            for number in range(MESSAGES):
                topic = random_.choice(topics)
                payload = mutated(random_)
                if not is_wish(stack, topic, payload):
                    hostile.publish(topic, payload, wait=False)
                if number % 20 == 0:
                    await asyncio.sleep(0.05)
            await asyncio.sleep(5)
            assert stack.charger.assembly is assembly, "the charger started again"
            assert stack.mqtt.online and hostile.online
            assert stack.world.car.inlet.power_W > 0, "the session ended"
            await hostile.stop()
        assert [record.getMessage() for record in caplog.records if record.exc_info] == []
        lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
        assert len(lines) < 120, "\n".join(lines)
        assert all(len(line) < 1000 for line in lines)

    caplog.set_level(logging.INFO, "secc")
    clock.run(main(), speed=SPEED)
