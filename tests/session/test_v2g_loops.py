"""The loops that ISO 15118-2 promises a car, through the whole stack: renegotiation, pause and resume, repetitions."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.v2g.evcc import Step
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import (
    AC_SESSION,
    DC_SESSION,
    LEAVE,
    MATCH,
    PAUSE,
    WAKE_UP,
    Story,
    ac_with_hlc,
    limit,
)
from tests.session.plant import Plant
from tests.session.test_interrupted import is_at, next_session_charges

DC = Model("iso2", battery_kWh=5.0, soc_percent=70, target_soc_percent=75)


def test_dc_renegotiation_keeps_the_transaction_and_charges_again(run: Any, tmp_path: Path) -> None:
    """[V2G2-813]: charge parameters, cable check, pre-charge and the charge loop again."""

    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            supply: Any = plant.assembly.modules["powersupply_dc"].main  # type: ignore[attr-defined]
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + f"sleep 20;iso_renegotiate;sleep 20;{LEAVE}")
            await plant.until(lambda: is_at(plant, Step.RENEGOTIATING))
            assert plant.world.car.inlet.current_A < 5.0, "the car opens its contactors without a current"
            await plant.until(lambda: story.connector.machines.snapshot.state.name == "PrepareCharging", 1.0)
            assert supply.mode.value is Mode.Off
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0, 30.0)
            assert story.connector.machines.snapshot.state.name == "Charging"
            assert story.responses("ChargeParameterDiscoveryRes") == ["OK", "OK"]
            assert [body["ChargeProgress"] for body in story.of("PowerDeliveryReq")] == [
                *("Start", "Renegotiate", "Start")
            ]
            assert story.of("CableCheckRes")[-1]["EVSEProcessing"] == "Finished"
            assert story.of("CableCheckRes")[-1]["DC_EVSEStatus"]["EVSEIsolationStatus"] == "Valid"
            order = [name for name in story.names if name in ("PowerDeliveryRes", "CableCheckReq", "PreChargeReq")]
            assert order[-1] == "PowerDeliveryRes" and order[-2] == "PreChargeReq"
            await plant.car_finished()
            await asyncio.sleep(2)
            assert [story.count(name) for name in ("TransactionFinished", "SessionFinished")] == [1, 1]
            assert story.count("StoppingCharging") == 2, "the car's end and the unplug, no other"
            assert story.count("PrepareCharging") == story.count("ChargingStarted") == 2
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []
            assert plant.warnings() == [] and plant.tracebacks() == []
            await next_session_charges(plant)

    run(main())


def test_dc_renegotiation_again_and_again(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + "sleep 3;iso_renegotiate;" * 4 + f"sleep 5;{LEAVE}")
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert story.count("ChargingStarted") == 5
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []
            assert plant.steps()[-2:] == ["stopped", "unplugged"]

    run(main())


@pytest.mark.parametrize("step", [Step.PARAMETERS, Step.CABLE_CHECK, Step.PRECHARGE])
@pytest.mark.parametrize("end", ["stop", "unplug"])
def test_a_renegotiation_that_ends_in_the_middle_leaves_nothing_on(
    step: Step, end: str, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            supply: Any = plant.assembly.modules["powersupply_dc"].main  # type: ignore[attr-defined]
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + "sleep 3600")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            plant.reports.clear()
            plant.world.car.replace("iso_renegotiate;sleep 3600")
            await plant.until(lambda: is_at(plant, step))
            plant.world.car.replace(LEAVE if end == "stop" else "unplug")
            if end == "unplug":
                await plant.until(lambda: not plant.world.pilot.contactors_closed, 0.2)
            await plant.car_finished()
            await asyncio.sleep(5)
            assert supply.mode.value is Mode.Off and not plant.world.pilot.contactors_closed
            assert story.count("TransactionFinished") == 1 and story.count("SessionFinished") == 1
            assert plant.faults() == [] and plant.tracebacks() == []
            await next_session_charges(plant)

    run(main())


def test_ac_renegotiation_keeps_transaction_and_contactors(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC, configuration=ac_with_hlc(tmp_path, ac_enforce_hlc=True)) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(AC_SESSION + f"sleep 20;iso_renegotiate;sleep 20;{LEAVE}")
            await plant.until(lambda: is_at(plant, Step.RENEGOTIATING))
            await plant.until(lambda: story.count("PowerDeliveryRes") == 3, 10.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0, 5.0)
            assert story.connector.machines.snapshot.state.name == "Charging"
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert story.count("StoppingCharging") == 2 and story.count("ChargingStarted") == 1
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []
            assert not plant.world.pilot.contactors_closed

    run(main())


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("kind", ["DC", "AC"])
def test_a_paused_session_is_taken_up_again_in_the_same_transaction(
    kind: str, times: int, run: Any, tmp_path: Path
) -> None:
    """[V2G2-740]: SessionStop(Pause), the BCB toggle of ISO 15118-3, and the same session id."""

    async def main() -> None:
        configuration = ac_with_hlc(tmp_path, ac_enforce_hlc=True) if kind == "AC" else ""
        session = AC_SESSION if kind == "AC" else DC_SESSION
        again = session.removeprefix(MATCH)
        async with Plant(tmp_path, DC, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(session + ("sleep 5;" + PAUSE + WAKE_UP + again) * times + f"sleep 5;{LEAVE}")
            await plant.until(lambda: story.count("SessionStopRes") == 1)
            await asyncio.sleep(15)
            assert story.of("SessionStopReq")[0]["ChargingSession"] == "Pause"
            assert not plant.world.pilot.contactors_closed
            assert story.connector.machines.snapshot.state.name == "ChargingPausedEV"
            await plant.until(lambda: story.count("ChargingStarted") == 2, 60.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0, 5.0)
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.responses("SessionSetupRes")[1:] == ["OK_OldSessionJoined"] * times
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert story.count("ChargingStarted") == 1 + times
            assert story.failed() == [] and plant.failures() == [] and plant.faults() == []
            assert plant.warnings() == []
            await next_session_charges(plant) if kind == "DC" else None

    run(main())


def test_a_car_that_looks_for_welded_contactors_again_and_again_is_answered(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.settings.welding_below_V = 0.0
            plant.world.car.run(DC_SESSION + f"sleep 5;{LEAVE}")
            await plant.car_finished()
            assert story.count("WeldingDetectionReq") > 5
            assert set(story.responses("WeldingDetectionRes")) == {"OK"}
            assert story.responses("SessionStopRes") == ["OK"] and plant.failures() == [] and plant.faults() == []

    run(main())


def test_an_ac_session_is_never_asked_for_a_receipt(run: Any, tmp_path: Path) -> None:
    """A receipt belongs to a contract; who asked for one would have to take MeteringReceiptReq."""

    async def main() -> None:
        configuration = ac_with_hlc(tmp_path, ac_enforce_hlc=True, ev_receipt_required=True)
        async with Plant(tmp_path, DC, configuration=configuration) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.car.run(AC_SESSION + f"sleep 10;{LEAVE}")
            await plant.car_finished()
            assert story.count("ChargingStatusRes") > 5
            assert not any(body.get("ReceiptRequired") for body in story.of("ChargingStatusRes"))
            assert story.failed() == [] and plant.failures() == []

    run(main())


AGAIN = "iso_wait_for_stop 3600;iso_wait_v2g_session_stopped;sleep 75;"


@pytest.mark.parametrize("reason", ["user", "limit", "fault"])
def test_a_dc_session_that_the_charger_interrupts_goes_on_in_the_same_transaction(
    reason: str, run: Any, tmp_path: Path
) -> None:
    """ISO 15118-2 has no pause of the charger: the V2G session ends, the transaction stays, the car comes again."""

    async def main() -> None:
        async with Plant(tmp_path, DC) as plant:
            story = Story(plant)
            imd: Any = plant.assembly.modules["imd"]
            evse = story.connector.evse
            await plant.world.charger_is_ready()
            plant.world.car.run(DC_SESSION + AGAIN + DC_SESSION + f"sleep 5;{LEAVE}")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0)
            match reason:
                case "user":
                    await evse.pause_charging()
                case "limit":
                    await limit(plant, power_W=0.0)
                case "fault":
                    imd.main.faults.raise_fault(
                        "isolation_monitor/DeviceFault", "of the test", severity=Severity.Medium
                    )
            await plant.until(lambda: story.count("ChargingPausedEVSE") == 1, 40.0)
            await asyncio.sleep(60)
            assert not plant.world.pilot.contactors_closed and story.count("ChargingStarted") <= 2
            begun = story.count("ChargingStarted")
            match reason:
                case "user":
                    await evse.resume_charging()
                case "limit":
                    await limit(plant, power_W=11_000.0)
                case "fault":
                    imd.main.faults.clear("isolation_monitor/DeviceFault")
            await plant.until(lambda: story.count("ChargingStarted") == begun + 1, 90.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 3000.0, 5.0)
            await plant.car_finished()
            await asyncio.sleep(2)
            assert story.count("TransactionStarted") == story.count("TransactionFinished") == 1
            assert plant.faults() == [] and plant.tracebacks() == []

    run(main())
