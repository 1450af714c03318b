"""Insulation while energy flows: IEC 61851-23 6.3.1.112, sample by sample."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.iso15118 import IsolationStatus
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.dc.insulation import Insulation, MonitorUse
from chargebyte_fw.modules.evse.machine.effects import RaiseFault
from chargebyte_fw.modules.evse.machine.events import (
    Charging,
    DcOpenContactor,
    InsulationMeasured,
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged, StateEntered
from tests.evse.fakes import SUPPLY

FAULT_OHM = 100_000.0
START, STOP = call(IsolationMonitor.start), call(IsolationMonitor.stop)
VALID, FAULT = (
    call(Iso15118Charger.update_isolation_status, one).latest_only()
    for one in (IsolationStatus.Valid, IsolationStatus.Fault)
)


def watching(*, pause: bool = False, supply: Any = SUPPLY, before: tuple[Charging, ...] = ()) -> Insulation:
    machine = Insulation(FAULT_OHM, pause_in_precharge=pause)
    machine.feed(SupplyCapabilitiesChanged(supply), 0.0)
    for state in (*before, Charging.Charging):
        machine.feed(StateEntered(state), 0.0)
    return machine


def sample(resistance_Ohm: float, voltage_V: float | None = None, *to_earth_V: float) -> InsulationMeasured:
    l1e_V, l2e_V = to_earth_V or (None, None)
    measurement = IsolationMeasurement(resistance_F_Ohm=resistance_Ohm, voltage_V=voltage_V)
    return InsulationMeasured(replace(measurement, voltage_to_earth_l1e_V=l1e_V, voltage_to_earth_l2e_V=l2e_V))


def of(kind: type[Any], effects: list[Any]) -> list[Any]:
    return [effect for effect in effects if isinstance(effect, kind)]


@pytest.mark.parametrize("before", [(), (Charging.PrepareCharging,)], ids=["at once", "after the preparation"])
def test_the_first_status_is_reported_and_then_each_change(before: tuple[Charging, ...]) -> None:
    machine = watching(before=before)
    reported = []
    for resistance_Ohm in (FAULT_OHM, 900_000.0, FAULT_OHM - 1.0, 50_000.0, FAULT_OHM):
        effects = machine.feed(sample(resistance_Ohm), 1.0)
        reported.append([effect for effect in effects if effect in (VALID, FAULT)])
    assert reported == [[VALID], [], [FAULT], [], [VALID]]


def test_the_status_is_reported_anew_after_a_renegotiation() -> None:
    machine = watching()
    assert VALID in machine.feed(sample(900_000.0), 1.0)
    assert machine.feed(StateEntered(Charging.PrepareCharging), 2.0) == [STOP]
    assert machine.state is MonitorUse.Prepared
    machine.feed(StateEntered(Charging.Charging), 3.0)
    assert VALID in machine.feed(sample(900_000.0), 4.0)


@pytest.mark.parametrize(("resistance_Ohm", "faulty"), [(FAULT_OHM, False), (FAULT_OHM - 1.0, True)])
def test_a_resistance_below_the_configured_one_is_a_fault(resistance_Ohm: float, faulty: bool) -> None:
    line, *others = watching().feed(sample(resistance_Ohm), 1.0)
    text = f"{resistance_Ohm:.0f} Ohm while charging"
    assert of(RaiseFault, others) == [RaiseFault("MREC22ResistanceFault", text, "Resistance", Severity.Medium)] * faulty
    assert line.text == f"Isolation measurement {'FAULT' if faulty else 'Ok'} R_F {resistance_Ohm:.12g}."


@pytest.mark.parametrize(
    ("highest_V", "voltage_V", "to_earth_V", "faulty"),
    [
        (920.0, 400.0, (440.0, 0.0), False),
        (920.0, 400.0, (441.0, 0.0), True),
        (920.0, 400.0, (0.0, -441.0), True),
        (501.0, 400.0, (441.0, 0.0), True),
        (500.0, 400.0, (550.0, -550.0), False),
        (500.0, 400.0, (551.0, 0.0), True),
        (920.0, 150.0, (400.0, 0.0), False),
        (920.0, 151.0, (400.0, 0.0), True),
    ],
)
def test_too_high_a_voltage_to_earth_is_a_fault_after_its_time(
    highest_V: float, voltage_V: float, to_earth_V: tuple[float, float], faulty: bool
) -> None:
    """IEC 61851-23 6.3.1.112.2: 1.1 times the voltage, or 550 V with a supply up to 500 V; not below its least."""
    machine = watching(supply=replace(SUPPLY, max_export_voltage_V=highest_V))
    event = sample(900_000.0, voltage_V, *to_earth_V)
    assert of(RaiseFault, machine.feed(event, 10.0)) == []
    assert of(RaiseFault, machine.feed(event, 10.0 + timing.EARTH_VOLTAGE_S - 0.01)) == []
    faults = of(RaiseFault, machine.feed(event, 10.0 + timing.EARTH_VOLTAGE_S))
    assert [(one.name, one.sub_type) for one in faults] == [("MREC22ResistanceFault", "VoltageToEarth")] * faulty


def test_before_the_supply_has_reported_its_voltages_550_v_to_earth_is_the_limit() -> None:
    machine = Insulation(FAULT_OHM, pause_in_precharge=False)
    machine.feed(StateEntered(Charging.Charging), 0.0)
    for at, l1e_V in ((1.0, 550.0), (4.0, 550.0), (5.0, 551.0)):
        assert of(RaiseFault, machine.feed(sample(900_000.0, 400.0, l1e_V, 0.0), at)) == []
    assert of(RaiseFault, machine.feed(sample(900_000.0, 400.0, 551.0, 0.0), 5.0 + timing.EARTH_VOLTAGE_S)) != []


@pytest.mark.parametrize(
    "good", [sample(900_000.0, 400.0, 200.0, -200.0), sample(900_000.0), sample(900_000.0, 100.0, 441.0, 0.0)]
)
def test_a_good_sample_begins_the_time_of_the_voltage_to_earth_anew(good: InsulationMeasured) -> None:
    machine, bad = watching(), sample(900_000.0, 400.0, 441.0, 0.0)
    machine.feed(bad, 10.0)
    machine.feed(good, 11.0)
    assert of(RaiseFault, machine.feed(bad, 12.0)) == []
    assert of(RaiseFault, machine.feed(bad, 12.0 + timing.EARTH_VOLTAGE_S)) != []


@pytest.mark.parametrize(
    "end",
    [StateEntered(Charging.Finished), StateEntered(Charging.ChargingPausedEVSE), DcOpenContactor(), CarUnplugged()],
)
def test_the_monitor_stops_once_where_no_energy_flows_any_more(end: Any) -> None:
    machine = watching()
    assert machine.feed(end, 1.0) == [STOP] and machine.state is MonitorUse.Off
    assert machine.feed(end, 2.0) == []
    assert machine.feed(sample(1.0), 3.0) == []


def test_a_sample_is_not_judged_while_the_charging_stops() -> None:
    machine = watching()
    assert machine.feed(StateEntered(Charging.StoppingCharging), 1.0) == [] and machine.state is MonitorUse.Prepared
    assert machine.feed(sample(1.0), 2.0) == []


def test_a_monitor_that_has_not_paused_is_not_started_again() -> None:
    assert watching(pause=True).feed(SupplyMeasured(400.0, 50.0), 1.0) == []


@pytest.mark.parametrize("pause", [True, False])
def test_a_monitor_that_pauses_in_the_pre_charge_starts_once_above_a_kilowatt(pause: bool) -> None:
    machine = watching(pause=pause, before=(Charging.PrepareCharging,))
    assert machine.feed(SupplyMeasured(400.0, 2.5), 1.0) == []
    assert machine.feed(SupplyMeasured(400.0, 2.6), 2.0) == [START] * pause
    assert machine.feed(SupplyMeasured(400.0, 50.0), 3.0) == []
