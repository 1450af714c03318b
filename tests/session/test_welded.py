"""A contactor that is closed without an order: a fault whatever the configuration says of its feedback, no charging."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
BASIC = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
FAULT = "evse_board_support/MREC17EVSEContactorFault"
FAULT_S = 3.0
"""From the controller's first word (or its return) to the fault: its start, and a contactor's longest travel."""


def drawn_Wh(plant: Plant) -> float:
    return float(plant.world.car.numbers()["energy_Wh"])


async def nothing_flows_until_it_opens(plant: Plant) -> None:
    """The next car gets nothing while the contactor is closed, and charges once it was seen open."""
    before_Wh = drawn_Wh(plant)
    plant.reports.clear()
    plant.world.plug_in()
    await asyncio.sleep(60)
    assert drawn_Wh(plant) == before_Wh
    assert "authorized" not in plant.steps(), "no duty cycle is shown that lets the car draw"
    plant.world.car.replace("unplug")
    await asyncio.sleep(5)
    plant.world.weld_contactor(False)
    await plant.until(lambda: plant.faults() == [], 10.0)
    plant.reports.clear()
    plant.world.car.battery.soc_percent = 70.0
    await plant.session(limit_s=300)
    assert "charging" in plant.steps() and plant.failures() == [] and plant.tracebacks() == []


@pytest.mark.parametrize("model", [DC, BASIC], ids=lambda model: model.protocol)
def test_welded_before_the_process_started(model: Model, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model, before_start=lambda world: world.weld_contactor()) as plant:
            await plant.until(lambda: FAULT in plant.faults(), FAULT_S)
            await nothing_flows_until_it_opens(plant)

    run(main())


@pytest.mark.parametrize("model", [DC, BASIC], ids=lambda model: model.protocol)
def test_welded_while_the_uart_was_down(model: Model, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            plant.world.cut_uart(4.0)
            await asyncio.sleep(2.0)
            plant.world.car.replace("unplug")
            plant.world.weld_contactor()
            await plant.until(lambda: not plant.world.mcu.is_cut)
            await plant.until(lambda: FAULT in plant.faults(), 10.0)
            assert "evse_board_support/CommunicationFault" not in plant.faults()
            await nothing_flows_until_it_opens(plant)

    run(main())


def test_a_lost_link_does_not_void_the_fault(run: Any, tmp_path: Path) -> None:
    """What was seen closed stays a fault until it is seen open, over a reset and a lost link."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC, before_start=lambda world: world.weld_contactor()) as plant:
            await plant.until(lambda: FAULT in plant.faults(), FAULT_S)
            plant.world.cut_uart(3.0)
            for _ in range(2000):
                await asyncio.sleep(0.01)
                assert FAULT in plant.faults()
            assert "evse_board_support/CommunicationFault" not in plant.faults()
            plant.world.weld_contactor(False)
            await plant.until(lambda: plant.faults() == [], 2.0)

    run(main())
