"""The start: gate, first meter value, enabling, the loss of power before, and what cannot be honoured."""

from __future__ import annotations

import asyncio

import pytest

from chargebyte_fw.contracts.types import evse_manager as types
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSourceEnableSource as SOURCE
from chargebyte_fw.contracts.types.evse_manager import EnableDisableSourceEnableState as STATE
from chargebyte_fw.kernel.errors import ConfigError
from tests.evse.world import Assemble, Run, World


def wish(source: SOURCE, state: STATE, priority: int) -> types.EnableDisableSource:
    return types.EnableDisableSource(enable_source=source, enable_state=state, enable_priority=priority)


def test_first_event_is_enabled(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        (event,) = w.events
        assert (event.event, event.uuid) == ("Enabled", "")
        assert event.source == wish(SOURCE.Unspecified, STATE.Unassigned, 10_000)
        assert w.m.evse.ready.value is True
        assert w.calls("bsp", "enable") == [(True,)]

    run(story())


def test_waits_for_the_external_command(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, external_ready_to_start_charging=True).start()
        assert w.m.evse.waiting_for_external_ready.value is True
        w.bsp.cp("B")
        await asyncio.sleep(30.0)
        assert w.events == [] and w.m.evse.ready.value is None
        assert await w.m.evse.external_ready_to_start_charging() is True
        await asyncio.sleep(0.5)
        assert [event.event.value for event in w.events] == ["Enabled", "SessionStarted", "AuthRequired"]
        assert w.m.evse.waiting_for_external_ready.value is False
        assert await w.m.evse.external_ready_to_start_charging() is False

    run(story())


def test_ev_that_was_plugged_in_before_the_start(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.bsp.first = "B"
        await w.start()
        assert w.names == ["SessionStarted", "AuthRequired"]

    run(story())


def test_begins_without_a_meter_value_after_its_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)

        async def silent() -> None:
            """The meter never reads."""

        w.meter.ready = silent  # type: ignore[method-assign]
        await w.start(settle_s=4.0)
        assert w.m.evse.ready.value is None
        await asyncio.sleep(2.0)
        assert w.m.evse.ready.value is True

    run(story())


def test_transaction_that_a_loss_of_power_cut_off_is_ended(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble)
        w.store.values["evse_session"] = "lost-session"
        await w.start()
        resumed, finished, enabled = w.events
        assert (resumed.event, resumed.uuid) == ("SessionResumed", "lost-session")
        assert (finished.event, finished.uuid) == ("TransactionFinished", "lost-session")
        assert finished.transaction_finished is not None
        assert finished.transaction_finished.reason == "PowerLoss"
        assert finished.transaction_finished.signed_meter_value is not None
        assert enabled.event == "Enabled"
        assert w.store.values["evse_session"] == ""
        assert w.calls("meter", "stop_transaction") == [("lost-session",), ("",)]

    run(story())


def test_running_transaction_is_kept_in_the_store(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.cp("B")
        await w.authorize()
        await w.until_state("PrepareCharging")
        await asyncio.sleep(0.1)
        assert w.store.values["evse_session"] == w.events[-1].uuid != ""
        await w.unplug()
        assert w.store.values["evse_session"] == ""

    run(story())


@pytest.mark.parametrize("missing", [("slac",), ("hlc",), ("supply",)])
def test_dc_without_a_vital_module_does_not_start(assemble: Assemble, run: Run, missing: tuple[str, ...]) -> None:
    async def story() -> None:
        with pytest.raises(ConfigError, match="DC charging needs"):
            await World(assemble, dc=True, without=missing).start()

    run(story())


def test_disable_and_enable_without_ev(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        assert await w.m.evse.enable_disable(0, wish(SOURCE.LocalAPI, STATE.Disable, 100)) is False
        await asyncio.sleep(0.1)
        assert w.pilot() == "F"
        assert w.calls("bsp", "enable") == [(True,), (False,)]
        assert w.names == ["Disabled"]
        assert w.events[-1].source == wish(SOURCE.LocalAPI, STATE.Disable, 100)
        assert w.events[-1].connector_id is None
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        assert w.names == ["Disabled"]
        assert await w.m.evse.enable_disable(0, wish(SOURCE.LocalAPI, STATE.Enable, 100)) is True
        await asyncio.sleep(0.1)
        assert w.names[:2] == ["Disabled", "Enabled"]
        assert w.state == "WaitingForAuthentication"

    run(story())


def test_enable_of_the_evse_does_not_enable_the_connector(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        await w.m.evse.enable_disable(1, wish(SOURCE.LocalAPI, STATE.Disable, 100))
        await w.m.evse.enable_disable(0, wish(SOURCE.LocalAPI, STATE.Enable, 100))
        await asyncio.sleep(0.1)
        assert w.names == ["Disabled", "Enabled"]
        assert w.state == "Disabled"
        await w.m.evse.enable_disable(1, wish(SOURCE.LocalAPI, STATE.Enable, 100))
        await asyncio.sleep(0.1)
        assert w.state == "Idle"

    run(story())


def test_disable_while_waiting_for_authorization(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble).start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.m.evse.enable_disable(1, wish(SOURCE.CSMS, STATE.Disable, 1))
        await asyncio.sleep(0.1)
        assert w.names == ["SessionStarted", "AuthRequired", "SessionFinished", "Disabled"]

    run(story())
