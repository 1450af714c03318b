"""ISO 15118-20 through the whole charger: wishes that are taken back, and services that are chosen anew."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.evcc.iso20.session import Iso20CarSession
from tests.session.dialogues import Story
from tests.session.plant import Plant
from tests.session.test_iso20 import AC_SCRIPT, CAR, STOP, ac, dc, finish, speaks

KINDS = ("dc", "ac")


def plant_for(state: Path, kind: str) -> Plant:
    return Plant(state, CAR, configuration=ac(state, ac_enforce_hlc=True) if kind == "ac" else dc(state))


async def charging(plant: Plant, kind: str, **settings: Any) -> None:
    """A car of ISO 15118-20 charges."""
    await plant.world.charger_is_ready()
    if kind == "ac":
        speaks(plant, energy_transfer_mode="AC_three_phase_core", max_current_A=16.0, max_power_W=None, **settings)
        plant.world.car.run(AC_SCRIPT + "sleep 36000")
    else:
        speaks(plant, **settings)
        plant.world.plug_in()
    await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
    await asyncio.sleep(3)


def chosen(story: Story, times: int) -> bool:
    return story.count("ServiceSelectionReq") == times


@pytest.mark.parametrize("welding_detection", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_car_that_chooses_its_services_anew_charges_on(
    kind: str, welding_detection: bool, run: Any, tmp_path: Path
) -> None:
    """It ends the power for that, which is no stop of the session; without a welding detection it is very fast."""

    async def main() -> None:
        async with plant_for(tmp_path, kind) as plant:
            story = Story(plant)
            await charging(plant, kind, welding_detection=welding_detection)
            for times in (2, 3):
                plant.world.car.replace("iso_renegotiate_services;sleep 36000")
                await plant.until(partial(chosen, story, times))
                assert plant.world.car.inlet.power_W == 0.0
                await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
                await asyncio.sleep(3)
            assert story.count("TransactionStarted") == 1 and story.count("AuthorizationReq") <= 2
            assert story.connector.machines.snapshot.state.name == "Charging"
            await finish(plant, story)

    run(main())


@pytest.mark.parametrize("after_s", [0.0, 0.05, 0.5, 4.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_pause_that_is_taken_back_lets_the_car_charge_on(kind: str, after_s: float, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with plant_for(tmp_path, kind) as plant:
            story = Story(plant)
            await charging(plant, kind)
            plant.world.car.replace(
                "iso_wait_v2g_session_stopped;pause;iso_wait_for_resume;"
                f"iso_start_v2g_session {kind} 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;sleep 36000"
            )
            assert await story.connector.evse.pause_charging()
            await asyncio.sleep(after_s)
            assert await story.connector.evse.resume_charging()
            await asyncio.sleep(60)
            assert plant.world.car.inlet.power_W > 3_000
            assert story.count("TransactionStarted") == 1 and story.failed() == []
            await finish(plant, story)

    run(main())


def test_contactors_forced_open_close_again_with_a_cable_check_alone(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The car ignores the wish to pause and keeps up its charge loop, its own contactors closed."""
    monkeypatch.setattr(Iso20CarSession, "charger_wants_to_stop", False)

    async def main() -> None:
        async with plant_for(tmp_path, "dc") as plant:
            story = Story(plant)
            await charging(plant, "dc")
            plant.world.car.replace(
                "iso_wait_v2g_session_stopped;pause;iso_wait_slac_matched;iso_start_v2g_session dc 86400 0;"
                "iso_wait_pwr_ready;iso_dc_power_on;sleep 36000"
            )
            assert await story.connector.evse.pause_charging()
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 25.0)
            assert plant.world.car._v2g.active, "it goes on with its charge loop"
            assert await story.connector.evse.resume_charging()
            checks = story.count("DcCableCheckReq")
            await plant.until(lambda: plant.world.pilot.contactors_closed, 120.0)
            assert story.count("DcCableCheckReq") > checks
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
            assert story.count("TransactionStarted") == 1
            plant.world.car.replace(STOP)
            await plant.car_finished()
            assert plant.faults() == [] and plant.tracebacks() == []

    run(main())
