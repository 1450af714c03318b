"""Wishes of user, energy management and car in any order: in the end, with all of them taken back, the car charges."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.session.dialogues import Story
from tests.session.plant import Plant
from tests.session.test_iso20 import order, speaks
from tests.session.test_pause_and_wake import plant_for

CHARGES = (
    "iso_wait_pwm_is_running;iso_wait_slac_matched;iso_start_v2g_session {mode} 86400 0;iso_wait_pwr_ready;"
    "iso_draw_power_regulated 16,3;iso_wait_v2g_session_stopped;pause;sleep 2;"
)
"""A car that begins a session whenever the pilot shows 5 %, until the charger or itself ends it."""
BPT = {"energy_transfer_mode": "DC_BPT", "max_discharge_power_W": 20_000.0, "max_discharge_current_A": 50.0}
KINDS = ("din", "iso2", "iso2-ac", "iso20-dc", "iso20-dc-bpt", "iso20-ac")


class Contactors:
    """Notes each closing of DC contactors without a cable check since they opened last."""

    def __init__(self, plant: Plant, story: Story) -> None:
        self._pilot = plant.world.pilot
        self._story = story
        self._closed = False
        self._checks = 0
        self.unchecked = 0
        self._pilot.on_change.append(self._changed)

    def _changed(self) -> None:
        was, self._closed = self._closed, self._pilot.contactors_closed
        checks = self._story.count("CableCheckReq") + self._story.count("DcCableCheckReq")
        if self._closed and not was and checks == self._checks:
            self.unchecked += 1
        if was and not self._closed:
            self._checks = checks


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_a_car_charges_once_nothing_speaks_against_it(kind: str, seed: int, run: Any, tmp_path: Path) -> None:
    random, direct = Random(seed), not kind.endswith("ac")
    charges = CHARGES.format(mode="dc" if direct else "ac") * 30 + "sleep 36000"

    async def main() -> None:
        async with plant_for(tmp_path, kind.removesuffix("-bpt")) as plant:
            story, car = Story(plant), plant.world.car
            contactors = Contactors(plant, story)
            await plant.world.charger_is_ready()
            if kind.startswith("iso20"):
                speaks(plant, **(BPT if kind.endswith("bpt") else {}))
            car.run(charges)
            await plant.until(lambda: car.inlet.power_W > 3_000)
            await asyncio.sleep(1)

            def anew() -> None:
                if car.inlet.power_W > 0:
                    services = "_services" if kind.startswith("iso20") else ""
                    car.replace(f"iso_renegotiate{services};iso_wait_v2g_session_stopped;pause;sleep 2;{charges}")

            evse: Any = story.connector.evse
            wishes: list[Any] = [
                *(evse.pause_charging, evse.resume_charging, evse.resume_charging),
                *(lambda: order(plant, 0.0), lambda: order(plant, 10_000.0)),
                *((lambda: order(plant, -5_000.0),) if kind.endswith("bpt") else ()),
                *((anew,) if kind != "din" else ()),
            ]
            for _ in range(random.randint(3, 9)):
                wished = random.choice(wishes)()
                if wished is not None:
                    await wished
                await asyncio.sleep(random.choice([0.0, 0.1, 0.5, 2.0, 10.0, 30.0]))
            await order(plant, 10_000.0)
            await evse.resume_charging()
            await plant.until(lambda: car.inlet.power_W > 3_000, 400.0)
            await asyncio.sleep(20)
            assert car.inlet.power_W > 3_000 and plant.world.pilot.contactors_closed
            assert not direct or contactors.unchecked == 0
            assert story.count("TransactionStarted") == 1
            assert plant.faults() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.parametrize("kind", ["iso2", "iso2-ac"])
def test_a_stop_is_taken_back_also_where_the_communication_began_anew(kind: str, run: Any, tmp_path: Path) -> None:
    """A car comes back within the pause and is refused; that is a lost connection, with another matching."""

    async def main() -> None:
        async with plant_for(tmp_path, kind) as plant:
            story, car = Story(plant), plant.world.car
            await plant.world.charger_is_ready()
            car.run(CHARGES.format(mode="ac" if kind.endswith("ac") else "dc") * 9 + "sleep 36000")
            await plant.until(lambda: car.inlet.power_W > 3_000)
            evse = story.connector.evse
            await evse.pause_charging()
            await asyncio.sleep(15)
            await evse.resume_charging()
            await asyncio.sleep(0.1)
            await evse.pause_charging()
            await asyncio.sleep(12)
            await evse.resume_charging()
            await plant.until(lambda: car.inlet.power_W > 3_000, 100.0)
            assert story.count("TransactionStarted") == 1 and plant.faults() == []
            assert not [one for one in plant.records if "no lasting communication" in one.getMessage()]

    run(main())
