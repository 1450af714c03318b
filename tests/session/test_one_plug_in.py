"""What belongs to one plug-in dies with it: one car's transaction never pays for another one."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.pilot import CarState
from tests.session.billing import Billing
from tests.session.plant import Plant

DC = Model("iso2", battery_kWh=60.0, soc_percent=30, target_soc_percent=90)
DIN = Model("din", battery_kWh=60.0, soc_percent=30, target_soc_percent=90)
BASIC = Model("basic", battery_kWh=60.0, soc_percent=30, target_soc_percent=90)
CHARGES_AGAIN_S = 90.0
FAULT_OVER_S = 8.0


async def hide_by_emergency_stop(plant: Plant, hidden_s: float) -> None:
    plant.world.press_emergency_stop(True)
    asyncio.get_running_loop().call_later(hidden_s, plant.world.press_emergency_stop, False)


async def hide_by_uart(plant: Plant, hidden_s: float) -> None:
    plant.world.cut_uart(hidden_s)


async def hide_by_short(plant: Plant, hidden_s: float) -> None:
    """Whatever hangs on the pilot meanwhile: the cable is crushed."""
    pilot, loop = plant.world.pilot, asyncio.get_running_loop()
    until_s = loop.time() + hidden_s

    def press() -> None:
        pilot.cp_short = loop.time() < until_s

    pilot.on_change.append(press)
    press()
    loop.call_later(hidden_s, press)


HIDE = {"emergency stop": hide_by_emergency_stop, "UART cut": hide_by_uart, "pilot shorted": hide_by_short}


@pytest.mark.parametrize("hidden", HIDE)
@pytest.mark.parametrize("model", [BASIC, DC, DIN], ids=lambda model: model.protocol)
def test_another_car_behind_a_hidden_plug_has_a_session_of_its_own(
    model: Model, hidden: str, run: Any, tmp_path: Path
) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            billing = Billing(plant)
            await plant.charging()
            await billing.watch(3.0)
            await HIDE[hidden](plant, 6.0)
            await billing.watch(2.0)
            plant.world.exchange_car()
            billing.next_car()
            await billing.watch(1.0)
            plant.world.plug_in()
            await plant.until(lambda: plant.world.car.inlet.power_W > 0, 6.0 + CHARGES_AGAIN_S)
            await billing.watch(3.0)
            billing.check()
            assert len(billing.transactions_of(1)) == len(billing.transactions_of(2)) == 1
            assert billing.count("SessionStarted") == 2 and billing.count("TransactionFinished") == 1
            assert billing.reasons() == ["EmergencyStop" if hidden == "emergency stop" else "Other"]
            assert plant.tracebacks() == []
            plant.world.car.replace("unplug")
            await asyncio.sleep(5.0)
            assert billing.names[-1] == "SessionFinished"

    run(main())


def test_another_car_after_a_diode_fault_has_a_session_of_its_own(run: Any, tmp_path: Path) -> None:
    """Five resets back off to a minute each; meanwhile nobody must wait that long for his unplug to be seen."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            billing = Billing(plant)
            await plant.charging()
            begun = list(billing.names)
            plant.world.pilot.diode_fault = True
            await billing.watch(300.0)
            assert plant.world.pilot.letter in "BC", "the plug is watched"
            assert billing.reasons() == ["Other"]
            told = billing.names[len(begun) :]
            assert "ChargingStarted" not in told[1:] and "PrepareCharging" not in told, told
            assert told.count("TransactionFinished") == 1
            plant.world.car.replace("unplug")
            begin = asyncio.get_running_loop().time()
            await billing.watch(1.0)
            assert billing.names[-1] == "SessionFinished" and billing.at("SessionFinished") <= begin + 0.5
            plant.world.pilot.diode_fault = False
            billing.next_car()
            plant.world.plug_in()
            await plant.until(lambda: plant.world.car.inlet.power_W > 0, 30.0)
            await billing.watch(3.0)
            billing.check()
            assert billing.count("SessionStarted") == 2

    run(main())


@pytest.mark.parametrize("hidden", HIDE)
@pytest.mark.parametrize("model", [DC, DIN], ids=lambda model: model.protocol)
def test_the_same_car_that_names_itself_goes_on_in_its_session(
    model: Model, hidden: str, run: Any, tmp_path: Path
) -> None:
    """With high-level communication the EVCCID proves who is there: no new authorization is asked for."""

    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            billing = Billing(plant)
            await plant.charging()
            await billing.watch(3.0)
            await HIDE[hidden](plant, 2.0)
            await billing.watch(2.0)
            # The car stays in the plug: it begins its communication anew as soon as it is asked to.
            script = plant.model.scripts().session.removeprefix("sleep 0.5;")
            plant.world.car.replace(script)
            await plant.until(lambda: plant.world.car.inlet.power_W > 0, CHARGES_AGAIN_S)
            await billing.watch(3.0)
            billing.check()
            assert billing.count("SessionStarted") == billing.count("TransactionStarted") == 1
            assert billing.count("Authorized") == 1 and billing.count("TransactionFinished") == 0
            plant.world.car.replace("unplug")
            await asyncio.sleep(5.0)
            assert billing.reasons() == ["EVDisconnected"]

    run(main())


