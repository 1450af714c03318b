"""A residual current without a car: over when the leak is, for there is no car whose leaving could be waited for."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from chargebyte_fw.board.link.messages.charge_som import RcmState
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

BASIC = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
HEALS_S = 90.0
"""Resets of the safety controller are up to 60 s apart."""


def with_a_monitor(world: Any) -> None:
    world.mcu.mcu.hardware.rcm = RcmState.MONITORING


def test_a_trip_while_no_car_is_there_is_over_when_the_leak_is(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC, before_start=with_a_monitor) as plant:
            await plant.world.charger_is_ready()
            await asyncio.sleep(1.0)
            plant.world.weld_contactor()
            plant.world.pilot.residual_current_mA = 30.0
            await plant.until(lambda: "ac_rcd/DC" in plant.faults(), 3.0)
            plant.world.pilot.residual_current_mA = 0.0
            plant.world.weld_contactor(False)
            await plant.until(lambda: plant.faults() == [], HEALS_S)
            await plant.session()
            assert "charging" in plant.steps() and plant.tracebacks() == []

    run(main())


def test_a_trip_while_a_car_is_there_waits_for_the_unplug(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, BASIC, before_start=with_a_monitor) as plant:
            await plant.charging()
            plant.world.pilot.residual_current_mA = 30.0
            await plant.until(lambda: "ac_rcd/DC" in plant.faults(), 3.0)
            plant.world.pilot.residual_current_mA = 0.0
            await asyncio.sleep(HEALS_S)
            assert "ac_rcd/DC" in plant.faults() and not plant.world.pilot.contactors_closed
            plant.world.car.replace("unplug")
            await plant.until(lambda: plant.faults() == [], HEALS_S)
            plant.reports.clear()
            plant.world.car.battery.soc_percent = 70.0
            await plant.session()
            assert "charging" in plant.steps() and plant.tracebacks() == []

    run(main())


def test_a_trip_that_outlasts_its_session_is_over_with_the_unplug(run: Any, tmp_path: Path) -> None:
    """The safe state hides the plug for so long that the session ends; state F in Idle must not hide it any further."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC, before_start=with_a_monitor) as plant:
            await plant.charging()
            plant.world.weld_contactor()
            plant.world.pilot.residual_current_mA = 30.0
            await asyncio.sleep(timing.SESSION_END_UNSEEN_S)
            connector: Any = plant.assembly.modules["connector"]
            assert connector.machines.snapshot.state is Charging.Idle and "ac_rcd/DC" in plant.faults()
            plant.world.pilot.residual_current_mA = 0.0
            plant.world.weld_contactor(False)
            await asyncio.sleep(HEALS_S)
            plant.world.car.replace("unplug")
            await plant.until(lambda: plant.faults() == [], HEALS_S)
            plant.world.car.battery.soc_percent = 70.0
            await plant.session()
            assert "charging" in plant.steps() and plant.tracebacks() == []

    run(main())
