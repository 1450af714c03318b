"""A pause of the car or of the charger, in ISO 15118-2 and -20: who wakes whom, and the session goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.pilot import Drive
from tests.session.dialogues import Story, ac_with_hlc
from tests.session.plant import Plant
from tests.session.test_iso20 import DC, ac, dc

PROTOCOLS = ("iso20-dc", "iso20-ac", "iso2", "iso2-ac")
SESSION = "iso_start_v2g_session {mode} 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;sleep 36000"
STOPPED = "iso_wait_v2g_session_stopped;pause;"


def configuration(state: Path, protocol: str) -> str:
    if protocol.startswith("iso20"):
        return ac(state, ac_enforce_hlc=True) if protocol.endswith("ac") else dc(state)
    return ac_with_hlc(state, ac_enforce_hlc=True) if protocol.endswith("ac") else DC


def plant_for(state: Path, protocol: str) -> Plant:
    car = Model(protocol, battery_kWh=20.0, soc_percent=30, target_soc_percent=99)
    return Plant(state, car, configuration=configuration(state, protocol))


def session(protocol: str) -> str:
    return SESSION.format(mode="ac" if protocol.endswith("ac") else "dc")


def state(story: Story) -> str:
    return str(story.connector.machines.snapshot.state.name)


async def charges_again(plant: Plant, story: Story) -> None:
    await plant.until(lambda: plant.world.car.inlet.power_W > 3_000, 90.0)
    assert state(story) == "Charging" and plant.world.pilot.duty_percent == pytest.approx(5.0)
    assert story.count("TransactionStarted") == 1 and story.count("TransactionFinished") == 0, "one transaction"
    assert story.failed() == [] and plant.failures() == [] and plant.faults() == []


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_car_that_has_paused_wakes_the_charger_by_a_bcb_toggle(protocol: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant_for(tmp_path, protocol) as plant:
            story = Story(plant)
            await plant.charging()
            await asyncio.sleep(3)
            wake_up = "iso_start_bcb_toggle 3;iso_wait_pwm_is_running;"
            plant.world.car.replace(f"iso_pause_charging;{STOPPED}sleep 60;{wake_up}{session(protocol)}")
            await asyncio.sleep(30)
            assert state(story) == "ChargingPausedEV" and plant.world.pilot.drive is Drive.PLUS
            assert not plant.world.pilot.contactors_closed
            await charges_again(plant, story)
            if not protocol.startswith("iso20"):
                assert story.responses("SessionSetupRes")[-1] == "OK_OldSessionJoined"

    run(main())


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_charger_pauses_and_wakes_the_car_with_its_duty_cycle(protocol: str, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant_for(tmp_path, protocol) as plant:
            story = Story(plant)
            await plant.charging()
            await asyncio.sleep(3)
            # Without a pause by the charger, the car of ISO 15118-2 has ended its session and matches anew.
            match = "" if protocol.startswith("iso20") else "iso_wait_slac_matched;"
            plant.world.car.replace(f"{STOPPED}iso_wait_for_resume;{match}{session(protocol)}")
            assert await story.connector.evse.pause_charging()
            await asyncio.sleep(40)
            assert state(story) == "ChargingPausedEVSE" and plant.world.pilot.drive is Drive.PLUS
            assert await story.connector.evse.resume_charging()
            await charges_again(plant, story)

    run(main())


def test_a_car_that_the_duty_cycle_does_not_wake_gets_state_f_once(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant_for(tmp_path, "iso20-dc") as plant:
            story = Story(plant)
            await plant.charging()
            await asyncio.sleep(3)
            # It sleeps through the beginning of 5 %, and begins anew when state F is over.
            plant.world.car.replace(f"{STOPPED}sleep 46;iso_wait_slac_matched;{session('iso20-dc')}")
            await story.connector.evse.pause_charging()
            await asyncio.sleep(10)
            await story.connector.evse.resume_charging()
            drives: list[Drive] = []
            plant.world.pilot.on_change.append(lambda: drives.append(plant.world.pilot.drive))
            await asyncio.sleep(29)
            assert Drive.MINUS not in drives
            await asyncio.sleep(3)
            assert drives[-1] is Drive.MINUS
            await charges_again(plant, story)
            assert len([line for line in plant.records if "waking it up" in line.getMessage()]) == 1

    run(main())
