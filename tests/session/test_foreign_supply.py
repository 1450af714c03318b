"""A power supply of another vendor, in a process of its own, ends while a car charges: it alone is started again."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.world import MemoryWorld
from tests.manager.broker import Mosquitto
from tests.manager.test_foreign import programs
from tests.session.plant import CONFIGURATIONS, REPOSITORY

SPEED = 4.0
PROGRAMS = REPOSITORY / "tests/manager/foreign"


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    broker = Mosquitto(tmp_path)
    broker.start()
    yield broker
    broker.kill()


async def until(condition: Any, limit_s: float) -> None:
    async with asyncio.timeout(limit_s * SPEED):
        while not condition():
            await asyncio.sleep(0.02)


def test_a_supply_that_is_killed_takes_the_power_with_it_and_comes_back_alone(
    mosquitto: Mosquitto, tmp_path: Path
) -> None:
    model = Model("iso2", battery_kWh=80.0, soc_percent=20, target_soc_percent=90)
    shipped = (REPOSITORY / "etc/everest" / CONFIGURATIONS[model.protocol]).read_text()
    (tmp_path / "c.yaml").write_text(shipped.replace("module: DCSupplySimulator", "module: ForeignSupply"))

    async def main() -> None:
        runtime = Runtime(root=Root(REPOSITORY, tmp_path))
        runtime.wires.plug("websocket:8080", lambda serve: None)
        world = MemoryWorld(runtime.wires, model, report=lambda _: None, seed=1)
        loaded = load(tmp_path / "c.yaml", runtime.root, environment={}, installed=discover([PROGRAMS]))
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        runtime.mqtt = External(client)
        logging_file = str(REPOSITORY / "etc/everest/default_logging.cfg")
        wire = Publisher(Carrier(client, "everest/", logging_file=logging_file))
        charger = Supervisor(loaded.require_sound().plans, runtime, client, wire)
        running = asyncio.ensure_future(charger.run())
        try:
            await world.charger_is_ready()
            assembly = charger.assembly
            assert assembly is not None
            world.plug_in()
            await until(lambda: world.car.inlet.power_W > 0, 60)
            (killed,) = programs("ForeignSupply", os.getpid())
            os.kill(killed, signal.SIGKILL)
            began_s = time.monotonic()
            await until(lambda: world.car.inlet.power_W == 0, 5)
            assert time.monotonic() - began_s < 0.5
            connector: Any = assembly.modules["connector"]
            (inoperative,) = [fault for fault in connector.evse.faults.active if fault.type.endswith("/Inoperative")]
            # Supply and meter.
            assert set(inoperative.description.split(", ")) == {"CommunicationFault/Absent"}
            await until(lambda: not assembly.failures["powersupply_dc"].active, 10)
            assert time.monotonic() - began_s < 10
            (again,) = programs("ForeignSupply", os.getpid())
            assert again != killed
            # The EVSE watches that it stays off before it is used again.
            await until(lambda: not connector.evse.faults.active, 10)
            assert charger.assembly is assembly
        finally:
            charger.request_stop()
            await running
            world.close()

    clock.run(main(), speed=SPEED)
