"""The DC power path: cable check, precharge, targets, ramp, limits, supervision."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.iso15118 import DcEvMaximumLimits
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.modules.evse.machine import timing
from tests.evse.world import Assemble, Run, World


def faults(w: World) -> dict[str, str]:
    return {fault.type.partition("/")[2]: fault.sub_type for fault in w.m.evse.faults.active}


async def failed(w: World, limit_s: float = 60.0) -> None:
    """The cable check has failed: no voltage, and HLC knows."""
    await w.until(lambda: bool(w.calls("hlc", "cable_check_finished")), limit_s)
    assert w.calls("hlc", "cable_check_finished") == [(False,)]
    assert w.supply.mode is Mode.Off
    await asyncio.sleep(0.2)


def test_cable_check_in_the_order_of_the_standard(assemble: Assemble, run: Run) -> None:
    """Contactors, then voltage, self test, measurement, then below 60 V, then the EV hears of it."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_cable_check()
        assert await w.cable_checked()
        story = [
            (who, name)
            for _, who, name, args in w.commands
            if (who, name)
            in (
                ("supply", "setExportVoltageCurrent"),
                ("supply", "setMode"),
                ("imd", "start_self_test"),
                ("imd", "start"),
                ("hlc", "cable_check_finished"),
            )
            or (name == "allow_power_on" and args[0].allow_power_on)
        ]
        assert story == [
            ("bsp", "allow_power_on"),
            ("supply", "setExportVoltageCurrent"),
            ("supply", "setMode"),
            ("imd", "start_self_test"),
            ("imd", "start"),
            ("supply", "setMode"),
            ("hlc", "cable_check_finished"),
        ]
        assert w.calls("supply", "setExportVoltageCurrent")[0] == (500.0, 2.0)
        assert w.calls("imd", "start_self_test") == [(500.0,)]

    run(story())


@pytest.mark.parametrize(
    ("fault", "sub_type"),
    [
        ("self test", "Self test failed"),
        ("imd silent", "Self test timed out"),
        ("shorted", "Voltage not reached"),
        ("stuck open", "Contactors did not close"),
        ("live", "Voltage stays above 60 V"),
        ("supply silent", "Voltage not reached"),
    ],
)
def test_cable_check_fails_safely(assemble: Assemble, run: Run, fault: str, sub_type: str) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        match fault:
            case "self test":
                w.imd.passes = False
            case "imd silent":
                w.imd.silent = True
            case "shorted":
                w.supply.shorted = True
            case "stuck open":
                w.bsp.stuck_open = True
            case "live":
                w.supply.residual_V = 300.0
                await asyncio.sleep(1.0)
        await w.to_cable_check()
        if fault == "supply silent":
            await w.until(lambda: w.bsp.closed)
            w.supply.silent = True
        seen: list[Any] = []
        w.m.evse.faults.subscribe(seen.append, lambda _: None)
        await failed(w)
        raised = [(fault.type, fault.sub_type) for fault in seen]
        assert ("evse_manager/MREC11CableCheckFault", sub_type) in raised
        assert not any(args[0] == Mode.Import for args in w.calls("supply", "setMode"))

    run(story())


