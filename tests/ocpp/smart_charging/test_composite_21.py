"""What OCPP 2.1 adds to composite schedules: offline times, delays, local time, state of charge, modes, purposes."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, LimitAtSoC, Mode, Phases, Purpose
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, LocalTime, Situation
from chargebyte_fw.modules.ocpp.smart_charging.timeline import Timeline
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
    at,
    changed,
    compute,
    evse,
    idle,
    installed,
    periods,
    profile,
    steps,
)

DEFAULT_A = 48.0


@pytest.mark.ocpp("K01.FR.102", "K01.FR.101")
def test_profile_holds_offline_for_its_time() -> None:
    """Field case 67: 60 s offline; it holds at T+59 and not at T+61, and again once online."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), max_offline_s=60), 1)
    below = installed(profile(TX_DEFAULT, (0, 20.0), id=2, level=-1), 1)
    for after_s, limit in ((0, 10.0), (59, 10.0), (61, 20.0)):
        schedule = compute([one, below], now_s=NOW_S + after_s, offline_since_s=NOW_S, rules=RULES_21)
        assert schedule.periods[0].limit == Phases(limit), after_s
    assert steps(compute([one, below], offline_since_s=NOW_S, rules=RULES_21)) == [(0, 10.0), (61, 20.0)]
    assert steps(compute([one, below], now_s=NOW_S + 61, rules=RULES_21)) == [(0, 10.0)]


@pytest.mark.ocpp("K01.FR.101")
def test_profile_that_holds_online_only() -> None:
    """maxOfflineDuration 0: invalid as soon as the station is offline."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), max_offline_s=0), 1)
    assert steps(compute([one], offline_since_s=NOW_S, rules=RULES_21)) == [(0, DEFAULT_A)]


@pytest.mark.ocpp("K06.FR.01", "K07.FR.01", "K01.FR.103")
def test_profiles_without_a_bound_hold_offline() -> None:
    """A station that loses its connection goes on with what it has, also for a transaction that starts then."""
    default = installed(profile(TX_DEFAULT, (0, 20.0), kind=RELATIVE), 0)
    one = installed(profile(TX, (0, 10.0), id=2), 1)
    assert steps(compute([default, one], offline_since_s=NOW_S - 86400)) == [(0, 10.0)]
    started = {1: evse(transaction_id="of-offline")}
    assert steps(compute([default, one], offline_since_s=NOW_S - 86400, evses=started)) == [(0, 20.0)]


def test_purposes_that_are_ignored_offline() -> None:
    """IgnoredProfilePurposesOffline."""
    profiles = [installed(profile(TX_DEFAULT, (0, 10.0)), 1), installed(profile(STATION_MAX, (0, 16.0), id=2), 0)]
    rules = changed(RULES_21, ignored_offline=frozenset({TX_DEFAULT}))
    assert steps(compute(profiles, rules=rules)) == [(0, 10.0)]
    assert steps(compute(profiles, rules=rules, offline_since_s=NOW_S)) == [(0, 16.0)]


DELAYED = {"randomized_delay_s": 300}
RULES_DELAYED = changed(RULES_21, randomized_delay=True)


def delays(one: Installed, number: int = 1, **situation: Any) -> list[int]:
    """How late each period but the first is, where none is left out."""
    rules = changed(RULES_DELAYED, seed=f"station-{number}")
    (first_s, _), *others = steps(compute([one], rules=rules, duration_s=7200, **situation))
    assert first_s == 0
    return [start_s - 600 * place for place, (start_s, _) in enumerate(others, 1)]


@pytest.mark.ocpp("K01.FR.92", "K01.FR.93")
def test_delay_is_random_but_the_same_for_each_computation() -> None:
    """Each station has its own delays, between 0 and randomizedDelay, and keeps them; the first period has none."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), (600, 20.0), (1200, 15.0), schedule=DELAYED), 1)
    found = [delays(one, number) for number in range(20)]
    assert all(0 <= late_s <= 300 for row in found for late_s in row)
    for column in zip(*found, strict=True):
        assert len(set(column)) > 10
    assert sum(first != second for first, second in found) > 15, "each period has its own"
    rules = changed(RULES_DELAYED, seed="station-0")
    later = steps(compute([one], rules=rules, now_s=NOW_S + 10))
    assert later[1][0] == 600 + found[0][0] - 10


