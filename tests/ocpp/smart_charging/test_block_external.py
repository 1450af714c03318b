"""Limits of external systems are notified to the CSMS (K11 to K14, K29)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import EnforcedLimits, LimitsRes, NumberWithSource
from chargebyte_fw.modules.ocpp.smart_charging.events import ChargingRateChanged
from chargebyte_fw.modules.ocpp.smart_charging.external_v2 import ExternalLimits
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station, receives
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SmartTalk

OURS = "ocpp/OCPP_set_external_limits"
FUSE, HARDWARE, API = "grid/module_config", "evse_manager/evse_board_support_caps", "API_module"
BOTH = pytest.mark.parametrize("version", [Version.V201, Version.V21])


class Rates(Block):
    """What other blocks are told."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.changed: list[int] = []

    @receives(ChargingRateChanged)
    def rate_changed(self, event: ChargingRateChanged) -> None:
        self.changed.append(event.evse_id)


def talk(version: Version = Version.V21, **rest: Any) -> SmartTalk:
    return SmartTalk(SmartCharging2, ExternalLimits, Rates, version=version, **rest)


def enforce(it: SmartTalk, current_A: float | None, source: str, *, power_W: float | None = None) -> None:
    root = LimitsRes(
        ac_max_current_A=NumberWithSource(value=current_A, source=source) if current_A is not None else None,
        total_power_W=NumberWithSource(value=power_W, source=source) if power_W is not None else None,
    )
    limits = EnforcedLimits(uuid="evse", valid_for=10, limits_root_side=root, schedule=[])
    it.fact("evse_manager", "enforced_limits", limits)


def notified(it: SmartTalk) -> list[dict[str, Any]]:
    return list(it.payloads_of("NotifyChargingLimit"))


def cleared(it: SmartTalk) -> list[dict[str, Any]]:
    return list(it.payloads_of("ClearedChargingLimit"))


@pytest.mark.parametrize("source", [FUSE, HARDWARE, OURS, f"{OURS},{FUSE}", "Idle", "no limit is known"])
def test_limits_of_the_station_itself_are_not_external(source: str) -> None:
    it = talk()
    enforce(it, 16.0, source)
    assert notified(it) == [] and it.composite(1) == [(0, 48.0)]


@BOTH
@pytest.mark.ocpp("K12.FR.01", "K12.FR.02", "K12.FR.04")
def test_limit_without_a_transaction(version: Version) -> None:
    it = talk(version)
    enforce(it, 16.0, API)
    assert notified(it) == [{"chargingLimit": {"chargingLimitSource": "EMS"}, "evseId": 1}]
    assert it.composite(1) == [(0, 16.0)]
    assert it.station.block(Rates).changed == []


@BOTH
@pytest.mark.ocpp("K11.FR.01", "K11.FR.02", "K11.FR.04")
def test_limit_with_a_transaction(version: Version) -> None:
    """It is notified once, and again when it changes by more than LimitChangeSignificance (1 %)."""
    it = talk(version)
    it.begin()
    put(it, 1, profile("TxProfile", 20))
    for current_A, count in ((16.0, 1), (16.0, 1), (16.1, 1), (15.9, 1), (12.0, 2), (20.0, 3)):
        enforce(it, current_A, f"{API},{FUSE}")
        assert len(notified(it)) == count, current_A
    assert it.station.block(Rates).changed == [1, 1, 1]
    # The energy management has the limit of the other already: ours is not lowered by it.
    assert it.current_A(1) == 20.0


@pytest.mark.ocpp("K11.FR.03", "K12.FR.03")
def test_schedule_of_the_limit() -> None:
    it = talk(variables={declared.NOTIFY_CHARGING_LIMIT_WITH_SCHEDULES: True})
    enforce(it, None, API, power_W=7000.0)
    (payload,) = notified(it)
    assert payload["chargingSchedule"] == [
        {"id": 0, "chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 7000.0}]}
    ]


@BOTH
@pytest.mark.ocpp("K13.FR.01", "K13.FR.02", "K13.FR.03")
def test_limit_is_released(version: Version) -> None:
    it = talk(version)
    it.begin()
    enforce(it, 10.0, API)
    # Another limit below it proves nothing.
    enforce(it, 6.0, OURS)
    enforce(it, 0.0, "Idle")
    assert cleared(it) == []
    enforce(it, 32.0, HARDWARE)
    assert cleared(it) == [{"chargingLimitSource": "EMS", "evseId": 1}]
    assert it.composite(1) == [(0, 48.0)]
    assert it.station.block(Rates).changed == [1, 1]
    enforce(it, 32.0, HARDWARE)
    assert len(cleared(it)) == 1


@pytest.mark.ocpp("K10.FR.08", "K10.FR.09", "K11.FR.06", "K12.FR.05", "K29.FR.01", "K29.FR.04", "Q06.FR.02")
@pytest.mark.parametrize(("version", "kind"), [(Version.V201, "Absolute"), (Version.V21, "Dynamic")])
def test_limit_is_a_profile_of_its_source(version: Version, kind: str) -> None:
    """K29: it is reported, and the CSMS neither clears nor replaces it."""
    it = talk(version)
    enforce(it, 10.0, API)
    answer = it.ask("GetChargingProfiles", {"requestId": 1, "chargingProfile": {"chargingLimitSource": ["EMS"]}})
    assert answer == {"status": "Accepted"}
    (report,) = it.payloads_of("ReportChargingProfiles")
    (reported,) = report["chargingProfile"]
    assert (report["chargingLimitSource"], reported["id"], reported["chargingProfileKind"]) == ("EMS", -1001, kind)
    assert reported["chargingProfilePurpose"] == "ChargingStationExternalConstraints"
    [schedule] = reported["chargingSchedule"]
    assert len(schedule["chargingSchedulePeriod"]) == 1
    assert it.ask("ClearChargingProfile", {"chargingProfileId": -1001}) == {"status": "Unknown"}
    assert it.ask("ClearChargingProfile", {}) == {"status": "Unknown"}
    assert put(it, 1, profile("TxDefaultProfile", 6, id=-1001)) == "DuplicateProfile"


@pytest.mark.ocpp("K01.FR.82")
def test_limit_has_an_id_of_the_reserved_range() -> None:
    it = talk(variables={declared.MAX_EXTERNAL_CONSTRAINTS_ID: 100})
    enforce(it, 10.0, API)
    assert [one.profile.id for one in it.block.store] == [99]


@pytest.mark.ocpp("Q06.FR.08")
def test_limits_of_others_may_be_no_profiles() -> None:
    it = talk(variables={declared.EXTERNAL_CONSTRAINTS_PROFILE_DISALLOWED: True})
    enforce(it, 10.0, API)
    assert len(notified(it)) == 1 and len(it.block.store) == 0


def test_limits_of_others_may_be_ignored() -> None:
    for switched_off in (declared.EXTERNAL_CONTROL_SIGNALS_ENABLED, declared.SMART_ENABLED):
        it = talk(variables={switched_off: False})
        enforce(it, 10.0, API)
        assert notified(it) == []


@pytest.mark.parametrize("variable", ["limits", "enforced_limits"])
def test_other_facts_are_left_alone(variable: str) -> None:
    it = talk()
    limits = EnforcedLimits(uuid="evse", valid_for=10, limits_root_side=LimitsRes(), schedule=[])
    it.fact("evse_manager", variable, limits)
    assert notified(it) == []
