"""Basic AC charging by IEC 61851-1: duty cycle, pauses, limits, sockets, phases, unwilling EVs."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.board_support_common import ProximityPilot, ProximityPilotAmpacity
from chargebyte_fw.contracts.types.evse_manager import PauseChargingEVSEReasonEnum as Reason
from tests.evse.world import Assemble, Run, World


async def charging(w: World) -> World:
    """Bring an AC EVSE to state Charging."""
    await w.start()
    w.bsp.cp("B")
    await asyncio.sleep(0.5)
    await w.authorize()
    await w.until_state("PrepareCharging")
    w.bsp.cp("C")
    await w.until(lambda: w.bsp.closed and w.now.contactors_closed)
    return w


def test_session_of_a_basic_ev(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert w.pilot() == pytest.approx(32 / 0.6)
        assert w.state == "Charging"
        w.bsp.cp("A")
        await asyncio.sleep(1.0)
        assert not w.bsp.closed
        assert w.names == [
            "SessionStarted",
            "AuthRequired",
            "Authorized",
            "TransactionStarted",
            "PrepareCharging",
            "ChargingStarted",
            "StoppingCharging",
            "ChargingFinished",
            "TransactionFinished",
            "SessionFinished",
        ]
        finished = w.events[-2].transaction_finished
        assert finished is not None and finished.reason == "EVDisconnected"
        assert finished.start_signed_meter_value is not None and finished.signed_meter_value is not None

    run(story())


def test_authorized_before_plug_in(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.authorize()
        await asyncio.sleep(2.0)
        assert w.names == ["SessionStarted", "Authorized"]
        assert w.events[1].session_started is not None and w.events[1].session_started.reason == "Authorized"
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.names[2:] == ["AuthRequired", "TransactionStarted", "PrepareCharging"]

    run(story())


def test_contactors_stay_open_without_authorization(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        w.bsp.cp("C")
        await asyncio.sleep(60.0)
        assert not any(args[0].allow_power_on for args in w.calls("bsp", "allow_power_on"))
        assert w.pilot() == "X1"

    run(story())


def test_ev_pauses_and_goes_on(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEV", 2.0)
        assert not w.bsp.closed
        await asyncio.sleep(6.0)
        assert w.pilot() == pytest.approx(32 / 0.6)
        w.bsp.cp("C")
        await w.until(lambda: w.bsp.closed, 2.0)
        assert w.names[-5:] == [
            "ChargingStarted",
            "StoppingCharging",
            "ChargingPausedEV",
            "PrepareCharging",
            "ChargingStarted",
        ]

    run(story())


def test_no_energy_stops_at_once_and_energy_goes_on(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.limits_A = 0.0
        await asyncio.sleep(1.5)
        assert w.pilot() == "X1"
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE")
        assert w.events[-1].charging_paused_evse is not None
        assert w.events[-1].charging_paused_evse.reasons == [Reason.NoEnergy]
        w.limits_A = 16.0
        await w.until_state("PrepareCharging")
        assert w.pilot() == pytest.approx(16 / 0.6)
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())


def test_ev_that_stays_in_c_is_cut_off_after_six_seconds(assemble: Assemble, run: Run) -> None:
    """IEC 61851-1 sequence 10.2."""

    async def story() -> None:
        w = await charging(World(assemble))
        w.limits_A = 0.0
        await asyncio.sleep(5.5)
        assert w.bsp.closed
        await asyncio.sleep(2.0)
        assert not w.bsp.closed
        assert w.state == "ChargingPausedEVSE"

    run(story())


def test_a_budget_that_is_not_renewed_is_over(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.energy_on = False
        await asyncio.sleep(9.0)
        assert w.state == "Charging"
        await asyncio.sleep(4.0)
        assert w.pilot() == "X1"
        assert w.now.allowed_current_A == 0.0

    run(story())


def test_pause_and_resume_by_the_user(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        assert await w.m.evse.pause_charging() is False
        await w.to_preparation()
        w.bsp.cp("C")
        await w.until_state("Charging")
        assert await w.m.evse.pause_charging() is True
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE")
        assert w.events[-1].charging_paused_evse is not None
        assert w.events[-1].charging_paused_evse.reasons == [Reason.UserPause]
        assert await w.m.evse.resume_charging() is True
        await w.until_state("PrepareCharging")
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())


def test_duty_cycle_changes_at_most_every_five_seconds(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        await asyncio.sleep(6.0)
        before = len(w.calls("bsp", "pwm_on"))
        for limit_A in (31.0, 30.0, 29.0, 28.0, 20.0):
            w.limits_A = limit_A
            await asyncio.sleep(1.0)
        times = [at for at, who, name, _ in w.commands if (who, name) == ("bsp", "pwm_on")][before - 1 :]
        await asyncio.sleep(6.0)
        assert all(later - earlier >= 5.0 for earlier, later in pairwise(times))
        assert w.pilot() == pytest.approx(20 / 0.6)

    run(story())


def test_old_ev_is_woken_once_then_counts_as_paused(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        await w.until_state("TStepEF", 31.0)
        assert w.pilot() == "F"
        await asyncio.sleep(4.2)
        assert w.pilot() == "X1"
        await w.until_state("PrepareCharging", 1.0)
        assert w.pilot() == pytest.approx(32 / 0.6)
        await w.until_state("ChargingPausedEV", 12.0)

    run(story())


@pytest.mark.parametrize(("ventilated", "closes"), [(True, True), (False, False)])
def test_state_d_needs_ventilation(assemble: Assemble, run: Run, ventilated: bool, closes: bool) -> None:
    async def story() -> None:
        w = await World(assemble, has_ventilation=ventilated).start()
        await w.to_preparation()
        w.bsp.cp("D")
        await asyncio.sleep(2.0)
        assert w.bsp.closed is closes

    run(story())


def test_socket_waits_for_the_cable_and_never_signals_more_than_it_carries(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.bsp.socket = True
        await w.start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await asyncio.sleep(5.0)
        assert w.state == "WaitingForAuthentication"
        w.bsp.main.ac_pp_ampacity.publish(ProximityPilot(ampacity=ProximityPilotAmpacity.A_20))
        await w.until_state("PrepareCharging")
        assert w.pilot() == pytest.approx(20 / 0.6)
        limits = w.m.evse.enforced_limits.value
        await asyncio.sleep(1.5)
        limits = w.m.evse.enforced_limits.value
        assert limits is not None and limits.limits_root_side.ac_max_current_A is not None
        assert limits.limits_root_side.ac_max_current_A.value == 20.0

    run(story())


def test_ev_that_draws_too_much_is_cut_off(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.limits_A = 16.0
        await charging(w)
        for second in range(10):
            w.meter.read(second, current_A=units.Current(L1=19.0, L2=16.0, L3=16.0))
            await asyncio.sleep(1.0)
            if second == 5:
                assert w.state == "Charging"
        assert w.m.evse.faults.is_active("evse_manager/MREC4OverCurrentFailure")
        assert not w.bsp.closed
        assert w.pilot() in ("X1", "F")
        await w.unplug()
        assert not w.m.evse.faults.active

    run(story())


def test_current_within_tolerance_is_fine(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.limits_A = 16.0
        await charging(w)
        for second in range(20):
            w.meter.read(second, current_A=units.Current(L1=18.0, L2=16.0, L3=16.0))
            await asyncio.sleep(1.0)
        assert w.state == "Charging"

    run(story())


@pytest.mark.parametrize("shown", ["X1", "F"])
def test_phases_are_switched_without_power(assemble: Assemble, run: Run, shown: str) -> None:
    async def story() -> None:
        from chargebyte_fw.modules.evse.config import SwitchPilot

        w = await charging(World(assemble, switch_3ph1ph_cp_state=SwitchPilot(shown)))
        await w.grant(phases=1)
        await asyncio.sleep(0.05)
        assert w.state == "SwitchPhases"
        assert w.pilot() == shown
        w.bsp.cp("F" if shown == "F" else "B")
        await asyncio.sleep(9.5)
        assert not w.calls("bsp", "ac_switch_three_phases_while_charging")
        assert not w.bsp.closed
        await asyncio.sleep(1.0)
        assert w.calls("bsp", "ac_switch_three_phases_while_charging") == [(False,)]
        assert w.state == "PrepareCharging"
        w.bsp.cp("B")
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())


def test_state_e_opens_and_unlocks(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert w.calls("lock", "lock")
        w.bsp.cp("E")
        await asyncio.sleep(0.5)
        assert not w.bsp.closed
        assert [name for _, who, name, _ in w.commands if who == "lock"][-1] == "unlock"

    run(story())


def test_limits_are_published_with_their_phases(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        seen: list[Any] = []
        w.m.evse.limits.subscribe(seen.append)
        w.limits_A = 13.0
        await asyncio.sleep(2.0)
        assert (seen[-1].max_current, seen[-1].nr_of_phases_available) == (13.0, 3)
        assert w.calls("bsp", "ac_set_overcurrent_limit_A")[-1] == (13.0,)

    run(story())


def test_half_an_hour_costs_little(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        await asyncio.sleep(1800.0)
        assert w.state == "Charging"
        assert len(w.calls("bsp", "pwm_on")) == 1

    run(story())


def test_state_d_without_ventilation_is_never_told_as_charging(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, has_ventilation=False).start()
        await w.to_preparation()
        w.bsp.cp("D")
        await asyncio.sleep(10.0)
        assert "ChargingStarted" not in w.names and w.state == "PrepareCharging"
        w.bsp.cp("C")
        await w.until_state("Charging")
        w.bsp.cp("D")
        await w.until(lambda: not w.bsp.closed, 0.5)
        await w.until_state("ChargingPausedEV")
        w.bsp.cp("C")
        await w.until_state("Charging")

    run(story())
