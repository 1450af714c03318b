"""`ac_with_soc`: direct current is offered for the state of charge, then the EV begins anew and charges with AC."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, ac_with_hlc
from tests.session.plant import Plant

MATCH = "iso_wait_slac_matched;"
READ = f"{MATCH}iso_start_v2g_session DC 86400 0;iso_wait_v2g_session_stopped;pause;"
CHARGE = "iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;sleep 36000"


def modes(story: Story) -> list[set[str]]:
    """What each session was offered."""
    found = []
    for response in story.of("ServiceDiscoveryRes"):
        offered = response["ChargeService"]["SupportedEnergyTransferMode"]["EnergyTransferMode"]
        found.append({mode.partition("_")[0] for mode in offered})
    return found


@pytest.mark.parametrize("dc_capable", [True, False])
def test_the_state_of_charge_is_read_and_the_session_goes_on_with_ac(
    run: Any, tmp_path: Path, dc_capable: bool
) -> None:
    async def main() -> None:
        configuration = ac_with_hlc(tmp_path, ac_with_soc=True)
        car = Model("iso2", battery_kWh=20.0, soc_percent=42, target_soc_percent=99)
        async with Plant(tmp_path, car, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.settings = replace(plant.world.car.settings, protocols=("ISO15118D2",))
            first = READ if dc_capable else READ.replace(" DC ", " AC ")
            plant.world.car.run(f"{first}{MATCH}{CHARGE}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000, 120.0)
            await asyncio.sleep(5)
            assert modes(story) == [{"DC"}, {"AC"}]
            assert plant.world.pilot.duty_percent == pytest.approx(5.0)
            assert story.count("TransactionStarted") == 1 and story.count("TransactionFinished") == 0
            info = story.connector.evse.ev_info.value
            assert info.soc == (42 if dc_capable else None)
            plant.world.car.replace("iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug")
            await plant.car_finished()
            await asyncio.sleep(3)
            story.forget()
            plant.world.car.run(f"{first}unplug")
            await plant.until(lambda: modes(story) != [], 60.0)
            assert modes(story) == [{"DC"}], "the next session is asked again"

    run(main())


def test_a_car_without_communication_charges_by_the_duty_cycle(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        configuration = ac_with_hlc(tmp_path, ac_with_soc=True)
        car = Model("basic", battery_kWh=20.0, soc_percent=42, target_soc_percent=99)
        async with Plant(tmp_path, car, configuration=configuration) as plant:
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000, 90.0)
            assert plant.world.pilot.duty_percent == pytest.approx(16 / 0.6, abs=0.1)

    run(main())
