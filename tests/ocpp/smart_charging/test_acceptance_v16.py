"""Profiles that OCPP 1.6 accepts and rejects (§3.13, §5.16)."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from chargebyte_fw.modules.ocpp.smart_charging.acceptance_v16 import accepted
from chargebyte_fw.modules.ocpp.smart_charging.profile import Period, Profile, Purpose, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason, Rejected, Requested
from tests.ocpp.smart_charging.helpers import (
    ABSOLUTE,
    DAILY,
    NOW_S,
    RECURRING,
    RELATIVE,
    RULES_16,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    A,
    changed,
    evse,
    idle,
    installed,
    profile,
)


def judge(
    one: Profile,
    connector_id: int = 1,
    *,
    evses: dict[int, EvseState] | None = None,
    rules: SmartChargingRules = RULES_16,
    others: Any = (),
    **request: Any,
) -> Profile:
    asked = Requested(profile=one, evse_id=connector_id, now_s=NOW_S, **request)
    return accepted(asked, others, idle(2) if evses is None else evses, rules)


def rejected(one: Profile, connector_id: int = 1, **rest: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        judge(one, connector_id, **rest)
    return caught.value.reason


@pytest.mark.ocpp("1.6 §5.16")
def test_plain_profiles_are_accepted() -> None:
    assert judge(profile(TX_DEFAULT, (0, 16.0), (60, 0.0, 1))).id == 1
    assert judge(profile(TX_DEFAULT, (0, 16.0), kind=RELATIVE), 0).kind is RELATIVE
    assert judge(profile(STATION_MAX, (0, 16.0)), 0).purpose is STATION_MAX


@pytest.mark.ocpp("1.6 §5.16.4")
def test_profile_of_a_transaction_whose_id_is_0() -> None:
    """Field case 53: 0 is an id like any other."""
    running = {1: evse(transaction_id="0"), 2: EvseState()}
    assert judge(profile(TX, (0, 6.0), transaction_id=None), evses=running).transaction_id == "0"
    assert judge(profile(TX, (0, 6.0), transaction_id="0"), evses=running).transaction_id == "0"
    assert rejected(profile(TX, (0, 6.0), transaction_id="8"), evses=running) is Reason.TX_NOT_FOUND
    assert rejected(profile(TX, (0, 6.0), transaction_id=None), 0, evses=running) is Reason.INVALID_VALUE
    assert rejected(profile(TX, (0, 6.0), transaction_id=None), 2, evses=running) is Reason.TX_NOT_FOUND
    assert rejected(profile(TX, (0, 6.0), transaction_id=None)) is Reason.TX_NOT_FOUND


@pytest.mark.ocpp("1.6 §5.11")
def test_profile_of_a_remote_start() -> None:
    """Field case 36: without transaction; only a TxProfile for a connector above 0."""
    starting: dict[str, Any] = {"in_remote_start": True}
    assert judge(profile(TX, (0, 6.0), transaction_id="7"), **starting).transaction_id is None
    assert rejected(profile(TX_DEFAULT, (0, 6.0)), **starting) is Reason.INVALID_VALUE
    assert rejected(profile(TX, (0, 6.0)), 0, **starting) is Reason.INVALID_VALUE


@pytest.mark.ocpp("1.6 §3.13.1")
def test_maximum_of_the_charge_point() -> None:
    """Field case 58."""
    assert rejected(profile(STATION_MAX, (0, 16.0), kind=RELATIVE), 0) is Reason.INVALID_VALUE
    assert rejected(profile(STATION_MAX, (0, 16.0), kind=RELATIVE), 1) is Reason.INVALID_VALUE
    assert rejected(profile(STATION_MAX, (0, 16.0)), 1) is Reason.INVALID_VALUE
    assert judge(profile(STATION_MAX, (0, 16.0)), 0).kind is ABSOLUTE


@pytest.mark.parametrize("kind", [ABSOLUTE, RECURRING])
def test_start_of_the_schedule_may_be_missing_where_a_key_allows_it(kind: Any) -> None:
    """Field case 57: it starts now (`AllowChargingProfileWithoutStartSchedule`)."""
    one = profile(TX_DEFAULT, (0, 16.0), kind=kind, start_s=None, recurrency=DAILY if kind is RECURRING else None)
    assert rejected(one) is Reason.INVALID_SCHEDULE
    assert judge(one, rules=changed(RULES_16, allow_no_start=True)).schedules[0].start_s == NOW_S


def test_recurring_schedule_is_no_longer_than_its_period() -> None:
    one = profile(TX_DEFAULT, (0, 16.0), kind=RECURRING, recurrency=DAILY, duration_s=90000)
    assert judge(one).schedules[0].duration_s == 86400
    short = profile(TX_DEFAULT, (0, 16.0), kind=RECURRING, recurrency=DAILY, duration_s=60)
    assert judge(short).schedules[0].duration_s == 60
    assert rejected(profile(TX_DEFAULT, (0, 16.0), kind=RECURRING)) is Reason.INVALID_SCHEDULE


@pytest.mark.ocpp("1.6 §9.4")
def test_limits_of_the_station() -> None:
    """Keys of profile SmartCharging."""
    rules = changed(RULES_16, max_stack_level=3, max_periods=2, max_profiles=1, max_installed_periods=3)
    assert judge(profile(TX_DEFAULT, (0, 16.0), level=3), rules=rules).stack_level == 3
    assert rejected(profile(TX_DEFAULT, (0, 16.0), level=4), rules=rules) is Reason.INVALID_STACK_LEVEL
    assert rejected(profile(TX_DEFAULT, (0, 16.0), level=-1), rules=rules) is Reason.INVALID_STACK_LEVEL
    too_many = profile(TX_DEFAULT, (0, 1.0), (1, 2.0), (2, 3.0))
    assert rejected(too_many, rules=rules) is Reason.INVALID_SCHEDULE
    other = installed(profile(TX_DEFAULT, (0, 16.0), (1, 2.0), id=9), 2)
    assert rejected(profile(TX_DEFAULT, (0, 16.0)), rules=rules, others=[other]) is Reason.OUT_OF_MEMORY
    more = changed(rules, max_profiles=2)
    assert judge(profile(TX_DEFAULT, (0, 16.0)), rules=more, others=[other]).id == 1
    two = profile(TX_DEFAULT, (0, 16.0), (1, 2.0))
    assert rejected(two, rules=more, others=[other]) is Reason.OUT_OF_MEMORY
    only_A = changed(RULES_16, units=frozenset({A}))
    assert rejected(profile(TX_DEFAULT, (0, 16.0), unit=RateUnit.W), rules=only_A) is Reason.UNSUPPORTED_UNIT
    none = changed(RULES_16, purposes=frozenset({TX}))
    assert rejected(profile(TX_DEFAULT, (0, 16.0)), rules=none) is Reason.UNSUPPORTED_PURPOSE
    assert Purpose.PRIORITY not in RULES_16.purposes


@pytest.mark.parametrize(
    "steps",
    [
        (),
        ((1, 16.0),),
        ((0, 16.0), (0, 10.0)),
        ((0, 16.0), (60, 10.0), (30, 8.0)),
        ((0, -1.0),),
        ((0, math.nan),),
        ((0, math.inf),),
        ((0, 16.0, 0),),
        ((0, 16.0, 4),),
    ],
)
def test_schedules_that_are_none(steps: tuple[Any, ...]) -> None:
    assert rejected(profile(TX_DEFAULT, *steps)) is Reason.INVALID_SCHEDULE


def test_other_values_that_are_none() -> None:
    assert rejected(profile(TX_DEFAULT, (0, 16.0), duration_s=-1)) is Reason.INVALID_SCHEDULE
    nan = profile(TX_DEFAULT, (0, 16.0), schedule={"min_rate": math.nan})
    assert rejected(nan) is Reason.INVALID_SCHEDULE
    assert rejected(profile(TX_DEFAULT, Period(0, None))) is Reason.INVALID_SCHEDULE


@pytest.mark.parametrize("connector_id", [3, 99, -1])
def test_connector_that_does_not_exist(connector_id: int) -> None:
    """Field case 41."""
    assert rejected(profile(TX_DEFAULT, (0, 16.0)), connector_id) is Reason.INVALID_VALUE


def test_million_of_periods_is_refused_at_once() -> None:
    many = tuple(Period(second, 10.0) for second in range(1_000_000))
    base = profile(TX_DEFAULT, (0, 16.0))
    huge = msgspec.structs.replace(base, schedules=(msgspec.structs.replace(base.schedules[0], periods=many),))
    assert rejected(huge) is Reason.INVALID_SCHEDULE
