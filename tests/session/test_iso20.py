"""ISO 15118-20 through the whole charger: car, pilot, SLAC, Evse15118D20, EvseManager, power supply, energy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types import energy, grid_support
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, ac_with_hlc, connected, overlay
from tests.session.plant import Plant

CAR = Model("iso2", battery_kWh=20.0, soc_percent=30, target_soc_percent=99)
DC = "bsp-only-dc.yaml"
HLC: dict[str, Any] = {
    "module": "Evse15118D20",
    "config_module": {
        "device": "eth1",
        "tls_negotiation_strategy": "ENFORCE_NO_TLS",
        "verify_contract_cert_chain": None,  # a key of the module that is replaced
    },
    "connections": {"security": connected("evse_security", "main")},
}


def dc(state: Path, *, scheduled: bool = False, **connector: Any) -> str:
    module = {**HLC, "config_module": {**HLC["config_module"], "supported_scheduled_mode": scheduled}}
    overlay(state, DC, {"connector": {"config_module": connector}, "iso15118_charger": module})
    return DC


def ac(state: Path, **connector: Any) -> str:
    return ac_with_hlc(state, {"iso15118_charger": HLC}, **connector)


def speaks(plant: Plant, **settings: Any) -> None:
    """Let the car speak ISO 15118-20."""
    plant.world.car.settings = replace(plant.world.car.settings, protocols=("ISO15118D20",), **settings)


async def order(plant: Plant, power_W: float) -> None:
    """Have the grid connection draw this power, or return it (below zero), as an energy management above does."""
    node: Any = plant.assembly.modules["grid_connection_point"]
    point = energy.SetpointType(priority=0, source="set point of the test", total_power_W=power_W)
    entry = energy.ScheduleSetpointEntry(timestamp=rfc3339(utc_now()), setpoint=point)
    await node.external_limits.set_external_limits(
        energy.ExternalLimits(schedule_import=[], schedule_export=[], schedule_setpoints=[entry])
    )


def charger_values(plant: Plant) -> Any:
    """What the car has of the charger."""
    return plant.world.car._v2g.facts.charger


def meter(plant: Plant) -> Any:
    """The billing meter's last sample."""
    evse: Any = plant.assembly.modules["connector"]
    return evse.connected.billing_meter.powermeter.value


STOP = "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
AC_SCRIPT = "iso_wait_slac_matched;iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;"


async def finish(plant: Plant, story: Story) -> None:
    """Let the car end its session and leave, and look at what is left."""
    plant.world.car.replace(STOP)
    await plant.car_finished()
    await asyncio.sleep(5)
    assert story.names[-1] == "SessionFinished" and story.count("TransactionFinished") == 1
    assert story.failed() == [] and plant.failures() == [] and plant.faults() == [] and plant.tracebacks() == []


@pytest.mark.parametrize("scheduled", [False, True])
def test_dc_charges_within_the_budget_and_ends_as_the_car_wants(run: Any, tmp_path: Path, scheduled: bool) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=dc(tmp_path, scheduled=scheduled)) as plant:
            story = Story(plant)
            speaks(plant, control_mode="Scheduled" if scheduled else "Dynamic")
            node: Any = plant.assembly.modules["grid_connection_point"]
            requests: list[Any] = []
            node.energy_grid.energy_flow_request.subscribe(requests.append, replay=False)
            await plant.charging()
            await asyncio.sleep(10)
            target = requests[-1].children[0].optimizer_target
            assert target.energy_amount_needed > 0.0 and target.car_battery_soc == pytest.approx(30.0, abs=1.0)
            assert target.leave_time.startswith("2026-01-02T"), "a day after the start"
            # 16 A at 230 V on three phases, and the supply's efficiency of 0.9.
            assert plant.world.car.inlet.power_W == pytest.approx(11_040 * 0.9, rel=0.02)
            await order(plant, 5_000.0)
            await asyncio.sleep(5)
            assert plant.world.car.inlet.power_W == pytest.approx(4_500, rel=0.02), "less at once"
            await order(plant, 10_000.0)
            await asyncio.sleep(8)
            assert plant.world.car.inlet.power_W == pytest.approx(9_000, rel=0.02), "and more again"
            assert story.connector.evse.selected_protocol.value == "ISO15118-20:DC"
            await finish(plant, story)

    run(main())


