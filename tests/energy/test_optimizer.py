"""EnergyManager's optimiser: who may draw how much (modules reference: trading, node limits, setpoints, time axis)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    FrequencyWattPoint,
    NodeType,
    ScheduleSetpointEntry,
    SetpointType,
)
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.units import Energy, Frequency
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.energy.machine import Enforce, Optimizer, Requested, Rules, Silent
from chargebyte_fw.modules.energy.schedule import requests_of
from chargebyte_fw.modules.energy.setpoints import power_at
from tests.energy.helpers import NOON, ac_leaf, current_A, dc_leaf, entry, node, power_W, share, side


def test_a_single_leaf_gets_what_the_tightest_node_above_it_carries() -> None:
    granted = share(node("grid", node("sink", ac_leaf("connector", 32), A=31), A=40))
    assert current_A(granted["connector"]) == 31
    assert granted["connector"].ac_max_current_A is not None
    assert granted["connector"].ac_max_current_A.source == "sink"


def test_equal_limits_name_all_their_sources_from_the_trunk_to_the_leaf() -> None:
    granted = share(node("grid", node("sink", ac_leaf("connector", 32), A=32), A=40))["connector"]
    assert granted.ac_max_current_A is not None and granted.ac_max_current_A.source == "sink,connector"
    assert granted.ac_max_phase_count is not None and granted.ac_max_phase_count.source == "grid,sink,connector"


def test_an_alternating_current_leaf_without_any_power_limit_is_told_a_current_only() -> None:
    assert share(node("grid", ac_leaf("connector"), A=40))["connector"].total_power_W is None


def test_a_direct_current_leaf_is_told_power_and_current_of_the_fuse_above_it() -> None:
    granted = share(node("grid", dc_leaf("connector", 150_000, 32), A=32))["connector"]
    assert (power_W(granted), current_A(granted)) == (22_080, 32)


def test_a_direct_current_leaf_is_not_bound_to_the_minimum_current_of_the_pilot() -> None:
    granted = share(node("grid", dc_leaf("connector", 2_000, 32), A=32))["connector"]
    assert power_W(granted) == 2_000


def test_more_than_a_hundred_slices_can_be_bought() -> None:
    assert power_W(share(node("grid", dc_leaf("connector", 150_000), A=400))["connector"]) == 150_000


@pytest.mark.parametrize("fuse_A", [12, 13.5, 20, 40, 64])
def test_two_equal_leaves_share_equally(fuse_A: float) -> None:
    granted = share(node("grid", ac_leaf("one"), ac_leaf("two"), A=fuse_A))
    assert current_A(granted["one"]) == pytest.approx(fuse_A / 2, abs=0.5)
    assert current_A(granted["one"]) + current_A(granted["two"]) == pytest.approx(min(fuse_A, 64))


def test_two_direct_current_leaves_share_equally() -> None:
    granted = share(node("grid", dc_leaf("one", 50_000, 60), dc_leaf("two", 60_000, 80), A=120))
    assert {name: power_W(limits) for name, limits in granted.items()} == {"one": 41_400, "two": 41_400}


def test_what_one_leaf_does_not_want_the_other_gets() -> None:
    granted = share(node("grid", ac_leaf("one"), ac_leaf("idle", 6), A=32))
    assert (current_A(granted["one"]), current_A(granted["idle"])) == (26, 6)


def test_a_leaf_that_asks_for_zero_leaves_everything_to_the_other() -> None:
    granted = share(node("grid", ac_leaf("one"), ac_leaf("idle", 0), A=32))
    assert (current_A(granted["one"]), current_A(granted["idle"])) == (32, 0)


def test_where_the_minimum_is_not_there_for_all_the_first_ones_get_it_and_the_rest_nothing() -> None:
    granted = share(node("grid", ac_leaf("one"), ac_leaf("two"), ac_leaf("three"), A=13))
    assert [current_A(granted[name]) for name in ("one", "two", "three")] == [6.5, 6.5, 0]


def test_below_the_minimum_current_nothing_is_bought() -> None:
    assert current_A(share(node("grid", ac_leaf("connector"), A=5.9))["connector"]) == 0


def test_the_remainder_smaller_than_a_slice_is_sold_too() -> None:
    assert current_A(share(node("grid", ac_leaf("connector"), A=10.2))["connector"]) == pytest.approx(10.2)


def test_a_power_limit_bounds_the_current_of_an_alternating_current_leaf() -> None:
    granted = share(node("grid", ac_leaf("connector"), A=32, W=11_000))["connector"]
    assert current_A(granted) == pytest.approx(11_000 / 690)
    assert power_W(granted) == pytest.approx(11_000)


def test_losses_behind_a_node_are_drawn_at_its_root_side() -> None:
    tree = node("grid", dc_leaf("connector", 9_000, 400, conversion_efficiency=0.9), A=400)
    assert power_W(share(tree)["connector"]) == pytest.approx(10_000)


def test_a_leaf_that_can_only_give_is_offered_a_negative_limit() -> None:
    granted = share(node("grid", ac_leaf("one", 45), ac_leaf("giver", 0, export_A=8), A=32))
    assert current_A(granted["giver"]) == -8


def test_what_one_leaf_may_give_back_is_not_promised_to_another() -> None:
    granted = share(node("grid", ac_leaf("one", 45), ac_leaf("giver", 0, export_A=8), A=32))
    assert current_A(granted["one"]) == 32


def test_export_is_bounded_by_the_fuses_like_import() -> None:
    granted = share(node("grid", ac_leaf("one", 0, export_A=20), ac_leaf("two", 0, export_A=20), A=32))
    assert [current_A(granted[name]) for name in ("one", "two")] == [-16, -16]


def test_a_node_without_schedule_lets_nothing_through() -> None:
    assert current_A(share(node("grid", ac_leaf("connector"), imports=[], A=32))["connector"]) == 0


def test_a_schedule_whose_times_cannot_be_read_lets_nothing_through() -> None:
    bad = entry(side("grid", A=32, phases=3))
    bad.timestamp = "tomorrow"
    assert current_A(share(node("grid", ac_leaf("connector"), imports=[bad]))["connector"]) == 0


@pytest.mark.parametrize("value", [float("nan"), -1.0])
def test_a_limit_that_makes_no_sense_lets_nothing_through(value: float) -> None:
    assert current_A(share(node("grid", ac_leaf("connector"), A=value))["connector"]) == 0


def test_the_first_entry_holds_before_its_time_and_the_last_for_ever() -> None:
    imports = [
        entry(side("grid", A=10), at=NOON + timedelta(hours=1)),
        entry(side("grid", A=20), at=NOON + timedelta(hours=2)),
    ]
    tree = node("grid", ac_leaf("connector"), imports=imports)
    assert [current_A(share(tree, after_s=s)["connector"]) for s in (0, 3600, 7200, 10**6)] == [10, 10, 20, 20]


def test_the_schedule_has_a_slot_for_every_change_and_every_interval() -> None:
    imports = [entry(side("grid", A=10)), entry(side("grid", A=20), at=NOON + timedelta(minutes=50))]
    machine = Optimizer(Rules(interval=timedelta(minutes=30), total=timedelta(hours=1)))
    effects = machine.feed(Requested(node("grid", ac_leaf("connector"), imports=imports), NOON), 0.0)
    schedule = effects[0].limits.schedule
    assert [(item.timestamp[11:16], current_A(item.limits_to_root)) for item in schedule] == [
        ("12:00", 10),
        ("12:30", 10),
        ("12:50", 20),
    ]


def setpoint_node(
    order: SetpointType, *leaves: EnergyFlowRequest, frequency_Hz: float | None = None
) -> EnergyFlowRequest:
    tree = node("grid", *leaves, A=32)
    tree.schedule_setpoints = [ScheduleSetpointEntry(timestamp=rfc3339(NOON), setpoint=order)]
    if frequency_Hz is not None:
        tree.energy_usage_root = Powermeter(
            timestamp=rfc3339(NOON), energy_Wh_import=Energy(total=0), frequency_Hz=Frequency(L1=frequency_Hz)
        )
    return tree


TABLE = [FrequencyWattPoint(frequency_Hz=f, total_power_W=w) for f, w in ((49.8, -6_900), (50.0, 0), (50.2, 6_900))]


@pytest.mark.parametrize(
    ("order", "expected_A"),
    [
        ({"ac_current_A": 12.0}, 12),
        ({"ac_current_A": -12.0}, -12),
        ({"ac_current_A": 0.0}, 0),
        ({"total_power_W": 6_900.0}, 10),
        ({"total_power_W": -6_900.0}, -10),
        ({"ac_current_A": 12.0, "total_power_W": 690.0, "frequency_table": TABLE}, 12),
        ({"total_power_W": 6_900.0, "frequency_table": TABLE}, 10),
        ({"frequency_table": TABLE}, 7.5),
    ],
)
def test_a_setpoint_bounds_its_direction_and_closes_the_other(order: dict[str, object], expected_A: float) -> None:
    """A current wins over a power, a power over a frequency table."""
    setpoint = SetpointType(priority=0, source="ems", **order)  # type: ignore[arg-type]
    tree = setpoint_node(setpoint, ac_leaf("connector", 32, export_A=32), frequency_Hz=50.15)
    assert current_A(share(tree)["connector"]) == pytest.approx(expected_A)


def test_a_frequency_table_without_a_measured_frequency_orders_nothing() -> None:
    setpoint = SetpointType(priority=0, source="ems", frequency_table=TABLE)
    assert current_A(share(setpoint_node(setpoint, ac_leaf("connector")))["connector"]) == 32


@pytest.mark.parametrize(
    ("frequency_Hz", "expected_W"),
    [(45, -6_900), (49.8, -6_900), (49.9, -3_450), (50.0, 0), (50.05, 1_725), (51, 6_900)],
)
def test_a_frequency_table_is_linear_between_its_points(frequency_Hz: float, expected_W: float) -> None:
    assert power_at(TABLE, frequency_Hz) == pytest.approx(expected_W)


def test_a_limit_holds_for_ten_update_intervals() -> None:
    machine = Optimizer(Rules(update_interval_s=3))
    effects = machine.feed(Requested(node("grid", ac_leaf("connector"), A=16), NOON), 0.0)
    assert effects[0].limits.valid_for == 30


def test_limits_are_repeated_every_update_interval() -> None:
    machine = Optimizer(Rules(update_interval_s=2))
    machine.feed(Requested(node("grid", ac_leaf("connector"), A=16), NOON), 10.0)
    assert machine.deadline == 12.0
    assert machine.wake(11.9) == []
    assert [type(effect) for effect in machine.wake(12.0)] == [Enforce]
    assert machine.deadline == 14.0


def test_a_request_waits_for_the_interval_unless_somebody_asks_with_priority() -> None:
    machine = Optimizer(Rules())
    machine.feed(Requested(node("grid", ac_leaf("connector"), A=16), NOON), 0.0)
    assert machine.feed(Requested(node("grid", ac_leaf("connector"), A=10), NOON), 0.5) == []
    urgent = node("grid", node("sink", ac_leaf("connector", priority_request=True), A=8), A=16)
    [effect] = machine.feed(Requested(urgent, NOON), 0.6)
    assert current_A(effect.limits.limits_root_side) == 8


def test_a_silent_tree_gets_no_more_limits_until_it_is_heard_again() -> None:
    machine = Optimizer(Rules(update_interval_s=1))
    tree = node("grid", ac_leaf("connector"), A=16)
    machine.feed(Requested(tree, NOON), 0.0)
    for second in range(1, 11):
        assert [type(effect) for effect in machine.wake(float(second))] == [Enforce]
    assert machine.wake(11.0) == [Silent()]
    assert machine.deadline is None
    assert [type(effect) for effect in machine.feed(Requested(tree, NOON), 60.0)] == [Enforce]


def test_a_tree_without_leaves_enforces_nothing() -> None:
    assert share(node("grid", A=16)) == {}


def test_the_first_tree_may_be_a_leaf_itself() -> None:
    assert current_A(share(ac_leaf("connector", 16))["connector"]) == 16


def trees() -> st.SearchStrategy[EnergyFlowRequest]:
    leaves = st.builds(
        lambda uuid, is_dc, A, W: dc_leaf(uuid, W, A) if is_dc else ac_leaf(uuid, A),
        st.uuids().map(str),
        st.booleans(),
        st.floats(0, 500),
        st.floats(0, 200_000),
    )
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda uuid, children, A: node(uuid, *children, A=A),
            st.uuids().map(str),
            st.lists(inner, min_size=1, max_size=4),
            st.floats(0, 500),
        ),
        max_leaves=12,
    )


@settings(max_examples=150, deadline=None)
@given(trees())
def test_no_node_is_ever_sold_more_than_it_carries(tree: EnergyFlowRequest) -> None:
    granted = share(tree)
    for one in requests_of(tree):
        below = [item for item in requests_of(one) if item.node_type is NodeType.Evse]
        fuse = one.schedule_import[0].limits_to_root.ac_max_current_A
        assert fuse is not None
        assert sum(current_A(granted[item.uuid]) for item in below) <= fuse.value + 1e-4
