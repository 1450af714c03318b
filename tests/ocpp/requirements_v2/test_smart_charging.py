"""Requirements of smart charging that no test of the block has (K01 to K29, Q)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.requirements_v2.scenarios import quiet
from tests.ocpp.smart_charging.helpers import (
    DAILY,
    DYNAMIC,
    NOW_S,
    RECURRING,
    RELATIVE,
    RULES_21,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    W,
    changed,
    compute,
    installed,
    profile,
    steps,
)
from tests.ocpp.smart_charging.test_acceptance_v2 import rejected
from tests.ocpp.smart_charging.test_block_external import API, enforce, notified, talk
from tests.ocpp.smart_charging.test_sessions_v2 import CARD, PROFILE

DEFAULT_A = 48.0


@pytest.mark.ocpp("K01.FR.10", "K01.FR.36", "K01.FR.37", "K01.FR.30")
def test_a_profile_holds_from_its_begin_to_its_end() -> None:
    always = installed(profile(TX_DEFAULT, (0, 10.0)), 1)
    assert steps(compute([always], now_s=NOW_S + 10**8)) == [(0, 10.0)]
    bounded = installed(profile(TX_DEFAULT, (0, 10.0), valid_from_s=NOW_S + 60, valid_to_s=NOW_S + 120), 1)
    assert steps(compute([bounded])) == [(0, DEFAULT_A), (60, 10.0), (120, DEFAULT_A)]
    later = installed(profile(TX_DEFAULT, (0, 10.0), start_s=NOW_S + 300), 1)
    assert steps(compute([later])) == [(0, DEFAULT_A), (300, 10.0)]


@pytest.mark.ocpp("K01.FR.11", "K01.FR.12", "K01.FR.13")
def test_a_period_holds_until_the_next_or_the_end_of_the_schedule() -> None:
    one = installed(profile(TX_DEFAULT, (0, 10.0), (60, 12.0), (500, 14.0), duration_s=300), 1)
    assert steps(compute([one])) == [(0, 10.0), (60, 12.0), (300, DEFAULT_A)], "the third begins after the end"
    daily = installed(profile(TX_DEFAULT, (0, 10.0), kind=RECURRING, recurrency=DAILY, duration_s=3600), 1)
    assert steps(compute([daily], duration_s=90_000))[1:3] == [(3600, DEFAULT_A), (86_400, 10.0)]


@pytest.mark.ocpp("K01.FR.17", "K08.FR.04")
def test_of_one_purpose_the_highest_level_holds_and_of_purposes_the_lowest_limit() -> None:
    low = installed(profile(TX_DEFAULT, (0, 30.0), level=0), 1)
    high = installed(profile(TX_DEFAULT, (0, 20.0), id=2, level=3, duration_s=600), 1)
    maximum = installed(profile(STATION_MAX, (0, 25.0), id=3), 0)
    assert steps(compute([low, high, maximum])) == [(0, 20.0), (600, 25.0)]


@pytest.mark.ocpp("K08.FR.06", "K01.FR.42", "K01.FR.08")
def test_without_a_transaction_the_default_is_shown_as_if_one_began() -> None:
    one = installed(profile(TX_DEFAULT, (0, 10.0), (600, 12.0), kind=RELATIVE), 1)
    assert steps(compute([one])) == [(0, 10.0), (600, 12.0)]


@pytest.mark.ocpp("K01.FR.50", "K01.FR.51")
def test_watts_are_the_sum_and_amperes_are_of_each_phase() -> None:
    in_W = installed(profile(TX_DEFAULT, (0, 11040.0, 3), unit=W), 1)
    assert steps(compute([in_W])) == [(0, pytest.approx(16.0))]
    in_A = installed(profile(TX_DEFAULT, (0, 16.0, 3)), 1)
    assert steps(compute([in_A], unit=W)) == [(0, pytest.approx(11040.0))]


@pytest.mark.ocpp("K02.FR.04", "K02.FR.08")
def test_the_profile_of_the_transaction_goes_before_the_default_until_it_ends() -> None:
    default = installed(profile(TX_DEFAULT, (0, 20.0)), 1)
    one = installed(profile(TX, (0, 10.0), id=2, duration_s=300), 1)
    assert steps(compute([default, one])) == [(0, 10.0), (300, 20.0)]
    assert steps(compute([one])) == [(0, 10.0), (300, DEFAULT_A)]


@pytest.mark.ocpp("K28.FR.02", "K29.FR.02")
def test_a_dynamic_profile_begins_at_0() -> None:
    rules = changed(RULES_21, dynamic=True)
    assert rejected(profile(TX, (1, 6.0), kind=DYNAMIC), rules=rules) is Reason.INVALID_SCHEDULE


@pytest.mark.ocpp("K05.FR.04", "F01.FR.12", "F02.FR.20")
def test_without_smart_charging_the_profile_of_a_remote_start_is_ignored() -> None:
    station = quiet()
    station.variables.set(declared.SMART_AVAILABLE, False)
    payload = {"idToken": CARD, "remoteStartId": 3, "evseId": 1, "chargingProfile": PROFILE}
    assert station.ask("RequestStartTransaction", payload)["status"] == "Accepted"
    assert len(station.published("provided_token")) == 1


def default(limit: float, **more: Any) -> dict[str, Any]:
    one = {**PROFILE, "id": 2, "chargingProfilePurpose": "TxDefaultProfile", **more}
    one["chargingSchedule"] = [
        {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}]}
    ]
    return one


@pytest.mark.ocpp("K01.FR.15", "K01.FR.32", "K10.FR.05", "K10.FR.07", "K01.FR.07")
def test_a_default_that_changes_or_goes_holds_for_the_running_transaction() -> None:
    station = quiet(version=Version.V21)
    station.charge()

    def limit_A(evse_id: int = 1) -> float | None:
        station.pass_s(0)
        sent = [one for one in station.commands if one.call.command == "set_external_limits" and one.evse_id == evse_id]
        bound = sent[-1].call.args[0].schedule_import[0].limits_to_root.ac_max_current_A
        return bound.value if bound is not None else None

    for limit in (10.0, 8.0):
        assert (
            station.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": default(limit)})["status"] == "Accepted"
        )
        assert limit_A() == limit and limit_A(2) is None
    assert station.ask("ClearChargingProfile", {"chargingProfileId": 2}) == {"status": "Accepted"}
    assert limit_A() is None
    assert "Ended" not in [one["eventType"] for one in station.events()]


@pytest.mark.ocpp("K06.FR.02")
def test_offline_without_profiles_nothing_limits() -> None:
    assert steps(compute([], offline_since_s=NOW_S - 60)) == [(0, DEFAULT_A)]


@pytest.mark.ocpp("K01.FR.55")
def test_the_device_model_shows_which_profiles_outlive_a_restart() -> None:
    station = quiet()
    data = [
        {
            "component": {"name": "SmartChargingCtrlr"},
            "variable": {"name": "ChargingProfilePersistence", "instance": purpose},
        }
        for purpose in ("TxProfile", "ChargingStationExternalConstraints", "LocalGeneration")
    ]
    found = station.ask("GetVariables", {"getVariableData": data})["getVariableResult"]
    assert [one["attributeValue"] for one in found] == ["true"] * 3


@pytest.mark.ocpp("K11.FR.05", "K29.FR.05", "K29.FR.06", "Q06.FR.05", "Q06.FR.07")
def test_an_external_limit_that_changes_is_the_same_profile_with_another_time() -> None:
    it = talk()
    it.begin()
    enforce(it, 16.0, API)
    (first,) = it.block.store
    it.pass_s(60)
    enforce(it, 10.0, API)
    (second,) = it.block.store
    assert (second.profile.id, it.composite(1)) == (first.profile.id, [(0, 10.0)])
    assert first.profile.updated_s is not None and second.profile.updated_s == first.profile.updated_s + 60
    assert {one["chargingLimit"]["chargingLimitSource"] for one in notified(it)} == {"EMS"}