def test_delay_is_another_one_in_each_transaction_and_for_each_submission() -> None:
    shape = profile(TX_DEFAULT, (0, 10.0), (600, 20.0), schedule=DELAYED)
    one = installed(shape, 1)
    of_transactions = {delays(one, evses={1: evse(transaction_id=f"transaction-{number}")})[0] for number in range(20)}
    of_submissions = {
        delays(msgspec.structs.replace(one, installed_s=one.installed_s - number))[0] for number in range(20)
    }
    assert len(of_transactions) > 10 and len(of_submissions) > 10


def test_period_that_would_begin_after_the_next_one_is_left_out() -> None:
    """K01.FR.97 (errata 2025-09): the period before it goes on until the next one begins."""
    limits = [(300 * place, float(6 + place)) for place in range(8)]
    one = installed(profile(TX_DEFAULT, *limits, schedule={"randomized_delay_s": 900}), 1)
    left_out = 0
    for number in range(20):
        found = steps(compute([one], rules=changed(RULES_DELAYED, seed=f"station-{number}"), duration_s=7200))
        assert found[0] == (0, 6.0) and found[-1][1] == 13.0
        starts, values = [start_s for start_s, _ in found], [limit or 0.0 for _, limit in found]
        assert starts == sorted(set(starts)) and values == sorted(set(values))
        for start_s, limit in zip(starts[1:], values[1:], strict=True):
            assert 0 <= start_s - 300 * (limit - 6) <= 900
        left_out += len(limits) - len(found)
    assert left_out > 20


def test_period_that_is_delayed_beyond_the_duration_is_left_out() -> None:
    shape = profile(TX_DEFAULT, (0, 10.0), (600, 20.0), duration_s=601, schedule={"randomized_delay_s": 100_000})
    assert steps(compute([installed(shape, 1)], rules=RULES_DELAYED)) == [(0, 10.0), (601, DEFAULT_A)]


def test_delayed_transaction_begins_with_a_limit() -> None:
    one = installed(profile(TX, (0, 10.0), (600, 20.0), kind=RELATIVE, schedule={"randomized_delay_s": 300}), 1)
    (_, first), (second_s, second) = steps(compute([one], rules=RULES_DELAYED))
    assert (first, second) == (10.0, 20.0) and 600 <= second_s <= 900


@pytest.mark.ocpp("K01.FR.90", "K01.FR.91")
def test_local_time_in_summer_and_winter() -> None:
    """A daily schedule of 18:00 local time: 17:00 UTC in winter, 16:00 UTC in summer."""
    transition_s = at("2024-03-31 01:00")
    local = LocalTime(3600, transition_s, 7200)
    one = profile(TX_DEFAULT, (0, 10.0), kind=RECURRING, recurrency=DAILY, start_s=at("2024-01-01 18:00"),
                  duration_s=3600, schedule={"local_time": True})  # fmt: skip
    schedule = compute([installed(one, 1)], duration_s=3 * 86400 - 7200, now_s=at("2024-03-29 17:00"), local=local)
    day_s = 86400
    assert steps(schedule) == [
        (0, 10.0),
        (3600, DEFAULT_A),
        (day_s, 10.0),
        (day_s + 3600, DEFAULT_A),
        (2 * day_s - 3600, 10.0),  # the night of the transition has 23 hours
        (2 * day_s, DEFAULT_A),
    ]


def test_local_time_that_does_not_exist_or_comes_twice() -> None:
    """The hour that is skipped is counted with the old offset; the one that is repeated is its first pass."""
    forward = LocalTime(3600, at("2024-03-31 01:00"), 7200)
    assert forward.to_utc(at("2024-03-31 02:30")) == at("2024-03-31 01:00")
    back = LocalTime(7200, at("2024-10-27 01:00"), 3600)
    assert back.to_utc(at("2024-10-27 02:30")) == at("2024-10-27 00:30")
    assert back.to_utc(at("2024-10-27 03:30")) == at("2024-10-27 02:30")
    assert back.offset_at(at("2024-10-27 01:00")) == 3600


