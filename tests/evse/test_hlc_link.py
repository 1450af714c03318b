"""The data link: loss, pause, end, SLAC's error routine, and events that race."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World


async def bcb(w: World, pulses: int = 3) -> None:
    """The EV wakes the EVSE."""
    for _ in range(pulses):
        w.bsp.cp("C")
        await asyncio.sleep(0.3)
        w.bsp.cp("B")
        await asyncio.sleep(0.3)


def test_connection_lost_while_charging(assemble: Assemble, run: Run) -> None:
    """Dead power path at once, then X1, F, X1 and 5 % again: the EV begins anew in the same session."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.hlc.publish("current_demand_finished")
        w.hlc.publish("dc_open_contactor")
        w.hlc.publish("dlink_error")
        await asyncio.sleep(0.01)
        assert w.supply.mode is Mode.Off and not w.bsp.closed
        assert w.calls("slac", "dlink_error")
        await w.until_state("TStepX1", 0.1)
        w.bsp.cp("B")
        await w.until_state("TStepEF", 4.0)
        assert w.pilot() == "F"
        w.bsp.cp("F")
        await w.until_state("PrepareCharging", 6.0)
        assert w.pilot() == 5.0
        assert w.names.count("AuthRequired") == 1
        assert w.names.count("TransactionStarted") == 1
        w.bsp.cp("B")
        w.slac.match()
        w.ask_authorization()
        w.parameters()
        w.bsp.cp("C")
        await asyncio.sleep(0.1)
        w.commands[:] = [entry for entry in w.commands if entry[2] != "cable_check_finished"]
        w.hlc.publish("start_cable_check")
        assert await w.cable_checked()
        w.hlc.publish("start_pre_charge")
        w.target(400.0, 2.0)
        w.hlc.publish("current_demand_started")
        w.target(400.0, 20.0)
        await w.until_state("Charging")

    run(story())


def test_connection_lost_when_stopping_for_good_is_not_restarted(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=types.StopTransactionReason.Remote))
        await asyncio.sleep(0.1)
        w.hlc.publish("dlink_error")
        await asyncio.sleep(1.0)
        assert w.state == "Finished"
        assert w.pilot() == "X1"
        assert w.supply.mode is Mode.Off and not w.bsp.closed

    run(story())


def test_connection_lost_with_a_nominal_duty_cycle_changes_nothing(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble, hlc=True, ac_hlc_use_5percent=False))
        w.hlc.publish("dlink_error")
        await asyncio.sleep(1.0)
        assert w.state == "Charging"

    run(story())


