"""`request_zero_power_in_idle`: whoever waits for energy asks for it, whatever made it wait."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, limit, overlay
from tests.session.plant import CONFIGURATIONS, Plant
from tests.session.test_interrupted import next_session_charges

DC = Model("iso2", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)
BASIC = Model("basic", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
ON_AGAIN_S = 12.0
"""Five seconds between two duty cycles, one turn of the energy management, the car's own pause."""


def plant(state: Path, model: Model) -> Plant:
    name = CONFIGURATIONS[model.protocol]
    overlay(state, name, {"connector": {"config_module": {"request_zero_power_in_idle": True}}})
    return Plant(state, model, configuration=name)


def asked_A(it: Plant) -> float:
    """What the EVSE asks the energy management for."""
    connector: Any = it.assembly.modules["connector"]
    entry = connector.energy_grid.energy_flow_request.value.schedule_import[0]
    return float(entry.limits_to_leaves.ac_max_current_A.value)


async def charges_again(it: Plant, story: Story, begun: int) -> None:
    await it.until(lambda: story.count("ChargingStarted") == begun + 1, ON_AGAIN_S)
    await it.until(lambda: it.world.car.inlet.power_W > 3000.0, 5.0)


def test_nothing_is_asked_for_in_idle_and_a_session_charges(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            await it.world.charger_is_ready()
            await asyncio.sleep(3)
            assert asked_A(it) == 0.0
            await it.charging()
            assert asked_A(it) > 6.0
            it.world.car.replace("unplug")
            await asyncio.sleep(5)
            assert asked_A(it) == 0.0

    run(main())


@pytest.mark.parametrize("pause_s", [0.3, 2.0, 30.0])
def test_a_user_pause_that_ends(pause_s: float, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            await it.charging()
            await story.connector.evse.pause_charging()
            await asyncio.sleep(pause_s)
            await story.connector.evse.resume_charging()
            await charges_again(it, story, 1)
            reasons = [event.charging_paused_evse.reasons for event in story.of("ChargingPausedEVSE")]
            assert all([reason.value for reason in told] == ["UserPause"] for told in reasons)
            assert story.count("TransactionStarted") == 1 and it.faults() == []

    run(main())


def test_a_user_pause_asks_for_nothing(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            await it.charging()
            await story.connector.evse.pause_charging()
            await it.until(lambda: story.count("ChargingPausedEVSE") == 1, 10.0)
            await asyncio.sleep(2)
            assert asked_A(it) == 0.0

    run(main())


def test_a_limit_of_nothing_that_is_taken_back(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            await it.charging()
            await limit(it, current_A=0.0)
            await it.until(lambda: story.count("ChargingPausedEVSE") == 1, 10.0)
            await asyncio.sleep(20)
            assert asked_A(it) > 6.0, "it waits for energy"
            await limit(it, current_A=16.0)
            await charges_again(it, story, 1)

    run(main())


@pytest.mark.parametrize("fault_s", [1.0, 20.0])
def test_a_fault_that_clears(fault_s: float, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            bsp: Any = it.assembly.modules["bsp"]
            await it.charging()
            bsp.evse_board_support.faults.raise_fault("evse_board_support/VendorError", "of the test")
            await it.until(lambda: story.count("ChargingPausedEVSE") == 1, 30.0)
            await asyncio.sleep(fault_s)
            bsp.evse_board_support.faults.clear("evse_board_support/VendorError")
            await charges_again(it, story, 1)

    run(main())


@pytest.mark.parametrize("sleep_s", [1.0, 60.0])
def test_a_car_that_comes_back_from_its_own_pause(sleep_s: float, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            await it.charging()
            it.world.car.replace(f"pause;sleep {sleep_s:g};draw_power_regulated 16,3;sleep 3600")
            await it.until(lambda: story.count("StoppingCharging") == 1, 5.0)
            await asyncio.sleep(sleep_s)
            await charges_again(it, story, 1)
            assert story.count("ChargingPausedEVSE") == 0

    run(main())


def test_a_car_that_is_woken_up(run: Any, tmp_path: Path) -> None:
    """The wake-up of an old car is a t_step_EF: it needs the energy that it has waited for."""

    async def main() -> None:
        async with plant(tmp_path, BASIC) as it:
            story = Story(it)
            await it.world.charger_is_ready()
            it.world.car.run("pause;sleep 37;draw_power_regulated 16,3;sleep 3600")
            await it.until(lambda: story.count("ChargingStarted") == 1, 60.0)
            await it.until(lambda: it.world.car.inlet.power_W > 3000.0, 5.0)

    run(main())


def test_dc_pause_limit_and_resume(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant(tmp_path, DC) as it:
            story = Story(it)
            await it.world.charger_is_ready()
            it.world.car.run(
                "iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;iso_dc_power_on;"
                "iso_wait_for_stop 3600;iso_wait_v2g_session_stopped;sleep 3600"
            )
            await it.until(lambda: it.world.car.inlet.power_W > 3000.0)
            await limit(it, power_W=0.0)
            await it.until(lambda: story.count("ChargingPausedEVSE") == 1, 40.0)
            await asyncio.sleep(20)
            assert story.connector.machines.snapshot.state.name == "ChargingPausedEVSE"
            await limit(it, power_W=11_000.0)
            await it.until(lambda: story.connector.machines.snapshot.state.name == "PrepareCharging", 3.0)
            assert story.connector.machines.snapshot.power, "it asks, and is granted"
            it.world.car.replace("unplug")
            await asyncio.sleep(10)
            await next_session_charges(it)

    run(main())