def test_absolute_local_time() -> None:
    local = LocalTime(3600)
    one = profile(TX_DEFAULT, (0, 10.0), start_s=NOW_S + 3600 + 60, schedule={"local_time": True})
    assert steps(compute([installed(one, 1)], local=local)) == [(0, DEFAULT_A), (60, 10.0)]


@pytest.mark.ocpp("K01.FR.100")
@pytest.mark.parametrize(("soc_percent", "limit"), [(None, 32.0), (79.0, 32.0), (80.0, 8.0), (95.0, 8.0)])
def test_limit_beyond_a_state_of_charge(soc_percent: float | None, limit: float) -> None:
    one = installed(profile(TX, (0, 32.0), schedule={"limit_at_soc": LimitAtSoC(80, 8.0)}), 1)
    assert steps(compute([one], evses={1: evse(soc_percent=soc_percent)}, rules=RULES_21)) == [(0, limit)]


def test_sleeping_evse_charges_nothing() -> None:
    one = installed(profile(TX, *periods((0, 16.0), sleep=True)), 1)
    (period,) = compute([one], rules=RULES_21).periods
    assert period.limit == Phases(0.0) and period.extras.sleep


@pytest.mark.ocpp("K28.FR.13", "K28.FR.15")
def test_dynamic_profile_counts_from_its_update() -> None:
    """Its duration begins with dynUpdateTime; then it is inactive until it is updated again."""
    one = profile(TX, (0, 10.0), kind=DYNAMIC, duration_s=300, updated_s=NOW_S - 100)
    assert steps(compute([installed(one, 1)], rules=RULES_21)) == [(0, 10.0), (200, DEFAULT_A)]
    again = msgspec.structs.replace(one, updated_s=NOW_S)
    assert steps(compute([installed(again, 1)], rules=RULES_21)) == [(0, 10.0), (300, DEFAULT_A)]
    never = msgspec.structs.replace(one, updated_s=None)
    assert steps(compute([installed(never, 1)], rules=RULES_21)) == [(0, 10.0), (300, DEFAULT_A)]


@pytest.mark.ocpp("K21.FR.04")
def test_priority_charging_replaces_the_profiles_of_the_transaction() -> None:
    """K21: it is above TxProfile and TxDefaultProfile, and below the limits of station and grid."""
    profiles = [
        installed(profile(TX, (0, 6.0)), 1),
        installed(profile(Purpose.PRIORITY, (0, 32.0), id=2), 1),
        installed(profile(STATION_MAX, (0, 25.0), id=3), 0),
    ]
    assert steps(compute(profiles, rules=RULES_21)) == [(0, 6.0)]
    assert steps(compute(profiles, rules=RULES_21, evses={1: evse(priority=True)})) == [(0, 25.0)]


@pytest.mark.ocpp("K27")
def test_local_generation_adds_to_the_limit() -> None:
    """K27: power of the roof comes on top of what the transaction may draw, within the limits of station and grid."""
    limit = installed(profile(TX, (0, 6.0)), 1)
    sun = installed(profile(Purpose.LOCAL_GENERATION, (0, 4.0), (1800, 12.0), id=2), 1)
    assert steps(compute([limit, sun], rules=RULES_21)) == [(0, 10.0), (1800, 18.0)]
    maximum = installed(profile(STATION_MAX, (0, 16.0), id=3), 0)
    assert steps(compute([limit, sun, maximum], rules=RULES_21)) == [(0, 10.0), (1800, 16.0)]
    # Without a limit there is nothing to add to.
    assert steps(compute([sun], rules=RULES_21)) == [(0, DEFAULT_A)]
    of_station = installed(profile(Purpose.LOCAL_GENERATION, (0, 690.0), id=4, unit=W), 0)
    assert steps(compute([limit, of_station], rules=RULES_21)) == [(0, 7.0)]
    assert steps(compute([limit, of_station], 0, rules=RULES_21)) == [(0, 7.0)]


@pytest.mark.ocpp("K11.FR.01")
def test_external_constraint_is_a_limit_like_that_of_the_station() -> None:
    limit = installed(profile(TX, (0, 32.0)), 1)
    grid = installed(profile(Purpose.EXTERNAL, (0, 10.0), (600, 40.0), id=-1), 0, source="SO")
    here = installed(profile(Purpose.EXTERNAL, (0, 20.0), id=-2), 1, source="EMS")
    assert steps(compute([limit, grid], rules=RULES_21)) == [(0, 10.0), (600, 32.0)]
    assert steps(compute([limit, grid, here], rules=RULES_21)) == [(0, 10.0), (600, 20.0)]
    assert steps(compute([limit, here], 0, rules=RULES_21)) == [(0, 20.0)]


