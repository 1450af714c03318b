"""Orders to the EVSE manager hold whatever state it passes through: pause, resume, stop, enable and disable."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types import evse_manager as types
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World

Reason = types.StopTransactionReason
METER_S = 2.0


def order(state: str, priority: int = 5) -> types.EnableDisableSource:
    return types.EnableDisableSource(
        enable_source=types.EnableDisableSourceEnableSource.CSMS,
        enable_state=types.EnableDisableSourceEnableState(state),
        enable_priority=priority,
    )


def reasons(w: World) -> list[Reason | None]:
    return [e.transaction_finished.reason for e in w.events if e.transaction_finished is not None]


async def waiting_for_the_meter(w: World) -> World:
    """The meter is asked to start the transaction and takes its time."""
    await w.start()
    w.meter.answers_after_s = METER_S
    w.bsp.cp("B")
    await asyncio.sleep(0.5)
    await w.authorize()
    await asyncio.sleep(0.5)
    assert "TransactionStarted" not in w.names
    return w


def test_a_stop_while_the_meter_starts_the_transaction_ends_it(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await waiting_for_the_meter(World(assemble))
        assert await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=Reason.Remote))
        w.bsp.cp("C")
        await w.until_state("Finished", limit_s=METER_S + 1)
        await asyncio.sleep(METER_S + 1)
        assert reasons(w) == [Reason.Remote] and "PrepareCharging" not in w.names
        assert not w.bsp.closed

    run(story())


def test_a_pause_while_the_meter_starts_the_transaction_holds(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await waiting_for_the_meter(World(assemble))
        assert await w.m.evse.pause_charging()
        w.bsp.cp("C")
        await w.until_state("ChargingPausedEVSE", limit_s=METER_S + 5)
        assert "ChargingStarted" not in w.names
        assert await w.m.evse.resume_charging()
        await w.until_state("Charging", limit_s=10)

    run(story())


@pytest.mark.parametrize("later_s", [0.0, 0.05, 1.0, 5.0])
def test_resumed_while_the_ev_still_stops_charging_goes_on(assemble: Assemble, run: Run, later_s: float) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert await w.m.evse.pause_charging()
        await asyncio.sleep(later_s)
        assert w.state == "StoppingCharging"
        assert await w.m.evse.resume_charging()
        w.bsp.cp("B")
        await w.until_state("PrepareCharging", limit_s=7)
        assert w.pilot() == pytest.approx(32 / 0.6)
        w.bsp.cp("C")
        await w.until_state("Charging", limit_s=1)

    run(story())


def test_resumed_while_the_ev_ends_the_communication_the_end_is_no_wish_of_the_ev(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.pause_charging()
        await w.m.evse.resume_charging()
        w.hlc.main.current_demand_finished.publish(None)
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE", limit_s=5)
        await asyncio.sleep(3.0)
        assert w.state == "ChargingPausedEVSE", "the EV has not ended its session yet"
        w.hlc.main.dlink_terminate.publish(None)
        await asyncio.sleep(0.1)
        ended_s = asyncio.get_running_loop().time()
        assert w.pilot() == "X1"
        await w.until_state("PrepareCharging", limit_s=5)
        assert asyncio.get_running_loop().time() - ended_s == pytest.approx(3.0, abs=0.2)
        assert w.pilot() == 5.0
        assert w.calls("slac", "enter_bcd")[1:] != [], "the EV is matched anew"

    run(story())


def test_an_ev_that_does_not_end_the_communication_is_not_waited_for_for_ever(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.pause_charging()
        w.bsp.cp("B")
        await w.until_state("ChargingPausedEVSE", limit_s=25)
        await w.m.evse.resume_charging()
        await w.until_state("PrepareCharging", limit_s=20.5)

    run(story())


def test_a_pause_belongs_to_its_session(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert await w.m.evse.pause_charging()
        w.bsp.cp("A")
        await w.until_state("Idle")
        assert await w.m.evse.pause_charging() is False
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        assert await w.m.evse.resume_charging() is False
        await w.authorize()
        w.bsp.cp("C")
        await w.until_state("Charging", limit_s=10)

    run(story())


def test_enabled_again_while_the_ev_still_stops_the_transaction_goes_on(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        await w.m.evse.enable_disable(1, order("Disable"))
        await w.m.evse.enable_disable(1, order("Enable"))
        w.bsp.cp("B")
        await w.until_state("PrepareCharging", limit_s=7)
        w.bsp.cp("C")
        await w.until_state("Charging", limit_s=1)
        w.bsp.cp("A")
        await w.until_state("Idle")
        assert reasons(w) == [Reason.EVDisconnected]

    run(story())


def test_enabled_again_while_the_meter_ends_the_transaction_a_new_session_begins(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.meter.answers_after_s = METER_S
        await w.m.evse.enable_disable(1, order("Disable"))
        w.bsp.cp("B")
        await w.until_state("Finished", limit_s=2)
        await w.m.evse.enable_disable(1, order("Enable"))
        await w.until_state("WaitingForAuthentication", limit_s=METER_S + 1)
        assert reasons(w) == [Reason.EVSEDisabled]
        await w.authorize()
        await w.until_state("PrepareCharging", limit_s=METER_S + 1)

    run(story())


def test_a_disabling_order_outlives_cars_and_faults_and_can_be_repeated(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        for _ in range(2):
            assert await w.m.evse.enable_disable(1, order("Disable")) is False
        w.bsp.main.faults.raise_fault("evse_board_support/VendorError", "test")
        w.bsp.cp("B")
        await asyncio.sleep(5)
        w.bsp.main.faults.clear("evse_board_support/VendorError")
        await asyncio.sleep(5)
        assert w.state == "Disabled" and w.pilot() == "F" and "SessionStarted" not in w.names
        for _ in range(2):
            assert await w.m.evse.enable_disable(1, order("Enable")) is True
        await w.until_state("WaitingForAuthentication", limit_s=5)
        assert w.names.count("Enabled") == 1

    run(story())
