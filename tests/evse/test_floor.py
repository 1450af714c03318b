"""A floor never overrides a limit: less than the supply or the pilot can give at least is no power at all."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.kernel.effects import Call
from chargebyte_fw.modules.evse.machine.allowance import Allowance
from chargebyte_fw.modules.evse.machine.dc.limits import limits_from_budget
from chargebyte_fw.modules.evse.machine.effects import LogLine
from chargebyte_fw.modules.evse.machine.events import (
    Budget,
    Charging,
    CurrentDemand,
    EvMaximum,
    EvTargets,
    PreChargeStart,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits, StateEntered, SupplyWanted
from tests.evse.fakes import SUPPLY
from tests.evse.test_dc_path import BOTH_WAYS, path, settle

STRONG = replace(SUPPLY, min_export_current_A=5.0)


def charging(limits: PowerPathLimits, *, supply: Any = SUPPLY, present_V: float = 400.0) -> Any:
    machine = path(supply=supply, limits=limits)
    machine.feed(PreChargeStart(), 1.0)
    machine.feed(SupplyMeasured(present_V, 0.0), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    return machine


def set_points(effects: list[Any]) -> list[tuple[float, float]]:
    wanted = ("setExportVoltageCurrent", "setImportVoltageCurrent")
    return [effect.args for effect in effects if isinstance(effect, Call) and effect.command in wanted]


def lines(effects: list[Any]) -> list[str]:
    return [effect.text for effect in effects if isinstance(effect, LogLine)]


@pytest.mark.parametrize(
    ("target_A", "limits", "ev_max_A", "reason"),
    [
        (3.0, PowerPathLimits(920.0, 100.0, 40_000.0), None, "the EV asks for 3.00 A"),
        (50.0, PowerPathLimits(920.0, 4.0, 40_000.0), None, "the EVSE allows 4.00 A"),
        (50.0, PowerPathLimits(920.0, 100.0, 1_600.0), None, "1600 W allow 4.00 A"),
        (50.0, PowerPathLimits(920.0, 100.0, 40_000.0), 4.5, "the EV takes at most 4.50 A"),
    ],
)
def test_below_the_least_of_the_supply_there_is_no_current_and_one_line_says_why(
    target_A: float, limits: PowerPathLimits, ev_max_A: float | None, reason: str
) -> None:
    machine = charging(limits, supply=STRONG)
    machine.feed(EvMaximum(450.0, ev_max_A, None), 1.0)
    effects = machine.feed(EvTargets(400.0, target_A), 2.0) + settle(machine, 2.0)
    assert {current_A for _, current_A in set_points(effects)} == {0.0}
    (line,) = lines(effects)
    assert reason in line and "at least 5.00 A" in line
    machine.feed(EvMaximum(450.0, 100.0, None), 5.0)
    effects = machine.feed(PowerPathLimits(920.0, 100.0, 40_000.0), 5.0)
    effects += machine.feed(EvTargets(400.0, 20.0), 6.0) + settle(machine, 6.0)
    assert set_points(effects)[-1] == (400.0, 20.0)
    (line,) = lines(effects)
    assert line.startswith("current again: ")


def test_what_the_ev_does_not_ask_for_needs_no_line() -> None:
    machine = charging(PowerPathLimits(920.0, 100.0, 40_000.0), supply=STRONG)
    effects = machine.feed(EvTargets(400.0, 20.0), 2.0) + settle(machine, 2.0)
    effects += machine.feed(EvTargets(400.0, 0.0), 5.0) + settle(machine, 5.0)
    assert set_points(effects)[-1] == (400.0, 0.0) and lines(effects) == []


def test_the_ramp_begins_at_the_least_current() -> None:
    machine = charging(PowerPathLimits(920.0, 100.0, 40_000.0), supply=STRONG)
    effects = machine.feed(EvTargets(400.0, 20.0), 2.0)
    assert set_points(effects) == [(400.0, 5.0)]


def test_a_current_that_falls_while_stopping_never_rises_to_the_least() -> None:
    machine = charging(PowerPathLimits(920.0, 100.0, 40_000.0), supply=STRONG)
    machine.feed(EvTargets(400.0, 20.0), 2.0)
    settle(machine, 2.0)
    machine.feed(StateEntered(Charging.StoppingCharging), 5.0)
    assert set_points(machine.feed(EvTargets(400.0, 6.0), 5.0)) == [(400.0, 6.0)]
    assert set_points(machine.feed(EvTargets(400.0, 3.0), 5.1)) == [(400.0, 0.0)]
    assert set_points(machine.feed(EvTargets(400.0, 8.0), 5.2)) == []


def test_the_cable_check_has_no_voltage_from_a_supply_that_gives_more_than_it_allows() -> None:
    machine = path(supply=STRONG)
    effects = machine.feed(SupplyWanted(500.0, 2.0), 1.0)
    assert not any(isinstance(effect, Call) for effect in effects)
    assert "at least 5.0 A" in lines(effects)[0]


def test_a_discharge_below_the_least_is_none() -> None:
    supply = replace(BOTH_WAYS, min_import_current_A=5.0)
    machine = path(supply=supply, limits=PowerPathLimits(920.0, 0.0, 0.0, 150.0, 3.0, 10_000.0))
    machine.ev.bidirectional = True
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    effects = machine.feed(EvTargets(400.0, -20.0), 2.0)
    assert set_points(effects) == [(400.0, 0.0)]


@pytest.mark.parametrize(
    ("power_W", "present_V", "current_A"),
    [(20_000.0, 400.0, 50.0), (20_000.0, 500.0, 40.0), (20_000.0, 800.0, 25.0), (20_000.0, 0.0, 50.0)],
)
def test_the_power_limit_holds_at_the_voltage_that_is_measured(
    power_W: float, present_V: float, current_A: float
) -> None:
    machine = charging(PowerPathLimits(920.0, 100.0, power_W), present_V=present_V)
    effects = machine.feed(EvTargets(400.0, 100.0), 2.0) + settle(machine, 2.0)
    assert set_points(effects)[-1] == (400.0, pytest.approx(current_A))
    assert max(amperes for _, amperes in set_points(effects)) <= current_A + 1e-6


@pytest.mark.parametrize(
    ("root_W", "target_V", "granted"),
    [(399.0, 400.0, False), (401.0, 400.0, True), (149.0, 0.0, False), (151.0, 0.0, True)],
)
def test_a_budget_below_the_least_of_the_supply_is_none(root_W: float, target_V: float, granted: bool) -> None:
    limits = limits_from_budget(SUPPLY, root_W, target_V=target_V, present_V=0.0, bidirectional=False)
    assert (limits.current_A > 0.0, limits.power_W > 0.0) == (granted, granted)
    assert limits.power_W <= root_W


@pytest.mark.parametrize(("granted_A", "power"), [(5.95, False), (5.98, False), (6.0, True), (5.9999, True)])
def test_less_than_six_ampere_is_no_power(granted_A: float, power: bool) -> None:
    allowance = Allowance()
    allowance.take(Budget(granted_A, 0.0, 0.0, 100.0))
    assert allowance.available(dc=False) is power


@pytest.mark.parametrize(
    ("discharge_A", "discharge_W", "expected_A"),
    [(50.0, 10_000.0, 25.0), (10.0, 10_000.0, 10.0), (50.0, 30_000.0, 40.0)],
)
def test_a_discharge_keeps_to_current_power_and_what_the_ev_offers(
    discharge_A: float, discharge_W: float, expected_A: float
) -> None:
    machine = path(supply=BOTH_WAYS, limits=PowerPathLimits(920.0, 0.0, 0.0, 150.0, discharge_A, discharge_W))
    machine.ev.bidirectional = True
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    effects = machine.feed(EvTargets(400.0, -40.0), 2.0)
    assert set_points(effects) == [(400.0, expected_A)]


@pytest.mark.parametrize(
    ("present_V", "current_A"), [(0.0, 25.0), (10.0, 25.0), (500.0, 20.0), (200.0, 50.0), (40.0, 200.0)]
)
def test_the_current_of_a_budget_is_that_of_the_measured_voltage_or_else_of_the_wanted_one(
    present_V: float, current_A: float
) -> None:
    limits = limits_from_budget(SUPPLY, 10_000.0, target_V=400.0, present_V=present_V, bidirectional=False)
    assert limits.current_A == pytest.approx(current_A)
    assert limits.power_W == 10_000.0


def test_a_budget_is_never_more_than_the_supply() -> None:
    limits = limits_from_budget(SUPPLY, 1e6, target_V=0.0, present_V=0.0, bidirectional=False)
    assert (limits.power_W, limits.current_A) == (SUPPLY.max_export_power_W, SUPPLY.max_export_current_A)
    assert (limits.discharge_power_W, limits.discharge_current_A) == (0.0, 0.0), "it takes nothing back"
