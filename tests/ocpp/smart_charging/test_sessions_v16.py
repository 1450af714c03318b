"""Smart charging of OCPP 1.6 with every block of the station, from plug-in to unplug."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.modules.ocpp.station import events
from tests.ocpp.station16 import E, Station16, meter
from tests.ocpp.variables.talk import Refused

PROFILE: dict[str, Any] = {
    "chargingProfileId": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]},
}


def composite(station: Station16, connector_id: int = 1) -> list[tuple[int, float]]:
    answer = station.ask("GetCompositeSchedule", {"connectorId": connector_id, "duration": 60})
    return [(one["startPeriod"], one["limit"]) for one in answer["chargingSchedule"]["chargingSchedulePeriod"]]


def limit_A(station: Station16, evse_id: int = 1) -> float | None:
    """What the energy node of an EVSE was sent last."""
    station.pass_s(0)
    sent = [one for one in station.commands if one.call.command == "set_external_limits" and one.evse_id == evse_id]
    limits: ExternalLimits = sent[-1].call.args[0]
    bound = limits.schedule_import[0].limits_to_root.ac_max_current_A
    return bound.value if bound is not None else None


@pytest.mark.ocpp("1.6 §5.11", "1.6 §3.13.1")
def test_profile_of_a_remote_start() -> None:
    """Field case 36: it holds once the transaction has begun, and ends with it."""
    station = Station16()
    payload = {"idTag": "DEADBEEF", "connectorId": 1, "chargingProfile": PROFILE}
    assert station.ask("RemoteStartTransaction", payload) == {"status": "Accepted"}
    assert composite(station) == [(0, 48.0)] and limit_A(station) is None
    station.charge()
    assert composite(station) == [(0, 6.0)] and limit_A(station) == 6.0
    station.finish()
    assert composite(station) == [(0, 48.0)] and limit_A(station) is None
    assert station.tables["CHARGING_PROFILES"] == {}


def test_remote_start_with_a_profile_that_is_none_is_rejected() -> None:
    station = Station16()
    bad = {**PROFILE, "chargingSchedule": {"chargingRateUnit": "A", "chargingSchedulePeriod": []}}
    for profile in (bad, {**PROFILE, "transactionId": 7}, {**PROFILE, "stackLevel": 1000}):
        payload = {"idTag": "A", "connectorId": 1, "chargingProfile": profile}
        assert station.ask("RemoteStartTransaction", payload) == {"status": "Rejected"}


@pytest.mark.ocpp("1.6 §5.16.4")
def test_profile_of_a_transaction_that_goes_on_after_a_restart() -> None:
    station = Station16()
    station.charge()
    station.feed(events.PowermeterReceived(1, meter(1500.0)))
    station.pass_s(60)
    put = {"connectorId": 1, "csChargingProfiles": {**PROFILE, "transactionId": 7}}
    assert station.ask("SetChargingProfile", put) == {"status": "Accepted"}
    saved = {table: dict(rows) for table, rows in station.tables.items()}
    resumed = Station16(saved=saved, resumed=frozenset({"s1"}))
    assert composite(resumed) == [(0, 6.0)] and limit_A(resumed) == 6.0
    assert resumed.ask("SetChargingProfile", put) == {"status": "Accepted"}
    over = Station16(saved={table: dict(rows) for table, rows in station.tables.items()})
    assert composite(over) == [(0, 48.0)] and over.tables["CHARGING_PROFILES"] == {}


def test_smart_charging_that_is_not_in_use() -> None:
    station = Station16(SupportedFeatureProfiles=("Core",))
    with pytest.raises(Refused, match="NotSupported"):
        station.ask("SetChargingProfile", {"connectorId": 1, "csChargingProfiles": PROFILE})
    station.event(E.SessionStarted)
