"""Composite schedules with the exact values of field cases, of the test suite of OCPP 1.6, and of the standard's rules.

The instants are those of the helpers: now is 2024-01-17 18:00 UTC.
"""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.ocpp.smart_charging.profile import Phases
from tests.ocpp.smart_charging.helpers import (
    ABSOLUTE,
    DAILY,
    NOW_S,
    RECURRING,
    RELATIVE,
    RULES_21,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    WEEKLY,
    A,
    W,
    at,
    changed,
    compute,
    evse,
    idle,
    installed,
    periods,
    profile,
    steps,
    with_phases,
)

DAY_S = 86400


@pytest.mark.parametrize("duration_s", [0, 3600])
@pytest.mark.parametrize("n", [1, 2])
def test_maximum_of_the_station_for_any_duration(duration_s: int, n: int) -> None:
    """Field case 46: the answer is the profile and not the default, even for a duration of 0."""
    maximum = installed(profile(STATION_MAX, (0, 20000.0), unit=W, start_s=NOW_S - DAY_S), 0)
    schedule = compute([maximum], 0, duration_s, W, evses=idle(n))
    assert steps(schedule) == [(0, 20000.0)]
    assert schedule.duration_s == duration_s


@pytest.mark.ocpp("1.6 §3.13")
def test_default_of_connector_0_holds_for_each_connector() -> None:
    """Field case 47: two connectors of 10 A make 20 A, and a smaller maximum of the station limits that."""
    default = installed(profile(TX_DEFAULT, (0, 10.0), id=2), 0)

    def limits(maximum_A: float) -> list[tuple[float | None, int | None]]:
        maximum = installed(profile(STATION_MAX, (0, maximum_A)), 0)
        return [
            (period.limit.value, period.phases)
            for number in (0, 1, 2)
            for period in compute([maximum, default], number, evses=idle(2)).periods
        ]

    assert limits(32.0) == [(20.0, None), (10.0, None), (10.0, None)]
    assert limits(16.0) == [(16.0, None), (10.0, None), (10.0, None)]


@pytest.mark.parametrize(
    ("limit", "phases", "unit", "wanted", "converted"),
    [
        (11000.0, 3, W, A, 15.942029),
        (3680.0, 1, W, A, 16.0),
        (7360.0, 1, W, A, 32.0),
        (10.0, 3, A, W, 6900.0),
        (10.0, None, A, W, 6900.0),
    ],
)
def test_units_are_converted(limit: float, phases: int | None, unit: object, wanted: object, converted: float) -> None:
    """Field case 55: 230 V between phase and neutral."""
    one = installed(profile(TX_DEFAULT, (0, limit, phases), unit=unit), 1)  # type: ignore[arg-type]
    assert steps(compute([one], unit=wanted)) == [(0, converted)]  # type: ignore[arg-type]


def test_default_of_each_unit() -> None:
    """Field case 55: where no profile applies, the configured default of the unit, with three phases."""
    assert with_phases(compute([], unit=A)) == [(0, 48.0, 3)]
    assert with_phases(compute([], unit=W)) == [(0, 33120.0, 3)]
    assert steps(compute([], 0, unit=A, evses=idle(2))) == [(0, 96.0)]
    assert with_phases(compute([], evses={1: evse(phases=0)})) == [(0, 48.0, None)]
    rules = changed(RULES_21, default_limit_A=32.0, default_phases=1)
    assert with_phases(compute([], rules=rules)) == [(0, 32.0, 1)]


def test_limits_of_phases_are_merged_one_by_one() -> None:
    """Field case 66 (OCPP 2.1)."""
    default = installed(profile(TX_DEFAULT, *periods((0, 20.0, 3), limit_L2=12.0, limit_L3=14.0)), 1)
    maximum = installed(profile(STATION_MAX, (0, 16.0, 3), id=2), 0)
    (period,) = compute([default, maximum], rules=RULES_21).periods
    assert period.limit == Phases(16.0, 12.0, 14.0)
    assert period.phases == 3


