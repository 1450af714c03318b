"""A user who stops the transaction in any phase of a V2G session: the car is answered OK and ends it in order."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason, StopTransactionRequest
from chargebyte_fw.modules.v2g.evcc import Step
from chargebyte_fw.sim.car_models import Model
from tests.session.dialogues import Story
from tests.session.plant import Plant
from tests.session.test_interrupted import is_at, next_session_charges

DC = Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)
DIN = Model("din", battery_kWh=1.0, soc_percent=70, target_soc_percent=75)


@pytest.mark.parametrize("after_s", [0.0, 1.0, 2.5])
@pytest.mark.parametrize("model", [DC, DIN], ids=lambda model: model.protocol)
def test_a_stop_during_the_cable_check_is_no_failure(model: Model, after_s: float, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: is_at(plant, Step.CABLE_CHECK))
            await asyncio.sleep(after_s)
            story.forget()
            request = StopTransactionRequest(reason=StopTransactionReason.Remote)
            assert await story.connector.evse.stop_transaction(request)
            await plant.until(lambda: story.count("SessionStopRes") == 1, 5.0)
            assert story.failed() == []
            told = story.of("CableCheckRes")[-1]
            assert told["ResponseCode"] == "OK"
            assert told["DC_EVSEStatus"]["EVSEStatusCode"] == "EVSE_Shutdown"
            assert told["EVSEProcessing"] == "Ongoing"
            assert story.responses("SessionStopRes") == ["OK"]
            await plant.until(lambda: story.count("TransactionFinished") == 1, 10.0)
            assert story.of("TransactionFinished")[0].transaction_finished.reason is StopTransactionReason.Remote
            assert not plant.world.pilot.contactors_closed
            assert plant.failures() == [] and plant.faults() == [] and plant.warnings() == []
            plant.world.car.replace("unplug")
            await plant.car_finished()
            await asyncio.sleep(2)
            await next_session_charges(plant)

    run(main())


@pytest.mark.parametrize("step", [Step.AUTHORIZED, Step.PARAMETERS, Step.PRECHARGE, Step.CHARGING])
@pytest.mark.parametrize("model", [DC, DIN], ids=lambda model: model.protocol)
def test_a_stop_in_another_phase_ends_the_session_in_order(model: Model, step: Step, run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with Plant(tmp_path, model) as plant:
            story = Story(plant)
            await plant.world.charger_is_ready()
            plant.world.plug_in()
            await plant.until(lambda: is_at(plant, step))
            request = StopTransactionRequest(reason=StopTransactionReason.Remote)
            assert await story.connector.evse.stop_transaction(request)
            await plant.until(lambda: story.count("SessionStopRes") == 1, 15.0)
            assert story.failed() == [] and story.responses("SessionStopRes") == ["OK"]
            await plant.until(lambda: story.count("TransactionFinished") == 1, 10.0)
            assert not plant.world.pilot.contactors_closed
            assert plant.failures() == [] and plant.faults() == []

    run(main())
