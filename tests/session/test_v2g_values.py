"""What the charger's messages say in whole sessions: nominal AC values, schedules, DIN without energy."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story, ac_with_hlc, limit, overlay
from tests.session.plant import CONFIGURATIONS, Plant

CAR = Model("iso2", battery_kWh=20.0, soc_percent=20, target_soc_percent=99)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
AC = (
    "sleep 0.5;iso_wait_slac_matched;iso_start_v2g_session AC 172800 0;iso_wait_pwr_ready;"
    "iso_draw_power_regulated 16,3;sleep 40;iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
)


def amount(physical: dict[str, Any]) -> float:
    value: float = physical["Value"] * 10.0 ** physical["Multiplier"]
    return round(value, 3)


def test_without_current_the_ac_parameters_stay_nominal_and_the_status_follows_the_grid(
    run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        configuration = ac_with_hlc(tmp_path, ac_enforce_hlc=True)
        async with Plant(tmp_path, CAR, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            await limit(plant, current_A=0.0)
            await asyncio.sleep(3)
            plant.world.car.run(AC)
            await plant.until(lambda: story.count("ChargingStatusRes") > 3, 60.0)
            (offer,) = story.of("ChargeParameterDiscoveryRes")
            parameters = offer["EVSEChargeParameter"]
            assert (amount(parameters["EVSEMaxCurrent"]), amount(parameters["EVSENominalVoltage"])) == (16.0, 230.0)
            (schedule,) = offer["SASchedules"]["SAScheduleTuple"]
            entries = schedule["PMaxSchedule"]["PMaxScheduleEntry"]
            intervals = [(entry["TimeInterval"]["start"], entry["TimeInterval"]["duration"]) for entry in entries]
            assert intervals == [(0, 86_400), (86_400, 86_400)]
            assert {amount(entry["PMax"]) for entry in entries} == {11_040.0}
            assert {amount(status["EVSEMaxCurrent"]) for status in story.of("ChargingStatusRes")} == {0.0}
            assert plant.world.car.inlet.power_W == 0.0
            await limit(plant, current_A=10.0)
            await plant.until(lambda: amount(story.of("ChargingStatusRes")[-1]["EVSEMaxCurrent"]) == 10.0, 5.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 6_000.0, 5.0)
            await plant.car_finished(300)
            assert story.failed() == [] and plant.failures() == [] and plant.tracebacks() == []

    run(main())


def test_a_din_car_without_energy_is_sent_away_in_good_order_and_charges_later(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        keys = {"zero_power_ignore_pause": False, "zero_power_allow_ev_to_ignore_pause": False}
        overlay(tmp_path, CONFIGURATIONS["din"], {"connector": {"config_module": keys}})
        async with Plant(tmp_path, DIN) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            await limit(plant, power_W=0.0)
            await asyncio.sleep(3)
            plant.world.plug_in()
            await plant.until(lambda: story.count("SessionStopRes") > 0, 120.0)
            status = story.of("ChargeParameterDiscoveryRes")[0]["EVSEChargeParameter"]["DC_EVSEStatus"]
            told = (status["EVSEStatusCode"], status["EVSENotification"], status["NotificationMaxDelay"])
            assert told == ("EVSE_Shutdown", "None", 0)
            assert story.failed() == [] and story.responses("SessionStopRes") == ["OK"]
            assert story.count("CableCheckReq") == 0 and not plant.world.pilot.contactors_closed
            plant.world.car.replace("unplug")
            await asyncio.sleep(5)
            await limit(plant, power_W=11_000.0)
            await asyncio.sleep(3)
            plant.reports.clear()
            await plant.session(limit_s=600)
            assert "charging" in plant.steps() and plant.failures() == [] and plant.tracebacks() == []

    run(main())


@pytest.mark.parametrize("model", [CAR, DIN], ids=lambda model: model.protocol)
def test_no_car_gets_a_notification_that_its_protocol_does_not_know(model: Model, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            story = Story(plant)
            await plant.charging()
            await asyncio.sleep(3)
            await plant.assembly.modules["connector"].evse.pause_charging()  # type: ignore[attr-defined]
            await plant.until(lambda: story.count("SessionStopRes") > 0, 60.0)
            told = {
                (body["DC_EVSEStatus"]["EVSENotification"], body["DC_EVSEStatus"]["EVSEStatusCode"])
                for body in story.of("CurrentDemandRes")
            }
            asked = "None" if model.protocol == "din" else "StopCharging"
            assert told == {("None", "EVSE_Ready"), (asked, "EVSE_Shutdown")}
            assert story.failed() == [] and plant.failures() == []
            plant.world.car.replace("unplug")
            await asyncio.sleep(5)

    run(main())
