"""Every way a transaction ends, on DC and on AC, and what is left behind."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason as Reason
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from tests.evse.test_ac import charging
from tests.evse.world import TOKEN, Assemble, Run, World


def finished(w: World) -> types.TransactionFinished:
    found = [event.transaction_finished for event in w.events if event.transaction_finished is not None]
    assert len(found) == 1
    return found[0]


def safe(w: World) -> bool:
    return w.supply.mode is Mode.Off and not w.bsp.closed


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        (Reason.Remote, None),
        (Reason.Local, None),
        (Reason.DeAuthorized, None),
        (Reason.EmergencyStop, "Error_EmergencyShutdown"),
        (Reason.PowerLoss, "Error_UtilityInterruptEvent"),
    ],
)
def test_stop_by_command_is_asked_of_the_ev(assemble: Assemble, run: Run, reason: Reason, error: str | None) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        request = types.StopTransactionRequest(reason=reason, id_tag=TOKEN if reason is Reason.Local else None)
        assert await w.m.evse.stop_transaction(request)
        await asyncio.sleep(0.1)
        assert w.state == "StoppingCharging"
        assert w.calls("hlc", "stop_charging")[-1] == (True,)
        assert [args[0].value for args in w.calls("hlc", "send_error")] == ([error] if error else [])
        await w.ev_stops()
        assert w.state == "Finished"
        assert finished(w).reason == reason
        assert (finished(w).id_tag is not None) is (reason is Reason.Local)
        assert not await w.m.evse.stop_transaction(request)
        await w.authorize()
        await asyncio.sleep(1.0)
        assert w.state == "Finished", "irrevocable until the unplug"
        await w.unplug()
        assert w.names[-1] == "SessionFinished"
        assert w.state == "Idle"

    run(story())


def test_while_we_stop_the_ev_leads_the_current_down_but_never_up(assemble: Assemble, run: Run) -> None:
    """The EV reduces its current before it opens its contactors (ISO 15118-2 8.8.4); the supply must follow."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(80.0)
        await asyncio.sleep(5.0)
        assert w.supply.set_A == 80.0
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=Reason.Remote))
        followed = []
        for wanted_A in (40.0, 60.0, 10.0, 50.0):
            w.target(400.0, wanted_A)
            await asyncio.sleep(2.0)
            followed.append(w.supply.set_A)
        assert w.state == "StoppingCharging"
        assert followed == [40.0, 40.0, 10.0, 10.0]
        w.hlc.publish("current_demand_finished")
        await asyncio.sleep(0.1)
        w.target(400.0, 10.0)
        await asyncio.sleep(0.5)
        assert w.supply.mode is Mode.Off, "and off stays off"

    run(story())


