"""Voltages of the DC path from several sources: they are plausible while all of them agree."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.modules.evse.machine.dc.plausibility import Plausibility
from chargebyte_fw.modules.evse.machine.events import (
    CurrentDemand,
    InsulationMeasured,
    MonitorMeasured,
    SupplyMeasured,
)

SPREAD_V, DURATION_S = 50.0, 30.0


def insulation(voltage_V: float) -> InsulationMeasured:
    return InsulationMeasured(IsolationMeasurement(resistance_F_Ohm=900_000.0, voltage_V=voltage_V))


@pytest.mark.parametrize(
    ("voltages", "apart"),
    [
        ((SupplyMeasured(400.0, 1.0),), False),
        ((SupplyMeasured(400.0, 1.0), MonitorMeasured(350.0)), False),
        ((SupplyMeasured(400.0, 1.0), MonitorMeasured(349.9)), True),
        ((SupplyMeasured(400.0, 1.0), MonitorMeasured(380.0), insulation(350.0)), False),
        ((SupplyMeasured(400.0, 1.0), MonitorMeasured(380.0), insulation(349.9)), True),
    ],
)
def test_the_largest_and_the_smallest_voltage_of_all_sources_are_compared(
    voltages: tuple[Any, ...], apart: bool
) -> None:
    machine = Plausibility(SPREAD_V, DURATION_S)
    machine.feed(CurrentDemand(True), 0.0)
    for voltage in voltages:
        assert machine.feed(voltage, 1.0) == []
    assert machine.deadline == (1.0 + DURATION_S if apart else None)
    assert [one.name for one in machine.wake(1.0 + DURATION_S)] == ["VoltagePlausibilityFault"] * apart