@pytest.mark.ocpp("Q03", "V2X.03", "K08.FR.08")
def test_setpoint_stays_within_the_limits() -> None:
    """Q03: a setpoint of the winner, limited by the station's maximum; the discharge limit nearest to zero holds."""
    one = installed(
        profile(TX, *periods((0, 20000.0, 3), mode=Mode.CENTRAL_SETPOINT, setpoint=Phases(15000.0),
                             discharge=Phases(-5000.0)), unit=W), 1)  # fmt: skip
    maximum = installed(profile(STATION_MAX, (0, 11000.0), id=2, unit=W), 0)
    (period,) = compute([one, maximum], unit=W, rules=RULES_21).periods
    assert (period.setpoint, period.discharge, period.extras.mode) == (
        Phases(11000.0),
        Phases(-5000.0),
        Mode.CENTRAL_SETPOINT,
    )
    (in_A,) = compute([one, maximum], rules=RULES_21).periods
    assert in_A.setpoint == Phases(15.942029) and in_A.limit == Phases(15.942029)


@pytest.mark.ocpp("V2X.04", "K08.FR.08")
def test_setpoint_of_discharge() -> None:
    one = installed(
        profile(TX, *periods((0, None, 3), mode=Mode.CENTRAL_SETPOINT, setpoint=Phases(-7000.0),
                             discharge=Phases(-5000.0)), unit=W), 1)  # fmt: skip
    (period,) = compute([one], unit=W, rules=RULES_21).periods
    assert (period.setpoint, period.limit) == (Phases(-5000.0), Phases())


def test_values_of_phases_are_shown_per_phase() -> None:
    """Golden values: a total beside limits of phases is shared equally."""
    one = installed(
        profile(TX, *periods((0, 500.0, 3), limit_L2=500.0, limit_L3=500.0, mode=Mode.CENTRAL_SETPOINT,
                             setpoint=Phases(1800.0), discharge=Phases(-3000.0)), unit=W), 1)  # fmt: skip
    (period,) = compute([one], unit=W, rules=RULES_21).periods
    assert period.limit == Phases(500.0, 500.0, 500.0)
    assert period.setpoint == Phases(500.0, 500.0, 500.0)
    assert period.discharge == Phases(-1000.0, -1000.0, -1000.0)


def test_setpoint_of_phases_under_a_common_limit() -> None:
    one = installed(
        profile(TX, *periods((0, 10.0, 3), mode=Mode.CENTRAL_SETPOINT, setpoint=Phases(12.0, 8.0, 16.0))), 1
    )
    (period,) = compute([one], rules=RULES_21).periods
    assert period.setpoint == Phases(10.0, 8.0, 10.0)


@pytest.mark.ocpp("Q06", "Q05.FR.01", "Q06.FR.21")
def test_setpoint_of_an_external_system() -> None:
    """Q05, Q06: the profile of the CSMS leaves the setpoint to the external system, within its limits."""
    one = installed(
        profile(TX, *periods((0, 8000.0, 3), mode=Mode.EXTERNAL_SETPOINT, discharge=Phases(-2000.0)), unit=W), 1
    )
    (alone,) = compute([one], unit=W, rules=RULES_21).periods
    assert alone.setpoint == Phases() and alone.extras.mode is Mode.EXTERNAL_SETPOINT
    external = installed(
        profile(Purpose.EXTERNAL, *periods((0, None), mode=Mode.EXTERNAL_SETPOINT, setpoint=Phases(-9000.0)),
                id=-1, unit=W), 1, source="EMS")  # fmt: skip
    (both,) = compute([one, external], unit=W, rules=RULES_21).periods
    assert both.setpoint == Phases(-2000.0) and both.limit == Phases(8000.0)
    (without,) = compute([external], unit=W, rules=RULES_21).periods
    assert without.setpoint == Phases(-9000.0) and without.extras.mode is Mode.EXTERNAL_SETPOINT


