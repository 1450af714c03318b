"""A car in Dynamic control that wants something else in the loop: its needs are published again (OCPP 2.1 K20)."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.v2g.secc.iso20.changed_needs import KnownNeeds, Needs
from tests.v2g.test_iso20_pair import pair


def needs(at_s: float, departure_s: int | None = 7_200, *energies_Wh: float | None) -> Needs:
    leaves_s = None if departure_s is None else at_s + departure_s
    return Needs(departure_s, leaves_s, energies_Wh or (30_000.0, 40_000.0, 1_000.0, None, None))


def known() -> KnownNeeds:
    it = KnownNeeds()
    it.publish(needs(0.0))
    return it


@pytest.mark.parametrize("counted", [True, False])
def test_a_departure_that_is_counted_down_or_always_the_same_number_is_no_change(counted: bool) -> None:
    it = known()
    for at_s in range(1, 3_600, 7):
        assert not it.change(needs(at_s, 7_200 - at_s if counted else 7_200))


@pytest.mark.parametrize(
    ("departure_s", "changed"), [(3_600, True), (7_139, True), (7_150, False), (7_250, False), (7_261, True)]
)
def test_a_departure_is_another_one_from_a_minute_on(departure_s: int, changed: bool) -> None:
    assert known().change(needs(0.0, departure_s)) is changed


def test_a_departure_that_comes_or_goes_is_a_change() -> None:
    it = known()
    assert it.change(needs(1.0, None))
    it.publish(needs(1.0, None))
    assert not it.change(needs(2.0, None)) and it.change(needs(3.0, 600))


def test_small_steps_add_up_to_a_change_of_the_departure() -> None:
    it = known()
    assert [it.change(needs(0.0, 7_200 + 25 * step)) for step in (1, 2, 3)] == [False, False, True]


def test_energy_that_flows_is_no_change_but_a_step_is() -> None:
    it = known()
    for step in range(1, 200):
        flowing = 30_000.0 - 100.0 * step
        assert not it.change(needs(step, 7_200 - step, flowing, flowing + 10_000.0, None, None, None))
    assert it.change(needs(200.0, 7_000, 30_000.0, 40_000.0, None, None, None)), "the driver wants more"
    assert not it.change(needs(201.0, 6_999, 30_000.0, 40_000.0, 1_000.0, None, None)), "nothing to compare with"


def test_nothing_is_a_change_before_the_first_needs() -> None:
    assert not KnownNeeds().change(needs(0.0))


def published(it: Any) -> list[Any]:
    return [value for _, value in it.charger.published("charging_needs")]


@pytest.mark.ocpp("K20.FR.01")
@pytest.mark.parametrize("mode", ["DC_extended", "DC_BPT", "AC_three_phase_core", "AC_BPT"])
def test_the_needs_of_the_loop_are_published_when_the_driver_changes_them(mode: str) -> None:
    it = pair(mode, control_mode="Dynamic", departure_time_s=7_200, energy_request_Wh=20_000.0)
    it.charge(10.0)
    assert len(published(it)) == 1
    it.car_settings.departure_time_s = 3_600
    it.run(5.0)
    assert len(published(it)) == 2
    first, second = published(it)
    assert second.departure_time < first.departure_time
    assert second.requested_energy_transfer is first.requested_energy_transfer
    it.car_settings.energy_request_Wh = 30_000.0
    it.run(5.0)
    assert len(published(it)) == 3
    assert published(it)[-1].v2x_charging_parameters.ev_target_energy_request == 30_000.0
    it.wish(stop=True)
    it.run()
    assert len(published(it)) == 3 and it.charger.broken() == []


def test_in_scheduled_control_a_car_renegotiates_for_that() -> None:
    it = pair(control_mode="Scheduled", departure_time_s=7_200)
    it.charge(2.0)
    it.car_settings.departure_time_s = 3_600
    it.run(5.0)
    assert len(published(it)) == 1
