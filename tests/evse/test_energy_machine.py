"""The energy machine by itself: what limits, capabilities and the random delay make of each other."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.board_support_common import ProximityPilotAmpacity
from chargebyte_fw.contracts.types.energy import IntegerWithSource, LimitsRes, NumberWithSource
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilitiesConnectorType
from chargebyte_fw.kernel.effects import Publish, call
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig, SaeMode
from chargebyte_fw.modules.evse.machine.effects import (
    DelayCountdown,
    LimitsChanged,
    LogLine,
    RequestEnergy,
    ShowEnforcedLimits,
)
from chargebyte_fw.modules.evse.machine.energy import EnergyMachine
from chargebyte_fw.modules.evse.machine.energy_hardware import EnergyState
from chargebyte_fw.modules.evse.machine.energy_node import NO_HARDWARE
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    Budget,
    BudgetOver,
    CableLimit,
    CableReported,
    Charging,
    DelayCancelled,
    DelayConfigured,
    FirstBudget,
    LimitsEnforced,
    PhasesWanted,
    SaeBidi,
    SupplyCapabilitiesChanged,
    SupplyReported,
)
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits, ReportLimits, StateEntered
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from tests.evse.fakes import SUPPLY

BOARD = replace(
    NO_HARDWARE,
    max_current_A_import=32.0,
    min_current_A_import=6.0,
    max_phase_count_import=3,
    supports_changing_phases_during_charging=True,
)


def limits(current_A: float, *, power_W: float | None = None, phases: int | None = None) -> LimitsEnforced:
    side = LimitsRes(
        ac_max_current_A=NumberWithSource(value=current_A, source="node/module_config"),
        total_power_W=None if power_W is None else NumberWithSource(value=power_W, source="node/module_config"),
        ac_max_phase_count=None if phases is None else IntegerWithSource(value=phases, source="schedule"),
    )
    return LimitsEnforced(side, 10.0)


class Alone:
    """The machine, and a snapshot of the others that a test sets."""

    def __init__(self, *, dc: bool = False, **config: Any) -> None:
        settings = EvseConfig(connector_id=1, charge_mode=ChargeMode.DC if dc else ChargeMode.AC, **config)
        self.others = Snapshot()
        self.machine = EnergyMachine(settings, "evse", hlc=True, others=lambda: self.others, draw=lambda longest: 100)

    def feed(self, event: Any, now: float = 0.0) -> list[Any]:
        return self.machine.feed(event, now)

    def kinds(self, event: Any, now: float = 0.0) -> list[str]:
        return [type(effect).__name__ for effect in self.feed(event, now)]


def budget(effects: list[Any]) -> Budget:
    (found,) = [effect for effect in effects if isinstance(effect, Budget)]
    return found


def test_limits_have_no_meaning_before_the_board_has_reported() -> None:
    a = Alone()
    assert a.feed(limits(16.0)) == [Unexpected(EnergyState.HardwareUnknown, limits(16.0))]
    assert budget(a.feed(FirstBudget(), 1.0)) == Budget(
        0.0, 0.0, 0.0, 121.0, 1, "the energy management has granted nothing yet"
    )
    a.feed(BoardReported(BOARD))
    assert budget(a.feed(limits(16.0), 2.0)) == Budget(16.0, 0.0, 0.0, 12.0, 3)
    assert a.feed(FirstBudget(), 3.0) == [], "it has answered already"


def test_each_enforcement_shows_the_limits_sets_the_budget_and_reports() -> None:
    a = Alone()
    a.feed(BoardReported(BOARD))
    effects = a.feed(limits(16.0, power_W=6900.0))
    assert effects[0] == ShowEnforcedLimits()
    assert effects[-1] == ReportLimits() and budget(effects).ac_A == pytest.approx(10.0)
    assert call(Iso15118Charger.update_ac_max_current, budget(effects).ac_A).latest_only() in effects
    assert a.kinds(limits(16.0, power_W=6900.0)) == ["ShowEnforcedLimits", "Budget", "ReportLimits"], "HLC has it"
    assert a.feed(BudgetOver()) == [call(Iso15118Charger.update_ac_max_current, 0.0).latest_only()]
    assert a.feed(BudgetOver()) == []


def test_phases_are_switched_once_and_not_while_hlc_charges() -> None:
    a = Alone()
    a.feed(BoardReported(BOARD))
    a.others = replace(a.others, can_switch_phases=False)
    assert "PhasesWanted" not in a.kinds(limits(16.0, phases=1)) and a.machine.node.active_phases == 3
    a.others = replace(a.others, can_switch_phases=True)
    assert PhasesWanted(False) in a.feed(limits(16.0, phases=1)) and a.machine.node.active_phases == 1
    assert "PhasesWanted" not in a.kinds(limits(16.0, phases=1))
    assert "PhasesWanted" not in a.kinds(limits(0.0, phases=3)), "0 A are on no number of phases"
    assert PhasesWanted(True) in a.feed(limits(16.0, phases=3))


def test_a_number_of_phases_that_the_board_cannot_have_is_logged_once_and_its_end_once() -> None:
    a = Alone()
    a.feed(BoardReported(replace(BOARD, supports_changing_phases_during_charging=False)))

    def lines(phases: int) -> list[str]:
        effects = a.feed(limits(16.0, phases=phases))
        assert not any(isinstance(effect, PhasesWanted) for effect in effects)
        return [effect.text for effect in effects if isinstance(effect, LogLine)]

    (line,) = lines(1)
    assert line.startswith("1 of 3 phases from schedule: the board cannot switch phases")
    assert lines(1) == []
    assert lines(3) == ["the number of phases is possible again: 3"]
    assert lines(3) == []


def test_only_a_socket_has_a_cable_and_none_until_one_is_reported() -> None:
    fixed, socket = Alone(), Alone()
    assert fixed.feed(BoardReported(BOARD)) == []
    assert fixed.feed(CableReported(ProximityPilotAmpacity.A_20)) == []
    board = replace(BOARD, connector_type=HardwareCapabilitiesConnectorType.IEC62196Type2Socket)
    assert socket.feed(BoardReported(board)) == [CableLimit(0.0)]
    assert socket.feed(CableReported(ProximityPilotAmpacity.A_20)) == [CableLimit(20.0)]
    assert socket.machine.node.cable_A == 20.0 and socket.feed(BoardReported(board)) == []
    largest = ProximityPilotAmpacity.A_63_3ph_70_1ph
    assert socket.feed(CableReported(largest)) == [CableLimit(63.0)]
    socket.feed(BoardReported(replace(board, max_phase_count_import=1)))
    assert socket.feed(CableReported(largest)) == [CableLimit(70.0)]


def test_the_delay_holds_counts_down_and_ends() -> None:
    a = Alone(uk_smartcharging_random_delay_enable=True)
    a.feed(BoardReported(BOARD))
    a.others = replace(a.others, state=Charging.Charging)
    a.feed(limits(16.0), 0.0)
    a.feed(DelayCancelled(), 0.0)
    effects = a.feed(limits(10.0), 1.0)
    assert DelayCountdown(100, 10.0, 16.0, True) in effects and budget(effects).ac_A == 16.0
    assert a.machine.state is EnergyState.Delaying and a.machine.deadline == 2.0
    assert a.machine.wake(2.0) == [DelayCountdown(99, 10.0, 16.0, False)]
    effects = a.feed(DelayConfigured(enabled=False), 2.5)
    assert budget(effects).ac_A == 10.0 and effects[-1] == DelayCountdown(0, 10.0, 10.0, False)
    assert a.machine.state is EnergyState.Following and a.machine.deadline is None
    assert a.feed(DelayConfigured(longest_s=-5), 3.0) == [] and a.machine.delay.longest_s == 0


def test_dc_limits_follow_each_capability_but_the_first_waits_for_a_grant() -> None:
    a = Alone(dc=True)
    a.feed(BoardReported(BOARD))
    first = a.feed(SupplyReported(SUPPLY))
    assert first[0] == SupplyCapabilitiesChanged(SUPPLY) and first[-1] == RequestEnergy(priority=False)
    assert not any(isinstance(effect, PowerPathLimits) for effect in first)
    assert a.feed(SupplyReported(SUPPLY)) == [], "the same again"
    effects = a.feed(limits(32.0, power_W=20_000.0))
    assert any(isinstance(effect, PowerPathLimits) for effect in effects) and budget(effects).dc_W == 20_000.0
    less = replace(SUPPLY, max_export_power_W=5_000.0)
    (path,) = [effect for effect in a.feed(SupplyReported(less)) if isinstance(effect, PowerPathLimits)]
    assert path.power_W == 5_000.0
    (path,) = [effect for effect in a.feed(BudgetOver()) if isinstance(effect, PowerPathLimits)]
    assert (path.power_W, path.current_A) == (0.0, 0.0)


def test_an_ev_that_supplies_the_house_draws_nothing_until_the_evse_is_idle() -> None:
    a = Alone(dc=True, sae_j2847_2_bpt_enabled=True, sae_j2847_2_bpt_mode=SaeMode.V2H)
    a.feed(SupplyReported(SUPPLY))
    a.feed(SaeBidi())
    assert a.machine.bidirectional and a.machine.node.own_limits_W == (SUPPLY.max_import_power_W or 0.0, 0.0)
    a.feed(StateEntered(Charging.Idle))
    assert a.machine.node.own_limits_W is None and not a.machine.node.bidirectional


BOTH_WAYS = replace(
    SUPPLY,
    bidirectional=True,
    min_import_voltage_V=150.0,
    max_import_voltage_V=920.0,
    max_import_current_A=30.0,
    max_import_power_W=11_000.0,
)


@pytest.mark.parametrize(
    ("sae", "granted_W", "current_A", "power_W"),
    [(True, -8_000.0, -30.0, -8_000.0), (True, 8_000.0, 200.0, 8_000.0), (False, -8_000.0, 0.0, 0.0)],
)
def test_hlc_gets_negative_maxima_for_an_sae_j2847_2_ev_that_discharges(
    sae: bool, granted_W: float, current_A: float, power_W: float
) -> None:
    a = Alone(dc=True, sae_j2847_2_bpt_enabled=True)
    a.feed(BoardReported(BOARD))
    a.feed(SupplyReported(BOTH_WAYS))
    if sae:
        a.feed(SaeBidi())
    effects = a.feed(limits(100.0, power_W=granted_W))
    (maximum,) = [e.args[0] for e in effects if getattr(e, "command", "") == "update_dc_maximum_limits"]
    assert (maximum.evse_maximum_current_limit, maximum.evse_maximum_power_limit) == (current_A, power_W)


def test_limits_are_published_with_the_id_of_the_module() -> None:
    a = Alone()
    (published,) = [effect for effect in a.machine.feed(LimitsChanged(8.0, None), 0.0) if isinstance(effect, Publish)]
    assert (published.value.uuid, published.value.max_current, published.value.nr_of_phases_available) == ("evse", 8, 3)
    (published,) = a.feed(LimitsChanged(8.0, 1))
    assert published.value.nr_of_phases_available == 1
