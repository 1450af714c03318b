"""Changing between one and three phases: threshold, hysteresis in power and time, and the count per session."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chargebyte_fw.contracts.types.energy import EvseState, LimitsRes
from chargebyte_fw.modules.energy.machine import Enforce, Optimizer, Requested, Rules
from chargebyte_fw.modules.energy.phases import PhaseRules, Stickiness, SwitchingMode
from tests.energy.helpers import NOON, ac_leaf, current_A, node

THRESHOLD_W = 6 * 3 * 230


class Bench:
    """One leaf under a node whose power changes; each call is one run of the optimiser."""

    def __init__(self, **rules: object) -> None:
        self.machine = Optimizer(Rules(switching=PhaseRules(**rules)))  # type: ignore[arg-type]
        self.now = 0.0

    def run(
        self, power_W: float, *, active: int = 3, at_s: float = 0.0, state: EvseState = EvseState.Charging, **leaf: bool
    ) -> LimitsRes:
        tree = node("grid", ac_leaf("car", active=active, state=state, priority_request=True, **leaf), A=32, W=power_W)
        [effect] = self.machine.feed(Requested(tree, NOON + timedelta(seconds=at_s)), at_s)
        assert isinstance(effect, Enforce)
        return effect.limits.limits_root_side


def phases(granted: LimitsRes) -> int:
    assert granted.ac_max_phase_count is not None
    return granted.ac_max_phase_count.value


def test_never_stays_with_all_phases_even_where_one_would_do() -> None:
    granted = Bench(mode=SwitchingMode.Never).run(3_000)
    assert (phases(granted), current_A(granted)) == (3, 0)


@pytest.mark.parametrize("mode", [SwitchingMode.Oneway, SwitchingMode.Both])
def test_below_the_three_phase_minimum_one_phase_is_offered(mode: SwitchingMode) -> None:
    granted = Bench(mode=mode).run(THRESHOLD_W - 1)
    assert phases(granted) == 1
    assert current_A(granted) == pytest.approx((THRESHOLD_W - 1) / 230)


def test_hardware_that_cannot_switch_is_not_asked_to() -> None:
    assert phases(Bench(mode=SwitchingMode.Both).run(3_000, switch=False)) == 3


def test_one_way_does_not_come_back_within_a_session() -> None:
    assert phases(Bench(mode=SwitchingMode.Oneway).run(11_000, active=1)) == 1


def test_a_new_session_begins_with_all_phases() -> None:
    assert phases(Bench(mode=SwitchingMode.Oneway).run(11_000, active=1, state=EvseState.Unplugged)) == 3


def test_both_ways_comes_back_only_above_the_power_hysteresis() -> None:
    bench = Bench(mode=SwitchingMode.Both, power_hysteresis_W=500)
    assert phases(bench.run(THRESHOLD_W + 500, active=1)) == 1
    assert phases(bench.run(THRESHOLD_W + 501, active=1)) == 3


def test_three_phases_come_back_only_when_one_phase_was_not_best_for_the_time_hysteresis() -> None:
    bench = Bench(mode=SwitchingMode.Both, time_hysteresis_s=30)
    assert phases(bench.run(3_000, active=1, at_s=10)) == 1
    assert phases(bench.run(11_000, active=1, at_s=39)) == 1
    assert phases(bench.run(11_000, active=1, at_s=40)) == 3


def test_between_the_thresholds_the_active_phases_stay() -> None:
    bench = Bench(mode=SwitchingMode.Both, power_hysteresis_W=500)
    assert phases(bench.run(THRESHOLD_W + 100, active=3)) == 3
    assert phases(bench.run(THRESHOLD_W + 100, active=1)) == 1


@pytest.mark.parametrize(
    ("stickiness", "expected"),
    [(Stickiness.SinglePhase, 1), (Stickiness.ThreePhase, 3), (Stickiness.DontChange, 1)],
)
def test_when_a_session_has_used_up_its_switches_the_stickiness_decides(stickiness: Stickiness, expected: int) -> None:
    bench = Bench(mode=SwitchingMode.Both, max_switches=1, stickiness=stickiness, time_hysteresis_s=0)
    bench.run(11_000, active=3)
    bench.run(3_000, active=1)
    assert phases(bench.run(11_000, active=1)) == expected


def test_the_count_of_switches_begins_anew_with_each_session() -> None:
    bench = Bench(mode=SwitchingMode.Both, max_switches=1, time_hysteresis_s=0)
    bench.run(11_000, active=3)
    bench.run(3_000, active=1)
    bench.run(3_000, active=1, state=EvseState.Finished)
    assert phases(bench.run(11_000, active=1)) == 3


def test_unlimited_switches_are_never_used_up() -> None:
    bench = Bench(mode=SwitchingMode.Both, max_switches=0, time_hysteresis_s=0)
    for _ in range(20):
        bench.run(3_000, active=3)
        assert phases(bench.run(11_000, active=1)) == 3
