"""Composite schedules beside a model that looks at each second by itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    Installed,
    Kind,
    Period,
    Profile,
    Purpose,
    RateUnit,
    Recurrency,
    Schedule,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState
from tests.ocpp.smart_charging.helpers import NOW_S, RULES_21, TRANSACTION, A, W, compute

WINDOW_S = 60
V = 230.0


def naive_period(installed: Installed, at_s: int, began_s: int) -> Period | None:
    profile, schedule = installed.profile, installed.profile.schedules[0]
    if profile.valid_from_s is not None and at_s < profile.valid_from_s:
        return None
    if profile.valid_to_s is not None and at_s >= profile.valid_to_s:
        return None
    match profile.kind:
        case Kind.RELATIVE:
            elapsed_s = at_s - began_s
        case Kind.RECURRING:
            assert profile.recurrency is not None and schedule.start_s is not None
            elapsed_s = (at_s - schedule.start_s) % int(profile.recurrency)
        case _:
            assert schedule.start_s is not None
            elapsed_s = at_s - schedule.start_s
    if elapsed_s < 0 or (schedule.duration_s is not None and elapsed_s >= schedule.duration_s):
        return None
    found = None
    for period in schedule.periods:
        if period.start_s <= elapsed_s:
            found = period
    return found


def naive_winner(
    profiles: Iterable[Installed], purpose: Purpose, evse_ids: set[int], at_s: int, began_s: int
) -> tuple[Period, RateUnit] | None:
    best: tuple[tuple[int, bool], Period, RateUnit] | None = None
    for one in profiles:
        if one.profile.purpose is purpose and one.evse_id in evse_ids:
            period = naive_period(one, at_s, began_s)
            key = (one.profile.stack_level, one.evse_id > 0)
            if period is not None and (best is None or key > best[0]):
                best = key, period, one.profile.schedules[0].unit
    return (best[1], best[2]) if best is not None else None


def naive(profiles: list[Installed], evse: EvseState, at_s: int, unit: RateUnit) -> tuple[float | None, int | None]:
    """Limit and phases of EVSE 1 at one second, by the rules alone."""
    began_s = evse.transaction_start_s if evse.transaction_start_s is not None else NOW_S
    holding = None
    if evse.transaction:
        holding = naive_winner(profiles, Purpose.TX, {1}, at_s, began_s)
    if holding is None:
        holding = naive_winner(profiles, Purpose.TX_DEFAULT, {0, 1}, at_s, began_s)
    maximum = naive_winner(profiles, Purpose.STATION_MAX, {0}, at_s, NOW_S)
    external = naive_winner(profiles, Purpose.EXTERNAL, {0}, at_s, NOW_S)
    winners = [one for one in (holding, maximum, external) if one is not None]
    if not winners:
        return (48.0 if unit is A else 33120.0), 3
    phases = [period.phases for period, _ in winners if period.phases is not None]
    n = min(phases, default=3)
    limits = []
    for period, of in winners:
        assert period.limit is not None
        if of is unit:
            limits.append(period.limit)
        else:
            limits.append(period.limit * n * V if unit is W else period.limit / (n * V))
    return min(limits), min(phases, default=None)


@st.composite
def installed_profiles(draw: st.DrawFn, number: int) -> Installed:
    purpose = draw(st.sampled_from([Purpose.TX, Purpose.TX_DEFAULT, Purpose.STATION_MAX, Purpose.EXTERNAL]))
    kinds = [Kind.ABSOLUTE, Kind.RECURRING]
    if purpose in (Purpose.TX, Purpose.TX_DEFAULT):
        kinds.append(Kind.RELATIVE)
    kind = draw(st.sampled_from(kinds))
    unit = draw(st.sampled_from([A, W]))
    starts = sorted({0, *draw(st.lists(st.integers(1, 80), max_size=4))})
    limits = st.integers(0, 40).map(float) if unit is A else st.integers(0, 30).map(lambda n: n * 690.0)
    made = tuple(Period(s, draw(limits), draw(st.sampled_from([None, None, 1, 2, 3]))) for s in starts)
    near = st.integers(-80, 80).map(lambda s: NOW_S + s)
    maybe: Any = st.one_of(st.none(), st.none(), near)
    schedule = Schedule(
        unit=unit,
        periods=made,
        duration_s=draw(st.one_of(st.none(), st.integers(1, 120))),
        start_s=None if kind is Kind.RELATIVE else draw(near) + draw(st.sampled_from([0, -86400, 86400])),
    )
    profile = Profile(
        id=number,
        stack_level=number,
        purpose=purpose,
        kind=kind,
        schedules=(schedule,),
        recurrency=draw(st.sampled_from(list(Recurrency))) if kind is Kind.RECURRING else None,
        valid_from_s=draw(maybe),
        valid_to_s=draw(maybe),
        transaction_id=TRANSACTION if purpose is Purpose.TX else None,
    )
    evse_id = {Purpose.TX: 1, Purpose.TX_DEFAULT: draw(st.sampled_from([0, 1]))}.get(purpose, 0)
    return Installed(profile=profile, evse_id=evse_id, installed_s=NOW_S)


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[Installed], EvseState]:
    profiles = [draw(installed_profiles(number)) for number in range(draw(st.integers(0, 6)))]
    evse = draw(
        st.sampled_from(
            [
                EvseState(),
                EvseState(transaction=True, transaction_id=TRANSACTION, transaction_start_s=NOW_S - 17),
                EvseState(transaction=True, transaction_id="another", transaction_start_s=NOW_S),
            ]
        )
    )
    return profiles, evse


def each_second(of: Composite) -> list[tuple[float | None, int | None]]:
    assert of.periods[0].start_s == 0
    found: list[tuple[float | None, int | None]] = []
    ends = [one.start_s for one in of.periods[1:]] + [of.duration_s]
    for period, end_s in zip(of.periods, ends, strict=True):
        assert end_s > period.start_s
        found += [(period.limit.value, period.phases)] * (end_s - period.start_s)
    return found


@given(situations(), st.sampled_from([A, W]))
@settings(max_examples=120)
def test_each_second_is_as_the_naive_model_has_it(situation: tuple[list[Installed], EvseState], unit: RateUnit) -> None:
    profiles, evse = situation
    made = compute(profiles, 1, WINDOW_S, unit, evses={1: evse}, rules=RULES_21)
    of_transaction = [
        one for one in profiles if one.profile.purpose is not Purpose.TX or evse.transaction_id == TRANSACTION
    ]
    for second, (limit, phases) in enumerate(each_second(made)):
        expected, n = naive(of_transaction, evse, NOW_S + second, unit)
        assert limit is not None and expected is not None
        assert abs(limit - expected) < 1e-5, second
        assert phases == n, second


@given(situations(), st.sampled_from([A, W]))
@settings(max_examples=50)
def test_station_is_the_sum_of_its_evses_within_its_maximum(
    situation: tuple[list[Installed], EvseState], unit: RateUnit
) -> None:
    """Two EVSEs without phases of their own: the sum of what each may draw, then the limits of the station."""
    profiles = [
        msgspec.structs.replace(
            one,
            profile=msgspec.structs.replace(
                one.profile,
                schedules=tuple(
                    msgspec.structs.replace(
                        schedule,
                        periods=tuple(msgspec.structs.replace(period, phases=3) for period in schedule.periods),
                    )
                    for schedule in one.profile.schedules
                ),
            ),
        )
        for one in situation[0]
    ]
    of_station = (Purpose.STATION_MAX, Purpose.EXTERNAL)
    own = [one for one in profiles if one.profile.purpose not in of_station]
    above = [one for one in profiles if one.profile.purpose in of_station]
    evses = {1: situation[1], 2: EvseState()}
    whole = each_second(compute(profiles, 0, WINDOW_S, unit, evses=evses, rules=RULES_21))
    first = each_second(compute(own, 1, WINDOW_S, unit, evses=evses, rules=RULES_21))
    second = each_second(compute(own, 2, WINDOW_S, unit, evses=evses, rules=RULES_21))
    bound = each_second(compute(above, 2, WINDOW_S, unit, evses=evses, rules=RULES_21))
    limited = compute(above, 2, WINDOW_S, unit, evses=evses, rules=RULES_21)
    open_at = {
        second_
        for period, end_s in zip(
            limited.periods, [one.start_s for one in limited.periods[1:]] + [WINDOW_S], strict=True
        )
        if period.is_default
        for second_ in range(period.start_s, end_s)
    }
    for at_s in range(WINDOW_S):
        total = (first[at_s][0] or 0.0) + (second[at_s][0] or 0.0)
        expected = total if at_s in open_at else min(total, bound[at_s][0] or 0.0)
        assert abs((whole[at_s][0] or 0.0) - expected) < 1e-5, at_s
