"""DER controls of the CSMS reach a car of ISO 15118-20 (OCPP 2.1 R02): the shipped configuration with OCPPmulti."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.sim.car_models import Model
from tests.ocpp.csms import Csms
from tests.session.dialogues import AC_SESSION, Story, connected, overlay
from tests.session.plant import Plant
from tests.session.test_iso20 import charger_values, order

CONFIGURATION = "config-ac-ocppmulti.yaml"
CAR = Model("iso20-ac-der", battery_kWh=20.0, soc_percent=30, target_soc_percent=99)


VOLT_VAR = {
    "isDefault": True,
    "controlId": "curve",
    "controlType": "VoltVar",
    "curve": {"priority": 1, "yUnit": "PctMaxVar", "curveData": [{"x": 92.0, "y": 44.0}, {"x": 108.0, "y": -44.0}]},
}


@pytest.mark.ocpp("R01", "R02", "R02.FR.01", "R02.FR.03", "R03.FR.06")
def test_a_car_feeds_back_no_more_than_the_control_of_the_csms(run: Any, tmp_path: Path) -> None:
    hlc = {"module": "Evse15118D20", "config_module": {"tls_negotiation_strategy": "ENFORCE_NO_TLS"}}
    ocpp = {"connections": {"grid_support": connected("iso15118_charger", "grid_support")}}
    connector = {"config_module": {"supported_iso_ac_bpt": True, "ac_enforce_hlc": True}}
    overlay(tmp_path, CONFIGURATION, {"iso15118_charger": hlc, "ocpp": ocpp, "connector": connector})

    async def main() -> None:
        plant = Plant(tmp_path, CAR, configuration=CONFIGURATION)
        csms = Csms("2.1")
        csms.plug(plant.runtime.wires, "localhost:9000")
        csms.answers["Authorize"] = {"idTokenInfo": {"status": "Accepted"}, "allowedEnergyTransfer": ["AC_DER"]}
        csms.answers["NotifyEVChargingNeeds"] = {"status": "NoChargingProfile"}
        async with plant:
            await csms.received("BootNotification", 60)
            await plant.world.charger_is_ready()
            control = {
                "isDefault": False,
                "controlId": "limit",
                "controlType": "LimitMaxDischarge",
                "limitMaxDischarge": {"priority": 1, "pctMaxDischargePower": 10.0},
            }
            assert (await csms.call("SetDERControl", control))["status"] == "Accepted"
            assert (await csms.call("SetDERControl", VOLT_VAR))["status"] == "Accepted"
            story = Story(plant)
            plant.world.car.run(AC_SESSION + "sleep 36000")
            await plant.until(lambda: plant.world.car.inlet.power_W > 3_000)
            evse: Any = plant.assembly.modules["connector"]
            assert evse.evse.selected_protocol.value == "ISO15118-20:AC-DER-IEC"
            needs = csms.requests("NotifyEVChargingNeeds")[-1]["chargingNeeds"]
            assert needs["requestedEnergyTransfer"] == "AC_DER"
            inverter, supported = needs["derChargingParameters"], ["VoltVar", "FixedVar", "FixedPFInject"]
            assert inverter["evSupportedDERControl"] == [*supported, "LimitMaxDischarge"]
            assert inverter["maxDischargeReactivePower"] == plant.world.car._v2g._settings.max_reactive_power_var
            [parameters] = [
                one for one in story.of("AcChargeParameterDiscoveryRes")[-1].values() if "DERControl" in one
            ]
            curve = parameters["DERControl"]["ReactivePowerSupport"]["VoltVar"]["CurveDataPoints"]["CurveDataPoint"]
            assert len(curve) == 2, "the curve of the CSMS"
            grid: Any = plant.assembly.provider("iso15118_charger", "grid_support")
            most_W = grid.capability.value.capability.nameplate.max_discharge_w_W
            await order(plant, -most_W)
            await asyncio.sleep(15)
            assert charger_values(plant).max_discharge_power_W == pytest.approx(most_W / 10)
            assert plant.world.car.inlet.power_W == pytest.approx(-most_W / 10, rel=0.02)
            cleared = await csms.call("ClearDERControl", {"isDefault": False, "controlId": "limit"})
            assert cleared["status"] == "Accepted"
            await asyncio.sleep(45)
            assert plant.world.car.inlet.power_W == pytest.approx(-11_040, rel=0.02), "the fuse limits it"
            assert plant.failures() == [] and plant.tracebacks() == []

    run(main())
