"""What a budget and a cable allow, for how long, and which of them is named where it is too little."""

from __future__ import annotations

import pytest

from chargebyte_fw.modules.evse.machine.allowance import Allowance
from chargebyte_fw.modules.evse.machine.events import Budget


def allowance(ac_A: float = 16.0, *, cable_A: float | None = None, limited_by: str = "") -> Allowance:
    return Allowance(Budget(ac_A=ac_A, dc_A=0.0, dc_W=0.0, until_s=10.0, limited_by=limited_by), cable_A)


@pytest.mark.parametrize(
    ("ac_A", "cable_A", "current_A", "available"),
    [
        (16.0, None, 16.0, True),
        (16.0, 13.0, 13.0, True),
        (13.0, 32.0, 13.0, True),
        (16.0, 0.0, 0.0, False),
        (6.0, None, 6.0, True),
        (5.995, None, 5.995, True),
        (5.98, None, 5.98, False),
        (32.0, 5.0, 5.0, False),
        (-16.0, None, 0.0, False),
    ],
)
def test_the_least_of_budget_and_cable_counts_and_below_6_a_an_ev_gets_no_power(
    ac_A: float, cable_A: float | None, current_A: float, available: bool
) -> None:
    one = allowance(ac_A, cable_A=cable_A)
    assert one.current_A == current_A
    assert one.available(dc=False) is available


@pytest.mark.parametrize(
    ("dc_A", "dc_W", "available"), [(0.0, 0.0, False), (1.0, 0.0, False), (0.0, 1.0, False), (0.5, 200.0, True)]
)
def test_direct_current_takes_amperes_and_watts(dc_A: float, dc_W: float, available: bool) -> None:
    one = Allowance(Budget(ac_A=16.0, dc_A=dc_A, dc_W=dc_W, until_s=10.0))
    assert one.available(dc=True) is available


def test_a_budget_holds_a_whole_second_longer_than_it_is_valid_and_its_end_is_reported_once() -> None:
    one = allowance()
    assert not one.age(10.999) and one.current_A == 16.0
    assert one.age(11.0)
    assert one.current_A == 0.0 and not one.available(dc=False)
    assert not one.age(12.0)
    one.take(Budget(ac_A=10.0, dc_A=0.0, dc_W=0.0, until_s=20.0))
    assert one.current_A == 10.0 and one.available(dc=False)
    assert one.age(21.0)
    assert not Allowance().age(1000.0)


@pytest.mark.parametrize("one", [Allowance(), Allowance(Budget(16.0, 0.0, 0.0, 10.0), expired=True)])
def test_without_a_budget_the_energy_management_is_named(one: Allowance) -> None:
    assert one.why_none == "the energy management is silent"


@pytest.mark.parametrize(
    ("ac_A", "cable_A", "named"),
    [
        (16.0, 5.0, "the cable carries 5 A, an EV needs 6 A"),
        (16.0, 0.0, "the cable carries 0 A, an EV needs 6 A"),
        (6.0, 5.0, "the cable carries 5 A, an EV needs 6 A"),
        (5.995, 5.0, "the cable carries 5 A, an EV needs 6 A"),
        (5.98, 5.0, "the house fuse"),
        (0.0, 5.0, "the house fuse"),
        (0.0, 5.995, "the house fuse"),
        (16.0, 5.995, "the house fuse"),
        (0.0, None, "the house fuse"),
    ],
)
def test_the_cable_is_named_only_where_the_budget_would_do(ac_A: float, cable_A: float | None, named: str) -> None:
    assert allowance(ac_A, cable_A=cable_A, limited_by="the house fuse").why_none == named


def test_a_budget_without_a_limit_is_named_so() -> None:
    assert allowance(0.0).why_none == "no limit is known"
