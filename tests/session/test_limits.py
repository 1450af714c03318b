"""Limits of the grid hold through the whole stack, also below what supply and pilot can give at least."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, limit
from tests.session.plant import Plant
from tests.session.test_interrupted import next_session_charges

DC = Model("iso2", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)
BASIC = Model("basic", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)
FOLLOWS_S = 2.5
"""One turn of the energy management, and the supply's slope."""


def test_the_supply_keeps_to_the_power_that_is_granted(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.charging()
            inlet = plant.world.car.inlet
            for power_W in (5_000.0, 2_000.0, 8_000.0):
                await limit(plant, power_W=power_W)
                await asyncio.sleep(FOLLOWS_S)
                drawn = []
                for _ in range(20):
                    await asyncio.sleep(0.1)
                    drawn.append(inlet.power_W)
                assert max(drawn) <= power_W * 0.9 * 1.01, "what is lost in the supply counts as well"
                assert max(drawn) > power_W * 0.9 * 0.9
            await plant.car_finished()
            assert plant.failures() == [] and plant.faults() == []

    run(main())


def test_a_grant_below_the_least_current_of_the_supply_is_no_current_and_the_reason_is_said(
    run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            supply: Any = plant.assembly.modules["powersupply_dc"].main  # type: ignore[attr-defined]
            await plant.charging()
            amperes: list[float] = []
            await limit(plant, power_W=400.0)
            await asyncio.sleep(FOLLOWS_S)
            supply.voltage_current.subscribe(lambda value: amperes.append(value.current_A), replay=False)
            await plant.until(lambda: story.count("ChargingPausedEVSE") == 1, 40.0)
            assert max(amperes) == 0.0
            lines = [record.getMessage() for record in plant.records]
            assert any("no energy" in line and "limit of the test" in line for line in lines)
            await limit(plant, power_W=11_000.0)
            plant.world.car.replace("unplug")
            await asyncio.sleep(10)
            await next_session_charges(plant)

    run(main())


@pytest.mark.parametrize(("current_A", "drawn_A"), [(6.0, 6.0), (5.95, 0.0), (5.0, 0.0), (13.0, 13.0)])
def test_a_basic_car_draws_what_is_granted_or_nothing(
    current_A: float, drawn_A: float, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            await plant.charging()
            await limit(plant, current_A=current_A)
            await asyncio.sleep(20)
            assert plant.world.car.inlet.current_A == pytest.approx(drawn_A, abs=0.05)
            await limit(plant, current_A=16.0)
            await asyncio.sleep(20)
            assert plant.world.car.inlet.current_A == pytest.approx(16.0, abs=0.05)

    run(main())
