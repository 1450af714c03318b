"""The simulated insulation monitor: rhythm, self test, and silence when stopped."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.modules.power.insulation import InsulationMonitor
from chargebyte_fw.modules.power.messages import (
    Measured,
    SelfTested,
    SetResistance,
    StartMeasuring,
    StartSelfTest,
    StopMeasuring,
)


def monitor(*, passes: bool = True) -> InsulationMonitor:
    return InsulationMonitor(900_000.0, 1.0, self_test_passes=passes)


def heard(machine: InsulationMonitor, until: float) -> list[tuple[float, Any]]:
    told: list[tuple[float, Any]] = []
    while machine.deadline is not None and machine.deadline <= until:
        at = machine.deadline
        told += [(at, effect) for effect in machine.wake(at)]
    return told


def test_it_says_nothing_before_it_is_started() -> None:
    assert monitor().deadline is None


def test_once_started_it_measures_at_once_and_at_every_interval() -> None:
    machine = monitor()
    assert machine.feed(StartMeasuring(), 5.0) == [Measured(900_000.0)]
    assert [at for at, _ in heard(machine, 8.5)] == [6.0, 7.0, 8.0]


def test_a_second_start_does_not_disturb_the_rhythm() -> None:
    machine = monitor()
    machine.feed(StartMeasuring(), 5.0)
    assert machine.feed(StartMeasuring(), 5.5) == []
    assert machine.deadline == 6.0


@pytest.mark.parametrize("passes", [True, False])
def test_the_self_test_ends_after_three_seconds_as_it_was_told_to(passes: bool) -> None:
    machine = monitor(passes=passes)
    assert machine.feed(StartSelfTest(), 1.0) == []
    assert heard(machine, 10.0) == [(4.0, SelfTested(passes))]


def test_measurements_go_on_during_a_self_test() -> None:
    machine = monitor()
    machine.feed(StartMeasuring(), 0.0)
    machine.feed(StartSelfTest(), 0.5)
    told = heard(machine, 4.0)
    assert [at for at, effect in told if isinstance(effect, SelfTested)] == [3.5]
    assert [at for at, effect in told if isinstance(effect, Measured)] == [1.0, 2.0, 3.0, 4.0]


def test_stopped_it_falls_silent() -> None:
    machine = monitor()
    machine.feed(StartMeasuring(), 0.0)
    machine.feed(StartSelfTest(), 0.0)
    machine.feed(StopMeasuring(), 0.5)
    assert machine.deadline is None


def test_another_resistance_shows_in_the_next_measurement() -> None:
    machine = monitor()
    machine.feed(StartMeasuring(), 0.0)
    assert machine.feed(SetResistance(50_000.0), 0.2) == []
    assert heard(machine, 1.0) == [(1.0, Measured(50_000.0))]