def test_fewer_phases_have_the_tightest_limit() -> None:
    """It is not known which phase the car has."""
    default = installed(profile(TX_DEFAULT, *periods((0, 20.0, 3), limit_L2=12.0, limit_L3=14.0)), 1)
    maximum = installed(profile(STATION_MAX, (0, 16.0, 1), id=2), 0)
    (period,) = compute([default, maximum], rules=RULES_21).periods
    assert (period.limit, period.phases) == (Phases(12.0), 1)


def test_power_of_all_phases_is_shared_between_limits_of_phases() -> None:
    default = installed(profile(TX_DEFAULT, *periods((0, 20.0, 3), limit_L2=12.0, limit_L3=6.0)), 1)
    maximum = installed(profile(STATION_MAX, (0, 6900.0, 3), id=2, unit=W), 0)
    (period,) = compute([default, maximum], rules=RULES_21).periods
    assert period.limit == Phases(10.0, 10.0, 6.0)


@pytest.mark.ocpp("1.6 §5.16")
def test_three_profiles_of_two_purposes() -> None:
    """As OCTT TC_056 and TC_066 stack them: the maximum of the station wins where it is lower (10 A, 25 A)."""
    maximum = installed(profile(STATION_MAX, (0, 10.0, 3), duration_s=DAY_S), 0)
    default = installed(
        profile(TX_DEFAULT, (0, 6.0, 3), (60, 10.0, 3), (120, 8.0, 3), (180, 25.0, 3), (260, 8.0, 3), id=2,
                duration_s=300), 1)  # fmt: skip
    of_transaction = installed(
        profile(TX, (0, 8.0, 3), (50, 11.0, 3), (140, 16.0, 3), (200, 6.0, 3), id=3, duration_s=240), 1
    )
    assert with_phases(compute([maximum, default, of_transaction], duration_s=400)) == [
        (0, 8.0, 3),
        (50, 10.0, 3),
        (200, 6.0, 3),
        (240, 10.0, 3),
        (260, 8.0, 3),
        (300, 10.0, 3),
    ]


@pytest.mark.ocpp("1.6 §3.13.2")
def test_levels_and_the_end_of_a_schedule() -> None:
    """A higher level wins while it has an interval; after both the default limit holds."""
    low = installed(profile(TX_DEFAULT, (0, 6.0), (50, 5.0), (100, 8.0), (200, 10.0), duration_s=400), 1)
    high = installed(profile(TX_DEFAULT, (0, 7.0), (100, 9.0), id=2, level=1, duration_s=150), 1)
    expected = [(0, 7.0), (100, 9.0), (150, 8.0), (200, 10.0)]
    assert steps(compute([low, high], duration_s=350)) == expected
    assert steps(compute([low, high], duration_s=550)) == [*expected, (400, 48.0)]


def test_two_connectors_under_one_maximum() -> None:
    maximum = installed(profile(STATION_MAX, (0, 18.0), (50, 24.0), (100, 14.0), (200, 24.0), duration_s=800), 0)
    first = installed(profile(TX_DEFAULT, (0, 16.0), (100, 20.0), id=2, level=1, duration_s=400), 1)
    second = installed(profile(TX_DEFAULT, (0, 10.0), (100, 16.0), id=3, level=1, duration_s=500), 2)
    profiles = [maximum, first, second]
    assert steps(compute(profiles, 0, 700, evses=idle(2))) == [(0, 18.0), (50, 24.0), (100, 14.0), (200, 24.0)]
    assert steps(compute(profiles, 1, 900, evses=idle(2))) == [
        (0, 16.0),
        (100, 14.0),
        (200, 20.0),
        (400, 24.0),
        (800, 48.0),
    ]
    assert steps(compute(profiles, 2, 400, evses=idle(2))) == [(0, 10.0), (100, 14.0), (200, 16.0)]


def test_an_evse_without_a_profile_counts_with_the_default() -> None:
    """The sum of EVSE 0 has the default for it."""
    one = installed(profile(TX_DEFAULT, (0, 16.0), duration_s=1800), 1)
    assert steps(compute([one], 0, evses=idle(2))) == [(0, 64.0), (1800, 96.0)]
    in_watt = installed(profile(TX_DEFAULT, (0, 3680.0, 1), unit=W), 1)
    assert steps(compute([in_watt], 0, unit=W, evses=idle(2))) == [(0, 36800.0)]
    assert steps(compute([in_watt], 0, unit=A, evses=idle(2))) == [(0, 64.0)]


