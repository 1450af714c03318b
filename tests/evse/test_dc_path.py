"""Set points in both directions: dynamic mode of ISO 15118-20, discharge, and the gates before the supply."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.dc.power_path import PowerPath
from chargebyte_fw.modules.evse.machine.events import (
    Charging,
    Contactor,
    CurrentDemand,
    DynamicLimits,
    EvMaximum,
    EvTargets,
    PreChargeStart,
    ServiceSelected,
    Shutdown,
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import (
    PowerPathLimits,
    ShutdownChanged,
    StateEntered,
    SupplyOff,
    SupplyOrdered,
)
from tests.evse.fakes import SUPPLY

BOTH_WAYS = replace(
    SUPPLY,
    bidirectional=True,
    max_import_voltage_V=920.0,
    min_import_voltage_V=150.0,
    max_import_current_A=100.0,
    min_import_current_A=1.0,
    max_import_power_W=30_000.0,
)


def path(*, supply: Any = SUPPLY, limits: PowerPathLimits | None = None, closed: bool = True) -> PowerPath:
    machine = PowerPath(EvseConfig(connector_id=1, dc_ramp_ampere_per_second=1000))
    machine.feed(SupplyCapabilitiesChanged(supply), 0.0)
    machine.feed(limits or PowerPathLimits(920.0, 100.0, 40_000.0), 0.0)
    machine.feed(StateEntered(Charging.Idle), 0.0)
    machine.feed(StateEntered(Charging.PrepareCharging), 0.0)
    machine.feed(Contactor(closed), 0.0)
    return machine


def settle(machine: PowerPath, now: float) -> list[Any]:
    """Let the ramp end."""
    effects: list[Any] = []
    for step in range(1, 9):
        effects += machine.wake(now + step * 0.25)
    return effects


def commands(effects: list[Any]) -> list[tuple[str, tuple[Any, ...]]]:
    return [(effect.command, effect.args) for effect in effects if isinstance(effect, Call)]


def test_targets_before_precharge_move_nothing() -> None:
    machine = path()
    assert commands(machine.feed(EvTargets(400.0, 10.0), 1.0)) == []
    assert commands(machine.feed(PreChargeStart(), 2.0)) == [
        ("setExportVoltageCurrent", (400.0, 1.0)),
        ("setMode", (Mode.Export, ChargingPhase.PreCharge)),
    ]


def test_no_voltage_onto_open_contactors_nor_during_a_fault() -> None:
    machine = path(closed=False)
    machine.feed(PreChargeStart(), 1.0)
    assert commands(machine.feed(EvTargets(400.0, 2.0), 1.0)) == []
    assert commands(machine.feed(Contactor(True), 2.0))
    machine.feed(SupplyOff(at_once=True), 3.0)
    machine.feed(ShutdownChanged(Shutdown.Emergency), 3.0)
    assert commands(machine.feed(EvTargets(400.0, 3.0), 4.0)) == []


def test_same_set_point_is_sent_once() -> None:
    machine = path()
    machine.feed(PreChargeStart(), 1.0)
    machine.feed(EvTargets(400.0, 2.0), 1.0)
    settle(machine, 1.0)
    assert commands(machine.feed(EvTargets(400.0, 2.0), 4.0)) == []


def test_dynamic_mode_takes_what_both_sides_allow() -> None:
    machine = path()
    machine.feed(StateEntered(Charging.Charging), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    effects = machine.feed(DynamicLimits(450.0, 300.0, 200.0, 20_000.0), 1.0) + settle(machine, 1.0)
    assert [args for command, args in commands(effects) if command == "setExportVoltageCurrent"][-1] == (450.0, 50.0)


def test_discharge_in_dynamic_mode() -> None:
    limits = PowerPathLimits(920.0, 0.0, 0.0, discharge_current_A=60.0, discharge_power_W=10_000.0)
    machine = path(supply=BOTH_WAYS, limits=limits)
    machine.feed(ServiceSelected(bidirectional=True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    effects = machine.feed(DynamicLimits(450.0, 300.0, 200.0, 20_000.0, 50.0, 8_000.0), 1.0)
    assert commands(effects) == [
        ("setImportVoltageCurrent", (300.0, 20.0)),
        ("setMode", (Mode.Import, ChargingPhase.Charging)),
    ]


def test_no_discharge_without_a_bidirectional_service() -> None:
    limits = PowerPathLimits(920.0, 0.0, 0.0, discharge_current_A=60.0, discharge_power_W=10_000.0)
    machine = path(supply=BOTH_WAYS, limits=limits)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    assert not any("Import" in command for command, _ in commands(machine.feed(EvTargets(400.0, -10.0), 1.0)))


def charging_path(**changes: Any) -> PowerPath:
    machine = path(**changes)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    return machine


def test_the_voltage_is_never_above_what_the_ev_takes_nor_the_current_above_what_the_supply_gives() -> None:
    machine = charging_path(limits=PowerPathLimits(920.0, 500.0, 400_000.0))
    machine.feed(EvMaximum(450.0, 400.0, None), 1.0)
    effects = machine.feed(EvTargets(480.0, 390.0), 2.0) + settle(machine, 2.0)
    points = [args for command, args in commands(effects) if command == "setExportVoltageCurrent"]
    assert points[-1] == (450.0, SUPPLY.max_export_current_A)
    assert {voltage_V for voltage_V, _ in points} == {450.0}


def test_after_the_loop_the_next_pre_charge_begins_with_its_own_targets() -> None:
    machine = charging_path()
    machine.feed(EvTargets(400.0, 50.0), 2.0)
    settle(machine, 2.0)
    machine.feed(CurrentDemand(False), 5.0)
    machine.feed(SupplyOff(), 5.0)
    machine.feed(StateEntered(Charging.PrepareCharging), 5.0)
    assert machine.ev.reference_V == 400.0, "limits are still computed at the EV's voltage"
    assert commands(machine.feed(PreChargeStart(), 20.0)) == []
    effects = machine.feed(EvTargets(390.0, 2.0), 20.1)
    assert commands(effects)[0] == ("setExportVoltageCurrent", (390.0, 1.0))


def test_the_ramp_begins_at_no_current_where_the_supply_can_give_any() -> None:
    machine = PowerPath(EvseConfig(connector_id=1, dc_ramp_ampere_per_second=25))
    machine.feed(SupplyCapabilitiesChanged(replace(SUPPLY, min_export_current_A=0.0)), 0.0)
    machine.feed(PowerPathLimits(920.0, 100.0, 40_000.0), 0.0)
    machine.feed(StateEntered(Charging.PrepareCharging), 0.0)
    machine.feed(Contactor(True), 0.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    points = [args for _, args in commands(machine.feed(EvTargets(400.0, 20.0), 10.0))][:1]
    for step in range(1, 6):
        points += [args for _, args in commands(machine.wake(10.0 + step * 0.25))]
    assert points == [(400.0, 0.0), (400.0, 6.25), (400.0, 12.5), (400.0, 18.75), (400.0, 20.0)]


def test_an_ev_that_is_stopped_leads_the_current_down_and_it_never_rises_again() -> None:
    machine = charging_path()
    machine.feed(EvTargets(400.0, 50.0), 2.0)
    settle(machine, 2.0)
    machine.feed(StateEntered(Charging.StoppingCharging), 5.0)
    assert commands(machine.feed(EvTargets(400.0, 30.0), 5.5)) == [("setExportVoltageCurrent", (400.0, 30.0))]
    assert commands(machine.feed(EvTargets(400.0, 40.0), 6.0) + settle(machine, 6.0)) == []
    assert commands(machine.feed(EvTargets(400.0, 0.5), 8.0)) == [("setExportVoltageCurrent", (400.0, 0.0))]


@pytest.mark.parametrize(
    ("asked_A", "given_A"), [(49.0, 49.9), (49.5, 49.5), (48.0, 48.0), (48.9, 48.9), (50.0, 49.9), (60.0, 49.9)]
)
def test_only_whole_amperes_just_below_the_offer_are_completed(asked_A: float, given_A: float) -> None:
    config = EvseConfig(connector_id=1, dc_ramp_ampere_per_second=1000, hack_fix_hlc_integer_current_requests=True)
    machine = PowerPath(config)
    machine.feed(SupplyCapabilitiesChanged(SUPPLY), 0.0)
    machine.feed(PowerPathLimits(920.0, 49.9, 40_000.0), 0.0)
    machine.feed(StateEntered(Charging.PrepareCharging), 0.0)
    machine.feed(Contactor(True), 0.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    effects = machine.feed(EvTargets(400.0, asked_A), 2.0) + settle(machine, 2.0)
    points = [args for command, args in commands(effects) if command == "setExportVoltageCurrent"]
    assert points[-1] == (400.0, given_A)


def test_a_discharge_at_a_voltage_that_the_supply_cannot_take_is_not_switched_on() -> None:
    limits = PowerPathLimits(920.0, 0.0, 0.0, discharge_current_A=60.0, discharge_power_W=10_000.0)
    machine = charging_path(supply=BOTH_WAYS, limits=limits)
    machine.feed(ServiceSelected(bidirectional=True), 1.0)
    effects = machine.feed(EvTargets(100.0, -20.0), 2.0)
    assert commands(effects) == [], "the supply takes 150 V at least"
    assert any("100 V is not in the supply's range 150..920 V" in getattr(one, "text", "") for one in effects)


@pytest.mark.parametrize(
    ("charge_A", "discharge_A", "set_point"),
    [
        (0.0, 0.8, ("setImportVoltageCurrent", (300.0, 0.8))),
        (0.5, 60.0, ("setExportVoltageCurrent", (450.0, 0.5))),
    ],
)
def test_in_dynamic_mode_any_charge_current_means_charging_and_any_discharge_current_alone_discharging(
    charge_A: float, discharge_A: float, set_point: tuple[str, tuple[float, float]]
) -> None:
    """ISO 15118-20: the sign of the power follows what the EVSE allows, however little it is."""
    supply = replace(BOTH_WAYS, min_export_current_A=0.0, min_import_current_A=0.0)
    granted = PowerPathLimits(920.0, charge_A, 40_000.0, discharge_current_A=discharge_A, discharge_power_W=10_000.0)
    machine = path(supply=supply, limits=granted)
    machine.feed(ServiceSelected(bidirectional=True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    effects = machine.feed(DynamicLimits(450.0, 300.0, 200.0, 20_000.0, 50.0, 8_000.0), 1.0) + settle(machine, 1.0)
    assert [one for one in commands(effects) if one[0] != "setMode"][-1] == set_point


def test_a_supply_that_is_on_is_switched_off_once_and_in_turn_unless_it_is_urgent() -> None:
    """Before SupplyOff the current is led down: only an emergency overtakes the set points that wait."""
    off = call(PowerSupplyDC.setMode, Mode.Off, ChargingPhase.Charging)
    machine = charging_path()
    machine.feed(EvTargets(400.0, 50.0), 2.0)
    assert machine.feed(SupplyOff(), 3.0) == [SupplyOrdered(Mode.Off), off]
    assert machine.feed(SupplyOff(), 4.0) == [] and machine.deadline is None
    assert machine.feed(SupplyOff(at_once=True), 5.0) == [SupplyOrdered(Mode.Off), off.urgently()]


@pytest.mark.parametrize(
    ("voltage_V", "current_A", "followed"),
    [(300.0, 5.0, True), (299.9, 5.0, False), (400.0, 0.0, True), (400.0, -0.1, False)],
)
def test_targets_below_300_v_or_0_a_are_ignored_where_so_configured(
    voltage_V: float, current_A: float, followed: bool
) -> None:
    """Tolerance for the Skoda Enyaq (hack_skoda_enyaq), which sends such targets while it charges."""
    config = EvseConfig(connector_id=1, dc_ramp_ampere_per_second=1000, hack_skoda_enyaq=True)
    machine = PowerPath(config)
    machine.feed(StateEntered(Charging.PrepareCharging), 0.0)
    machine.feed(EvTargets(350.0, 2.0), 1.0)
    machine.feed(EvTargets(voltage_V, current_A), 2.0)
    expected = EvTargets(voltage_V, current_A) if followed else EvTargets(350.0, 2.0)
    assert machine.ev.target == expected
