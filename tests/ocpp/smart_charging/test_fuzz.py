"""Profiles of any shape that the schema allows: answered, bounded in time and memory, and never a failure of a row."""

from __future__ import annotations

import time
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.ocpp.messages.errors import MessageError
from chargebyte_fw.modules.ocpp.smart_charging.dynamic_v2 import DynamicProfiles
from chargebyte_fw.modules.ocpp.smart_charging.priority_v2 import PriorityCharging
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.smart_charging.v16 import SmartCharging16
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.talk import SESSION, SmartTalk

BIG = 2**62
integers = st.one_of(st.sampled_from([0, 1, 2, 3, -1, 60, 86400, 2**31, -(2**31), BIG, -BIG]), st.integers(-BIG, BIG))
numbers = st.one_of(
    st.sampled_from([0.0, 6, 16, -5, 1e300, -1e300, 5e-324]), st.floats(allow_nan=False, allow_infinity=False)
)
dates = st.sampled_from(
    ["1970-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2023-11-15T00:00:00Z",
     "2023-11-15T00:10:00+05:45", "2024-02-29T12:00:00Z"])  # fmt: skip
starts = st.one_of(st.just([0]), st.lists(integers, min_size=1, max_size=5), st.just([0, 10, 20, 900]))


def optional(**members: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=members)


@st.composite
def profiles(draw: st.DrawFn, version: Version) -> dict[str, Any]:
    legacy = version is Version.V16
    period = optional(numberPhases=integers) if legacy else optional(
        limit=numbers, limit_L2=numbers, limit_L3=numbers, numberPhases=st.integers(0, 3), phaseToUse=st.integers(0, 3),
        dischargeLimit=numbers, setpoint=numbers, setpoint_L2=numbers, setpointReactive=numbers,
        evseSleep=st.booleans(), v2xBaseline=numbers,
        operationMode=st.sampled_from(["Idle", "ChargingOnly", "CentralSetpoint", "LocalFrequency", "ExternalLimits"]),
        v2xFreqWattCurve=st.lists(
            st.fixed_dictionaries({"frequency": numbers, "power": numbers}), min_size=1, max_size=3),
    )  # fmt: skip
    more = {} if legacy else {
        "useLocalTime": st.booleans(), "randomizedDelay": st.integers(0, BIG),
        "limitAtSoC": st.fixed_dictionaries({"soc": st.integers(0, 100), "limit": numbers}),
    }  # fmt: skip
    schedule = {
        **draw(optional(duration=integers, startSchedule=dates, minChargingRate=numbers, **more)),
        "chargingRateUnit": draw(st.sampled_from(["A", "W"])),
        "chargingSchedulePeriod": [
            {"startPeriod": start, "limit": draw(numbers), **draw(period)} for start in draw(starts)
        ],
    }
    purposes = ["ChargePointMaxProfile" if legacy else "ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile"]
    kinds = ["Absolute", "Recurring", "Relative"]
    rest = optional(
        recurrencyKind=st.sampled_from(["Daily", "Weekly"]), validFrom=dates, validTo=dates,
        transactionId=st.just(7) if legacy else st.just(SESSION),
        **({} if legacy else {"maxOfflineDuration": integers, "invalidAfterOfflineDuration": st.booleans(),
                              "dynUpdateInterval": integers, "dynUpdateTime": dates}),
    )  # fmt: skip
    made = {
        **draw(rest),
        "chargingProfileId" if legacy else "id": draw(st.integers(-2, 3)),
        "stackLevel": draw(st.integers(0, 3)),
        "chargingProfilePurpose": draw(st.sampled_from(purposes if legacy else [*purposes, "PriorityCharging",
                                                                                "LocalGeneration"])),
        "chargingProfileKind": draw(st.sampled_from(kinds if legacy else [*kinds, "Dynamic"])),
    }  # fmt: skip
    if not legacy:
        schedule["id"] = 1
    return {**made, "chargingSchedule": schedule if legacy else [schedule]}


def live(it: SmartTalk, made: list[dict[str, Any]], evse_ids: list[int], durations: list[int]) -> int:
    """Set profiles and ask for schedules; return how many were accepted."""
    legacy = it.version is Version.V16
    number, key = ("connectorId", "csChargingProfiles") if legacy else ("evseId", "chargingProfile")
    accepted = 0
    for evse_id, profile in zip(evse_ids, made, strict=True):
        try:
            answer = it.ask("SetChargingProfile", {number: evse_id, key: profile})
        except MessageError:
            continue
        assert answer["status"] in ("Accepted", "Rejected")
        accepted += answer["status"] == "Accepted"
    for duration_s in durations:
        for unit in ("A", "W"):
            for evse_id in (0, 1):
                answer = it.ask(
                    "GetCompositeSchedule", {number: evse_id, "duration": duration_s, "chargingRateUnit": unit}
                )
                assert answer["status"] == ("Accepted" if duration_s >= 0 else "Rejected")
    it.pass_s(40.0)
    it.disconnect()
    it.pass_s(40.0)
    it.connect()
    it.end()
    it.pass_s(1.0)
    return accepted


chosen = st.lists(st.sampled_from([0, 1, 2]), min_size=4, max_size=4)
spans = st.lists(integers, min_size=1, max_size=2)


@given(st.lists(profiles(Version.V16), min_size=4, max_size=4), chosen, spans)
@settings(max_examples=25)
def test_any_profile_of_16(made: list[dict[str, Any]], evse_ids: list[int], durations: list[int]) -> None:
    it = SmartTalk(SmartCharging16, version=Version.V16, session=SESSION)
    it.known(7)
    live(it, made, evse_ids, durations)


@given(st.lists(profiles(Version.V21), min_size=4, max_size=4), chosen, spans)
@settings(max_examples=25)
def test_any_profile_of_21(made: list[dict[str, Any]], evse_ids: list[int], durations: list[int]) -> None:
    variables = {
        iso15118.V2X_AVAILABLE.at(1): True,
        iso15118.V2X_ENABLED.at(1): True,
        iso15118.SUPPORTED_OPERATION_MODES.at(1): ("CentralSetpoint", "LocalFrequency", "Idle", "ExternalLimits"),
    }
    it = SmartTalk(
        SmartCharging2, DynamicProfiles, PriorityCharging, version=Version.V21, session=SESSION, variables=variables,
        answers={"PullDynamicScheduleUpdate": {"status": "Rejected"}},
    )  # fmt: skip
    live(it, made, evse_ids, durations)


def test_many_profiles_stay_within_memory_and_time() -> None:
    """A thousand profiles of a thousand periods: the station keeps what it has room for, and answers at once."""
    it = SmartTalk(SmartCharging2, version=Version.V21)
    periods = [{"startPeriod": 60 * n, "limit": 6.0 + n % 20} for n in range(1000)]
    began = time.process_time()
    answers = []
    for number in range(60):
        schedule = {
            "id": 1, "chargingRateUnit": "A", "startSchedule": "2023-11-15T00:00:00Z", "chargingSchedulePeriod": periods
        }  # fmt: skip
        profile = {
            "id": number, "stackLevel": number, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Recurring", "recurrencyKind": "Daily", "chargingSchedule": [schedule],
        }  # fmt: skip
        answers.append(it.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})["status"])
    assert answers == ["Accepted"] * 20 + ["Rejected"] * 40
    it.pass_s(1.0)
    assert time.process_time() - began < 10.0
    assert sum(len(row) for row in it.tables["CHARGING_PROFILES"].values()) < 2_000_000
    assert msgspec.json.encode(it.schedules())