def test_in_dynamic_control_the_energy_management_decides_in_which_direction_dc_flows(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=dc(tmp_path)) as plant:
            story = Story(plant)
            speaks(
                plant,
                energy_transfer_mode="DC_BPT",
                control_mode="Dynamic",
                max_discharge_power_W=20_000.0,
                max_discharge_current_A=50.0,
            )
            await plant.charging()
            await asyncio.sleep(5)
            assert charger_values(plant).max_discharge_power_W == 0.0, "none is taken while it charges"
            before_Wh = meter(plant).energy_Wh_export.total
            await order(plant, -5_000.0)
            await asyncio.sleep(60)
            values, path = charger_values(plant), story.connector.machines.snapshot.power_path
            assert path.present_A * path.present_V == pytest.approx(-5_000 / 0.85, rel=0.01)
            assert values.present_current_A == pytest.approx(path.present_A, abs=0.1)
            assert (values.max_power_W, values.max_discharge_power_W) == (0.0, pytest.approx(5_882, abs=1))
            assert meter(plant).energy_Wh_export.total - before_Wh == pytest.approx(5_882 / 60, rel=0.1)
            assert story.connector.machines.snapshot.state.name == "Charging"
            await order(plant, 5_000.0)
            await asyncio.sleep(8)
            assert plant.world.car.inlet.power_W == pytest.approx(4_500, rel=0.02)
            await finish(plant, story)

    run(main())


def test_in_scheduled_control_no_car_is_discharged_that_asks_to_be_charged(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=dc(tmp_path, scheduled=True)) as plant:
            story = Story(plant)
            speaks(
                plant,
                energy_transfer_mode="DC_BPT",
                control_mode="Scheduled",
                max_discharge_power_W=20_000.0,
                max_discharge_current_A=50.0,
            )
            await plant.charging()
            await order(plant, -5_000.0)
            await asyncio.sleep(10)
            assert story.connector.machines.snapshot.power_path.present_A == 0.0
            assert story.connector.machines.snapshot.state.name == "Charging"
            await finish(plant, story)

    run(main())


@pytest.mark.parametrize("mode", ["AC_single_phase_core", "AC_three_phase_core"])
def test_ac_follows_the_power_of_the_budget(run: Any, tmp_path: Path, mode: str) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=ac(tmp_path, ac_enforce_hlc=True)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            phases = 1 if mode == "AC_single_phase_core" else 3
            speaks(plant, energy_transfer_mode=mode, max_current_A=16.0, max_power_W=None, phases=phases)
            plant.world.car.run(AC_SCRIPT + "sleep 36000")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
            await asyncio.sleep(5)
            assert plant.world.pilot.duty_percent == pytest.approx(5.0), "the car is led by HLC"
            assert charger_values(plant).ac_max_current_A == pytest.approx(16.0, abs=0.1)
            await order(plant, 6_900.0)
            await asyncio.sleep(5)
            assert charger_values(plant).ac_max_current_A == pytest.approx(10.0, abs=0.1)
            assert story.connector.evse.selected_protocol.value == "ISO15118-20:AC"
            await finish(plant, story)

    run(main())