def test_amperes_and_watts_of_different_phases() -> None:
    """A limit in W on one phase is a higher current; the smaller number of phases holds for both."""
    maximum = installed(profile(STATION_MAX, (0, 16.0, 1), id=2), 0)
    default = installed(
        profile(TX_DEFAULT, (0, 12420.0), (300, 8280.0), (600, 6210.0), (900, 4140.0), (1200, 2070.0),
                unit=W, kind=RELATIVE), 1)  # fmt: skip
    assert with_phases(compute([maximum, default], evses=idle())) == [(0, 16.0, 1), (1200, 9.0, 1)]


@pytest.mark.ocpp("1.6 §3.13.1")
def test_daily_schedule() -> None:
    """Each occurrence starts again; a second level without a gap hides the first."""
    low = installed(profile(TX_DEFAULT, (0, 14.0), (5000, 16.0), (15000, 20.0), kind=RECURRING, recurrency=DAILY), 1)
    high = installed(
        profile(TX_DEFAULT, (0, 10.0), (10000, 22.0), (20000, 6.0), id=2, level=1, kind=RECURRING,
                recurrency=DAILY, duration_s=DAY_S), 1)  # fmt: skip
    day = [(0, 10.0), (10000, 22.0), (20000, 6.0)]
    again = [(start_s + DAY_S, limit) for start_s, limit in day]
    assert steps(compute([low, high], duration_s=2 * DAY_S)) == day + again


def test_weekly_schedule() -> None:
    """After the day of the higher level, the lower one of the same week."""
    low = installed(profile(TX_DEFAULT, (0, 14.0), (5000, 16.0), (15000, 20.0), kind=RECURRING, recurrency=WEEKLY), 1)
    high = installed(
        profile(TX_DEFAULT, (0, 10.0), (10000, 22.0), (20000, 6.0), id=2, level=1, kind=RECURRING,
                recurrency=WEEKLY, duration_s=DAY_S), 1)  # fmt: skip
    assert steps(compute([low, high], duration_s=2 * DAY_S)) == [
        (0, 10.0),
        (10000, 22.0),
        (20000, 6.0),
        (DAY_S, 20.0),
    ]


def test_the_occurrence_before_now_counts() -> None:
    """A recurring schedule holds before and after its startSchedule; only validFrom and validTo bound it."""
    one = profile(TX_DEFAULT, (0, 16.0), kind=RECURRING, recurrency=DAILY, start_s=at("2024-03-01 17:00"),
                  duration_s=7200)  # fmt: skip
    assert steps(compute([installed(one, 1)], duration_s=7200)) == [(0, 16.0), (3600, 48.0)]
    late = profile(TX_DEFAULT, (0, 16.0), kind=RECURRING, recurrency=DAILY, start_s=at("2024-03-01 17:00"),
                   valid_from_s=NOW_S + 600, valid_to_s=NOW_S + 1200)  # fmt: skip
    assert steps(compute([installed(late, 1)])) == [(0, 48.0), (600, 16.0), (1200, 48.0)]


def test_relative_schedule_starts_with_the_transaction() -> None:
    one = installed(profile(TX, (0, 16.0, 1), (50, 20.0, 3), kind=RELATIVE), 1)
    assert with_phases(compute([one], duration_s=400)) == [(0, 16.0, 1), (50, 20.0, 3)]
    assert with_phases(compute([one], duration_s=400, now_s=NOW_S + 20)) == [(0, 16.0, 1), (30, 20.0, 3)]
    # The clock was set back: the transaction has just begun.
    assert with_phases(compute([one], duration_s=400, now_s=NOW_S - 20)) == [(0, 16.0, 1), (50, 20.0, 3)]