@pytest.mark.ocpp("Q10")
def test_idle_means_no_power() -> None:
    one = installed(profile(TX, *periods((0, None), mode=Mode.IDLE)), 1)
    (period,) = compute([one], rules=RULES_21).periods
    assert period.limit == Phases(0.0) and period.extras.mode is Mode.IDLE


@pytest.mark.ocpp("Q08")
def test_frequency_curve_is_kept() -> None:
    curve = ((49.8, -5000.0), (50.2, 5000.0))
    one = installed(
        profile(TX, *periods((0, None), mode=Mode.LOCAL_FREQUENCY, baseline_W=100.0, frequency_curve=curve),
                unit=W), 1)  # fmt: skip
    (period,) = compute([one], unit=W, rules=RULES_21).periods
    assert (period.extras.frequency_curve, period.extras.baseline_W) == (curve, 100.0)


def test_phase_to_use_is_kept_for_one_phase() -> None:
    one = installed(profile(TX, *periods((0, 16.0, 1), phase_to_use=2)), 1)
    (period,) = compute([one], rules=RULES_21).periods
    assert (period.phases, period.phase_to_use) == (1, 2)


def test_selected_schedule_holds() -> None:
    """The car chose the second of the schedules (ISO 15118)."""
    base = profile(TX, (0, 16.0))
    other = profile(TX, (0, 8.0)).schedules
    both = msgspec.structs.replace(base, schedules=base.schedules + other)
    assert steps(compute([installed(both, 1)])) == [(0, 16.0)]
    assert steps(compute([installed(both, 1, selected=1)])) == [(0, 8.0)]


def test_computation_is_bounded() -> None:
    """A year of periods that change each second ends early, and so does one whose changes cannot be seen."""
    many = tuple(one for second in range(0, 86400, 2) for one in periods((second, 10.0), (second + 1, 11.0)))
    daily = installed(profile(TX_DEFAULT, *many, kind=RECURRING, recurrency=DAILY), 1)
    visible = compute([daily], duration_s=31_536_000)
    assert (len(visible.periods), visible.duration_s) == (1024, 1024)
    hidden = compute([daily, installed(profile(STATION_MAX, (0, 6.0), id=2), 0)], duration_s=31_536_000)
    assert (steps(hidden), hidden.duration_s) == ([(0, 6.0)], 4096)


def test_timeline_of_the_far_future_is_short() -> None:
    """No loop over occurrences: a daily schedule from year 1 is found in one step."""
    one = installed(profile(TX_DEFAULT, (0, 10.0), kind=RECURRING, recurrency=DAILY, start_s=-62135596800), 1)
    timeline = Timeline(one, Situation(now_s=NOW_S, evses={1: EvseState()}), RULES_21, transaction_start_s=NOW_S)
    period, until_s = timeline.at(NOW_S)
    assert period is not None and NOW_S < until_s <= NOW_S + 86400
    assert idle(2).keys() == {1, 2}


def test_generation_of_watts_beside_a_limit_of_watts() -> None:
    limit = installed(profile(TX, (0, 4000.0), unit=W), 1)
    sun = installed(profile(Purpose.LOCAL_GENERATION, (0, 2000.0), id=2, unit=W), 1)
    assert steps(compute([limit, sun], unit=W, rules=RULES_21)) == [(0, 6000.0)]


def test_setpoint_of_all_phases_under_limits_of_each() -> None:
    """A total in W is bounded by the sum, a current by the lowest."""
    external = installed(
        profile(Purpose.EXTERNAL, *periods((0, None), mode=Mode.EXTERNAL_SETPOINT, setpoint=Phases(12.0)), id=-1),
        1,
        source="EMS",
    )
    limit = installed(profile(TX, *periods((0, 20.0, 3), limit_L2=8.0, limit_L3=14.0)), 1)
    (period,) = compute([limit, external], rules=RULES_21).periods
    assert period.setpoint == Phases(12.0, 8.0, 12.0)


def test_station_without_evses_has_the_default() -> None:
    maximum = installed(profile(STATION_MAX, (0, 100.0)), 0)
    assert steps(compute([maximum], 0, evses={}, rules=RULES_21)) == [(0, DEFAULT_A)]
