"""ACMeterSimulator counts a constant current while a car charges."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import connected, overlay
from tests.session.plant import Plant

METER = {"module": "ACMeterSimulator", "connections": {"evse": connected("connector", "evse")}}


def test_a_transaction_has_energy_for_the_csms(run: Any, tmp_path: Any) -> None:
    connector = {"connections": {"powermeter_grid_side": connected("meter", "powermeter")}}
    overlay(tmp_path, "config-ac-ocpp201.yaml", {"meter": METER, "connector": connector})

    async def main() -> None:
        plant = Plant(tmp_path, Model("basic"), configuration="config-ac-ocpp201.yaml")
        csms = Csms("2.0.1")
        csms.plug(plant.runtime.wires, "localhost:9000")
        async with plant:
            await csms.received("BootNotification", 60)
            await plant.charging()
            meter: Any = plant.assembly.provider("meter", "powermeter")
            await asyncio.sleep(360)
            reading = meter.powermeter.value
            assert reading.power_W.total == 11_040.0 and reading.frequency_Hz.L1 == 50.0
            assert reading.energy_Wh_import.total == pytest.approx(11_040 / 10, rel=0.02)
            plant.world.car.replace("unplug")
            await csms.until(lambda: csms.requests("TransactionEvent")[-1]["eventType"] == "Ended")
            await asyncio.sleep(3)
            assert meter.powermeter.value.power_W.total == 0.0
            sampled = [
                sample["value"]
                for event in csms.requests("TransactionEvent")
                for one in event.get("meterValue", ())
                for sample in one["sampledValue"]
                if sample.get("measurand", "Energy.Active.Import.Register") == "Energy.Active.Import.Register"
            ]
            assert sampled[-1] == pytest.approx(11_040 / 10, rel=0.05)

    run(main())
