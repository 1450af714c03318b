"""An unplug ends session and transaction within a bound: out of every state, whatever is broken, seen or not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Charging
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World

Way = Callable[[World], Awaitable[None]]
OVERTIME_S = 5.0


async def authenticate(w: World) -> None:
    w.bsp.cp("B")
    await w.until_state("WaitingForAuthentication")


async def charge(w: World) -> None:
    if w.dc:
        await w.to_charging()
        return
    await w.to_preparation()
    w.bsp.cp("C")
    await w.until_state("Charging")
    await asyncio.sleep(0.5)


async def paused_by_ev(w: World) -> None:
    await charge(w)
    w.bsp.cp("B")
    if w.dc:
        w.hlc.publish("dc_open_contactor")
    await w.until_state("ChargingPausedEV")


async def paused_by_evse(w: World) -> None:
    await charge(w)
    await w.m.evse.pause_charging()
    w.bsp.cp("B")
    await w.until_state("ChargingPausedEVSE")


async def stopping(w: World) -> None:
    await charge(w)
    w.bsp.welded = True
    await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Remote))
    await w.until_state("StoppingCharging")


async def finished(w: World) -> None:
    await charge(w)
    await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Remote))
    w.bsp.cp("B")
    await w.until_state("Finished")


async def prepare(w: World) -> None:
    if w.dc:
        await w.to_cable_check()
    else:
        await w.to_preparation()
    await w.until_state("PrepareCharging")


async def step_x1(w: World) -> None:
    await charge(w)
    w.hlc.publish("dlink_error")
    await w.until_state("TStepX1")


async def step_ef(w: World) -> None:
    if w.dc:
        await step_x1(w)
        w.bsp.cp("B")
    else:
        await w.to_preparation()
    await w.until_state("TStepEF", 40.0)


async def switch_phases(w: World) -> None:
    await charge(w)
    await w.grant(phases=1)
    await w.until_state("SwitchPhases")


WAYS: dict[str, dict[Charging, Way]] = {
    "AC": {
        Charging.WaitingForAuthentication: authenticate,
        Charging.PrepareCharging: prepare,
        Charging.Charging: charge,
        Charging.ChargingPausedEV: paused_by_ev,
        Charging.ChargingPausedEVSE: paused_by_evse,
        Charging.StoppingCharging: stopping,
        Charging.Finished: finished,
        Charging.TStepEF: step_ef,
        Charging.SwitchPhases: switch_phases,
    },
    "DC": {
        Charging.WaitingForAuthentication: authenticate,
        Charging.PrepareCharging: prepare,
        Charging.Charging: charge,
        Charging.ChargingPausedEV: paused_by_ev,
        Charging.ChargingPausedEVSE: paused_by_evse,
        Charging.StoppingCharging: stopping,
        Charging.Finished: finished,
        Charging.TStepEF: step_ef,
        Charging.TStepX1: step_x1,
    },
}


def hang(w: World, *peers: str) -> None:
    """Let every command of these modules be taken and never be answered."""

    async def never(*_: Any) -> None:
        await asyncio.sleep(10_000.0)

    for peer in peers:
        end: Any = getattr(w, peer, None)
        for command in end.main.commands if end is not None else ():
            setattr(end.main, command, never)


def fault(w: World, type: str = "evse_board_support/MREC17EVSEContactorFault") -> None:
    w.bsp.main.faults.raise_fault(type, "broken")


BROKEN: dict[str, Callable[[World], Any]] = {
    "nothing": lambda w: None,
    "the contactor": lambda w: setattr(w.bsp, "welded", True),
    "the contactor, reported so": lambda w: (setattr(w.bsp, "welded", True), fault(w)),
    "the meter": lambda w: setattr(w.meter, "answers", False),
    "the power supply": lambda w: hang(w, "supply", "imd", "monitor"),
    "the communication": lambda w: hang(w, "slac", "hlc"),
    "the lock and the store": lambda w: hang(w, "lock", "store"),
    "the board's answers": lambda w: hang(w, "bsp"),
    "the energy management": lambda w: setattr(w, "energy_on", False),
    "everything": lambda w: (
        setattr(w.bsp, "welded", True),
        fault(w),
        setattr(w.meter, "answers", False),
        hang(w, "supply", "imd", "monitor", "slac", "hlc", "lock", "store", "bsp"),
        setattr(w, "energy_on", False),
    ),
}


def test_every_state_with_an_ev_is_in_the_table() -> None:
    seen = {state for ways in WAYS.values() for state in ways}
    assert seen == set(Charging) - {Charging.Idle, Charging.Disabled}


async def ends(w: World, bound_s: float) -> None:
    begin = asyncio.get_running_loop().time()
    at: list[float] = []
    w.m.evse.session_event.subscribe(
        lambda event: at.append(asyncio.get_running_loop().time()) if event.event == "SessionFinished" else None,
        replay=False,
    )
    await asyncio.sleep(bound_s + OVERTIME_S)
    assert at, f"stays in {w.state}: {w.names}"
    assert at[0] - begin <= bound_s
    assert w.names.count("TransactionStarted") == w.names.count("TransactionFinished")
    assert w.names.count("SessionStarted") == w.names.count("SessionFinished")
    assert w.state == "Idle" and not w.now.transaction_active and w.now.session_id == ""


@pytest.mark.parametrize("broken", BROKEN)
@pytest.mark.parametrize(
    ("kind", "state"), [(kind, state) for kind, ways in WAYS.items() for state in ways], ids=lambda one: str(one)
)
def test_an_unplug_ends_the_session(assemble: Assemble, run: Run, kind: str, state: Charging, broken: str) -> None:
    async def story() -> None:
        w = await World(assemble, dc=kind == "DC").start()
        await WAYS[kind][state](w)
        assert w.now.state is state
        BROKEN[broken](w)
        w.bsp.cp("A")
        await ends(w, timing.SESSION_END_S)

    run(story())


@pytest.mark.parametrize("hidden", ["F", "E", "no link"])
@pytest.mark.parametrize(
    ("kind", "state"), [(kind, state) for kind, ways in WAYS.items() for state in ways], ids=lambda one: str(one)
)
def test_a_plug_that_stays_hidden_ends_the_session(
    assemble: Assemble, run: Run, kind: str, state: Charging, hidden: str
) -> None:
    async def story() -> None:
        w = await World(assemble, dc=kind == "DC").start()
        await WAYS[kind][state](w)
        BROKEN["the contactor" if hidden == "no link" else "nothing"](w)
        if hidden == "no link":
            fault(w, "evse_board_support/CommunicationFault")
        else:
            fault(w, "evse_board_support/MREC8EmergencyStop")
            w.bsp.cp(hidden)
        await ends(w, timing.SESSION_END_UNSEEN_S)

    run(story())


def test_a_session_without_a_contactor_that_opens_ends_after_its_time(assemble: Assemble, run: Run) -> None:
    """Energy that still flows into a plugged-in EV is billed; an unplug ends that after CONTACTOR_AFTER_UNPLUG_S."""

    async def story() -> None:
        w = await charging(World(assemble))
        w.bsp.welded = True
        await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason.Remote))
        await asyncio.sleep(60.0)
        assert w.state == "StoppingCharging" and "TransactionFinished" not in w.names
        w.bsp.cp("A")
        await asyncio.sleep(timing.CONTACTOR_AFTER_UNPLUG_S - 0.2)
        assert "TransactionFinished" not in w.names
        await asyncio.sleep(0.4)
        assert w.names[-2:] == ["TransactionFinished", "SessionFinished"]
        w.bsp.cp("B")
        await asyncio.sleep(10.0)
        assert w.names[-1] == "SessionFinished", "nobody is served through a closed contactor"
        w.bsp.welded = False
        w.bsp._move()
        await asyncio.sleep(0.5)
        assert w.names[-2:] == ["SessionStarted", "AuthRequired"]

    run(story())