def test_an_ev_that_opens_its_contactor_while_we_stop_leaves_no_live_supply(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.pause_charging()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        assert safe(w)

    run(story())


def test_contactors_that_the_board_opens_take_the_supply_with_them(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.bsp.allow(False)
        await asyncio.sleep(0.5)
        assert safe(w)

    run(story())


def test_a_pause_during_the_preparation_closes_nothing(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.to_preparation()
        assert await w.m.evse.pause_charging()
        w.bsp.cp("C")
        await w.until_state("ChargingPausedEVSE")
        assert not any(args[0].allow_power_on for args in w.calls("bsp", "allow_power_on"))
        await w.m.evse.resume_charging()
        await w.until_state("Charging")

    run(story())


def test_ev_that_does_not_react_is_cut_off_after_twenty_seconds(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=Reason.Remote))
        await asyncio.sleep(19.5)
        assert w.bsp.closed
        await asyncio.sleep(1.5)
        assert safe(w)
        await w.until_state("Finished")

    run(story())


def test_unplug_under_power_is_safe_at_once(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.bsp.cp("A")
        await asyncio.sleep(0.01)
        assert safe(w)
        await asyncio.sleep(1.0)
        assert finished(w).reason == Reason.EVDisconnected
        assert w.calls("slac", "leave_bcd")
        assert w.calls("slac", "reset") == [(False,)]
        assert w.state == "Idle"

    run(story())


def test_welded_contactor_keeps_the_session_until_it_opens(assemble: Assemble, run: Run) -> None:
    """The board reports the fault; nothing is reported as finished while the contactors are closed."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.bsp.welded = True
        await w.m.evse.stop_transaction(types.StopTransactionRequest(reason=Reason.Remote))
        await w.ev_stops()
        w.bsp.main.faults.raise_fault("evse_board_support/MREC17EVSEContactorFault", "welded")
        await asyncio.sleep(25.0)
        assert w.supply.mode is Mode.Off
        assert w.state == "StoppingCharging"
        opened = [args for args in w.calls("bsp", "allow_power_on") if not args[0].allow_power_on]
        assert len(opened) > 3
        assert w.m.evse.faults.is_active("evse_manager/Inoperative")

    run(story())


def test_disable_while_charging(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        source = types.EnableDisableSource(
            enable_source=types.EnableDisableSourceEnableSource.CSMS,
            enable_state=types.EnableDisableSourceEnableState.Disable,
            enable_priority=5,
        )
        assert await w.m.evse.enable_disable(1, source) is False
        await asyncio.sleep(1.0)
        assert w.pilot() == "X1"
        w.bsp.cp("B")
        await w.until_state("Disabled")
        assert finished(w).reason == Reason.EVSEDisabled
        assert w.pilot() == "F"
        assert w.names[-5:] == [
            "StoppingCharging",
            "ChargingFinished",
            "TransactionFinished",
            "SessionFinished",
            "Disabled",
        ]
        assert w.events[-1].connector_id == 1

    run(story())


def test_force_unlock_ends_the_transaction(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        assert await w.m.evse.force_unlock(1)
        w.bsp.cp("B")
        await w.until_state("Finished")
        assert finished(w).reason == Reason.UnlockCommand
        assert [name for _, who, name, _ in w.commands if who == "lock"][-1] == "unlock"

    run(story())


def test_force_unlock_needs_a_lock(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, without=("lock",)).start()
        assert await w.m.evse.force_unlock(1) is False

    run(story())


def test_stop_button_of_the_board(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.bsp.main.request_stop_transaction.publish(types.StopTransactionRequest(reason=Reason.Local))
        await asyncio.sleep(0.1)
        w.bsp.cp("B")
        await w.until_state("Finished")
        assert finished(w).reason == Reason.Local

    run(story())


def test_stop_of_the_module_leaves_everything_safe(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        await w.m.stop()
        assert safe(w)
        assert w.pilot() == "F"
        assert not w.imd.runs
        order = [
            name
            for _, _, name, args in w.commands
            if name == "setMode" or (name == "allow_power_on" and not args[0].allow_power_on)
        ]
        assert order[-2:] == ["setMode", "allow_power_on"]

    run(story())


def test_silent_meter_does_not_hold_the_session_for_ever(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble))
        w.meter.answers = False
        w.bsp.cp("A")
        await asyncio.sleep(1.0)
        assert "TransactionFinished" not in w.names
        w.bsp.cp("B")
        await asyncio.sleep(12.0)
        assert finished(w).signed_meter_value is None
        assert w.names[-3:] == ["SessionFinished", "SessionStarted", "AuthRequired"]

    run(story())


def test_meter_that_refuses_the_start_blocks_if_configured(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        from chargebyte_fw.contracts.types.powermeter import TransactionRequestStatus

        w = await World(assemble).start()
        w.meter.status = TransactionRequestStatus.UNEXPECTED_ERROR
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.authorize()
        await asyncio.sleep(1.0)
        assert "TransactionStarted" not in w.names
        assert w.m.evse.faults.is_active("evse_manager/PowermeterTransactionStartFailed")
        assert w.state == "Finished"
        await w.unplug()
        assert w.names[-1] == "SessionFinished"
        assert not w.m.evse.faults.active

    run(story())
