"""A car that is plugged in again before its last session has been put away."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story
from tests.session.plant import Plant
from tests.session.test_iso20 import dc

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DC20 = Model("iso20-dc", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
AGAIN = (
    "iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;wait_for_soc 76;"
    "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
)


@pytest.mark.parametrize("model", [DC, DIN, DC20], ids=lambda model: model.protocol)
@pytest.mark.parametrize("after", ["SessionStopRes", "charge loop"])
@pytest.mark.parametrize("pause_s", [0.3, 1.0, 4.0])
def test_a_car_that_replugs_at_once_is_served_at_once(
    model: Model, after: str, pause_s: float, run: Any, tmp_path: Path
) -> None:
    """The connection of the last session is still open: neither side has closed it, the plug was faster."""

    async def main() -> None:
        configuration = dc(tmp_path) if model is DC20 else ""
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story = Story(plant)
            await plant.charging()
            if after == "SessionStopRes":
                await plant.until(lambda: story.count(after) > 0, 600.0)
            else:
                loop = "DcChargeLoopRes" if model is DC20 else "CurrentDemandRes"
                await plant.until(lambda: story.count(loop) > 20, 600.0)
            plant.world.car.replace("unplug")
            await asyncio.sleep(pause_s)
            plant.world.car.battery.soc_percent = 75.0
            story.forget()
            plant.reports.clear()
            plant.world.car.run(AGAIN)
            began_s = asyncio.get_running_loop().time()
            await plant.until(lambda: story.count("SupportedAppProtocolRes") > 0, 30.0)
            assert asyncio.get_running_loop().time() - began_s < 4.0, "matching takes about two seconds of it"
            await plant.car_finished(300)
            assert "charging" in plant.steps() and plant.failures() == []
            # Every session that began has ended, in order.
            assert story.names.count("SessionStarted") == 1
            assert plant.tracebacks() == []

    run(main())
