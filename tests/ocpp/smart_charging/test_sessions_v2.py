"""Smart charging of OCPP 2.x with every block of the station, from plug-in to unplug."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import EnforcedLimits, ExternalLimits, LimitsRes, NumberWithSource
from chargebyte_fw.modules.ocpp.station import events
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.station2 import Station2

CARD = {"idToken": "DEADBEEF", "type": "ISO14443"}
PROFILE: dict[str, Any] = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Relative",
    "chargingSchedule": [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 6}]}
    ],
}
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


def composite(station: Station2, evse_id: int = 1) -> list[tuple[int, float]]:
    answer = station.ask("GetCompositeSchedule", {"evseId": evse_id, "duration": 60})
    return [(one["startPeriod"], one["limit"]) for one in answer["schedule"]["chargingSchedulePeriod"]]


def limit_A(station: Station2, evse_id: int = 1) -> float | None:
    """What the energy node of an EVSE was sent last."""
    station.pass_s(0)
    sent = [one for one in station.commands if one.call.command == "set_external_limits" and one.evse_id == evse_id]
    limits: ExternalLimits = sent[-1].call.args[0]
    bound = limits.schedule_import[0].limits_to_root.ac_max_current_A
    return bound.value if bound is not None else None


@BOTH
@pytest.mark.ocpp("K05.FR.03", "F01.FR.10", "F02.FR.18", "K02.FR.05")
def test_profile_of_a_remote_start(version: Version) -> None:
    """It holds once the transaction has begun, and ends with it."""
    station = Station2(version=version)
    payload = {"idToken": CARD, "remoteStartId": 3, "evseId": 1, "chargingProfile": PROFILE}
    assert station.ask("RequestStartTransaction", payload)["status"] == "Accepted"
    assert composite(station) == [(0, 48.0)] and limit_A(station) is None
    station.charge()
    assert composite(station) == [(0, 6.0)] and limit_A(station) == 6.0
    [profile] = station.tables["CHARGING_PROFILES"].values()
    assert b'"transactionId":"s1"' in profile
    station.finish()
    station.unplug()
    assert composite(station) == [(0, 48.0)] and limit_A(station) is None
    assert station.tables["CHARGING_PROFILES"] == {}


@BOTH
@pytest.mark.ocpp("K05.FR.02", "K05.FR.05", "F01.FR.26", "F02.FR.27")
def test_profile_of_a_remote_start_that_is_refused(version: Version) -> None:
    station = Station2(version=version)
    for change, reason in (
        ({"chargingProfilePurpose": "TxDefaultProfile"}, "InvalidValue"),
        ({"chargingProfileKind": "Absolute"}, "InvalidSchedule"),
    ):
        payload = {"idToken": CARD, "remoteStartId": 3, "evseId": 1, "chargingProfile": {**PROFILE, **change}}
        answer = station.ask("RequestStartTransaction", payload)
        assert (answer["status"], answer["statusInfo"]["reasonCode"]) == ("Rejected", reason)


@BOTH
@pytest.mark.ocpp("K02.FR.05")
def test_profile_of_a_transaction_over_a_restart(version: Version) -> None:
    station = Station2(version=version)
    station.charge()
    put = {"evseId": 1, "chargingProfile": {**PROFILE, "transactionId": "s1"}}
    assert station.ask("SetChargingProfile", put)["status"] == "Accepted"
    resumed = station.restart(resumed=frozenset({"s1"}), ResumeTransactionsOnBoot=True)
    assert composite(resumed) == [(0, 6.0)] and limit_A(resumed) == 6.0
    over = station.restart()
    assert composite(over) == [(0, 48.0)] and over.tables["CHARGING_PROFILES"] == {}


@BOTH
@pytest.mark.ocpp("K11.FR.04", "K13.FR.03")
def test_rate_that_another_system_changes_is_an_event(version: Version) -> None:
    station = Station2(version=version)
    station.charge()
    station.events()
    for current_A, source in ((10.0, "API_module"), (32.0, "evse_manager/evse_board_support_caps")):
        root = LimitsRes(ac_max_current_A=NumberWithSource(value=current_A, source=source))
        limits = EnforcedLimits(uuid="evse", valid_for=10, limits_root_side=root, schedule=[])
        station.feed(events.FactReceived("evse_manager", "enforced_limits", limits, 1))
        [event] = station.events()
        assert (event["eventType"], event["triggerReason"]) == ("Updated", "ChargingRateChanged")


@pytest.mark.ocpp("K06.FR.01", "K07.FR.01")
def test_transaction_that_begins_offline_has_the_default() -> None:
    station = Station2(version=Version.V21)
    default = {**PROFILE, "id": 2, "chargingProfilePurpose": "TxDefaultProfile"}
    assert station.ask("SetChargingProfile", {"evseId": 0, "chargingProfile": default})["status"] == "Accepted"
    station.charge()
    profile = {**PROFILE, "transactionId": "s1", "stackLevel": 1}
    profile["chargingSchedule"] = [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 9}]}
    ]
    assert station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})["status"] == "Accepted"
    station.disconnect()
    assert limit_A(station) == 9.0
    station.charge(evse_id=2, session="s2")
    assert limit_A(station, 2) == 6.0
