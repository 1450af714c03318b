"""Standing orders through the whole stack: what RpcApi's clients order holds over states and cars."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

STAYS = (
    "sleep 0.5;iso_wait_slac_matched;iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;"
    "iso_wait_v2g_session_stopped;sleep 8;iso_wait_pwm_is_running;iso_wait_slac_matched;"
    "iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;sleep 10000"
)
"""A car that stays plugged in when the charger has ended the session, and matches again when the charger shows 5 %."""
Story = Callable[["Orders"], Awaitable[None]]


class Orders:
    """A plant with a car, the methods of RpcApi and the session events seen so far."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.events: list[str] = []
        self.methods = plant.assembly.modules["rpc_api"].methods  # type: ignore[attr-defined]
        evse = plant.assembly.modules["connector"].evse  # type: ignore[attr-defined]
        evse.session_event.subscribe(lambda event: self.events.append(event.event.value), replay=False)

    async def allow(self, allowed: bool) -> None:
        assert await self.methods.set_charging_allowed(1, allowed) == {"error": "NoError"}

    @property
    def power_W(self) -> float:
        return self.plant.world.car.inlet.power_W

    async def plug_in(self) -> None:
        await self.plant.world.charger_is_ready()
        self.events.clear()
        if self.plant.model.protocol == "basic":
            self.plant.world.plug_in()
        else:
            self.plant.world.car.run(STAYS)

    async def charges(self, limit_s: float = 60.0) -> None:
        await self.plant.until(lambda: self.power_W > 0, limit_s)

    async def unplug(self) -> None:
        self.plant.world.car.replace("unplug")
        await self.plant.until(lambda: "SessionFinished" in self.events, 10.0)
        await asyncio.sleep(2.0)


@pytest.fixture(params=["basic", "iso2", "din"])
def orders(request: Any, run: Any, tmp_path: Path) -> Callable[[Story], None]:
    """Run a story beside an AC car, an ISO 15118-2 car and a DIN 70121 car."""

    def go(story: Story) -> None:
        async def main() -> None:
            model = Model(request.param, battery_kWh=50.0, soc_percent=50, target_soc_percent=90)
            async with Plant(tmp_path, model) as plant:
                await story(Orders(plant))
                assert plant.tracebacks() == []
                plant.world.car.replace("unplug")
                await asyncio.sleep(5.0)

        run(main())

    return go


@pytest.mark.parametrize("later_s", [0.0, 0.01, 0.05, 0.3, 0.7, 2.0, 30.0])
def test_denied_and_allowed_again_it_goes_on_however_soon(orders: Any, later_s: float) -> None:
    async def story(world: Orders) -> None:
        await world.plug_in()
        await world.charges()
        await world.allow(False)
        await asyncio.sleep(later_s)
        await world.allow(True)
        await world.plant.until(lambda: world.events.count("ChargingStarted") > 1, 60.0)
        await world.charges()
        await asyncio.sleep(10)
        assert world.power_W > 0
        assert "TransactionFinished" not in world.events

    orders(story)


def test_a_denial_holds_for_the_next_car_which_charges_once_it_is_allowed(orders: Any) -> None:
    async def story(world: Orders) -> None:
        await world.plug_in()
        await world.charges()
        await world.allow(False)
        await world.plant.until(lambda: world.power_W == 0.0, 25.0)
        await world.unplug()
        await world.plug_in()
        await asyncio.sleep(60)
        assert "TransactionStarted" in world.events and "ChargingStarted" not in world.events
        assert world.events[-1] == "ChargingPausedEVSE"
        await world.allow(True)
        if world.plant.model.protocol != "basic":
            # This car had no session yet and waits for 5 %.
            assert world.plant.world.car.running
        await world.charges()

    orders(story)


def test_a_denial_before_the_plug_in_and_its_repetition_hold(orders: Any) -> None:
    async def story(world: Orders) -> None:
        await world.allow(False)
        await world.plug_in()
        await asyncio.sleep(30)
        await world.allow(False)
        await asyncio.sleep(30)
        assert "ChargingStarted" not in world.events and world.power_W == 0.0
        await world.allow(True)
        await world.charges()
        await world.allow(True)
        await asyncio.sleep(10)
        assert world.power_W > 0 and world.events.count("ChargingStarted") == 1

    orders(story)


def test_a_denial_during_a_fault_outlives_the_fault(orders: Any) -> None:
    async def story(world: Orders) -> None:
        await world.plug_in()
        await world.charges()
        world.plant.world.press_emergency_stop(True)
        await asyncio.sleep(2)
        await world.allow(False)
        world.plant.world.press_emergency_stop(False)
        await asyncio.sleep(60)
        assert world.power_W == 0.0

    orders(story)