@pytest.mark.parametrize("hidden", HIDE)
def test_a_car_without_communication_is_asked_for_a_new_authorization(hidden: str, run: Any, tmp_path: Path) -> None:
    """On basic AC there is no proof: also the same car goes on in a session of its own."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            billing = Billing(plant)
            await plant.charging()
            await billing.watch(3.0)
            await HIDE[hidden](plant, 3.0)
            await plant.until(lambda: plant.world.car.inlet.power_W == 0, 2.0)
            await plant.until(lambda: plant.world.car.inlet.power_W > 0, CHARGES_AGAIN_S)
            await billing.watch(1.0)
            billing.check()
            assert billing.count("AuthRequired") == billing.count("TransactionStarted") == 2
            assert len(billing.transactions_of(1)) == 2

    run(main())


@pytest.mark.parametrize("model", [BASIC, DC], ids=lambda model: model.protocol)
def test_a_plug_that_stays_hidden_ends_the_session(model: Model, run: Any, tmp_path: Path) -> None:
    """An emergency stop that stays pressed hides the plug for good: session and transaction end all the same."""

    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            billing = Billing(plant)
            await plant.charging()
            plant.world.press_emergency_stop(True)
            begin = asyncio.get_running_loop().time()
            await billing.watch(2.0)
            plant.world.car.replace("unplug")
            await billing.watch(timing.SESSION_END_UNSEEN_S + 10.0)
            assert billing.names[-1] == "SessionFinished" and billing.reasons() == ["EmergencyStop"]
            assert billing.at("SessionFinished") <= begin + timing.SESSION_END_UNSEEN_S
            assert billing.count("SessionStarted") == 1
            plant.world.press_emergency_stop(False)
            await asyncio.sleep(FAULT_OVER_S)
            assert plant.faults() == [] and plant.world.pilot.letter == "A"
            assert billing.count("SessionStarted") == 1, "an empty connector begins no session"

    run(main())


@pytest.mark.parametrize("model", [BASIC, DC], ids=lambda model: model.protocol)
@pytest.mark.parametrize("checked", [False, True], ids=["seen once", "seen at each start"])
def test_an_unplug_ends_the_session_of_a_contactor_that_stays_closed(
    model: Model, checked: bool, run: Any, tmp_path: Path
) -> None:
    """The controller goes to its safe state, -12 V hides the plug, the contactor is never reported open."""

    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            hardware = plant.world.mcu.mcu.hardware
            hardware.checks_contactors_at_start = checked
            billing = Billing(plant)
            await plant.charging()
            hardware.contactors[0].welded = True
            plant.world.car.replace("pause")
            await billing.watch(3.0)
            assert "evse_board_support/MREC17EVSEContactorFault" in plant.faults()
            plant.world.car.replace("unplug")
            begin = asyncio.get_running_loop().time()
            await billing.watch(timing.SESSION_END_UNSEEN_S + 5.0)
            assert billing.names[-1] == "SessionFinished"
            bound_s = timing.SESSION_END_UNSEEN_S if checked else timing.SESSION_END_S
            assert billing.at("SessionFinished") <= begin + bound_s
            assert billing.count("TransactionFinished") == billing.count("SessionFinished") == 1
            drawn_Wh = plant.world.car.numbers()["energy_Wh"]
            plant.world.plug_in()
            await billing.watch(30.0)
            assert plant.world.car.numbers()["energy_Wh"] == drawn_Wh, "nobody charges through it"
            assert billing.count("SessionStarted") == 1

    run(main())


def test_a_car_pulled_and_plugged_faster_than_the_link_is_lost(run: Any, tmp_path: Path) -> None:
    """The controller alone notices a short gap and goes to its safe state: the plug was hidden as well."""

    async def main() -> None:
        async with Plant(tmp_path, BASIC) as plant:
            billing = Billing(plant)
            await plant.charging()
            plant.world.cut_uart(0.8)
            await asyncio.sleep(0.1)
            plant.world.pilot.car_state = CarState.A
            billing.next_car()
            await asyncio.sleep(0.4)
            plant.world.plug_in()
            await plant.until(lambda: plant.world.car.inlet.power_W > 0, CHARGES_AGAIN_S)
            await billing.watch(1.0)
            billing.check()

    run(main())
