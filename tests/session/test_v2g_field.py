"""Cars of the field in whole sessions: late, silent, gone without a word, with values that no schema allows."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.pilot import Drive
from tests.session.plant import Plant
from tests.v2g.talk import with_soc

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
BOTH = pytest.mark.parametrize("model", [DC, DIN], ids=lambda model: model.protocol)
LATE = (
    "sleep 0.5;iso_wait_slac_matched;sleep {late_s};iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;"
    "wait_for_soc 72;iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
)
WITHOUT_V2G = "sleep 0.5;iso_wait_slac_matched;sleep 3600"
T_STEP_EF_S = 4.0


async def next_session_charges(plant: Plant) -> None:
    plant.reports.clear()
    plant.world.car.battery.soc_percent = 70.0
    await plant.session(limit_s=600)
    assert "charging" in plant.steps() and "unplugged" in plant.steps(), plant.reports[-20:]
    assert plant.failures() == [] and plant.tracebacks() == []


class StateF:
    """When the charger shows state F, and for how long."""

    def __init__(self, plant: Plant) -> None:
        self.lengths_s: list[float] = []
        self._pilot = plant.world.pilot
        self._since: float | None = None
        self._pilot.on_change.append(self._look)

    def _look(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._pilot.drive is Drive.MINUS and self._since is None:
            self._since = now
        elif self._pilot.drive is not Drive.MINUS and self._since is not None:
            self.lengths_s.append(now - self._since)
            self._since = None


@BOTH
@pytest.mark.parametrize("late_s", [17.0, 19.4, 25.0, 29.5])
def test_a_car_that_looks_for_the_charger_late_is_served(model: Model, late_s: float, run: Any, tmp_path: Path) -> None:
    """Its modem took up to TT_match_join (12 s) to join, its own 20 s count from then on."""

    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.world.charger_is_ready()
            plant.world.car.run(LATE.format(late_s=late_s))
            await plant.car_finished(600)
            assert "charging" in plant.steps() and plant.failures() == []
            assert plant.world.car.battery.soc_percent >= 72
            assert plant.warnings() == []

    run(main())


@BOTH
def test_a_car_that_closes_without_session_stop_gets_two_error_routines_and_then_rest(
    model: Model, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            shown = StateF(plant)
            await plant.charging()
            plant.world.car.replace("sleep 7200")
            plant.world.car._v2g.fail("the car closes")
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 1.0)
            await asyncio.sleep(1800)
            assert len(shown.lengths_s) == 2 and all(T_STEP_EF_S <= s < 5.0 for s in shown.lengths_s)
            assert plant.world.pilot.drive is Drive.PLUS, "X1"
            given_up = [line for line in plant.warnings() if "no lasting communication" in line]
            assert len(given_up) == 1 and "plugged in again" in given_up[0]
            assert len(plant.warnings()) <= 6, plant.warnings()
            plant.world.car.replace("unplug")
            await asyncio.sleep(5)
            await next_session_charges(plant)

    run(main())


def test_a_car_that_never_comes_after_its_match_gets_rest_as_well(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            shown = StateF(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(WITHOUT_V2G)
            await asyncio.sleep(1800)
            assert len(shown.lengths_s) == 2
            assert len([line for line in plant.warnings() if "no lasting communication" in line]) == 1
            plant.world.car.replace("unplug")
            await asyncio.sleep(5)
            await next_session_charges(plant)

    run(main())


class SocOf127:
    """Sets EVRESSSOC of every CurrentDemandReq to 127: seven bits that the schema does not allow."""

    def __init__(self, plant: Plant, after: int) -> None:
        self._line = plant.world.car._v2g._line
        assert self._line is not None
        self._send, self._left = self._line.send, after
        self._line.send = self.send  # type: ignore[method-assign]

    def send(self, data: bytes) -> None:
        self._left -= 1
        self._send(data if self._left > 0 else with_soc(data, 127))


@BOTH
def test_a_state_of_charge_of_127_ends_the_energy_transfer_with_an_answer(
    model: Model, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            await plant.charging()
            SocOf127(plant, after=5)
            await plant.until(lambda: bool(plant.failures()), 5.0)
            assert plant.failures() == ["CurrentDemandRes FAILED"]
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 1.0)
            assert any("CurrentDemandReq is refused with FAILED" in line for line in plant.warnings())
            plant.world.car.replace("unplug")
            await asyncio.sleep(10)
            await next_session_charges(plant)

    run(main())