@pytest.mark.parametrize("nominal", [False, True])
def test_an_ac_car_is_led_below_zero_and_back_by_the_energy_management(run: Any, tmp_path: Path, nominal: bool) -> None:
    async def main() -> None:
        configuration = ac(tmp_path, supported_iso_ac_bpt=True, ac_hlc_use_5percent=not nominal, ac_enforce_hlc=False)
        if not nominal:
            configuration = ac(tmp_path, supported_iso_ac_bpt=True, ac_enforce_hlc=True)
        async with Plant(tmp_path, CAR, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            speaks(
                plant,
                energy_transfer_mode="AC_BPT",
                max_current_A=16.0,
                max_power_W=None,
                max_discharge_power_W=11_000.0,
            )
            plant.world.car.run(AC_SCRIPT + "sleep 36000")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
            shown: list[Any] = []
            story.connector.evse.limits.subscribe(shown.append)
            for power_W in (-6_900.0, -690.0, 6_900.0):
                await order(plant, power_W)
                await asyncio.sleep(15)
                # The charger's budget keeps its sign for AC_BPT, as in EVerest.
                assert shown[-1].max_current == pytest.approx(power_W / 690.0, abs=0.02)
                assert charger_values(plant).ac_max_current_A == pytest.approx(power_W / 690.0, abs=0.02)
                assert story.connector.machines.snapshot.state.name == "Charging"
                assert plant.world.pilot.contactors_closed
            await finish(plant, story)

    run(main())


PARKING = """services:
  - id: 66
    parameter_sets:
      - {id: 1, parameters: [{name: IntendedService, type: int32, value: 1}]}
      - {id: 2, parameters: [{name: IntendedService, type: int32, value: 2}]}
"""


def test_a_car_under_the_grids_rules_feeds_back_what_the_grid_takes(run: Any, tmp_path: Path) -> None:
    """AC_DER_IEC: what OCPP does at start and in the session is done by the test."""

    async def main() -> None:
        service_file = tmp_path / "etc/everest/services.yaml"
        service_file.parent.mkdir(parents=True)
        service_file.write_text(PARKING)
        hlc = {**HLC, "connections": {**HLC["connections"], "iso15118_vas": connected("parking", "iso15118_vas")}}
        config = {"service_file": "/etc/everest/services.yaml"}
        provider = {"module": "StaticISO15118VASProvider", "config_module": config}
        modules = {"iso15118_charger": hlc, "parking": provider}
        configuration = ac_with_hlc(tmp_path, modules, supported_iso_ac_bpt=True, ac_enforce_hlc=True)
        model = Model("iso20-ac-der", battery_kWh=20.0, soc_percent=30, target_soc_percent=99, parking="both")
        async with Plant(tmp_path, model, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            assert str(await story.connector.evse.set_der_available(True)) == "Accepted"
            grid: Any = plant.assembly.provider("iso15118_charger", "grid_support")
            limit = grid_support.LimitMaxDischargeParams(pct_max_discharge_power=10.0)
            directive = grid_support.Directive(
                id="limit",
                priority=1,
                is_default=False,
                source="OCPP",
                received_at=rfc3339(utc_now()),
                directive_type=grid_support.DirectiveType.LimitMaxDischarge,
                limit_max_discharge=limit,
            )
            rules = grid_support.ActiveDirectiveSet(evse_id=1, directives=[directive])
            assert (await grid.set_active_directives(rules)).accepted
            plant.world.car.run(AC_SCRIPT + "sleep 36000")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
            assert story.connector.evse.selected_protocol.value == "ISO15118-20:AC-DER-IEC"
            most_W = grid.capability.value.capability.nameplate.max_discharge_w_W
            await order(plant, -most_W)
            await asyncio.sleep(15)
            values = charger_values(plant)
            assert values.max_discharge_power_W == pytest.approx(most_W / 10)
            assert plant.world.car.inlet.power_W == pytest.approx(-most_W / 10, rel=0.02)
            await order(plant, 6_900.0)
            await asyncio.sleep(15)
            assert plant.world.car.inlet.power_W == pytest.approx(6_900, rel=0.02)
            await finish(plant, story)
            # EVerest's enumeration of messages does not have them.
            of_parking = [one for one in story.of("UnknownMessage") if "ResponseCode" in one]
            assert [one.get("EVSECheckOutStatus") for one in of_parking] == [None, None, "Scheduled", "Completed"]

    run(main())


def test_a_car_stands_by_behind_closed_contactors_and_goes_on(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        module = {**HLC, "config_module": {**HLC["config_module"], "supported_standby": True}}
        overlay(tmp_path, DC, {"iso15118_charger": module})
        async with Plant(tmp_path, CAR, configuration=DC) as plant:
            story = Story(plant)
            speaks(plant, control_mode="Dynamic")
            await plant.charging()
            await asyncio.sleep(5)
            assert plant.world.car.inlet.power_W > 5_000
            plant.world.car.replace("iso_standby on;sleep 30;iso_standby off;sleep 36000")
            await asyncio.sleep(25)
            assert plant.world.car.inlet.power_W == pytest.approx(0.0, abs=50.0)
            assert plant.world.pilot.contactors_closed and story.connector.machines.snapshot.transaction_begun
            assert story.responses("PowerDeliveryRes")[-1] == "OK"
            await asyncio.sleep(20)
            assert plant.world.car.inlet.power_W > 5_000
            await finish(plant, story)

    run(main())
