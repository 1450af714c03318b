"""Whole sessions on a virtual clock: events, commands, ends."""

from __future__ import annotations

import asyncio

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from tests.evse.world import Assemble, Run, World

DC_STORY = [
    "SessionStarted",
    "AuthRequired",
    "Authorized",
    "TransactionStarted",
    "PrepareCharging",
    "ChargingStarted",
    "StoppingCharging",
    "ChargingPausedEV",
    "StoppingCharging",
    "ChargingFinished",
    "TransactionFinished",
    "SessionFinished",
]


def test_dc_session_from_plug_in_to_unplug(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(50.0)
        await asyncio.sleep(5.0)
        assert w.supply.mode is Mode.Export
        assert (w.supply.set_V, w.supply.set_A) == (400.0, 50.0)
        await w.ev_stops()
        assert str(w.supply.mode) == "Off"
        assert not w.bsp.closed
        await w.unplug()
        assert w.names == DC_STORY
        await w.assembly.stop()

    run(story())


def test_the_trace_holds_each_charging_state_at_its_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        begin_s = asyncio.get_running_loop().time()
        await w.to_preparation()
        w.bsp.cp("C")
        await w.until_state("Charging")
        await w.unplug()
        await w.until_state("Idle")
        entries = [(at, data) for at, *of, data in w.m.runtime.trace.entries() if of == ["state", "evse"]]
        assert [data for _, data in entries] == [
            "Wait for Auth",
            "PrepareCharging",
            "Charging",
            "StoppingCharging",
            "Finished",
            "Idle",
        ]
        times = [at for at, _ in entries]
        assert times == sorted(times) and begin_s <= times[0] <= begin_s + 0.1

    run(story())
