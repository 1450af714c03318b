"""Keys of the configuration that no other story needs: each one changes what it is meant to change."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.energy import EnforcedLimits, LimitsRes, NumberWithSource
from chargebyte_fw.contracts.types.iso15118 import (
    BptChannel,
    EnergyTransferMode,
    GeneratorMode,
    GridCodeIslandingDetectionMethod,
    NoEnergyPauseMode,
    SaeJ2847BidiMode,
)
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.faults import Fault, FaultState, Origin, Severity
from chargebyte_fw.modules.evse.config import (
    BptChannelChoice,
    GeneratorChoice,
    IslandChoice,
    SaeMode,
    SessionIdType,
)
from tests.evse.fakes import SUPPLY
from tests.evse.test_ac import charging
from tests.evse.world import Assemble, Run, World

BOTH_WAYS = msgspec.structs.replace(
    SUPPLY,
    bidirectional=True,
    min_import_voltage_V=150.0,
    max_import_voltage_V=920.0,
    min_import_current_A=0.0,
    max_import_current_A=100.0,
    max_import_power_W=30_000.0,
)


# What HLC gets.


def test_reactive_power_and_ac_bpt_are_offered(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True, ac_max_reactive_power=500.0, supported_iso_ac_bpt=True).start()
        assert w.calls("hlc", "update_ac_parameters")[-1][0].evse_max_reactive_power == 500.0
        assert EnergyTransferMode.AC_BPT in w.calls("hlc", "update_energy_transfer_modes")[-1][0]

    run(story())


@pytest.mark.parametrize("wanted", [True, False])
def test_receipts(assemble: Assemble, run: Run, wanted: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, ev_receipt_required=wanted).start()
        assert w.calls("hlc", "receipt_is_required") == [(wanted,)]

    run(story())


def test_contracts_are_validated_and_installed_as_configured(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {
            "central_contract_validation_allowed": True,
            "contract_certificate_installation_enabled": False,
        }
        w = await World(assemble, dc=True, **keys).start()
        assert w.calls("hlc", "session_setup")[0][1:] == (False, True)

    run(story())


@pytest.mark.parametrize(
    ("enabled", "mode", "sent"),
    [
        (False, SaeMode.V2H, SaeJ2847BidiMode.None_),
        (True, SaeMode.V2H, SaeJ2847BidiMode.V2H),
        (True, SaeMode.V2G, SaeJ2847BidiMode.V2G),
    ],
)
def test_sae_j2847_2(assemble: Assemble, run: Run, enabled: bool, mode: SaeMode, sent: SaeJ2847BidiMode) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, sae_j2847_2_bpt_enabled=enabled, sae_j2847_2_bpt_mode=mode).start()
        assert w.calls("hlc", "setup")[0][1] is sent
        w.supply.main.capabilities.publish(BOTH_WAYS)
        w.hlc.publish("sae_bidi_mode_active")
        await asyncio.sleep(1.1)
        request = w.m.energy_grid.energy_flow_request.value
        assert request is not None
        drawn = request.schedule_import[0].limits_to_leaves.total_power_W
        assert drawn is not None
        assert (drawn.value == 0.0) is (mode is SaeMode.V2H), "an EV that feeds the house draws nothing"

    run(story())


def test_bpt_setup(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {
            "bpt_channel": BptChannelChoice.Separated,
            "bpt_generator_mode": GeneratorChoice.GridForming,
            "bpt_grid_code_island_method": IslandChoice.Passive,
        }
        w = await World(assemble, dc=True, **keys).start()
        ((setup,),) = w.calls("hlc", "bpt_setup")
        assert setup.bpt_channel is BptChannel.Separated
        assert setup.generator_mode is GeneratorMode.GridForming
        assert setup.grid_code_detection is GridCodeIslandingDetectionMethod.Passive
        assert not (await World(assemble, dc=True).start()).calls("hlc", "bpt_setup")

    run(story())


@pytest.mark.parametrize(
    ("ignore", "tolerate", "sent"),
    [
        (True, False, []),
        (False, False, [(NoEnergyPauseMode.PauseBeforeCableCheck,)]),
        (False, True, [(NoEnergyPauseMode.AllowEvToIgnorePause,)]),
    ],
)
def test_no_energy_before_the_cable_check(
    assemble: Assemble, run: Run, ignore: bool, tolerate: bool, sent: list[Any]
) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {"zero_power_ignore_pause": ignore, "zero_power_allow_ev_to_ignore_pause": tolerate}
        w = World(assemble, dc=True, **keys)
        w.limits_A = w.limits_W = 0.0
        await w.start()
        await w.plug_and_match()
        await w.authorize()
        await asyncio.sleep(5.5)
        assert w.calls("hlc", "no_energy_pause_charging")[:1] == sent

    run(story())


def test_present_current_is_told_with_the_offset(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, hack_present_current_offset=2).start()
        await w.to_charging(20.0)
        await asyncio.sleep(2.0)
        assert w.supply.set_A == 20.0
        assert w.calls("hlc", "update_dc_present_values")[-1][0].evse_present_current == 22.0

    run(story())


def test_confirmed_to_hlc_only_after_the_step(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, hlc=True, dbg_hlc_auth_after_tstep=True).start()
        await w.plug_and_match()
        w.ask_authorization()
        await w.authorize()
        await w.until_state("TStepX1", 11.0)
        assert w.calls("hlc", "authorization_response") == []
        await w.until_state("PrepareCharging", 4.0)
        assert len(w.calls("hlc", "authorization_response")) == 1

    run(story())


# The power path.


def test_strange_targets_are_ignored_as_asked(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, hack_skoda_enyaq=True).start()
        await w.to_charging(20.0)
        await asyncio.sleep(1.0)
        w.target(200.0, 40.0)
        w.target(400.0, -5.0)
        await asyncio.sleep(3.0)
        assert (w.supply.set_V, w.supply.set_A) == (400.0, 20.0)

    run(story())


@pytest.mark.parametrize(("fixed", "current_A"), [(True, 50.5), (False, 50.0)])
def test_whole_amperes_get_the_fraction_that_is_offered(
    assemble: Assemble, run: Run, fixed: bool, current_A: float
) -> None:
    async def story() -> None:
        w = World(assemble, dc=True, hack_fix_hlc_integer_current_requests=fixed)
        w.limits_W = 50.5 * 400.0
        await w.start()
        await w.to_charging(50.0)
        await asyncio.sleep(2.0)
        w.target(400.0, 50.0)
        await asyncio.sleep(2.0)
        assert w.supply.set_A == pytest.approx(current_A)

    run(story())


@pytest.mark.parametrize("allowed", [True, False])
def test_discharge_in_iso15118_2_only_as_a_hack(assemble: Assemble, run: Run, allowed: bool) -> None:
    async def story() -> None:
        w = World(assemble, dc=True, hack_allow_bpt_with_iso2=allowed)
        await w.start()
        w.supply.main.capabilities.publish(BOTH_WAYS)
        await w.to_charging(20.0)
        w.limits_A, w.limits_W = -16.0, -8_000.0
        await asyncio.sleep(1.5)
        w.target(400.0, 10.0)
        await asyncio.sleep(1.0)
        imports = [args for args in w.calls("supply", "setMode") if args[0] is Mode.Import]
        assert bool(imports) is allowed
        assert bool(w.calls("supply", "setImportVoltageCurrent")) is allowed

    run(story())


def test_contactors_have_the_configured_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, cable_check_relays_closed_timeout_s=1).start()
        w.bsp.stuck_open = True
        await w.to_cable_check()
        await asyncio.sleep(1.5)
        assert w.calls("hlc", "cable_check_finished")[:1] == [(False,)]

    run(story())


def test_insulation_monitor_pauses_until_power_flows(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, hack_pause_imd_during_precharge=True).start()
        await w.to_cable_check()
        assert await w.cable_checked()
        await asyncio.sleep(0.1)
        assert not w.imd.runs
        w.hlc.publish("start_pre_charge")
        w.target(400.0, 2.0)
        w.hlc.publish("current_demand_started")
        await asyncio.sleep(1.0)
        assert w.state == "Charging" and not w.imd.runs, "800 W"
        w.target(400.0, 10.0)
        await asyncio.sleep(2.0)
        assert w.imd.runs

    run(story())


@pytest.mark.parametrize(("duration_ms", "raised"), [(400, True), (3000, False)])
def test_over_voltage_lasts_as_configured(assemble: Assemble, run: Run, duration_ms: int, raised: bool) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, internal_over_voltage_duration_ms=duration_ms).start()
        await w.to_charging()
        w.monitor.main.voltage_measurement_V.publish(460.0)
        await asyncio.sleep(1.0)
        assert w.m.evse.faults.is_active("evse_manager/MREC5OverVoltage") is raised

    run(story())


@pytest.mark.parametrize(
    ("spread_V", "duration_ms", "raised"), [(5.0, 1000, True), (5.0, 9000, False), (90.0, 1000, False)]
)
def test_voltages_may_spread_as_configured(
    assemble: Assemble, run: Run, spread_V: float, duration_ms: int, raised: bool
) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {
            "voltage_plausibility_max_spread_threshold_V": spread_V,
            "voltage_plausibility_fault_duration_ms": duration_ms,
        }
        w = await World(assemble, dc=True, **keys).start()
        await w.to_charging()
        w.monitor.main.voltage_measurement_V.publish(390.0)
        await asyncio.sleep(2.0)
        assert w.m.evse.faults.is_active("evse_manager/VoltagePlausibilityFault") is raised

    run(story())


@pytest.mark.parametrize("timeout_s", [1, 8])
def test_no_energy_in_the_loop_is_borne_as_configured(assemble: Assemble, run: Run, timeout_s: int) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, hlc_charge_loop_without_energy_timeout_s=timeout_s).start()
        await w.to_charging()
        w.limits_A = w.limits_W = 0.0
        await w.grant()
        await asyncio.sleep(timeout_s - 0.3)
        assert w.state == "Charging"
        await asyncio.sleep(0.6)
        assert w.state == "StoppingCharging"

    run(story())


# The pilot and AC.


def test_five_percent_after_the_configured_time(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True, sleep_before_enabling_pwm_hlc_mode_ms=2000).start()
        w.bsp.cp("B")
        await asyncio.sleep(1.9)
        assert w.pilot() == "X1"
        await asyncio.sleep(0.2)
        assert w.pilot() == 5.0

    run(story())


@pytest.mark.parametrize("length_ms", [0, 300, 2000])
def test_state_f_after_a_fault_is_as_long_as_configured(assemble: Assemble, run: Run, length_ms: int) -> None:
    async def story() -> None:
        w = await charging(World(assemble, state_F_after_fault_ms=length_ms))
        begin = asyncio.get_running_loop().time()
        w.commands.clear()
        w.bsp.main.faults.raise_fault("evse_board_support/DiodeFault", "diode")
        await asyncio.sleep(5.0)
        shown = [(at, name) for at, who, name, _ in w.commands if who == "bsp" and name.startswith("cp_state")]
        began = [at for at, name in shown if name == "cp_state_F"]
        assert bool(began) is (length_ms > 0)
        if began:
            ended = min(at for at, name in shown if name == "cp_state_X1" and at > began[0])
            assert ended - began[0] == pytest.approx(length_ms / 1000, abs=0.05)
            assert began[0] >= begin

    run(story())


def test_connector_is_free_in_state_b_if_so_configured(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, lock_connector_in_state_b=False).start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        assert not w.calls("lock", "lock")
        w.bsp.cp("C")
        await asyncio.sleep(0.5)
        assert w.calls("lock", "lock")

    run(story())


def test_phases_are_switched_after_the_configured_pause(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await charging(World(assemble, switch_3ph1ph_delay_s=3))
        await w.grant(phases=1)
        await asyncio.sleep(2.8)
        assert w.state == "SwitchPhases" and not w.calls("bsp", "ac_switch_three_phases_while_charging")
        await asyncio.sleep(0.4)
        assert w.calls("bsp", "ac_switch_three_phases_while_charging") == [(False,)]

    run(story())


@pytest.mark.parametrize(
    ("tolerance", "noise_A", "drawn_A", "raised"),
    [(0.0, 0.0, 16.5, True), (0.0, 1.0, 16.5, False), (10.0, 0.0, 16.5, False), (10.0, 0.0, 18.0, True)],
)
def test_over_current_is_judged_as_configured(
    assemble: Assemble, run: Run, tolerance: float, noise_A: float, drawn_A: float, raised: bool
) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {
            "soft_over_current_tolerance_percent": tolerance,
            "soft_over_current_measurement_noise_A": noise_A,
            "soft_over_current_timeout_ms": 9000,
        }
        w = World(assemble, **keys)
        w.limits_A = 16.0
        await charging(w)
        for second in range(11):
            w.meter.read(second, current_A=units.Current(L1=drawn_A, L2=0.0, L3=0.0))
            assert not w.m.evse.faults.active or second >= 9
            await asyncio.sleep(1.0)
        assert w.m.evse.faults.is_active("evse_manager/MREC4OverCurrentFailure") is raised

    run(story())


@pytest.mark.parametrize(("any_change", "delayed"), [(True, True), (False, False)])
def test_random_delay_is_for_the_configured_changes_and_no_longer(
    assemble: Assemble, run: Run, any_change: bool, delayed: bool
) -> None:
    async def story() -> None:
        keys: dict[str, Any] = {
            "uk_smartcharging_random_delay_enable": True,
            "uk_smartcharging_random_delay_max_duration": 20,
            "uk_smartcharging_random_delay_at_any_change": any_change,
        }
        w = await charging(World(assemble, **keys))
        await asyncio.sleep(40.0)
        assert w.pilot() == pytest.approx(32 / 0.6)
        w.limits_A = 10.0
        await asyncio.sleep(6.0)
        seen = w.m.random_delay.countdown.value
        assert (seen is not None and seen.current_limit_after_delay_A == 10.0) is delayed
        await asyncio.sleep(21.0)
        assert w.pilot() == pytest.approx(10 / 0.6)

    run(story())


# Start, sessions, faults.


@pytest.mark.parametrize(("timeout_ms", "ready_s"), [(0, 0.2), (2000, 2.1)])
def test_start_waits_for_a_meter_value_as_configured(
    assemble: Assemble, run: Run, timeout_ms: int, ready_s: float
) -> None:
    async def story() -> None:
        w = World(assemble, initial_meter_value_timeout_ms=timeout_ms)

        async def silent() -> None:
            """A meter that measures nothing."""

        w.meter.ready = silent  # type: ignore[method-assign]
        await w.start(settle_s=ready_s - 0.2)
        assert w.m.evse.ready.value is None
        await asyncio.sleep(0.3)
        assert w.m.evse.ready.value is True

    run(story())


@pytest.mark.parametrize(("kind", "length"), [(SessionIdType.UUID, 36), (SessionIdType.SHORT_BASE64, 16)])
def test_session_id_has_the_configured_form(assemble: Assemble, run: Run, kind: SessionIdType, length: int) -> None:
    async def story() -> None:
        w = await World(assemble, session_id_type=kind).start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        assert len(w.events[-1].uuid) == length

    run(story())


def test_log_folder_ends_with_the_configured_suffix(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, session_logging=True, session_logging_path="/logs", logfile_suffix="bay-3").start()
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        (started,) = [event.session_started for event in w.events if event.session_started is not None]
        assert started.logging_path is not None and started.logging_path.endswith("-bay-3")
        await w.unplug()

    run(story())


@pytest.mark.parametrize(("copied", "vendor"), [(True, "acme"), (False, "EVerest")])
def test_inoperative_names_the_vendor_as_configured(assemble: Assemble, run: Run, copied: bool, vendor: str) -> None:
    async def story() -> None:
        w = await World(assemble, inoperative_error_use_vendor_id=copied).start()
        w.bsp.main.faults.take_raise(
            Fault(
                type="evse_board_support/VendorError",
                sub_type="",
                message="",
                description="",
                severity=Severity.High,
                origin=Origin("bsp", "main", None),
                state=FaultState.Active,
                timestamp="",
                uuid="",
                vendor_id="acme",
            )
        )
        (fault,) = w.m.evse.faults.active
        assert fault.vendor_id == vendor

    run(story())


def test_limits_without_a_current_are_none(assemble: Assemble, run: Run) -> None:
    """EVerest's rule on DC: watts alone grant nothing."""

    async def story() -> None:
        w = await World(assemble, dc=True).start()
        w.energy_on = False
        side = LimitsRes(total_power_W=NumberWithSource(value=10_000.0, source="test"))
        await w.m.energy_grid.enforce_limits(
            EnforcedLimits(uuid="evse", valid_for=10, limits_root_side=side, schedule=[])
        )
        await asyncio.sleep(0.1)
        assert w.calls("hlc", "update_dc_maximum_limits")[-1][0].evse_maximum_power_limit == 0.0

    run(story())
