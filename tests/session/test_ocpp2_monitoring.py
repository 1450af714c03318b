"""The device model of a whole charger: reports, and a monitor on the state of the EVSE while a car plugs in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.session.test_ocpp2 import UnderCsms

STATE = {"component": {"name": "EVSE", "evse": {"id": 1}}, "variable": {"name": "AvailabilityState"}}


def test_a_csms_reads_the_model_and_monitors_the_state(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with UnderCsms(tmp_path, "2.0.1") as plant:
            csms = plant.csms
            await csms.received("BootNotification", 60)
            await csms.received("StatusNotification")
            answer = await csms.call("GetBaseReport", {"requestId": 9, "reportBase": "FullInventory"})
            assert answer == {"status": "Accepted"}
            await csms.until(lambda: not (csms.requests("NotifyReport") or [{"tbc": True}])[-1].get("tbc", False))
            parts = csms.requests("NotifyReport")
            assert [part["seqNo"] for part in parts] == list(range(len(parts)))
            power = [one for part in parts for one in part["reportData"] if one["variable"]["name"] == "Power"]
            assert power[0]["variableCharacteristics"]["maxLimit"] > 0
            enabled = {"component": {"name": "MonitoringCtrlr"}, "variable": {"name": "Enabled"}}
            answer = await csms.call("SetVariables", {"setVariableData": [enabled | {"attributeValue": "true"}]})
            assert answer["setVariableResult"][0]["attributeStatus"] == "Accepted"
            monitor = STATE | {"type": "Delta", "value": 1, "severity": 4}
            answer = await csms.call("SetVariableMonitoring", {"setMonitoringData": [monitor]})
            number = answer["setMonitoringResult"][0]["id"]
            await plant.charging()
            event = (await csms.received("NotifyEvent"))["eventData"][0]
            assert (event["variableMonitoringId"], event["trigger"]) == (number, "Delta")
            assert event["actualValue"] == "Occupied"

    run(main())
