"""What the APIs show of a whole charger is what is true: no EVSE is shown free while an EV is plugged in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

API = "everest_api/connector"
PERIOD_S = 1.1


class Shown:
    """A plant with an AC car, and what API, RpcApi and the node-red panel show."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.evse = plant.assembly.modules["connector"].evse  # type: ignore[attr-defined]
        self.methods = plant.assembly.modules["rpc_api"].methods  # type: ignore[attr-defined]

    async def states(self) -> tuple[str, str]:
        """States of both interfaces, once they have had the time to publish."""
        await asyncio.sleep(PERIOD_S)
        info = self.plant.mqtt.said(f"{API}/var/session_info")
        status = (await self.methods.get_status(1))["status"]
        assert status["available"] is (status["state"] != "Disabled")
        return info["state"], status["state"]

    def command(self, name: str, payload: str = "") -> None:
        self.plant.mqtt.receive(f"{API}/cmd/{name}", payload)


@pytest.fixture
def shown(run: Any, tmp_path: Path) -> Callable[[Callable[[Shown], Awaitable[None]]], None]:
    def go(story: Callable[[Shown], Awaitable[None]]) -> None:
        async def main() -> None:
            model = Model("basic", battery_kWh=50.0, soc_percent=50, target_soc_percent=90)
            async with Plant(tmp_path, model) as plant:
                await plant.world.charger_is_ready()
                await story(Shown(plant))
                plant.world.car.replace("unplug")
                await asyncio.sleep(5)

        run(main())

    return go


def both(state: str) -> tuple[str, str]:
    return state, state


def test_a_reservation_that_ends_with_an_ev_plugged_in_frees_nothing(shown: Any) -> None:
    async def story(world: Shown) -> None:
        assert await world.evse.reserve(7)
        assert await world.states() == both("Reserved")
        world.plant.world.plug_in()
        await world.plant.until(lambda: world.plant.world.pilot.letter != "A")
        await asyncio.sleep(0.2)
        await world.evse.cancel_reservation()
        state, _ = await world.states()
        assert state not in ("Unplugged", "Reserved", "Unknown")

    shown(story)


def test_disabled_and_enabled_again_while_the_ev_stops_is_not_free(shown: Any) -> None:
    async def story(world: Shown) -> None:
        await world.plant.charging()
        world.command("disable", "1")
        await asyncio.sleep(0)
        world.command("enable", "1")
        for _ in range(5):
            state, _ = await world.states()
            assert state not in ("Unplugged", "Disabled", "Unknown")

    shown(story)


def test_an_ev_that_is_plugged_in_at_a_disabled_evse_shows_disabled_and_then_its_session(shown: Any) -> None:
    async def story(world: Shown) -> None:
        world.command("disable", "1")
        assert await world.states() == both("Disabled")
        world.plant.world.plug_in()
        await asyncio.sleep(5)
        assert await world.states() == both("Disabled")
        world.command("enable", "1")
        await world.plant.until(lambda: world.plant.world.car.inlet.power_W > 0, 60.0)
        assert await world.states() == both("Charging")

    shown(story)


def test_paused_stopped_and_still_plugged_in_is_neither_charging_nor_free(shown: Any) -> None:
    async def story(world: Shown) -> None:
        await world.plant.charging()
        world.command("pause_charging")
        await asyncio.sleep(5)
        assert await world.states() == both("ChargingPausedEVSE")
        world.command("stop_charging")
        await asyncio.sleep(5)
        assert await world.states() == both("FinishedEVSE")
        await asyncio.sleep(60)
        assert await world.states() == both("FinishedEVSE")
        world.command("disable", "1")
        world.command("enable", "1")
        # Enabled anew, it begins a session with the EV that is still there.
        await world.plant.until(lambda: world.plant.world.car.inlet.power_W > 0, 60.0)
        assert await world.states() == both("Charging")

    shown(story)


def test_a_fault_that_clears_with_the_ev_plugged_in_shows_the_session_throughout(shown: Any) -> None:
    async def story(world: Shown) -> None:
        await world.plant.charging()
        world.plant.world.press_emergency_stop(True)
        for _ in range(3):
            state, _ = await world.states()
            assert state not in ("Unplugged", "Charging", "Unknown")
        assert world.plant.mqtt.said(f"{API}/var/session_info")["permanent_fault"] is True
        world.plant.world.press_emergency_stop(False)
        for _ in range(10):
            state, _ = await world.states()
            power = world.plant.world.car.inlet.power_W
            assert state != "Unplugged" and (state != "Charging" or power > 0 or world.plant.world.pilot.letter == "C")

    shown(story)
