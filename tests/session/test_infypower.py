"""The shipped DC configuration with Infypower modules in place of the simulated supply: power comes as CAN frames."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.can_bus import CanFrame
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.net_cable import way_into_a_namespace
from tests.session.plant import Plant

CONFIGURATION = "bsp-only-dc-infypower.yaml"


def small(protocol: str) -> Model:
    return Model(protocol, battery_kWh=1.0, soc_percent=70.0, target_soc_percent=72.0)


@pytest.mark.parametrize("protocol", ["iso2", "din"])
def test_a_car_charges_through_can_frames(run: Any, tmp_path: Path, protocol: str) -> None:
    async def main() -> None:
        async with Plant(tmp_path, small(protocol), configuration=CONFIGURATION) as plant:
            await asyncio.sleep(3)
            await plant.session()
            assert plant.failures() == [] and plant.faults() == []
            assert plant.steps()[-1] == "unplugged" and "charging" in plant.steps()
            assert plant.world.car.battery.soc_percent >= 72.0
            frames = [m.read(CanFrame.decode(entry[3])) for entry in plant.runtime.trace.entries() if entry[1] == "can"]
            voltages = {said.value for said in frames if said and said.item is m.SET_VOLTAGE and said.source == 240}
            assert any(380 < voltage_V < 440 for voltage_V in voltages), "the car's wish reached the modules"
            assert not any(module.on for module in plant.world.power_modules.modules)
            assert plant.world.power_modules.voltage_V < 60.0

    run(main())


def test_modules_that_vanish_under_load_end_the_session_and_the_next_one_charges(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, small("iso2"), configuration=CONFIGURATION) as plant:
            await asyncio.sleep(3)
            await plant.charging()
            modules = plant.world.power_modules.modules
            for module in modules:
                module.powered = False
                module.restart()
            await plant.until(lambda: "power_supply_DC/CommunicationFault" in plant.faults(), 1.0)
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 10.0)
            plant.world.take("unplug")
            await asyncio.sleep(10)
            for module in modules:
                module.powered = True
            await plant.until(lambda: "power_supply_DC/CommunicationFault" not in plant.faults(), 10.0)
            assert not any(module.on for module in modules)
            await plant.until(lambda: plant.faults() == [], 30.0)
            await plant.session()
            assert plant.world.car.battery.soc_percent >= 72.0
            assert plant.tracebacks() == []

    run(main())


def test_another_controller_of_the_group_ends_the_session_and_the_next_one_charges(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, small("iso2"), configuration=CONFIGURATION) as plant:
            await asyncio.sleep(3)
            await plant.charging()
            end = plant.runtime.wires.find("can:can0")
            assert end is not None and end.peer is not None
            modules = plant.world.power_modules.modules
            end.peer.send(m.Message(m.SET_CURRENT, 100.0, 241, 0).frame().encode())
            await plant.until(lambda: not any(module.on for module in modules), 0.2)
            assert set(plant.faults()) == {"power_supply_DC/VendorError", "evse_manager/Inoperative"}
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 5.0)
            plant.world.take("unplug")
            await plant.until(lambda: plant.faults() == [], 12.0)
            await plant.session()
            assert plant.world.car.battery.soc_percent >= 72.0
            assert plant.tracebacks() == []
            told = [text for text in plant.warnings() if "(241) commands group 0" in text]
            assert len(told) <= 2, "once by the supply, once by the EVSE"

    run(main())


def test_a_car_that_comes_while_the_modules_boot_waits_for_them_and_charges(run: Any, tmp_path: Path) -> None:
    def without_power(world: Any) -> None:
        for module in world.power_modules.modules:
            module.powered = False

    async def main() -> None:
        async with Plant(tmp_path, small("iso2"), configuration=CONFIGURATION, before_start=without_power) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await asyncio.sleep(8.0)
            assert plant.faults() == [] and not plant.world.pilot.contactors_closed
            for module in plant.world.power_modules.modules:
                module.powered = True
            await plant.car_finished()
            assert plant.failures() == [] and plant.warnings() == []
            assert plant.world.car.battery.soc_percent >= 72.0

    run(main())


def test_the_demo_charges_over_multicast_can() -> None:
    try:
        way_into_a_namespace()
    except Unavailable as error:
        pytest.skip(str(error))
    options = ["--plain", "--power-supply", "infypower", "--soc-percent", "74", "--target-soc-percent", "75"]
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "demo", *options]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the car charged and left" in done.stdout
    assert "power_supply_DC" not in done.stdout, "no fault on the way:\n" + done.stdout