def test_slac_error_routine(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.pilot() == 5.0
        w.slac.main.request_error_routine.publish(None)
        await asyncio.sleep(0.1)
        assert w.pilot() == "F"
        w.bsp.cp("F")
        await asyncio.sleep(4.1)
        assert w.pilot() == "X1"
        w.bsp.cp("B")
        await w.until_state("WaitingForAuthentication", 1.0)
        assert w.pilot() == 5.0
        names = [name for _, who, name, _ in w.commands if who == "slac"]
        assert names == ["enter_bcd", "reset", "leave_bcd", "enter_bcd"]
        assert w.names == ["SessionStarted", "AuthRequired"]

    run(story())


async def error_routine(w: World, *, expect: bool) -> None:
    """SLAC, or the V2G connection, fails; the EV shows what the pilot makes of it."""
    await asyncio.sleep(0.1)
    if not expect:
        assert w.pilot() == "X1"
        return
    await w.until_state("TStepEF", 4.0)
    assert w.pilot() == "F"
    w.bsp.cp("F")
    await asyncio.sleep(4.2)
    w.bsp.cp("B")
    await asyncio.sleep(1.0)
    assert w.pilot() == 5.0


@pytest.mark.parametrize("authorized", [False, True])
def test_error_routines_are_bounded_and_the_wait_for_a_replug_is_logged_once(
    assemble: Assemble, run: Run, authorized: bool
) -> None:
    """C_sequ_retry is 2 [V2G3-M06-07]: the first ones are done, then X1 stays until the plug-in is over."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        if authorized:
            await w.authorize()
            await w.until_state("PrepareCharging")
        for expect in (True, True, False):
            w.slac.main.request_error_routine.publish(None)
            await error_routine(w, expect=expect)
        assert w.state == ("ChargingPausedEV" if authorized else "WaitingForAuthentication")
        for _ in range(5):
            await asyncio.sleep(40.0)
            w.slac.main.request_error_routine.publish(None)
            await asyncio.sleep(0.1)
            assert w.pilot() == "X1"
        w.bsp.cp("A")
        await asyncio.sleep(1.0)
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.pilot() == 5.0
        w.slac.main.request_error_routine.publish(None)
        await error_routine(w, expect=True)

    run(story())


def test_a_car_that_charges_with_the_duty_cycle_is_not_stopped_for_want_of_communication(
    assemble: Assemble, run: Run
) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True, ac_hlc_use_5percent=False).start()
        w.bsp.cp("B")
        await w.authorize()
        await w.until_state("PrepareCharging")
        await asyncio.sleep(1.0)
        for _ in range(2):
            w.slac.main.request_error_routine.publish(None)
            await w.until_state("TStepEF", 1.0)
            w.bsp.cp("F")
            await asyncio.sleep(4.5)
            w.bsp.cp("B")
            await asyncio.sleep(2.0)
        nominal = w.pilot()
        assert isinstance(nominal, float) and nominal > 5.0
        for _ in range(3):
            w.slac.main.request_error_routine.publish(None)
            await asyncio.sleep(0.5)
            assert w.pilot() == nominal
        w.bsp.cp("C")
        await w.until_state("Charging", 2.0)

    run(story())


def test_a_car_that_closes_the_connection_again_and_again_is_not_begged_for_ever(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        await w.authorize()
        await w.until_state("PrepareCharging")
        for expect in (True, True, False):
            w.hlc.publish("dlink_error")
            await error_routine(w, expect=expect)
        assert w.state == "ChargingPausedEV"
        await asyncio.sleep(600.0)
        assert w.pilot() == "X1" and w.state == "ChargingPausedEV"
        # The EV may still wake up by itself.
        await bcb(w)
        await w.until_state("PrepareCharging", 4.0)
        assert w.pilot() == 5.0

    run(story())


@pytest.mark.parametrize(("charged_s", "retries"), [(50.0, 2), (70.0, 0)])
def test_a_session_that_lasted_gives_a_later_loss_all_its_error_routines(
    assemble: Assemble, run: Run, charged_s: float, retries: int
) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.charging.facts.link.error_routines = 2
        await asyncio.sleep(charged_s)
        w.hlc.publish("current_demand_finished")
        w.hlc.publish("dc_open_contactor")
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        assert w.charging.facts.link.error_routines == retries

    run(story())


def test_dc_without_matching_waits(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.bsp.cp("B")
        await w.authorize()
        await asyncio.sleep(60.0)
        assert w.state == "PrepareCharging"
        assert w.pilot() == 5.0

    run(story())


def test_pause_of_the_ev_and_wake_up(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.target(400.0, 0.0)
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        w.hlc.publish("current_demand_finished")
        w.hlc.publish("dc_open_contactor")
        w.hlc.publish("dlink_pause")
        await asyncio.sleep(1.0)
        assert w.state == "ChargingPausedEV"
        assert w.pilot() == "X1"
        assert w.calls("slac", "dlink_pause")
        before = len(w.calls("slac", "enter_bcd"))
        await bcb(w)
        await w.until_state("PrepareCharging", 4.0)
        assert w.pilot() == 5.0
        assert len(w.calls("slac", "enter_bcd")) == before, "the link is only asleep"
        assert not w.bsp.closed

    run(story())


def test_single_edge_is_no_wake_up(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.ev_stops()
        w.bsp.cp("C")
        await asyncio.sleep(2.0)
        w.bsp.cp("B")
        await asyncio.sleep(5.0)
        assert w.state == "ChargingPausedEV"
        assert not w.bsp.closed

    run(story())


def test_authorization_question_before_the_plug_in_event(assemble: Assemble, run: Run) -> None:
    """The car's request overtakes the plug-in event on the way from the board."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.ask_authorization()
        await asyncio.sleep(0.1)
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert not w.calls("hlc", "authorization_response")
        await w.authorize()
        await asyncio.sleep(0.5)
        assert [args[0].value for args in w.calls("hlc", "authorization_response")] == ["Accepted"]

    run(story())


@pytest.mark.parametrize("first", ["question", "authorization", "authorization before plug-in", "matched first"])
def test_order_of_authorization_and_question_does_not_matter(assemble: Assemble, run: Run, first: str) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        match first:
            case "question":
                await w.plug_and_match()
                w.ask_authorization()
                await asyncio.sleep(1.0)
                await w.authorize()
            case "authorization":
                w.bsp.cp("B")
                await w.authorize()
                await asyncio.sleep(2.0)
                w.slac.match()
                w.ask_authorization()
            case "authorization before plug-in":
                await w.authorize()
                await asyncio.sleep(1.0)
                await w.plug_and_match()
                w.ask_authorization()
            case "matched first":
                w.slac.match()
                w.ask_authorization()
                w.bsp.cp("B")
                await w.authorize()
        await asyncio.sleep(1.0)
        assert len(w.calls("hlc", "authorization_response")) == 1
        assert w.state == "PrepareCharging"
        assert w.names[-1] == "PrepareCharging"

    run(story())


def test_cable_check_asked_for_before_state_c(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        await w.authorize()
        await w.until_state("PrepareCharging")
        w.parameters()
        w.hlc.publish("start_cable_check")
        await asyncio.sleep(1.0)
        assert not w.bsp.closed
        w.bsp.cp("C")
        assert await w.cable_checked()

    run(story())


def test_current_demand_before_contactor_feedback(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, without=("imd",)).start()
        await w.plug_and_match()
        await w.authorize()
        await w.until_state("PrepareCharging")
        w.parameters()
        w.bsp.cp("C")
        w.hlc.publish("start_cable_check")
        w.hlc.publish("start_pre_charge")
        w.target(400.0, 2.0)
        w.hlc.publish("current_demand_started")
        w.target(400.0, 30.0)
        await asyncio.sleep(0.05)
        assert w.supply.mode is Mode.Off, "no voltage onto open contactors"
        await w.until_state("Charging", 1.0)
        await asyncio.sleep(6.0)
        assert w.supply.set_A == 30.0

    run(story())


def test_hlc_on_ac_keeps_five_percent(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.pilot() == 5.0
        w.slac.match()
        await w.authorize()
        w.ask_authorization()
        await asyncio.sleep(1.0)
        assert w.calls("hlc", "authorization_response")
        w.hlc.publish("v2g_setup_finished")
        w.bsp.cp("C")
        w.hlc.publish("ac_close_contactor")
        await w.until_state("Charging")
        assert w.pilot() == 5.0
        await asyncio.sleep(0.5)
        assert w.bsp.closed
        assert w.calls("hlc", "ac_contactor_closed")[-1] == (True,)
        w.hlc.publish("ac_open_contactor")
        await asyncio.sleep(0.2)
        assert not w.bsp.closed, "ISO 15118-2 PowerDelivery has ended it, whatever the pilot says"
        assert w.state == "ChargingPausedEV"

    run(story())


@pytest.mark.parametrize("matching", [False, True])
def test_ac_ev_without_hlc_falls_back_to_the_duty_cycle(assemble: Assemble, run: Run, matching: bool) -> None:
    async def story() -> None:
        w = World(assemble, hlc=True)
        await w.start()
        if not matching:

            async def nothing() -> None:
                """The EV does not answer SLAC."""

            w.slac.main.enter_bcd = nothing
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.pilot() == 5.0
        await w.authorize()
        await w.until_state("TStepX1" if matching else "TStepEF", 11.0)
        await w.until_state("PrepareCharging", 6.0)
        assert w.pilot() == pytest.approx(32 / 0.6)
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())


def test_hlc_session_failure_is_told_with_the_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        w.hlc.publish("hlc_session_failed", types.HlcSessionFailedReasonEnum.AuthorizationFailed)
        await asyncio.sleep(0.1)
        seen = w.m.evse.hlc_session_failed.value
        assert seen is not None and seen.uuid == w.events[-1].uuid
        assert w.state == "WaitingForAuthentication"

    run(story())


@pytest.mark.parametrize("end", ["dlink_terminate", "dlink_pause"])
def test_link_that_ends_under_power_takes_the_power_away(assemble: Assemble, run: Run, end: str) -> None:
    """The EV ends the communication and shows state C all the time."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.hlc.publish(end)
        await asyncio.sleep(0.05)
        assert w.supply.mode is Mode.Off
        assert w.pilot() == "X1"
        assert w.state == "StoppingCharging"
        await asyncio.sleep(7.0)
        assert not w.bsp.closed
        assert w.state == "ChargingPausedEV"

    run(story())


def test_slac_error_routine_while_contactors_are_closed(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_cable_check()
        await w.until(lambda: w.bsp.closed)
        w.slac.main.request_error_routine.publish(None)
        await asyncio.sleep(0.05)
        assert not w.bsp.closed and w.supply.mode is Mode.Off
        assert w.pilot() == "F"
        await asyncio.sleep(1.0)
        assert w.calls("hlc", "cable_check_finished") == [(False,)]

    run(story())


def test_ev_that_ends_the_session_before_charging_can_come_back(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.plug_and_match()
        await w.authorize()
        await w.until_state("PrepareCharging")
        w.hlc.publish("dlink_terminate")
        await w.until_state("ChargingPausedEV")
        assert w.pilot() == "X1"
        await bcb(w)
        await w.until_state("PrepareCharging", 4.0)
        assert w.pilot() == 5.0
        assert w.calls("slac", "enter_bcd")[1:], "matching begins anew"

    run(story())


def test_pause_by_the_user_over_hlc(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        assert await w.m.evse.pause_charging()
        await asyncio.sleep(0.1)
        assert w.calls("hlc", "stop_charging")[-1] == (True,)
        await w.ev_stops()
        await w.until_state("ChargingPausedEVSE")
        assert await w.m.evse.resume_charging()
        await w.until_state("PrepareCharging")
        assert w.pilot() == 5.0
        assert w.calls("hlc", "stop_charging")[-1] == (False,)

    run(story())


def test_enforced_hlc_on_ac_never_shows_a_nominal_duty_cycle(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True, ac_enforce_hlc=True, ac_hlc_use_5percent=False).start()
        await w.authorize()
        w.bsp.cp("B")
        await asyncio.sleep(40.0)
        assert w.state == "PrepareCharging"
        assert w.calls("bsp", "pwm_on") == [(5.0,)]

    run(story())


@pytest.mark.parametrize("when_s", [0.0, 0.3, 1.0, 4.5])
def test_an_open_contactor_command_during_the_cable_check_ends_it_also_in_state_c(
    assemble: Assemble, run: Run, when_s: float
) -> None:
    """ISO 15118-2 lets an EV stop by PowerDelivery in the cable check, before it shows state B."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_cable_check()
        await asyncio.sleep(when_s)
        w.hlc.publish("dc_open_contactor")
        await w.until(lambda: not w.bsp.closed and w.supply.mode is Mode.Off, 0.5)
        begin = asyncio.get_running_loop().time()
        await asyncio.sleep(30.0)
        late = [
            name for at, who, name, args in w.commands if at > begin + 0.1 and who == "supply" and args[0] != Mode.Off
        ]
        assert late == [] and not w.bsp.closed
        assert not w.m.evse.faults.active

    run(story())
