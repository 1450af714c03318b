"""Registration of OCPP 2.x as a CSMS sees it: BootNotification, the pending and rejected station, outages."""

from __future__ import annotations

import pytest

from tests.ocpp.station2 import Station2
from tests.ocpp.variables.talk import Refused

CARD = {"idToken": "CAFE", "type": "ISO14443"}


@pytest.mark.ocpp("B01", "B01.FR.01", "B01.FR.05", "B01.FR.09")
def test_an_accepted_station_reports_every_connector() -> None:
    station = Station2()
    boot, statuses = station.payloads[0], station.payloads_of("StatusNotification")
    assert boot["reason"] == "Unknown" and boot["chargingStation"]["vendorName"] == "chargebyte"
    assert [(one["evseId"], one["connectorStatus"]) for one in statuses] == [(1, "Available"), (2, "Available")]


@pytest.mark.ocpp("B02", "B02.FR.01", "B02.FR.02", "B02.FR.05", "B02.FR.08", "B01.FR.08")
def test_while_pending_the_csms_reads_the_device_model_and_nothing_else() -> None:
    station = Station2(registration="Pending", interval_s=1800)
    station.plug_in()
    assert [one.action_name for one in station.requests()] == ["BootNotification"]
    assert station.ask("GetBaseReport", {"requestId": 1, "reportBase": "SummaryInventory"})["status"] == "Accepted"
    start = {"idToken": CARD, "remoteStartId": 1}
    assert station.ask("RequestStartTransaction", start)["status"] == "Rejected"
    assert station.ask("RequestStopTransaction", {"transactionId": "s1"})["status"] == "Rejected"
    for action, payload in (("ClearCache", {}), ("ChangeAvailability", {"operationalStatus": "Inoperative"})):
        with pytest.raises(Refused, match="SecurityError"):
            station.ask(action, payload)
    station.answers["BootNotification"]["status"] = "Accepted"
    station.pass_s(1800)
    assert [one["connectorStatus"] for one in station.payloads_of("StatusNotification")] == ["Occupied", "Available"]


@pytest.mark.ocpp("B03", "B03.FR.08")
def test_a_rejected_station_answers_with_security_error() -> None:
    station = Station2(registration="Rejected", interval_s=1800)
    with pytest.raises(Refused, match="SecurityError"):
        station.ask("GetVariables", {"getVariableData": [{"component": {"name": "X"}, "variable": {"name": "Y"}}]})


@pytest.mark.ocpp("B04", "B04.FR.01", "B04.FR.02")
@pytest.mark.parametrize(("outage_s", "reported"), [(30, [1]), (61, [1, 2])])
def test_after_an_outage_all_connectors_or_those_that_changed(outage_s: float, reported: list[int]) -> None:
    station = Station2()
    station.requests()
    station.disconnect()
    station.plug_in()
    station.pass_s(outage_s)
    station.connect()
    assert [one["evseId"] for one in station.payloads_of("StatusNotification")] == reported
