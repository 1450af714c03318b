"""Whatever ends a session early: the contactors open at once, the reason is named, and the next session charges."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.evcc import Step
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
BASIC = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
UART_LOSS_S = 1.0
"""The controller's own host time-out (0.5 s) and the contactor's travel lie within."""


async def next_session_charges(plant: Plant) -> None:
    plant.reports.clear()
    plant.world.car.battery.soc_percent = 70.0
    await plant.session(limit_s=300)
    assert "charging" in plant.steps() and "unplugged" in plant.steps(), plant.reports[-20:]
    assert plant.failures() == []
    assert plant.tracebacks() == []


@pytest.mark.parametrize("model", [DC, BASIC], ids=lambda model: model.protocol)
def test_a_uart_pulled_for_two_seconds_opens_the_contactors_names_the_fault_and_heals(
    model: Model, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            plant.world.cut_uart(2.0)
            await plant.until(lambda: not plant.world.pilot.contactors_closed, UART_LOSS_S)
            await plant.until(lambda: "evse_board_support/CommunicationFault" in plant.faults(), 2.0)
            await asyncio.sleep(5)
            plant.world.car.replace("unplug")
            await asyncio.sleep(20)
            assert "evse_board_support/CommunicationFault" not in plant.faults()
            await next_session_charges(plant)

    run(main())


@pytest.mark.parametrize("model", [DC, BASIC], ids=lambda model: model.protocol)
def test_an_emergency_stop_opens_the_contactors_and_a_released_one_lets_the_next_car_charge(
    model: Model, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            plant.world.press_emergency_stop(True)
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 0.2)
            await plant.until(lambda: "evse_board_support/MREC8EmergencyStop" in plant.faults(), 2.0)
            await asyncio.sleep(5)
            plant.world.car.replace("unplug")
            plant.world.press_emergency_stop(False)
            await asyncio.sleep(20)
            assert plant.faults() == []
            await next_session_charges(plant)

    run(main())


def stages(protocol: str) -> list[str]:
    steps = ["plugged", "matching", Step.SEARCHING, Step.CONNECTED, Step.SESSION, Step.AUTHORIZING, Step.PARAMETERS]
    return [*steps, Step.CABLE_CHECK, Step.PRECHARGE, Step.CHARGING, Step.STOPPING, Step.WELDING_DETECTION]


def is_at(plant: Plant, stage: str) -> bool:
    reports = plant.reports
    if stage == "plugged":
        return plant.world.pilot.letter == "B"
    if stage == "matching":
        return any(report.get("message") == "car → CmSlacParmReq" for report in reports)
    return any(str(report.get("message", "")).startswith(f"car: {stage}") for report in reports)


@pytest.mark.parametrize("stage", stages("iso2"))
@pytest.mark.parametrize("model", [DC, DIN], ids=lambda model: model.protocol)
def test_a_car_that_is_pulled_out_in_any_state_leaves_a_charger_that_charges_the_next(
    model: Model, stage: str, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: is_at(plant, stage))
            plant.world.car.replace("unplug")
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 0.2)
            await asyncio.sleep(10)
            assert plant.tracebacks() == []
            await next_session_charges(plant)

    run(main())


@pytest.mark.parametrize("stage", [Step.SESSION, Step.AUTHORIZING, Step.CABLE_CHECK, Step.PRECHARGE, Step.CHARGING])
def test_a_car_that_falls_silent_is_given_up_and_what_is_on_is_switched_off(
    stage: str, run: Any, tmp_path: Path
) -> None:
    """ISO 15118-2: V2G_SECC_Sequence_Timeout."""

    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: is_at(plant, stage))
            plant.world.car.fall_silent()
            await asyncio.sleep(65)
            assert not plant.world.pilot.contactors_closed
            plant.world.car.replace("unplug")
            await asyncio.sleep(10)
            assert plant.tracebacks() == []
            await next_session_charges(plant)

    run(main())


@pytest.mark.parametrize(
    "script",
    ["iso_wait_slac_matched;sleep 120;unplug", "iso_wait_pwm_is_running;sleep 200;unplug", "pause;sleep 1;unplug"],
    ids=["matched but no V2G", "no SLAC", "in and out"],
)
def test_a_car_that_never_gets_going_is_no_trouble_for_the_next(script: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            plant.world.car.run(script)
            await plant.car_finished()
            await asyncio.sleep(10)
            assert plant.tracebacks() == []
            await next_session_charges(plant)

    run(main())


def test_a_diode_fault_while_charging_opens_the_contactors(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            await plant.charging()
            plant.world.car.replace("diode_fail;sleep 5;unplug")
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 0.2)
            await plant.until(lambda: "evse_board_support/DiodeFault" in plant.faults(), 2.0)
            await plant.car_finished()
            await asyncio.sleep(20)
            await next_session_charges(plant)

    run(main())
