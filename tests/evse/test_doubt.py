"""After the plug was hidden: who has to prove what, by when, and what happens without a proof."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.modules.evse.machine import timing
from tests.evse.world import Assemble, Run, World

LINK_LOST = "evse_board_support/CommunicationFault"


async def hide(w: World, hidden_s: float = 2.0) -> None:
    """Lose the link to the board for a while; the contactors open meanwhile."""
    w.bsp.main.faults.raise_fault(LINK_LOST, "gone")
    w.bsp.allow(False)
    await asyncio.sleep(hidden_s)
    w.bsp.cp("B")
    w.bsp.main.faults.clear(LINK_LOST)
    await asyncio.sleep(timing.FAULT_OVER_S + 0.5)


def test_an_ev_that_does_not_name_itself_within_its_time_has_a_new_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await hide(w)
        await w.until_state("PrepareCharging", 30.0)  # the communication of before has ended
        begin_s = asyncio.get_running_loop().time()
        await asyncio.sleep(timing.EV_PROOF_S - 2.0)
        assert w.names.count("SessionFinished") == 0 and w.state == "PrepareCharging"
        await w.until(lambda: "SessionFinished" in w.names, 5.0)
        assert asyncio.get_running_loop().time() - begin_s <= timing.EV_PROOF_S + 0.5
        (finished,) = (event.transaction_finished for event in w.events if event.transaction_finished is not None)
        assert finished.reason == "Other"
        assert w.names[-2:] == ["SessionStarted", "AuthRequired"]

    run(story())


@pytest.mark.parametrize("same", [True, False])
def test_a_user_pause_keeps_the_session_until_the_ev_can_name_itself(assemble: Assemble, run: Run, same: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.pause_charging()
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE")
        await hide(w)
        await asyncio.sleep(600.0)
        assert w.state == "ChargingPausedEVSE" and "TransactionFinished" not in w.names
        await w.m.evse.resume_charging()
        await w.until_state("PrepareCharging")
        w.ev_mac = w.ev_mac if same else "56:2F:33:97:B3:75"
        w.slac.match()
        w.commands[:] = [seen for seen in w.commands if seen[2] != "authorization_response"]
        w.ask_authorization()
        await asyncio.sleep(1.0)
        answered = [args[0].value for args in w.calls("hlc", "authorization_response")]
        assert answered == (["Accepted"] if same else [])
        assert w.names.count("SessionFinished") == (0 if same else 1)

    run(story())


def test_an_ac_ev_on_the_nominal_duty_cycle_cannot_prove_anything(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        w.bsp.cp("C")
        await w.until_state("Charging")
        await hide(w)
        assert w.names[-2:] == ["SessionStarted", "AuthRequired"]
        assert not w.now.authorized
        await w.authorize()
        w.bsp.cp("C")
        await w.until_state("Charging")
        assert w.names.count("TransactionStarted") == 2

    run(story())


def test_a_step_of_the_pilot_that_was_ordered_leaves_no_doubt(assemble: Assemble, run: Run) -> None:
    """The wake-up of an EV that does not ask for power is 4 s of state F in the same session."""

    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        await w.until_state("TStepEF", 40.0)
        w.bsp.cp("F")
        await w.until(lambda: w.pilot() != "F", 6.0)
        w.bsp.cp("B")
        await asyncio.sleep(5.0)
        assert w.names.count("SessionStarted") == 1 and "SessionFinished" not in w.names
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())


@pytest.mark.parametrize("same", [True, False])
def test_an_ev_that_names_itself_otherwise_after_an_ordered_state_f_has_a_new_session(
    assemble: Assemble, run: Run, same: bool
) -> None:
    """State F of the error routine hides an exchange of EVs as any other."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.pause_charging()
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE")
        await w.m.evse.resume_charging()
        await w.until_state("PrepareCharging", 30.0)
        w.slac.main.request_error_routine.publish(None)
        await w.until_state("TStepEF")
        w.bsp.cp("F")
        await w.until(lambda: w.pilot() != "F", 6.0)
        w.bsp.cp("B")
        await w.until_state("PrepareCharging", 10.0)
        w.ev_mac = w.ev_mac if same else "56:2F:33:97:B3:75"
        w.slac.match()
        w.ask_authorization()
        await asyncio.sleep(0.5)
        assert w.names.count("SessionStarted") == (1 if same else 2)
        assert ("TransactionFinished" in w.names) is not same
        await asyncio.sleep(timing.EV_PROOF_S + 5.0)
        assert w.names.count("SessionStarted") == (1 if same else 2)

    run(story())
