"""What the pilot's own step hides and what another cause hides, and a contactor that is closed without an order."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Cp, CpReported, FaultCleared, FaultRaised, StartUpDone
from chargebyte_fw.modules.evse.machine.pilot import Pilot
from chargebyte_fw.modules.evse.machine.signals import PlugUnwatched, PlugWatched, ShowDuty, ShowF, ShowX1
from tests.evse.world import Assemble, Run, World

BOARD_FAULT = "evse_board_support/MREC14PilotFault"
OTHER_FAULT = "evse_board_support/MREC8EmergencyStop"


def plugged() -> Pilot:
    machine = Pilot(EvseConfig(connector_id=1))
    machine.feed(StartUpDone(), 0.0)
    machine.feed(CpReported(Cp.A), 0.0)
    machine.feed(CpReported(Cp.B), 1.0)
    return machine


def raise_fault(machine: Pilot, now: float, type: str = BOARD_FAULT, origin: str = "bsp") -> None:
    machine.feed(FaultRaised("evse_board_support", type, "", Severity.High, "", origin), now)


def clear_fault(machine: Pilot, now: float, type: str = BOARD_FAULT, origin: str = "bsp") -> None:
    machine.feed(FaultCleared(type, "", origin), now)


def step_f(machine: Pilot, *, from_s: float, end_s: float, plug_s: float, end: Any = None) -> list[PlugWatched]:
    """Order state F, end it, and return how the plug is watched again once the board shows state B."""
    machine.feed(ShowF(), from_s)
    assert PlugUnwatched() in machine.feed(CpReported(Cp.F), from_s + 0.1)
    machine.feed(end or ShowX1(), end_s)
    return [one for one in machine.feed(CpReported(Cp.B), plug_s) if isinstance(one, PlugWatched)]


@pytest.mark.parametrize("end", [ShowX1(), ShowDuty(0.5)])
@pytest.mark.parametrize(("follows_s", "doubt"), [(0.0, False), (1.0, False), (1.1, True)])
def test_the_ev_after_an_ordered_state_f_is_the_one_before_if_the_board_follows_within_a_second(
    end: Any, follows_s: float, doubt: bool
) -> None:
    assert timing.PILOT_FOLLOWS_S == 1.0
    watched = step_f(plugged(), from_s=10.0, end_s=14.0, plug_s=14.0 + follows_s, end=end)
    assert watched == [PlugWatched(doubt=doubt)]


def test_state_f_under_a_fault_of_the_board_proves_nothing_about_the_ev() -> None:
    """The board may hold state F for its fault, whatever is ordered."""
    machine = plugged()
    raise_fault(machine, 5.0)
    assert step_f(machine, from_s=10.0, end_s=14.0, plug_s=14.5) == [PlugWatched(doubt=True)]


def test_a_fault_of_the_board_that_is_over_casts_no_doubt_on_a_later_step() -> None:
    machine = plugged()
    raise_fault(machine, 5.0)
    clear_fault(machine, 6.0)
    assert step_f(machine, from_s=10.0, end_s=14.0, plug_s=14.5) == [PlugWatched(doubt=False)]


@pytest.mark.parametrize(("type", "origin"), [(OTHER_FAULT, "bsp"), (BOARD_FAULT, "bsp2")])
def test_a_second_fault_of_the_board_casts_doubt_until_it_is_over_too(type: str, origin: str) -> None:
    machine = plugged()
    raise_fault(machine, 5.0)
    raise_fault(machine, 5.0, type, origin)
    clear_fault(machine, 6.0)
    assert step_f(machine, from_s=10.0, end_s=14.0, plug_s=14.5) == [PlugWatched(doubt=True)]
    clear_fault(machine, 20.0, type, origin)
    assert step_f(machine, from_s=30.0, end_s=34.0, plug_s=34.5) == [PlugWatched(doubt=False)]


def test_a_fault_that_does_not_block_casts_no_doubt() -> None:
    machine = plugged()
    raise_fault(machine, 5.0, "evse_board_support/VendorWarning")
    raise_fault(machine, 5.0, "powermeter/CommunicationFault", "meter")
    assert step_f(machine, from_s=10.0, end_s=14.0, plug_s=14.5) == [PlugWatched(doubt=False)]


def test_a_fault_that_begins_during_the_ordered_state_f_casts_doubt() -> None:
    machine = plugged()
    machine.feed(ShowF(), 10.0)
    machine.feed(CpReported(Cp.F), 10.1)
    raise_fault(machine, 11.0)
    clear_fault(machine, 12.0)
    machine.feed(ShowX1(), 14.0)
    assert PlugWatched(doubt=True) in machine.feed(CpReported(Cp.B), 14.5)


@pytest.mark.parametrize(("duty", "running"), [(0.0, False), (0.05, True), (0.5, True), (0.97, True), (1.0, False)])
def test_neither_0_nor_100_percent_is_a_duty_cycle(duty: float, running: bool) -> None:
    machine = plugged()
    machine.feed(ShowDuty(duty), 2.0)
    assert machine.running is running
    assert machine.duty == (duty if running else 0.0)
    machine.feed(ShowX1(), 3.0)
    assert not machine.running and machine.duty == 0.0


def test_an_ev_waits_for_a_contactor_that_is_closed_without_an_order_and_one_warning_is_logged(
    assemble: Assemble, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be welded: no EV is served through it, and the log names it once per plug-in after 5 s."""

    def warnings() -> int:
        return sum("contactors are reported closed" in record.getMessage() for record in caplog.records)

    async def story() -> None:
        w = await World(assemble).start()
        await asyncio.sleep(timing.CONTACTOR_AFTER_UNPLUG_S)
        w.bsp.report(True)
        with caplog.at_level(logging.WARNING):
            w.bsp.cp("B")
            await asyncio.sleep(120.0)
            assert w.state == "Idle" and "SessionStarted" not in w.names
            assert warnings() == 1
            w.bsp.report(False)
            await asyncio.sleep(0.5)
            assert w.state == "WaitingForAuthentication"
            await w.unplug()
            await w.until_state("Idle")
            w.bsp.report(True)
            entered_s = asyncio.get_running_loop().time()
            w.bsp.cp("B")
            await w.until(lambda: warnings() == 2, 10.0)
            assert asyncio.get_running_loop().time() - entered_s <= timing.CONTACTOR_AFTER_UNPLUG_S
            await asyncio.sleep(60.0)
            assert warnings() == 2 and w.names.count("SessionStarted") == 1

    run(story())


def test_a_plug_in_is_logged_only_where_it_begins_a_session(
    assemble: Assemble, run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    def lines() -> int:
        return sum(record.getMessage() == "EV plugged in" for record in caplog.records)

    async def story() -> None:
        w = await World(assemble).start()
        with caplog.at_level(logging.INFO):
            w.bsp.main.faults.raise_fault(OTHER_FAULT, "pressed")
            await asyncio.sleep(0.5)
            w.bsp.cp("B")
            await asyncio.sleep(1.0)
            assert w.state == "Idle" and lines() == 0
            w.bsp.cp("A")
            w.bsp.main.faults.clear(OTHER_FAULT)
            await asyncio.sleep(5.0)
            w.bsp.cp("B")
            await w.until_state("WaitingForAuthentication")
            assert lines() == 1

    run(story())
