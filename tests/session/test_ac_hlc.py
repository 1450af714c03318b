"""AC with ISO 15118-2: one phase at a board of three, and what the pilot shows after the end of the data link."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.pilot import CarState, Drive
from tests.session.dialogues import Story, ac_with_hlc, overlay
from tests.session.plant import CONFIGURATIONS, Plant

CAR = Model("iso2", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
BASIC = Model("basic", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
MATCH = (
    "iso_wait_slac_matched;iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,{phases};"
)
LEAVE = "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"


def value(physical: dict[str, Any]) -> float:
    return float(physical["Value"] * 10 ** physical["Multiplier"])


@pytest.mark.parametrize(("mode", "phases"), [("AC_single_phase_core", 1), ("AC_three_phase_core", 3)])
def test_a_car_with_one_phase_charges_at_a_board_with_three(mode: str, phases: int, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=ac_with_hlc(tmp_path, ac_enforce_hlc=True)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.settings.energy_transfer_mode = mode
            plant.world.car.run(MATCH.format(phases=phases) + f"sleep 20;{LEAVE}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            await asyncio.sleep(5)
            assert plant.world.car.inlet.current_A == pytest.approx(16.0, abs=0.1)
            (asked,) = story.of("ChargeParameterDiscoveryReq")
            assert asked["RequestedEnergyTransferMode"] == mode
            offered = story.of("ServiceDiscoveryRes")[0]["ChargeService"]["SupportedEnergyTransferMode"]
            assert set(offered["EnergyTransferMode"]) == {"AC_single_phase_core", "AC_three_phase_core"}
            (told,) = story.of("ChargeParameterDiscoveryRes")
            (schedule,) = told["SASchedules"]["SAScheduleTuple"]
            power_W = value(schedule["PMaxSchedule"]["PMaxScheduleEntry"][0]["PMax"])
            parameters = told["EVSEChargeParameter"]
            volts, amperes = value(parameters["EVSENominalVoltage"]), value(parameters["EVSEMaxCurrent"])
            assert power_W == pytest.approx(volts * amperes * phases)
            await plant.car_finished()
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []

    run(main())


def at_nominal_duty(state: Path) -> str:
    return ac_with_hlc(state, ac_hlc_use_5percent=False)


def test_at_nominal_duty_the_end_of_the_data_link_is_x1_until_the_replug(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=at_nominal_duty(tmp_path)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(MATCH.format(phases=3) + "sleep 5;iso_stop_charging;sleep 60;unplug")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            assert plant.world.pilot.duty_percent == pytest.approx(16 / 0.6, abs=0.1)
            await plant.until(lambda: story.count("SessionStopRes") == 1)
            await plant.until(lambda: plant.world.pilot.drive is Drive.PLUS, 10.0)
            shown: set[Drive] = set()
            plant.world.pilot.on_change.append(lambda: shown.add(plant.world.pilot.drive))
            await asyncio.sleep(40)
            assert shown <= {Drive.PLUS} and plant.world.pilot.drive is Drive.PLUS
            assert not plant.world.pilot.contactors_closed
            await plant.car_finished()
            await asyncio.sleep(5)
            plant.world.car.run(MATCH.format(phases=3) + f"sleep 5;{LEAVE}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            assert plant.failures() == [] and plant.faults() == []

    run(main())


def test_at_nominal_duty_a_car_in_state_c_whose_link_ends_gets_no_duty_cycle_back(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, CAR, configuration=at_nominal_duty(tmp_path)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(MATCH.format(phases=3) + "sleep 3600")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            hlc: Any = plant.assembly.modules["iso15118_charger"]
            hlc.charger.dlink_terminate.publish(None)
            await plant.until(lambda: plant.world.pilot.drive is Drive.PLUS, 0.5)
            shown: set[Drive] = set()
            plant.world.pilot.on_change.append(lambda: shown.add(plant.world.pilot.drive))
            await asyncio.sleep(30)
            assert shown <= {Drive.PLUS}
            assert not plant.world.pilot.contactors_closed, "std: six seconds after the pulse-width modulation"
            assert story.count("ChargingStarted") == 1

    run(main())


def test_state_d_without_ventilation_waits_and_never_counts_as_charging(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        name = CONFIGURATIONS["basic"]
        overlay(tmp_path, name, {"connector": {"config_module": {"has_ventilation": False}}})
        async with Plant(tmp_path, BASIC, configuration=name) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run("iec_wait_pwr_ready;sleep 3600")
            await plant.until(lambda: story.connector.machines.snapshot.state.name == "PrepareCharging")
            plant.world.pilot.car_state = CarState.D
            await asyncio.sleep(20)
            assert story.count("ChargingStarted") == 0 and not plant.world.pilot.contactors_closed
            assert plant.mqtt.said("everest_api/connector/var/session_info")["state"] != "Charging"
            assert len([line for line in plant.warnings() if "ventilation" in line]) == 1
            plant.world.pilot.car_state = CarState.C
            await plant.until(lambda: plant.world.pilot.contactors_closed, 10.0)
            assert story.count("ChargingStarted") == 1
            plant.world.pilot.car_state = CarState.D
            await plant.until(lambda: not plant.world.pilot.contactors_closed, 3.0)
            await plant.until(lambda: story.connector.machines.snapshot.state.name == "ChargingPausedEV", 5.0)

    run(main())