@pytest.mark.ocpp("K01.FR.14", "K01.FR.15")
def test_default_holds_on_an_idle_evse_for_a_question() -> None:
    """GetCompositeSchedule assumes a transaction."""
    default = installed(profile(TX_DEFAULT, (0, 10.0), kind=RELATIVE), 0)
    of_transaction = installed(profile(TX, (0, 6.0), id=2), 1)
    assert steps(compute([default, of_transaction], evses=idle())) == [(0, 10.0)]
    assert steps(compute([default, of_transaction])) == [(0, 6.0)]
    of_another = {1: evse(transaction_id="another")}
    assert steps(compute([default, of_transaction], evses=of_another)) == [(0, 10.0)]
    # OCPP 1.6 before StartTransaction.conf: the id is not known yet.
    assert steps(compute([default, of_transaction], evses={1: evse(transaction_id=None)})) == [(0, 6.0)]


def test_transaction_profile_that_ends_leaves_the_default() -> None:
    default = installed(profile(TX_DEFAULT, (0, 19.0, 1), (3360, 20.0, 1), unit=W, duration_s=DAY_S), 1)
    short = installed(profile(TX, (0, 2000.0, 1), id=2, unit=W, duration_s=1080), 1)
    assert with_phases(compute([default, short], unit=W)) == [(0, 2000.0, 1), (1080, 19.0, 1), (3360, 20.0, 1)]


def test_second_that_is_not_of_the_schedule() -> None:
    """A window that begins a second before the schedule and ends a second after it."""
    one = installed(profile(TX_DEFAULT, (0, 32.0), (1800, 31.0), (2700, 30.0), duration_s=3600), 0)
    schedule = compute([one], 0, 3602, now_s=NOW_S - 1, evses=idle())
    assert steps(schedule) == [(0, 48.0), (1, 32.0), (1801, 31.0), (2701, 30.0), (3601, 48.0)]


@pytest.mark.parametrize("start_s", [at("1970-01-01 00:00"), -62135596800])
def test_schedule_of_the_first_years(start_s: int) -> None:
    """Dates at the beginning of the calendar are dates."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), start_s=start_s), 1)
    daily = installed(profile(TX_DEFAULT, (0, 8.0), id=2, start_s=start_s, kind=RECURRING, recurrency=DAILY,
                              level=1, valid_from_s=start_s), 1)  # fmt: skip
    assert steps(compute([one])) == [(0, 10.0)]
    assert steps(compute([one, daily])) == [(0, 8.0)]


def test_schedule_of_the_last_year() -> None:
    """A schedule that begins in 9999 has no effect, one that is valid until then has."""
    end_s = at("9999-12-31 23:59:59")
    late = installed(profile(TX_DEFAULT, (0, 10.0), start_s=end_s), 1)
    assert steps(compute([late])) == [(0, 48.0)]
    long = installed(profile(TX_DEFAULT, (0, 10.0), valid_to_s=end_s), 1)
    assert steps(compute([long], duration_s=31_536_000)) == [(0, 10.0)]


def test_rate_that_is_the_least() -> None:
    """minChargingRate is kept, in the unit that was asked for."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), schedule={"min_rate": 6.0}), 1)
    assert compute([one]).min_rate == 6.0
    assert compute([one], unit=W).min_rate == 4140.0
    assert compute([]).min_rate is None


def test_profile_of_one_evse_goes_before_that_of_all() -> None:
    """OCPP 1.6: a TxDefaultProfile of the connector goes before one of connector 0 on the same level."""
    everywhere = installed(profile(TX_DEFAULT, (0, 16.0)), 0)
    here = installed(profile(TX_DEFAULT, (0, 10.0), id=2), 1)
    assert steps(compute([everywhere, here], 1, evses=idle(2))) == [(0, 10.0)]
    assert steps(compute([everywhere, here], 2, evses=idle(2))) == [(0, 16.0)]


def test_neighbours_that_are_equal_are_one() -> None:
    one = installed(profile(TX_DEFAULT, (0, 10.0), (10, 10.0), (20, 12.0), kind=ABSOLUTE), 1)
    assert steps(compute([one])) == [(0, 10.0), (20, 12.0)]
