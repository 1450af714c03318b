"""Variables, monitors and errors in a station with every block."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types import powermeter, units
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.monitoring.common import POWER_ADDRESS
from tests.ocpp.monitoring.test_problems import fault
from tests.ocpp.station2 import Station2


def reading(power_W: float) -> powermeter.Powermeter:
    return powermeter.Powermeter(
        timestamp="2023-11-15T00:00:00.000Z", energy_Wh_import=units.Energy(total=1), power_W=units.Power(total=power_W)
    )


@pytest.mark.parametrize("version", [Version.V201, Version.V21])
def test_a_monitor_on_the_power_of_an_evse(version: Version) -> None:
    station = Station2(version=version)
    enabled = {"component": {"name": "MonitoringCtrlr"}, "variable": {"name": "Enabled"}, "attributeValue": "true"}
    (result,) = station.ask("SetVariables", {"setVariableData": [enabled]})["setVariableResult"]
    assert result["attributeStatus"] == "Accepted"
    monitor = POWER_ADDRESS | {"type": "UpperThreshold", "value": 5000, "severity": 4}
    (result,) = station.ask("SetVariableMonitoring", {"setMonitoringData": [monitor]})["setMonitoringResult"]
    assert result["status"] == "Accepted"
    for power_W in (4000, 6000, 7000):
        station.feed(events.PowermeterReceived(1, reading(power_W)))
    (payload,) = station.payloads_of("NotifyEvent")
    (event,) = payload["eventData"]
    assert (event["actualValue"], event["variableMonitoringId"]) == ("6000", result["id"])
    again = station.restart()
    answer = again.ask("GetMonitoringReport", {"requestId": 1})
    assert answer == {"status": "Accepted"} and len(list(again.payloads_of("NotifyMonitoringReport"))) == 1


def test_the_full_inventory_of_a_whole_station() -> None:
    station = Station2()
    assert station.ask("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}) == {"status": "Accepted"}
    items = [item for part in station.payloads_of("NotifyReport") for item in part["reportData"]]
    values = {
        (item["component"]["name"], item["variable"]["name"]): item["variableAttribute"][0].get("value")
        for item in items
    }
    assert values["ClockCtrlr", "DateTime"] and values["EVSE", "AvailabilityState"] == "Available"


def test_an_error_of_the_stack_is_an_event() -> None:
    station = Station2()
    station.feed(events.ErrorRaised(fault("evse_board_support/MREC8EmergencyStop", 1)))
    (payload,) = station.payloads_of("NotifyEvent")
    assert payload["eventData"][0]["techCode"] == "evse_board_support/MREC8EmergencyStop"
