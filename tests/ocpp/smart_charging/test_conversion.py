"""Profiles of messages become the model, and schedules become messages that the schema of the version accepts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from chargebyte_fw.modules.ocpp.messages import schema
from chargebyte_fw.modules.ocpp.messages.v2.smart_charging import (
    GetCompositeScheduleResponse,
    SetChargingProfileRequest,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType
from chargebyte_fw.modules.ocpp.messages.v16 import smart_charging as v16
from chargebyte_fw.modules.ocpp.smart_charging import from_v2, from_v16, to_v2
from chargebyte_fw.modules.ocpp.smart_charging.bounds import amount_of, rendered
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    PLAIN,
    Kind,
    LimitAtSoC,
    Mode,
    Period,
    Phases,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
)
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of, local_seconds_of, seconds_of
from chargebyte_fw.modules.ocpp.version import Version
from tests.ocpp.smart_charging.helpers import (
    NOW_S,
    RULES_21,
    RULES_201,
    TX,
    TX_DEFAULT,
    W,
    at,
    compute,
    installed,
    periods,
    profile,
)


def of_16(**changes: Any) -> Profile:
    wire = {
        "chargingProfileId": 7,
        "stackLevel": 3,
        "chargingProfilePurpose": "ChargePointMaxProfile",
        "chargingProfileKind": "Recurring",
        "recurrencyKind": "Weekly",
        "validFrom": "2024-01-17T18:00:00.75Z",
        "validTo": "9999-12-31T23:59:59Z",
        "chargingSchedule": {
            "duration": 60,
            "startSchedule": "2024-01-17T19:00:00+01:00",
            "chargingRateUnit": "A",
            "minChargingRate": 6.5,
            "chargingSchedulePeriod": [
                {"startPeriod": 0, "limit": 16.1, "numberPhases": 3},
                {"startPeriod": 30, "limit": 8},
            ],
        },
    }
    request = schema.decode_request(
        Version.V16, "SetChargingProfile", {"connectorId": 0, "csChargingProfiles": {**wire, **changes}}
    )
    assert isinstance(request, v16.SetChargingProfileRequest)
    return from_v16.profile_of(request.cs_charging_profiles)


def test_profile_of_16() -> None:
    made = of_16()
    (schedule,) = made.schedules
    assert (made.id, made.stack_level, made.purpose, made.kind) == (7, 3, Purpose.STATION_MAX, Kind.RECURRING)
    assert made.recurrency is Recurrency.WEEKLY and made.transaction_id is None
    assert (made.valid_from_s, made.valid_to_s) == (NOW_S, at("9999-12-31 23:59:59"))
    assert (schedule.start_s, schedule.duration_s, schedule.min_rate) == (NOW_S, 60, 6.5)
    assert schedule.unit is RateUnit.A
    assert schedule.periods == (Period(0, 16.1, 3), Period(30, 8.0))


def test_transaction_0_of_16() -> None:
    assert of_16(transactionId=0).transaction_id == "0"


@pytest.mark.ocpp("1.6 §7.14")
def test_composite_schedule_of_16() -> None:
    """One decimal; numberPhases only where a profile has it."""
    one = installed(profile(TX_DEFAULT, (0, 11000.0, 3), (60, 8.0), unit=W, schedule={"min_rate": 4000.0}), 1)
    response = v16.GetCompositeScheduleResponse(
        status=v16.GetCompositeScheduleStatus.Accepted,
        connector_id=1,
        schedule_start=date_of(NOW_S),
        charging_schedule=from_v16.schedule_of(compute([one])),
    )
    assert json.loads(schema.encode(Version.V16, response))["chargingSchedule"] == {
        "duration": 3600,
        "startSchedule": "2024-01-17T18:00:00.000Z",
        "chargingRateUnit": "A",
        "minChargingRate": 5.8,
        "chargingSchedulePeriod": [
            {"startPeriod": 0, "limit": 15.9, "numberPhases": 3},
            {"startPeriod": 60, "limit": 0.0},
        ],
    }


WIRE_21: dict[str, Any] = {
    "id": 9,
    "stackLevel": 1,
    "chargingProfilePurpose": "TxProfile",
    "chargingProfileKind": "Dynamic",
    "transactionId": "tx-1",
    "maxOfflineDuration": 60,
    "invalidAfterOfflineDuration": True,
    "dynUpdateInterval": 30,
    "dynUpdateTime": "2024-01-17T18:00:00Z",
    "chargingSchedule": [
        {
            "id": 4,
            "chargingRateUnit": "W",
            "duration": 600,
            "startSchedule": "2024-01-17T18:00:00+05:00",
            "useLocalTime": True,
            "randomizedDelay": 20,
            "limitAtSoC": {"soc": 80, "limit": 5000},
            "chargingSchedulePeriod": [
                {
                    "startPeriod": 0,
                    "limit": 9000.5,
                    "limit_L2": 8000,
                    "limit_L3": 7000,
                    "numberPhases": 3,
                    "dischargeLimit": -4000,
                    "setpoint": 3000,
                    "setpointReactive": -100,
                    "preconditioningRequest": True,
                    "evseSleep": True,
                    "operationMode": "CentralSetpoint",
                    "v2xBaseline": 50,
                    "v2xFreqWattCurve": [{"frequency": 49.8, "power": -5000}, {"frequency": 50.2, "power": 5000}],
                    "v2xSignalWattCurve": [{"signal": -3, "power": -100}],
                },
                {"startPeriod": 60, "limit": 1000},
            ],
        }
    ],
}


def of_21() -> Profile:
    request = schema.decode_request(Version.V21, "SetChargingProfile", {"evseId": 1, "chargingProfile": WIRE_21})
    assert isinstance(request, SetChargingProfileRequest)
    return from_v2.profile_of(request.charging_profile)


def test_profile_of_21() -> None:
    made = of_21()
    (schedule,) = made.schedules
    first, second = schedule.periods
    assert (made.kind, made.transaction_id, made.max_offline_s, made.ends_offline) == (Kind.DYNAMIC, "tx-1", 60, True)
    assert (made.update_interval_s, made.updated_s) == (30, NOW_S)
    # The offset of the date is disregarded: it is 18:00 at the station.
    assert schedule.local_time and schedule.start_s == NOW_S
    assert schedule.limit_at_soc == LimitAtSoC(80, 5000.0) and schedule.randomized_delay_s == 20
    assert first.limits == Phases(9000.5, 8000.0, 7000.0) and first.mode is Mode.CENTRAL_SETPOINT
    assert first.extras.discharge == Phases(-4000.0) and first.extras.setpoint == Phases(3000.0)
    assert first.extras.reactive == Phases(-100.0) and first.extras.sleep and first.extras.preconditioning
    assert first.extras.frequency_curve == ((49.8, -5000.0), (50.2, 5000.0))
    assert first.extras.signal_curve == ((-3, -100.0),) and first.extras.baseline_W == 50.0
    assert second == Period(60, 1000.0) and second.extras is PLAIN


@pytest.mark.ocpp("K08.FR.01")
@pytest.mark.parametrize(("version", "limit"), [(Version.V201, 15.9), (Version.V21, 15.942)])
def test_composite_schedule_of_2(version: Version, limit: float) -> None:
    """OCPP 2.0.1 allows one decimal."""
    one = installed(profile(TX_DEFAULT, (0, 11000.0, 3), unit=W), 1)
    made = compute([one], rules=RULES_201 if version is Version.V201 else RULES_21)
    response = GetCompositeScheduleResponse(
        status=GenericStatusEnumType.Accepted, schedule=to_v2.composite_of(made, version)
    )
    assert json.loads(schema.encode(version, response))["schedule"] == {
        "evseId": 1,
        "duration": 3600,
        "scheduleStart": "2024-01-17T18:00:00.000Z",
        "chargingRateUnit": "A",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit, "numberPhases": 3}],
    }


def test_composite_schedule_of_modes() -> None:
    """What OCPP 2.1 has besides; limits are spelled with an underscore (field case 66). Idle has no values."""
    shown = installed(
        profile(TX, *periods((0, 9000.0, 3), limit_L2=8000.0, limit_L3=7000.0, mode=Mode.CENTRAL_SETPOINT,
                             setpoint=Phases(3000.0), reactive=Phases(30.0), discharge=Phases(-3000.0),
                             baseline_W=5.0, frequency_curve=((49.8, 1.0), (50.0, 2.0)), signal_curve=((1, 2.0),)),
                *periods((60, None, 3), mode=Mode.IDLE), unit=W), 1)  # fmt: skip
    response = GetCompositeScheduleResponse(
        status=GenericStatusEnumType.Accepted,
        schedule=to_v2.composite_of(compute([shown], unit=W, rules=RULES_21), Version.V21),
    )
    first, second = json.loads(schema.encode(Version.V21, response))["schedule"]["chargingSchedulePeriod"]
    assert first == {
        "startPeriod": 0,
        "limit": 9000.0,
        "limit_L2": 8000.0,
        "limit_L3": 7000.0,
        "numberPhases": 3,
        "dischargeLimit": -1000.0,
        "dischargeLimit_L2": -1000.0,
        "dischargeLimit_L3": -1000.0,
        "setpoint": 1000.0,
        "setpoint_L2": 1000.0,
        "setpoint_L3": 1000.0,
        "setpointReactive": 30.0,
        "v2xBaseline": 5.0,
        "operationMode": "CentralSetpoint",
        "v2xFreqWattCurve": [{"frequency": 49.8, "power": 1.0}, {"frequency": 50.0, "power": 2.0}],
        "v2xSignalWattCurve": [{"signal": 1, "power": 2.0}],
    }
    assert second == {"startPeriod": 60, "numberPhases": 3, "operationMode": "Idle"}


def test_schedule_for_a_notification() -> None:
    made = to_v2.schedule_of(compute([]), Version.V21, schedule_id=3)
    assert (made.id, made.duration_s, made.start_schedule) == (3, 3600, date_of(NOW_S))


def test_dates_at_both_ends_of_the_calendar() -> None:
    east, west = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
    first, last = datetime(1, 1, 1, tzinfo=east), datetime(9999, 12, 31, 23, 59, 59, tzinfo=west)
    assert seconds_of(first) == -62135596800 - 14 * 3600
    assert seconds_of(last) == at("9999-12-31 23:59:59") + 12 * 3600
    assert date_of(seconds_of(last)) == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert date_of(seconds_of(first)) == datetime(1, 1, 1, tzinfo=UTC)
    assert date_of(1 << 80).year == 9999 and date_of(-(1 << 80)).year == 1
    assert local_seconds_of(last) == at("9999-12-31 23:59:59")


def test_a_limit_beyond_all_stations_stays_a_finite_number_in_the_other_unit() -> None:
    amount = amount_of(Phases(2.46e305), RateUnit.A, 230.0)
    [limit] = rendered(amount, RateUnit.W, 3, 230.0).given
    assert limit == 1e12 * 230 * 3