def test_low_insulation_blocks_a_retry(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.imd.resistance_Ohm = 50_000.0
        await w.to_cable_check()
        seen: list[Any] = []
        w.m.evse.faults.subscribe(seen.append, lambda _: None)
        await failed(w)
        # Whoever looks at the end of the session, while the output discharges, sees both.
        assert [fault.type.partition("/")[2] for fault in seen[:2]] == [
            "MREC11CableCheckFault",
            "MREC22ResistanceFault",
        ]
        assert ("Fault",) in [(args[0].value,) for args in w.calls("hlc", "update_isolation_status")]
        await asyncio.sleep(1.0)
        assert faults(w)["MREC22ResistanceFault"] == "Resistance"
        assert "Inoperative" in faults(w)
        assert w.state == "ChargingPausedEVSE"
        assert not w.bsp.closed
        assert not w.imd.runs
        await w.unplug()
        assert not faults(w)

    run(story())


def test_after_a_failed_self_test_the_ev_may_try_again(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.imd.passes = False
        await w.to_cable_check()
        await failed(w)
        w.imd.passes = True
        await w.until_state("PrepareCharging")
        assert not faults(w)
        w.hlc.publish("start_cable_check")
        await w.until(lambda: len(w.calls("hlc", "cable_check_finished")) == 2)
        assert w.calls("hlc", "cable_check_finished")[-1] == (True,)

    run(story())


def test_cable_check_without_monitor(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, without=("imd",)).start()
        await w.to_cable_check()
        assert await w.cable_checked()
        assert w.calls("hlc", "update_isolation_status")[0][0].value == "No_IMD"
        assert w.supply.mode is Mode.Off

    run(story())


def test_cable_check_as_configured(assemble: Assemble, run: Run) -> None:
    """Fixed voltage, no self test, three samples, no discharge."""

    async def story() -> None:
        w = await World(
            assemble,
            dc=True,
            dc_isolation_voltage_V=700,
            cable_check_enable_imd_self_test=False,
            cable_check_wait_number_of_imd_measurements=3,
            cable_check_wait_below_60V_before_finish=False,
        ).start()
        await w.to_cable_check()
        begin = asyncio.get_running_loop().time()
        assert await w.cable_checked()
        assert w.calls("supply", "setExportVoltageCurrent")[0] == (700.0, 2.0)
        assert not w.calls("imd", "start_self_test")
        assert asyncio.get_running_loop().time() - begin >= 2.0
        assert w.supply.mode is Mode.Export

    run(story())


def test_early_self_test_with_open_contactors(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(
            assemble,
            dc=True,
            cable_check_enable_imd_self_test_relays_open=True,
            cable_check_relays_open_voltage_V=200,
        ).start()
        await w.to_cable_check()
        await w.until(lambda: bool(w.calls("imd", "start_self_test")))
        assert not w.bsp.closed
        assert w.calls("imd", "start_self_test") == [(200.0,)]
        assert await w.cable_checked()
        assert len(w.calls("imd", "start_self_test")) == 1

    run(story())


def test_unplug_during_the_cable_check_aborts_it(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_cable_check()
        await w.until(lambda: w.supply.mode is Mode.Export)
        w.bsp.cp("A")
        await asyncio.sleep(0.3)
        assert w.supply.mode is Mode.Off
        assert not w.bsp.closed
        await asyncio.sleep(15.0)
        assert w.supply.mode is Mode.Off
        assert w.calls("hlc", "cable_check_finished") == [(False,)]
        assert not faults(w)
        assert w.state == "Idle"

    run(story())


def test_precharge_that_the_ev_gives_up(assemble: Assemble, run: Run) -> None:
    """The EV's precharge time-out: it goes back to state B; the power path is dead at once."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_cable_check()
        assert await w.cable_checked()
        w.hlc.publish("start_pre_charge")
        w.target(400.0, 2.0)
        await w.until(lambda: w.supply.mode is Mode.Export)
        assert (w.supply.set_V, w.supply.set_A) == (400.0, 1.0)
        await asyncio.sleep(7.0)
        w.bsp.cp("B")
        await asyncio.sleep(0.3)
        assert w.supply.mode is Mode.Off
        assert not w.bsp.closed
        w.target(400.0, 2.0)
        await asyncio.sleep(0.5)
        assert w.supply.mode is Mode.Off
        w.hlc.publish("dc_open_contactor")
        w.hlc.publish("dlink_error")
        await asyncio.sleep(0.1)
        assert w.state == "TStepX1"

    run(story())


def test_current_rises_with_the_ramp_and_falls_at_once(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, dc_ramp_ampere_per_second=10).start()
        await w.to_charging(50.0)
        at = asyncio.get_running_loop().time()
        await asyncio.sleep(2.0)
        assert 15.0 <= w.supply.set_A <= 27.0
        await w.until(lambda: w.supply.set_A == 50.0, 6.0)
        assert asyncio.get_running_loop().time() - at >= 3.5
        w.target(400.0, 5.0)
        await asyncio.sleep(0.05)
        assert w.supply.set_A == 5.0

    run(story())


def test_current_never_exceeds_what_ev_and_grid_allow(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble, dc=True)
        w.limits_W = 10_000.0
        await w.start()
        await w.to_charging(120.0)
        await asyncio.sleep(6.0)
        assert w.supply.set_A == pytest.approx(25.0)
        w.limits_W = 4_000.0
        await asyncio.sleep(1.2)
        assert w.supply.set_A == pytest.approx(10.0)
        assert w.calls("hlc", "update_dc_maximum_limits")[-1][0].evse_maximum_power_limit == pytest.approx(4000.0)
        assert w.calls("hlc", "update_dc_maximum_limits")[-1][0].evse_maximum_current_limit == pytest.approx(10.0)
        w.limits_W = 60_000.0
        w.hlc.publish("dc_ev_maximum_limits", DcEvMaximumLimits(dc_ev_maximum_current_limit=80.0))
        await asyncio.sleep(8.0)
        assert w.supply.set_A == pytest.approx(80.0)

    run(story())


def test_external_derating_narrows_the_supply(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(90.0)
        await asyncio.sleep(5.0)
        await w.m.dc_external_derate.set_external_derating(ExternalDerating(max_export_current_A=30.0))
        await asyncio.sleep(0.1)
        assert w.supply.set_A == pytest.approx(30.0)
        request = w.m.energy_grid.energy_flow_request.value
        assert request is not None
        watts = request.schedule_import[0].limits_to_leaves.total_power_W
        assert watts is not None and watts.value == pytest.approx(12_000.0)

    run(story())


def test_no_power_in_the_loop_stops_after_the_configured_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.limits_W = 0.0
        await asyncio.sleep(4.5)
        assert w.state == "Charging"
        assert w.supply.set_A == 0.0, "the least of the supply is more than nothing"
        await asyncio.sleep(2.0)
        assert w.state == "StoppingCharging"
        assert w.calls("hlc", "stop_charging")[-1] == (True,)

    run(story())


def test_zero_voltage_target_keeps_the_last_voltage(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(40.0)
        await asyncio.sleep(3.0)
        w.target(0.0, 30.0)
        await asyncio.sleep(0.1)
        assert (w.supply.set_V, w.supply.set_A) == (400.0, 30.0)

    run(story())


@pytest.mark.parametrize("tells_after_s", [9.0, 25.0])
def test_an_ev_waits_for_a_supply_that_is_still_starting(assemble: Assemble, run: Run, tells_after_s: float) -> None:
    async def story() -> None:
        w = World(assemble, dc=True)
        w.supply.tells_after_s = tells_after_s
        await w.start()
        await w.plug_and_match()
        await w.authorize()
        w.ask_authorization()
        await asyncio.sleep(tells_after_s - 5.5)
        assert w.state == "WaitingForAuthentication" and not w.now.transaction_active
        await w.until_state("PrepareCharging", 5.0)
        assert not w.charging.facts.session.without_power_logged and faults(w) == {}

    run(story())


def test_a_supply_that_never_tells_what_it_can_does_not_hold_an_ev_for_ever(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = World(assemble, dc=True)
        w.supply.tells_after_s = 1e6
        await w.start()
        await w.plug_and_match()
        await w.authorize()
        await w.until_state("PrepareCharging", timing.WAIT_FOR_SUPPLY_S + 2.0)
        assert w.charging.facts.session.without_power_logged and w.charging.entered_s > timing.WAIT_FOR_SUPPLY_S

    run(story())


def test_voltage_out_of_the_supplys_range_is_refused(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging(40.0)
        await asyncio.sleep(3.0)
        w.target(120.0, 40.0)
        await asyncio.sleep(1.0)
        assert w.supply.set_V == 400.0

    run(story())


def test_over_voltage_is_an_emergency(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        assert w.calls("monitor", "set_limits")[-1] == (550.0, 450.0)
        w.monitor.main.voltage_measurement_V.publish(560.0)
        await asyncio.sleep(0.2)
        assert w.supply.mode is Mode.Off
        assert not w.bsp.closed
        assert w.pilot() == "X1"
        assert faults(w).keys() == {"MREC5OverVoltage", "Inoperative"}

    run(story())


def test_voltages_that_disagree_are_an_emergency_after_their_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.monitor.main.voltage_measurement_V.publish(300.0)
        await asyncio.sleep(29.0)
        assert w.state == "Charging"
        await asyncio.sleep(2.0)
        assert "VoltagePlausibilityFault" in faults(w)
        assert w.supply.mode is Mode.Off

    run(story())


def test_insulation_fault_while_charging(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.imd.resistance_Ohm = 20_000.0
        await asyncio.sleep(1.5)
        assert w.supply.mode is Mode.Off
        assert not w.bsp.closed
        assert w.calls("hlc", "send_error")[-1][0].value == "Error_EmergencyShutdown"
        assert w.pilot() == 5.0
        assert faults(w)["MREC22ResistanceFault"] == "Resistance"
        await w.unplug()
        assert not faults(w)

    run(story())


def test_voltage_to_earth_needs_two_seconds(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        sample = IsolationMeasurement(
            resistance_F_Ohm=900_000.0, voltage_V=400.0, voltage_to_earth_l1e_V=450.0, voltage_to_earth_l2e_V=50.0
        )
        w.imd.main.isolation_measurement.publish(sample)
        await asyncio.sleep(0.1)
        assert not faults(w)
        w.imd.runs = False
        await asyncio.sleep(2.0)
        w.imd.main.isolation_measurement.publish(sample)
        await asyncio.sleep(0.1)
        assert faults(w)["MREC22ResistanceFault"] == "VoltageToEarth"

    run(story())


def test_supply_fault_is_an_emergency(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.supply.main.faults.raise_fault("power_supply_DC/CommunicationFault", "no answer")
        await asyncio.sleep(0.2)
        assert not w.bsp.closed
        assert w.calls("supply", "setMode")[-1][0] is Mode.Off
        assert w.state == "ChargingPausedEVSE"

    run(story())


def test_meter_news_reach_hlc(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.meter.read(1234.0)
        await asyncio.sleep(0.1)
        assert w.calls("hlc", "update_meter_info")[-1][0].energy_Wh_import.total == 1234.0
        present = w.calls("hlc", "update_dc_present_values")[-1][0]
        assert present.evse_present_voltage == 400.0

    run(story())


def test_a_renegotiation_goes_back_to_the_preparation_at_the_latest_after_half_a_second(
    assemble: Assemble, run: Run
) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        assert w.imd.runs
        w.hlc.publish("current_demand_finished")
        await asyncio.sleep(0.4)
        assert w.supply.mode is Mode.Off and w.state == "Charging"
        await w.until_state("PrepareCharging", 0.3)
        assert not w.imd.runs, "it waits for the next cable check"
        assert w.bsp.closed, "the contactors stay as they are"
        w.hlc.publish("start_cable_check")
        await w.until(lambda: len(w.calls("hlc", "cable_check_finished")) == 2)
        assert w.calls("hlc", "cable_check_finished")[-1] == (True,)
        w.hlc.publish("start_pre_charge")
        w.target(390.0, 2.0)
        w.hlc.publish("current_demand_started")
        await w.until_state("Charging")
        assert w.names.count("ChargingStarted") == 2 and w.names.count("StoppingCharging") == 0

    run(story())


def test_a_cable_check_that_follows_at_once_is_not_refused(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.hlc.publish("current_demand_finished")
        w.hlc.publish("start_cable_check")
        await w.until_state("PrepareCharging", 0.1)
        await w.until(lambda: len(w.calls("hlc", "cable_check_finished")) == 2)
        assert w.calls("hlc", "cable_check_finished")[-1] == (True,)

    run(story())


def test_a_cable_check_while_the_current_demand_runs_is_refused(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await w.to_charging()
        w.hlc.publish("start_cable_check")
        await asyncio.sleep(0.2)
        assert w.calls("hlc", "cable_check_finished")[-1] == (False,)
        assert w.state == "Charging" and w.supply.mode is Mode.Export

    run(story())


def test_the_ends_of_an_energy_transfer_are_no_renegotiation_whichever_comes_first(
    assemble: Assemble, run: Run
) -> None:
    async def story() -> None:
        for first, second in (
            ("current_demand_finished", "dc_open_contactor"),
            ("dc_open_contactor", "current_demand_finished"),
        ):
            w = await World(assemble, dc=True).start()
            await w.to_charging()
            w.hlc.publish(first)
            await asyncio.sleep(0.3)
            w.hlc.publish(second)
            await w.until_state("StoppingCharging", 0.5)
            assert w.names.count("PrepareCharging") == 1
            await w.assembly.stop()

    run(story())
