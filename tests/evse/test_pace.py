"""The charging loop costs little: thirty minutes of charging, and the work that one request causes."""

from __future__ import annotations

import asyncio
import time

from chargebyte_fw.modules.evse.machine.events import EvTargets
from tests.evse.world import Assemble, Run, World


def test_half_an_hour_of_dc_tells_only_what_changes(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(50.0)
        await asyncio.sleep(10.0)
        w.commands.clear()
        await asyncio.sleep(1800.0)
        assert w.state == "Charging"
        # The meter and the voltage did not change, the limits neither: silence on every line.
        assert len(w.commands) == 0

    run(story())


def test_one_request_of_the_ev_is_cheap(assemble: Assemble, run: Run) -> None:
    """Far below a millisecond each, of the five that a response may take in all."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(50.0)
        took = []
        for step in range(500):
            begin = time.process_time()
            w.m.pump.feed(EvTargets(400.0 + step % 7, 40.0 + step % 5))
            took.append(time.process_time() - begin)
            await asyncio.sleep(0.25)
        took.sort()
        assert took[len(took) // 2] < 0.001

    run(story())
