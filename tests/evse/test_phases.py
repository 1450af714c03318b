"""The number of phases: switched between charging, never under HLC while it charges."""

from __future__ import annotations

import asyncio

from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World

SWITCH = "ac_switch_three_phases_while_charging"


async def hlc_charging(w: World) -> None:
    """Charge on AC the way ISO 15118-2 leads it."""
    w.bsp.cp("B")
    await asyncio.sleep(1.0)
    w.slac.match()
    await w.authorize()
    w.ask_authorization()
    await asyncio.sleep(1.0)
    w.hlc.publish("v2g_setup_finished")
    w.bsp.cp("C")
    w.hlc.publish("ac_close_contactor")
    await w.until_state("Charging")
    await asyncio.sleep(0.5)


def test_under_hlc_phases_are_not_switched_while_charging_and_all_of_them_count(assemble: Assemble, run: Run) -> None:
    """A switch under load without a new charge parameter discovery: the EV would still draw on three phases."""

    async def story() -> None:
        w = await World(assemble, hlc=True).start()
        await hlc_charging(w)
        assert w.m.requests.switch_phases(False) is False
        w.energy_on = False
        await w.grant(phases=1)
        await asyncio.sleep(15.0)
        assert w.state == "Charging" and w.bsp.closed and w.pilot() == 5.0
        assert not w.calls("bsp", SWITCH) and "SwitchingPhases" not in w.names
        assert w.now.energy.active_phases == 3
        assert w.now.allowed_phases == 3

    run(story())


def test_under_hlc_a_limit_on_phases_is_followed_when_the_ev_pauses(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True).start()
        await hlc_charging(w)
        w.energy_on = False
        await w.grant(phases=1)
        w.hlc.publish("ac_open_contactor")
        await w.until_state("ChargingPausedEV")
        await w.until(lambda: not w.now.contactors_closed, 1.0)
        assert not w.calls("bsp", SWITCH)
        await w.grant(phases=1)
        await asyncio.sleep(0.1)
        assert w.calls("bsp", SWITCH) == [(False,)]
        assert w.now.energy.active_phases == 1
        assert w.state == "ChargingPausedEV"

    run(story())


def test_without_an_ev_the_board_is_ordered_at_once(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        assert w.m.requests.switch_phases(False) is True
        await asyncio.sleep(0.1)
        assert w.calls("bsp", SWITCH) == [(False,)]
        assert w.state == "Idle" and "SwitchingPhases" not in w.names

    run(story())


def test_a_second_order_during_the_pause_replaces_the_first(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert w.m.requests.switch_phases(False) is True
        await w.until_state("SwitchPhases", 0.5)
        await asyncio.sleep(5.0)
        assert w.m.requests.switch_phases(True) is True
        await asyncio.sleep(4.5)
        assert w.state == "SwitchPhases" and not w.calls("bsp", SWITCH)
        await asyncio.sleep(1.0)
        assert w.calls("bsp", SWITCH) == [(True,)], "10 s after the first order"
        assert w.names.count("SwitchingPhases") == 1

    run(story())
