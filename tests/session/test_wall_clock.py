"""NTP sets the clock by years while a car charges: the session goes on, limits and energy are those of any other."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.demo_state import BASIC_STEPS, STEPS
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

MODELS = [Model(name, battery_kWh=1.0, soc_percent=70, target_soc_percent=75) for name in ("iso2", "din", "basic")]
YEARS = timedelta(days=6 * 365)


@pytest.mark.parametrize("by", [YEARS, -YEARS], ids=["behind", "ahead"])
@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.protocol)
def test_a_session_outlives_a_clock_that_is_set(model: Model, by: timedelta, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            for step in (by, -by, by):
                before_Wh = plant.world.car.inlet.energy_Wh
                loop.set_wall(utc_now() + step)
                await asyncio.sleep(1)
                assert plant.world.pilot.contactors_closed
                assert plant.world.car.inlet.energy_Wh > before_Wh, "no power after the clock was set"
            await plant.car_finished()
            assert plant.steps() == list(BASIC_STEPS if model.protocol == "basic" else STEPS)
            assert plant.failures() == [] and plant.tracebacks() == [] and plant.faults() == []
            assert plant.world.car.battery.soc_percent == pytest.approx(75, abs=0.5)
            assert plant.world.car.inlet.energy_Wh == pytest.approx(50, rel=0.1)

    run(main())
