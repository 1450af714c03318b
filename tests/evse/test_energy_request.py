"""What the EVSE asks of the energy tree, from what it is and what its EV does (types reference: EnergyFlowRequest)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    IntegerWithSource,
    LimitsReq,
    LimitsRes,
    NumberWithSource,
    OptimizerTarget,
)
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.modules.evse.adapters.energy import optimizer_target, request
from chargebyte_fw.modules.evse.config import ChargeMode, EvseConfig
from chargebyte_fw.modules.evse.machine.energy_node import EnergyNode
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from tests.evse.fakes import SUPPLY
from tests.evse.test_energy_machine import BOARD

AT = datetime(2026, 1, 1, 12, 34, 56, 789_000, tzinfo=UTC)
BOTH_WAYS = replace(
    BOARD, max_current_A_export=16.0, min_current_A_export=1.0, max_phase_count_export=2, min_phase_count_export=1
)
NODE = EnergyNode().with_hardware(BOTH_WAYS)


def asked(node: EnergyNode = NODE, *, dc: bool = False, **others: Any) -> EnergyFlowRequest:
    others = {"started": True, "asks_energy": True, **others}
    mode = ChargeMode.DC if dc else ChargeMode.AC
    config = EvseConfig(connector_id=1, charge_mode=mode, request_zero_power_in_idle=True)
    snapshot = Snapshot(energy=node, **others)
    return request("evse", config, snapshot, AT, priority=False, root_meter=None, leaf_meter=None)


def leaves(asking: EnergyFlowRequest) -> tuple[LimitsReq, LimitsReq]:
    """Limits for the EV: import, export."""
    return asking.schedule_import[0].limits_to_leaves, asking.schedule_export[0].limits_to_leaves


def root(asking: EnergyFlowRequest) -> tuple[LimitsReq, LimitsReq]:
    return asking.schedule_import[0].limits_to_root, asking.schedule_export[0].limits_to_root


def number(value: float, source: str) -> NumberWithSource:
    return NumberWithSource(value=value, source=f"evse{source}")


@pytest.mark.parametrize("dc", [False, True])
def test_an_ev_that_supplies_the_house_is_asked_for_by_the_limits_of_its_own(dc: bool) -> None:
    """SAE J2847/2 V2H: the export is what the supply takes, the import nothing, both in W."""
    taken, given = leaves(asked(replace(NODE, own_limits_W=(30_000.0, 500.0)), dc=dc))
    assert given == LimitsReq(total_power_W=number(30_000.0, " local_energy_limits"))
    assert taken == LimitsReq(total_power_W=number(500.0, " local_energy_limits"))


def test_the_limits_of_the_hardware_are_those_of_each_direction() -> None:
    taken, given = root(asked())
    caps = "/evse_board_support_caps"
    phases = [IntegerWithSource(value=count, source=f"evse{caps}") for count in (3, 1, 2, 1)]
    assert (taken.ac_max_current_A, taken.ac_min_current_A) == (number(32.0, caps), number(6.0, caps))
    assert [taken.ac_max_phase_count, taken.ac_min_phase_count] == phases[:2]
    assert (given.ac_max_current_A, given.ac_min_current_A) == (number(16.0, caps), number(1.0, caps))
    assert [given.ac_max_phase_count, given.ac_min_phase_count] == phases[2:]
    assert taken.ac_number_of_active_phases == given.ac_number_of_active_phases == 3
    assert taken.ac_supports_changing_phases_during_charging is True


@pytest.mark.parametrize(("dc", "import_A"), [(False, 20.0), (True, 32.0)])
def test_the_cable_in_a_socket_limits_the_import_on_ac(dc: bool, import_A: float) -> None:
    node = replace(NODE, cable_A=20.0)
    taken, given = root(asked(node, dc=dc))
    assert taken.ac_max_current_A is not None and taken.ac_max_current_A.value == import_A
    assert given.ac_max_current_A is not None and given.ac_max_current_A.value == 16.0


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("state", [Charging.ChargingPausedEV, Charging.Charging])
def test_an_ev_that_pauses_without_power_leaves_all_but_the_least_to_others(state: Charging, power: bool) -> None:
    taken, given = root(asked(state=state, power=power))
    paused = state is Charging.ChargingPausedEV and not power
    source = "/evse_board_support_caps" + "_pause" * paused
    assert taken.ac_max_current_A == number(6.0 if paused else 32.0, source)
    assert given.ac_max_current_A == number(0.0 if paused else 16.0, source)


def test_in_idle_nothing_is_asked_for_in_the_unit_of_the_mode() -> None:
    idle = NumberWithSource(value=0.0, source="Idle")
    assert leaves(asked(asks_energy=False)) == (LimitsReq(ac_max_current_A=idle),) * 2
    assert leaves(asked(asks_energy=False, dc=True)) == (LimitsReq(total_power_W=idle),) * 2


def test_without_a_bidirectional_service_no_energy_is_taken_back() -> None:
    zero = number(0.0, " set_zero_discharge_limit")
    assert leaves(asked())[1] == LimitsReq(total_power_W=zero, ac_max_current_A=zero)
    assert leaves(asked(dc=True))[1] == LimitsReq(total_power_W=zero)


def test_a_bidirectional_service_asks_for_what_the_board_or_the_supply_can_do() -> None:
    taken, given = leaves(asked(replace(NODE, bidirectional=True)))
    source = " update_max_current_limit"
    assert (taken.ac_max_current_A, given.ac_max_current_A) == (number(32.0, source), number(16.0, source))
    supply = replace(SUPPLY, bidirectional=True, max_import_power_W=30_000.0)
    taken, given = leaves(asked(replace(NODE, bidirectional=True, supply=supply), dc=True))
    source = " update_max_watt_limit"
    assert (taken.total_power_W, given.total_power_W) == (number(60_000.0, source), number(30_000.0, source))
    _, given = leaves(asked(replace(NODE, bidirectional=True, supply=SUPPLY), dc=True))
    assert given.total_power_W == number(0.0, source), "the supply names no import"


def test_the_schedules_begin_with_the_full_hour_and_carry_the_efficiency_of_their_direction() -> None:
    supply = replace(SUPPLY, conversion_efficiency_export=0.9, conversion_efficiency_import=0.8)
    asking = asked(replace(NODE, supply=supply), dc=True)
    (taken,), (given,) = asking.schedule_import, asking.schedule_export
    assert taken.timestamp == given.timestamp == "2026-01-01T12:00:00.000Z"
    assert (taken.conversion_efficiency, given.conversion_efficiency) == (0.9, 0.8)
    assert asked().schedule_import[0].conversion_efficiency is None


@pytest.mark.parametrize(
    ("started", "state", "shown"),
    [
        (False, Charging.Idle, "Disabled"),
        (True, Charging.Idle, "Unplugged"),
        (True, Charging.Disabled, "Disabled"),
        (True, Charging.ChargingPausedEV, "PausedEV"),
        (True, Charging.StoppingCharging, "Finished"),
    ],
)
def test_the_state_of_the_evse_is_disabled_until_its_start_is_over(started: bool, state: Charging, shown: str) -> None:
    assert asked(started=started, state=state).evse_state == shown


@pytest.mark.parametrize(("active", "most", "after"), [(None, 3, 3), (1, 3, 1), (3, 3, 3), (3, 1, 1), (3, 2, 1)])
def test_other_capabilities_keep_the_active_phases_as_far_as_they_can(
    active: int | None, most: int, after: int
) -> None:
    board = replace(BOARD, max_phase_count_import=most, min_phase_count_import=1)
    assert replace(EnergyNode(), active_phases=active).with_hardware(board).active_phases == after


@pytest.mark.parametrize(
    ("current_A", "power_W", "limit_A"),
    [
        (None, None, 0.0),
        (16.0, None, 16.0),
        (None, 6900.0, 10.0),
        (16.0, 6900.0, 10.0),
        (8.0, 6900.0, 8.0),
        (-8.0, -6900.0, -8.0),
        (-16.0, -6900.0, -10.0),
    ],
)
def test_of_current_and_power_the_one_closer_to_zero_limits(
    current_A: float | None, power_W: float | None, limit_A: float
) -> None:
    side = LimitsRes(
        ac_max_current_A=None if current_A is None else number(current_A, ""),
        total_power_W=None if power_W is None else number(power_W, ""),
    )
    assert NODE.ac_limit_A(side, 230.0) == pytest.approx(limit_A)


@pytest.mark.parametrize(("wired", "phases"), [(None, 3), (0, 3), (1, 1), (2, 2), (3, 3)])
def test_a_node_with_fewer_wired_phases_limits_those_that_carry_current(wired: int | None, phases: int) -> None:
    limit = None if wired is None else IntegerWithSource(value=wired, source="node/module_config")
    side = LimitsRes(ac_max_phase_count=limit)
    assert NODE.phases(side) == phases
    assert EnergyNode().phases(side) == 1, "the board has not reported its phases"


def test_what_the_ev_needs_until_when_goes_with_the_request() -> None:
    leave = "2026-01-01T08:00:00.000Z"
    assert optimizer_target(EVInfo(soc=30.0, present_voltage=400.0)) is None
    assert optimizer_target(EVInfo(departure_time=leave)) == OptimizerTarget(leave_time=leave)
    ev = EVInfo(soc=30.0, battery_full_soc=85.0, target_energy_request=20_000.0, departure_time=leave)
    wanted = OptimizerTarget(
        energy_amount_needed=20.0, charge_to_max_percent=85.0, car_battery_soc=30.0, leave_time=leave
    )
    assert optimizer_target(ev) == wanted
    assert optimizer_target(replace(ev, remaining_energy_needed=12_000.0)) == replace(wanted, energy_amount_needed=12.0)
    config = EvseConfig(connector_id=1)
    asking = request("evse", config, Snapshot(), AT, priority=False, root_meter=None, leaf_meter=None, target=wanted)
    assert asking.optimizer_target == wanted and asked().optimizer_target is None
