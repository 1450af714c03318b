"""The shipped configurations charge: every module real, board, modems and car at the other ends of wires in memory."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.demo_state import BASIC_STEPS, STEPS
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
BASIC = Model("basic", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
OPENING_LIMIT_S = 0.15


def watch_contactors(plant: Plant, breaches: list[str]) -> None:
    """Note each time the contactors are still closed a while after the pilot left state C."""
    pilot = plant.world.pilot

    def look() -> None:
        if pilot.contactors_closed and pilot.letter not in "CD":
            breaches.append(f"contactors closed in state {pilot.letter} at {asyncio.get_running_loop().time():.2f} s")

    def changed() -> None:
        if pilot.letter not in "CD":
            asyncio.get_running_loop().call_later(OPENING_LIMIT_S, look)

    pilot.on_change.append(changed)


@pytest.mark.parametrize("model", [DC, DIN, BASIC], ids=lambda model: model.protocol)
def test_a_session_goes_all_its_steps_and_the_battery_gets_what_it_wanted(
    model: Model, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            breaches: list[str] = []
            watch_contactors(plant, breaches)
            await plant.session()
            assert plant.steps() == list(BASIC_STEPS if model.protocol == "basic" else STEPS)
            assert plant.failures() == [] and plant.tracebacks() == [] and plant.faults() == []
            assert plant.world.car.battery.soc_percent == pytest.approx(75, abs=0.5)
            assert plant.world.car.inlet.energy_Wh == pytest.approx(50, rel=0.1)
            assert breaches == []
            assert not plant.world.pilot.contactors_closed and plant.world.pilot.letter == "A"

    run(main())


@pytest.mark.parametrize("model", [DC, DIN, BASIC], ids=lambda model: model.protocol)
def test_one_session_after_the_other_without_restarting_anything(model: Model, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            for _ in range(3):
                plant.reports.clear()
                plant.world.car.battery.soc_percent = 70.0
                await plant.session()
                assert "charging" in plant.steps() and plant.failures() == []
            assert plant.tracebacks() == []

    run(main())


def test_the_log_of_a_session_can_be_read(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.world.charger_is_ready()
            await asyncio.sleep(5)
            plant.records.clear()
            await plant.session()
            lines = [record.getMessage() for record in plant.records if record.levelno >= logging.INFO]
            assert 8 <= len(lines) <= 45, "\n".join(lines)
            assert plant.warnings() == []

    run(main())


def test_the_same_seed_gives_the_same_trace_and_another_seed_another(run: Any, tmp_path: Path) -> None:
    def trace(name: str, seed: int) -> list[Any]:
        async def main() -> list[Any]:
            async with Plant(tmp_path / name, DC, seed=seed, contracts=True) as plant:
                await plant.session()
                return [(t, kind, source, repr(data)) for t, kind, source, data in plant.runtime.trace.entries()]

        result: list[Any] = run(main())
        return result

    first, again, other = trace("a", 1), trace("b", 1), trace("c", 2)
    different = [(x, y) for x, y in zip(first, again) if x != y]
    assert different == [] and len(first) == len(again)
    assert first != other


def test_the_integrators_api_follows_the_session(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            await plant.charging()
            await asyncio.sleep(3)
            info = plant.mqtt.said("everest_api/connector/var/session_info")
            assert info["state"] == "Charging"
            before = plant.mqtt.said("everest_api/connector/var/powermeter")["energy_Wh_import"]["total"]
            await plant.car_finished()
            after = plant.mqtt.said("everest_api/connector/var/powermeter")["energy_Wh_import"]["total"]
            assert after > before
            await asyncio.sleep(3)
            assert plant.mqtt.said("everest_api/connector/var/session_info")["state"] == "Unplugged"

    run(main())
