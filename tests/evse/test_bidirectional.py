"""Energy out of the EV: who decides its direction, and what each of the machines makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.energy import LimitsRes, NumberWithSource
from chargebyte_fw.contracts.types.iso15118 import AcTargetValues, EnergyTransferMode
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig
from chargebyte_fw.modules.evse.machine.allowance import Allowance
from chargebyte_fw.modules.evse.machine.dc.limits import limits_from_budget
from chargebyte_fw.modules.evse.machine.dc.present_values import PresentValues
from chargebyte_fw.modules.evse.machine.effects import RequestEnergy, SessionChanged
from chargebyte_fw.modules.evse.machine.energy import EnergyMachine
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    Budget,
    Charging,
    CurrentDemand,
    DynamicLimits,
    EvTargets,
    LimitsEnforced,
    ModesAllowed,
    ServiceSelected,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits, StateEntered, SupplyOrdered
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from chargebyte_fw.modules.evse.machine.transfer_modes import power
from tests.evse.test_dc_path import BOTH_WAYS, commands, path, settle
from tests.evse.test_energy_machine import BOARD

CHARGE = PowerPathLimits(920.0, 100.0, 20_000.0)
DISCHARGE = PowerPathLimits(920.0, 0.0, 0.0, 200.0, 60.0, 10_000.0)
EV = DynamicLimits(450.0, 300.0, 200.0, 40_000.0, 50.0, 8_000.0)


def in_charge_loop(limits: PowerPathLimits) -> Any:
    machine = path(supply=BOTH_WAYS, limits=limits)
    machine.feed(ServiceSelected(bidirectional=True), 1.0)
    machine.feed(StateEntered(Charging.Charging), 1.0)
    machine.feed(CurrentDemand(True), 1.0)
    machine.feed(SupplyMeasured(400.0, 0.0), 1.0)
    return machine


def test_in_dynamic_mode_a_change_of_the_limits_changes_current_and_direction() -> None:
    machine = in_charge_loop(CHARGE)
    machine.feed(EV, 1.0)
    assert commands(settle(machine, 1.0))[-1] == ("setExportVoltageCurrent", (450.0, 50.0))
    effects = machine.feed(replace(CHARGE, power_W=30_000.0), 10.0) + settle(machine, 10.0)
    assert commands(effects)[-1] == ("setExportVoltageCurrent", (450.0, 75.0)), "more, though the EV says nothing new"
    effects = machine.feed(DISCHARGE, 20.0)
    assert [args for name, args in commands(effects) if name == "setImportVoltageCurrent"] == [(300.0, 20.0)]
    effects = machine.feed(CHARGE, 30.0) + settle(machine, 30.0)
    exported = [args for name, args in commands(effects) if name == "setExportVoltageCurrent"]
    assert exported[0] == (450.0, 1.0) and exported[-1] == (450.0, 50.0), "along the ramp again"


def test_the_limits_of_dynamic_mode_end_with_the_loop_and_with_a_target() -> None:
    machine = in_charge_loop(CHARGE)
    machine.feed(EV, 1.0)
    machine.feed(CurrentDemand(False), 2.0)
    assert machine.ev.dynamic is None and machine.ev.target is None
    machine.feed(EV, 3.0)
    machine.feed(EvTargets(400.0, 10.0), 4.0)
    effects = machine.feed(CurrentDemand(True), 4.0) + settle(machine, 4.0)
    assert [args for name, args in commands(effects) if name == "setExportVoltageCurrent"][-1] == (400.0, 10.0)


@pytest.mark.parametrize(("asks_A", "expected_A"), [(40.0, 0.0), (-15.0, 15.0)])
def test_in_iso_15118_20_only_a_negative_target_is_a_discharge(asks_A: float, expected_A: float) -> None:
    machine = in_charge_loop(DISCHARGE)
    assert commands(machine.feed(EvTargets(400.0, asks_A), 2.0))[0] == ("setImportVoltageCurrent", (400.0, expected_A))


@pytest.mark.parametrize(("granted_W", "discharge_W"), [(0.0, 0.0), (8_000.0, 0.0), (-8_000.0, 10_000.0)])
def test_nothing_is_taken_from_an_ev_unless_the_energy_management_takes_it(
    granted_W: float, discharge_W: float
) -> None:
    supply = replace(BOTH_WAYS, conversion_efficiency_import=0.8, max_import_power_W=30_000.0)
    limits = limits_from_budget(supply, granted_W, target_V=400.0, present_V=400.0, bidirectional=True)
    assert limits.discharge_power_W == pytest.approx(discharge_W)
    assert (limits.discharge_current_A > 0.0) == (discharge_W > 0.0)


def test_a_present_current_out_of_the_ev_is_negative_and_noise_is_not() -> None:
    machine = PresentValues(EvseConfig(connector_id=1, charge_mode=ChargeMode.DC, hack_present_current_offset=2))

    def reported(current_A: float) -> float | None:
        (command,) = machine.feed(SupplyMeasured(400.0, current_A), 0.0)
        found: float | None = command.args[0].evse_present_current
        return found

    assert reported(-0.3) == pytest.approx(2.3)
    machine.feed(SupplyOrdered(Mode.Import), 0.0)
    assert reported(-10.0) == -12.0
    machine.feed(SupplyOrdered(Mode.Export), 0.0)
    assert reported(10.0) == 12.0


@pytest.mark.parametrize(("discharge_A", "pilot_A"), [(10.0, 10.0), (2.0, 6.0)])
def test_an_ac_budget_below_zero_is_power_to_go_on_with(discharge_A: float, pilot_A: float) -> None:
    one = Allowance(Budget(0.0, 0.0, 0.0, 10.0, ac_discharge_A=discharge_A))
    assert one.available(dc=False) and one.discharges
    assert (one.current_A, one.pilot_A, one.signed_A) == (discharge_A, pilot_A, -discharge_A)
    assert one.age(11.0)
    assert not one.available(dc=False) and not one.discharges and one.signed_A == 0.0


def test_an_ac_service_gets_its_target_as_a_power_at_once_and_the_budget_in_both_directions() -> None:
    config = EvseConfig(connector_id=1)
    others = Snapshot()
    machine = EnergyMachine(config, "evse", hlc=True, others=lambda: others, draw=lambda longest: 0)
    machine.feed(BoardReported(replace(BOARD, max_phase_count_export=1)), 0.0)

    def target(current_A: float, phases: int) -> Any:
        values = AcTargetValues(target_active_power=power(current_A, 230.0, phases))
        return call(Iso15118Charger.update_ac_target_values, values).latest_only()

    def enforced(current_A: float) -> list[Any]:
        side = LimitsRes(ac_max_current_A=NumberWithSource(value=current_A, source="test"))
        return machine.feed(LimitsEnforced(side, 10.0), 0.0)

    service = ServiceSelected(bidirectional=True, ac=True)
    others = replace(others, service=service)
    assert machine.feed(service, 0.0) == [target(0.0, 3)], "nothing is granted yet"
    others = replace(others, service=None)
    assert call(Iso15118Charger.update_ac_max_current, 16.0).latest_only() in enforced(16.0)
    others = replace(others, service=service)
    assert machine.feed(service, 0.0) == [target(16.0, 3)]
    effects = enforced(-10.0)
    assert target(-10.0, 1) in effects
    (budget,) = [effect for effect in effects if isinstance(effect, Budget)]
    assert (budget.ac_A, budget.ac_discharge_A, budget.limited_by) == (0.0, 10.0, "")
    others = replace(others, service=ServiceSelected(bidirectional=False, ac=True))
    effects = enforced(-10.0)
    (budget,) = [effect for effect in effects if isinstance(effect, Budget)]
    assert (budget.ac_A, budget.ac_discharge_A) == (0.0, 0.0) and target(0.0, 3) in effects
    others = replace(others, service=None)
    assert call(Iso15118Charger.update_ac_max_current, 16.0).latest_only() in enforced(16.0)


def test_nothing_is_taken_from_an_ev_where_no_bidirectional_mode_is_allowed_any_more() -> None:
    """OCPP 2.1 Q02: the EV is asked to choose another service, and may be late, or go on with its own."""
    service = ServiceSelected(bidirectional=True, ac=True)
    others = replace(Snapshot(), service=service)
    machine = EnergyMachine(EvseConfig(connector_id=1), "evse", hlc=True, others=lambda: others, draw=lambda _: 0)
    machine.feed(BoardReported(replace(BOARD, max_phase_count_export=3)), 0.0)

    def discharged_A() -> float:
        """What is taken out of the EV where the energy management grants 10 A."""
        side = LimitsRes(ac_max_current_A=NumberWithSource(value=-10.0, source="test"))
        effects = machine.feed(LimitsEnforced(side, 10.0), 0.0)
        (budget,) = [effect for effect in effects if isinstance(effect, Budget)]
        return budget.ac_discharge_A

    machine.feed(service, 0.0)
    assert machine.node.bidirectional and discharged_A() == 10.0
    effects = machine.feed(ModesAllowed([EnergyTransferMode.AC_three_phase_core]), 1.0)
    assert RequestEnergy() in effects and not machine.node.bidirectional and discharged_A() == 0.0
    machine.feed(service, 1.0)
    assert not machine.node.bidirectional, "it has kept its service"
    machine.feed(ModesAllowed([EnergyTransferMode.AC_three_phase_core, EnergyTransferMode.AC_BPT]), 2.0)
    assert machine.node.bidirectional and discharged_A() == 10.0
    machine.feed(ModesAllowed([EnergyTransferMode.AC_three_phase_core]), 3.0)
    machine.feed(SessionChanged(""), 4.0)
    machine.feed(service, 5.0)
    assert machine.node.bidirectional and discharged_A() == 10.0, "the next session"
