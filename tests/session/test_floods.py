"""Commands by the thousand from MQTT and JSON-RPC clients: the log stays readable, the charger charges afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

API, NODERED = "everest_api/connector/cmd", "everest_external/nodered/1/cmd"
PAIRS = {
    "API pause and resume": ((f"{API}/pause_charging", ""), (f"{API}/resume_charging", "")),
    "API disable and enable": ((f"{API}/disable", "1"), (f"{API}/enable", "1")),
    "API limits": ((f"{API}/set_limit_amps", "0"), (f"{API}/set_limit_amps", "16")),
    "API phases": (
        (f"{API}/set_limit_amps_phases", '{"amps":16,"phases":1}'),
        (f"{API}/set_limit_amps_phases", '{"amps":16,"phases":3}'),
    ),
    "API unlock": ((f"{API}/force_unlock", "1"), (f"{API}/force_unlock", "no number")),
    "API rubbish": ((f"{API}/enable_disable", "{"), (f"{API}/set_limit_watts", "x" * 5000)),
    "nodered pause and resume": ((f"{NODERED}/pause_charging", ""), (f"{NODERED}/resume_charging", "")),
    "nodered disable and enable": ((f"{NODERED}/disable", ""), (f"{NODERED}/enable", "")),
    "nodered phases": (
        (f"{NODERED}/switch_three_phases_while_charging", "false"),
        (f"{NODERED}/switch_three_phases_while_charging", "perhaps"),
    ),
}
COMMANDS, SPACING_S = 1000, 0.02
LINES_A_MINUTE = 130
"""A session has about thirty; ten kinds of lines may come ten times each."""


@pytest.mark.parametrize("pair", PAIRS)
def test_a_flood_of_mqtt_commands_is_a_bounded_number_of_lines(pair: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        model = Model("basic", battery_kWh=50.0, soc_percent=50, target_soc_percent=80)
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            plant.records.clear()
            for number in range(COMMANDS):
                plant.mqtt.receive(*PAIRS[pair][number % 2])
                await asyncio.sleep(SPACING_S)
            lines = [record.getMessage() for record in plant.records]
            assert len(lines) <= LINES_A_MINUTE * (COMMANDS * SPACING_S / 60 + 1), lines[-50:]
            assert plant.tracebacks() == []
            await charges_again(plant)

    run(main())


def test_a_flood_of_json_rpc_orders_is_a_bounded_number_of_lines(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        model = Model("basic", battery_kWh=50.0, soc_percent=50, target_soc_percent=80)
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            plant.records.clear()
            methods = plant.assembly.modules["rpc_api"].methods  # type: ignore[attr-defined]
            for number in range(COMMANDS):
                await methods.set_charging_allowed(1, number % 2 == 1)
                await methods.enable_connector(1, 1, number % 3 == 1, number % 100)
                await asyncio.sleep(SPACING_S)
            lines = [record.getMessage() for record in plant.records]
            assert len(lines) <= LINES_A_MINUTE * (COMMANDS * SPACING_S / 60 + 1), lines[-50:]
            await methods.set_charging_allowed(1, True)
            await methods.enable_connector(1, 1, True, 0)
            await charges_again(plant)

    run(main())


async def charges_again(plant: Plant) -> None:
    plant.world.car.replace("unplug")
    for topic, payload in (
        (f"{NODERED}/enable", ""),
        (f"{API}/enable", "1"),
        (f"{API}/set_limit_amps_phases", '{"amps":16,"phases":3}'),
    ):
        plant.mqtt.receive(topic, payload)
    await asyncio.sleep(20)
    plant.world.plug_in()
    await plant.until(lambda: plant.world.car.inlet.power_W > 0, 60.0)
    plant.world.car.replace("unplug")
    await asyncio.sleep(5)
