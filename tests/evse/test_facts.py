"""Facts end with what they are about: a plug-in, a session, a transaction, the communication with one EV."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.modules.evse.machine.facts import (
    EvCondition,
    HlcLink,
    PlugIn,
    Session,
    Transaction,
    TransactionState,
)
from tests.evse.world import Assemble, Run, World


async def used(w: World) -> None:
    """Charge until every kind of fact is there."""
    await w.to_charging()
    w.bsp.main.faults.raise_fault("evse_board_support/DiodeFault", "short")
    await asyncio.sleep(1.0)
    w.bsp.main.faults.clear("evse_board_support/DiodeFault")
    await w.m.evse.pause_charging()
    await asyncio.sleep(1.0)
    facts = w.charging.facts
    assert facts.session.ev is EvCondition.Unfit and facts.transaction.paused_by_user
    assert facts.link.error_routines == 0 and facts.link.begun and facts.plug_in.names


def test_nothing_of_an_ev_is_known_once_it_has_left(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await used(w)
        await w.unplug()
        await w.until_state("Idle")
        facts = w.charging.facts
        assert (facts.plug_in, facts.session, facts.transaction) == (PlugIn(), Session(), Transaction())
        w.slac.main.state.publish("UNMATCHED")
        await asyncio.sleep(0.1)
        assert facts.link in (HlcLink(), HlcLink(matching_seen=True))

    run(story())


@pytest.mark.parametrize("said", ["dlink_pause", "dlink_terminate", "current_demand_finished", "v2g_setup_finished"])
def test_what_hlc_reports_between_two_evs_is_not_the_next_ones(assemble: Assemble, run: Run, said: str) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.hlc.publish("evcc_id", "00:11:22:33:44:55")
        w.hlc.publish(said)
        await asyncio.sleep(0.5)
        assert w.charging.facts.plug_in == PlugIn() and w.charging.facts.link == HlcLink()

    run(story())


def test_a_transaction_is_in_one_state_at_a_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        seen = [w.now.transaction]

        async def watch() -> None:
            while True:
                if w.now.transaction is not seen[-1]:
                    seen.append(w.now.transaction)
                await asyncio.sleep(0.001)

        watching = asyncio.ensure_future(watch())
        w.meter.answers_after_s = 1.0
        await w.to_preparation()
        await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Remote))
        await w.until_state("Finished")
        await asyncio.sleep(1.5)
        await w.unplug()
        await w.until_state("Idle")
        watching.cancel()
        state = TransactionState
        assert seen == [state.NotAsked, state.Starting, state.Running, state.Ending, state.Over, state.NotAsked]

    run(story())
