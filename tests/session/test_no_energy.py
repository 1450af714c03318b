"""Without energy one line says which limit rules, and one that it is over; phases that the board lacks are one line."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, limit, overlay
from tests.session.plant import CONFIGURATIONS, Plant

BASIC = Model("basic", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
DC = Model("iso2", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)


def lines(plant: Plant, word: str) -> list[str]:
    return [record.getMessage() for record in plant.records if word in record.getMessage()]


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"current_A": 0.0}, "0.00 A from limit of the test, an EV needs 6 A"),
        ({"current_A": 5.5}, "0.00 A from limit of the test, an EV needs 6 A"),
        ({"power_W": 2_000.0}, "0.00 A from limit of the test, an EV needs 6 A"),
    ],
)
def test_a_limit_that_ends_ac_charging_is_named_once_and_its_end_once(
    limits: dict[str, Any], says: str, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            await plant.charging()
            await limit(plant, **limits)
            await asyncio.sleep(60)
            assert lines(plant, "no energy") == [f"no energy to charge with: {says}"]
            assert lines(plant, "energy again") == []
            await limit(plant, current_A=16.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0, 20.0)
            assert len(lines(plant, "no energy")) == len(lines(plant, "energy again")) == 1

    run(main())


@pytest.mark.parametrize("model", [BASIC, DC], ids=lambda model: model.protocol)
def test_a_car_that_comes_while_there_is_no_energy_is_not_silent(model: Model, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        overlay(
            tmp_path,
            CONFIGURATIONS[model.protocol],
            {"grid_connection_point": {"config_module": {"fuse_limit_A": 0}}},
        )
        async with Plant(tmp_path, model, configuration=CONFIGURATIONS[model.protocol]) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await asyncio.sleep(30)
            (line,) = lines(plant, "no energy")
            assert "the fuse of grid_connection_point" in line

    run(main())


def test_an_energy_management_that_has_gone_silent_is_named(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            await plant.charging()
            await plant.assembly.modules["energy_manager"].stop()
            await asyncio.sleep(30)
            assert lines(plant, "no energy") == ["no energy to charge with: the energy management is silent"]

    run(main())


def test_one_wired_phase_gives_its_whole_current_and_one_line(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        name = CONFIGURATIONS["basic"]
        overlay(tmp_path, name, {"grid_connection_point": {"config_module": {"phase_count": 1}}})
        async with Plant(tmp_path, BASIC, configuration=name) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            await limit(plant, power_W=2_990.0)
            plant.world.car.run("iec_wait_pwr_ready;draw_power_regulated 32,1;sleep 3600")
            await plant.until(lambda: plant.world.car.inlet.power_W > 0)
            await asyncio.sleep(60)
            assert plant.world.car.inlet.current_A == pytest.approx(13.0, abs=0.05)
            assert story.connector.evse.limits.value.nr_of_phases_available == 1
            assert len(lines(plant, "cannot switch phases")) == 1

    run(main())


def test_a_wish_for_one_phase_that_the_board_cannot_follow_never_exceeds_the_power(run: Any, tmp_path: Path) -> None:
    """A phase limit of an energy management says nothing about the wires: three phases carry the current."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            await plant.charging()
            await limit(plant, power_W=6_900.0, phases=1)
            await asyncio.sleep(60)
            assert plant.world.car.inlet.power_W <= 6_900.0 * 1.01
            assert len(lines(plant, "cannot switch phases")) == 1
            await limit(plant, power_W=6_900.0, phases=3)
            await asyncio.sleep(10)
            assert len(lines(plant, "the number of phases is possible again")) == 1

    run(main())


def test_a_pause_for_a_car_that_never_began_is_not_the_next_cars(run: Any, tmp_path: Path) -> None:
    """The order to pause belongs to the plug-in in which there was no energy."""

    async def main() -> None:
        name = CONFIGURATIONS["iso2"]
        overlay(tmp_path, name, {"connector": {"config_module": {"zero_power_ignore_pause": False}}})
        async with Plant(tmp_path, DC, configuration=name) as plant:
            await plant.world.charger_is_ready()
            await limit(plant, current_A=0.0)
            plant.world.car.replace("iec_wait_pwr_ready;sleep 3600")
            await plant.until(lambda: lines(plant, "going on without") != [], 30.0)
            plant.world.car.replace("unplug")
            await plant.until(lambda: lines(plant, "session is over") != [], 30.0)
            await limit(plant, current_A=16.0)
            await asyncio.sleep(5.0)
            await plant.session()
            assert "charging" in plant.steps() and plant.failures() == []

    run(main())
