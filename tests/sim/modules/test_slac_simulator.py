"""SlacSimulator: two modems that find each other."""

from __future__ import annotations

import asyncio
from typing import Any

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.sim.modules.slac_line import MATCHING_S
from chargebyte_fw.sim.modules.slac_simulator import SlacSimulator


def test_two_seconds_after_both_look_they_are_matched(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(slac=(SlacSimulator,))
        await assembly.start()
        evse, ev = assembly.provider("slac", "evse"), assembly.provider("slac", "ev")
        await evse.enter_bcd()
        await asyncio.sleep(60)
        assert (evse.state.value, ev.state.value) == (State.MATCHING, State.UNMATCHED)
        assert await ev.trigger_matching()
        await asyncio.sleep(MATCHING_S - 0.1)
        assert (evse.state.value, ev.state.value) == (State.MATCHING, State.MATCHING)
        await asyncio.sleep(0.2)
        assert (evse.state.value, ev.state.value) == (State.MATCHED, State.MATCHED)
        assert evse.dlink_ready.value and ev.dlink_ready.value
        await evse.dlink_pause()
        assert evse.state.value is State.MATCHED
        await assembly.stop()

    run(main())


def test_either_end_leaves_for_both(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(slac=(SlacSimulator,))
        await assembly.start()
        evse, ev = assembly.provider("slac", "evse"), assembly.provider("slac", "ev")
        for leave in (evse.leave_bcd, evse.dlink_terminate, ev.reset, lambda: evse.reset(True)):
            await evse.enter_bcd()
            await ev.trigger_matching()
            await asyncio.sleep(3)
            assert evse.state.value is State.MATCHED
            await leave()
            assert (evse.state.value, ev.state.value) == (State.UNMATCHED, State.UNMATCHED)
            assert evse.dlink_ready.value is ev.dlink_ready.value is False
        await assembly.stop()

    run(main())


def test_after_a_failed_link_the_charger_looks_again(run: Any, assemble: Any) -> None:
    async def main() -> None:
        assembly = assemble(slac=(SlacSimulator,))
        await assembly.start()
        evse, ev = assembly.provider("slac", "evse"), assembly.provider("slac", "ev")
        await evse.enter_bcd()
        await ev.trigger_matching()
        await asyncio.sleep(3)
        await evse.dlink_error()
        assert (evse.state.value, ev.state.value) == (State.MATCHING, State.UNMATCHED)
        await ev.trigger_matching()
        await asyncio.sleep(3)
        assert evse.state.value is State.MATCHED
        await assembly.stop()

    run(main())
