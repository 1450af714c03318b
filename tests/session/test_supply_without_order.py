"""What another process switches on at the power supply is a fault, and it is switched off again."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
OFF_AGAIN_S = 0.5


async def drive(plant: Plant, voltage_V: float, current_A: float) -> None:
    supply: Any = plant.assembly.modules["powersupply_dc"].main  # type: ignore[attr-defined]
    await supply.setExportVoltageCurrent(voltage_V, current_A)
    await supply.setMode(Mode.Export, ChargingPhase.Charging)


def test_a_supply_that_is_driven_in_idle_is_switched_off_and_blocks_charging_until_it_stays_off(
    run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            await asyncio.sleep(5)
            supply: Any = plant.assembly.modules["powersupply_dc"]
            volts: list[float] = []
            supply.main.voltage_current.subscribe(lambda value: volts.append(value.voltage_V))
            for _ in range(20):
                await drive(plant, 400.0, 10.0)
                await plant.until(lambda: supply.main.mode.value is Mode.Off, 2.0 + OFF_AGAIN_S)
                assert "evse_manager/Internal" in plant.faults()
            plant.world.plug_in()
            await asyncio.sleep(5)
            assert not plant.world.pilot.contactors_closed and plant.steps() == ["plugged in"]
            warnings = [line for line in plant.warnings() if "without an order" in line]
            assert len(warnings) == 1, "said once"
            plant.world.car.replace("unplug")
            await plant.car_finished()
            await asyncio.sleep(1)
            assert "evse_manager/Internal" in plant.faults(), "a replug does not clear it"
            await asyncio.sleep(12)
            assert plant.faults() == []
            plant.reports.clear()
            await plant.session()
            assert "charging" in plant.steps() and plant.failures() == []

    run(main())


def test_a_supply_that_is_driven_while_a_car_waits_never_reaches_it(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: "SLAC" in plant.steps())
            await drive(plant, 900.0, 100.0)
            supply: Any = plant.assembly.modules["powersupply_dc"]
            await plant.until(lambda: supply.main.mode.value is Mode.Off, OFF_AGAIN_S)
            assert "evse_manager/Internal" in plant.faults()
            assert not plant.world.pilot.contactors_closed
            await asyncio.sleep(5)
            plant.world.car.replace("unplug")
            await plant.car_finished()
            await asyncio.sleep(20)
            assert plant.faults() == []

    run(main())


def test_ordinary_sessions_raise_no_such_fault(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            seen: list[str] = []
            for book in plant.runtime.all_faults:
                book.subscribe(lambda fault: seen.append(fault.type), lambda _: None)
            for _ in range(3):
                plant.world.car.battery.soc_percent = 70.0
                await plant.session()
            await asyncio.sleep(60)
            assert seen == []

    run(main())
