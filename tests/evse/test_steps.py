"""Steps of the pilot: their times (ISO 15118-3 t_step_EF, t_step_X1), and what ends them early."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.modules.evse.machine import timing
from tests.evse.test_orders import order
from tests.evse.world import Assemble, Run, World


async def stepping(w: World, *, dc: bool) -> World:
    """State F is shown: after an error of the data link on DC, to wake up an EV on AC."""
    await w.start()
    if dc:
        await w.plug_and_match()
        w.slac.main.request_error_routine.publish(None)
    else:
        await w.to_preparation()
    await w.until_state("TStepEF", 40.0)
    w.bsp.cp("F")
    return w


def pilot_since(w: World, since_s: float) -> list[tuple[Any, str]]:
    names = ("cp_state_X1", "cp_state_F", "pwm_on")
    return [
        (pytest.approx(at - since_s, abs=0.02), name)
        for at, who, name, _ in w.commands
        if who == "bsp" and name in names and at >= since_s
    ]


@pytest.mark.parametrize("dc", [False, True])
def test_t_step_ef_is_4_1_s_of_state_f_and_three_quarters_of_a_second_of_x1(
    assemble: Assemble, run: Run, dc: bool
) -> None:
    """4 s are the least that ISO 15118-3 allows: a tenth more is the safety controller's cycle."""

    async def story() -> None:
        w = await stepping(World(assemble, dc=dc), dc=dc)
        begin_s = next(at for at, _, name, _ in reversed(w.commands) if name == "cp_state_F")
        await asyncio.sleep(timing.T_STEP_EF_S + timing.T_STEP_EF_AFTER_S + 0.1)
        assert pilot_since(w, begin_s) == [(0.0, "cp_state_F"), (4.1, "cp_state_X1"), (4.85, "pwm_on")]

    run(story())


@pytest.mark.parametrize("dc", [False, True])
@pytest.mark.parametrize("ends", ["unplug", "disable", "DiodeFault", "MREC8EmergencyStop"])
def test_what_ends_t_step_ef_early_ends_its_state_f_at_once(assemble: Assemble, run: Run, dc: bool, ends: str) -> None:
    """X1 comes first, also where the state that follows shows state F of its own (Disabled, after a fault)."""

    async def story() -> None:
        w = await stepping(World(assemble, dc=dc), dc=dc)
        await asyncio.sleep(1.0)
        end_s = asyncio.get_running_loop().time()
        if ends == "unplug":
            w.bsp.cp("A")
        elif ends == "disable":
            await w.m.evse.enable_disable(1, order("Disable"))
        else:
            w.bsp.main.faults.raise_fault(f"evse_board_support/{ends}", "test")
        await asyncio.sleep(0.1)
        assert w.state != "TStepEF"
        shown = pilot_since(w, end_s)
        assert shown[0] == (0.0, "cp_state_X1") and all(name != "pwm_on" for _, name in shown)
        if ends == "disable":
            assert shown[1:] == [(0.0, "cp_state_F")]

    run(story())
