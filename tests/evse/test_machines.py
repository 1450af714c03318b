"""Rules of single machines, clause by clause."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.connector_lock import ConnectorLock
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode as Mode
from chargebyte_fw.kernel.composite import Composite
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.evse.config import EvseConfig, SessionIdType
from chargebyte_fw.modules.evse.machine.ac.pwm import duty_from_current
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.composite import SOMETIMES_ABSENT
from chargebyte_fw.modules.evse.machine.dc.cable_check_steps import test_voltage_from_limits as check_voltage
from chargebyte_fw.modules.evse.machine.dc.over_voltage import OverVoltage, emergency_threshold
from chargebyte_fw.modules.evse.machine.dc.plausibility import Plausibility
from chargebyte_fw.modules.evse.machine.effects import ClearFault, RaiseFault
from chargebyte_fw.modules.evse.machine.enabling import EnableTable
from chargebyte_fw.modules.evse.machine.energy_node import NO_HARDWARE
from chargebyte_fw.modules.evse.machine.events import (
    Contactor,
    Cp,
    CpReported,
    CurrentDemand,
    EvMaximum,
    FaultCleared,
    FaultRaised,
    ForceUnlock,
    MonitorMeasured,
    Shutdown,
    StartUpDone,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.fault_policy import FaultPolicy
from chargebyte_fw.modules.evse.machine.lock import LockMachine
from chargebyte_fw.modules.evse.machine.pilot import Pilot
from chargebyte_fw.modules.evse.machine.session import session_id_from_uuid
from chargebyte_fw.modules.evse.machine.signals import (
    AllowPower,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    LockAuthorized,
    ShowDuty,
    ShowX1,
    ShutdownChanged,
)
from chargebyte_fw.modules.evse.machine.transfer_modes import ac_modes, dc_modes

CONFIG = EvseConfig(connector_id=1)


def pilot(**config: Any) -> Pilot:
    machine = Pilot(replace(CONFIG, **config))
    machine.feed(StartUpDone(), 0.0)
    machine.feed(CpReported(Cp.A), 0.0)
    return machine


def pilot_with_lock(**config: Any) -> Composite:
    """The pilot and the connector's lock, as they are coupled in an EVSE."""
    settings = replace(CONFIG, **config)
    others = (
        "fault_policy",
        "session",
        "charging",
        "authorization",
        "energy",
        "offer",
        "availability",
        "reservation",
        *SOMETIMES_ABSENT,
    )
    machines = Composite({"pilot": Pilot(settings), "lock": LockMachine(settings)}, absent=others)
    machines.feed(StartUpDone(), 0.0)
    machines.feed(CpReported(Cp.A), 0.0)
    return machines


def power(effects: list[Any]) -> list[bool]:
    return [effect.args[0].allow_power_on for effect in effects if getattr(effect, "command", "") == "allow_power_on"]


@pytest.mark.parametrize(
    ("current_A", "duty"),
    [
        (0.0, 1.0),
        (5.89, 1.0),
        (5.9, 0.1),
        (6.0, 0.1),
        (6.1, 0.1),
        (10.0, 0.16667),
        (16.0, 0.26667),
        (32.0, 0.53333),
        (51.0, 0.85),
        (52.0, 0.85),
        (52.5, 0.85),
        (63.0, 0.892),
        (80.0, 0.96),
        (80.05, 0.97),
        (81.0, 1.0),
    ],
)
def test_duty_cycle_of_a_current(current_A: float, duty: float) -> None:
    """IEC 61851-1 table A.7."""
    assert duty_from_current(current_A) == pytest.approx(duty, abs=1e-4)


def test_nothing_is_looked_at_before_the_begin() -> None:
    machine = Pilot(CONFIG)
    assert machine.feed(CpReported(Cp.B), 0.0) == []
    assert CarPluggedIn() in machine.feed(StartUpDone(), 1.0)


def test_contactors_need_c_duty_cycle_and_permission_in_any_order() -> None:
    steps = [CpReported(Cp.C), ShowDuty(0.5), AllowPower(True, PowerOnOffReason.FullPowerCharging)]
    for order in ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        machine = pilot()
        machine.feed(CpReported(Cp.B), 1.0)
        seen = [power(machine.feed(steps[step], 2.0)) for step in order]
        assert seen == [[], [], [True]]


@pytest.mark.parametrize("left", [Cp.A, Cp.B, Cp.E, Cp.F])
def test_leaving_c_opens_in_the_same_step(left: Cp) -> None:
    machine = pilot()
    machine.feed(CpReported(Cp.B), 1.0)
    machine.feed(ShowDuty(0.5), 1.0)
    machine.feed(AllowPower(True), 1.0)
    machine.feed(CpReported(Cp.C), 2.0)
    assert power(machine.feed(CpReported(left), 3.0))[0] is False


def test_stop_of_the_request_comes_before_other_news_of_state_b() -> None:
    machine = pilot()
    machine.feed(CpReported(Cp.B), 1.0)
    machine.feed(CpReported(Cp.C), 2.0)
    machine.feed(CpReported(Cp.F), 3.0)
    effects = machine.feed(CpReported(Cp.B), 4.0)
    names = [type(effect).__name__ for effect in effects]
    assert names.index("CarRequests") < names.index("CarBack")


def test_ev_without_state_b_gets_power_once_a_duty_cycle_is_shown() -> None:
    machine = pilot(hack_simplified_mode_limit_10A=True)
    effects = machine.feed(CpReported(Cp.C), 1.0)
    assert CarPluggedIn() in effects and CarRequests(True) not in effects
    effects = machine.feed(ShowDuty(32 / 60), 2.0)
    assert CarRequests(True) in effects
    assert Call("evse_board_support", "pwm_on", (pytest.approx(16.667, abs=1e-2),)) in effects


def test_duty_cycle_that_returns_within_six_seconds_keeps_the_contactors() -> None:
    machine = pilot()
    machine.feed(CpReported(Cp.B), 1.0)
    machine.feed(ShowDuty(0.5), 1.0)
    machine.feed(AllowPower(True), 1.0)
    machine.feed(CpReported(Cp.C), 2.0)
    assert power(machine.feed(ShowX1(), 3.0)) == []
    assert machine.deadline == 9.0
    assert power(machine.feed(ShowDuty(0.5), 5.0)) == []
    assert machine.deadline is None
    machine.feed(ShowX1(), 6.0)
    assert power(machine.wake(12.0)) == [False]
    assert power(machine.feed(ShowDuty(0.5), 13.0)) == [True]


def test_state_f_unlocks_after_five_seconds() -> None:
    machine = pilot_with_lock()
    assert call(ConnectorLock.lock) in machine.feed(CpReported(Cp.B), 1.0)
    assert call(ConnectorLock.unlock) not in machine.feed(CpReported(Cp.F), 2.0)
    assert machine.wake(6.9) == []
    assert call(ConnectorLock.unlock) in machine.wake(7.0)


@pytest.mark.parametrize(
    ("story", "locked"),
    [
        ([CpReported(Cp.B)], True),
        ([CpReported(Cp.B), LockAuthorized(True)], True),
        ([CpReported(Cp.B), CpReported(Cp.A)], False),
        ([CpReported(Cp.B), ForceUnlock()], False),
        ([CpReported(Cp.B), Contactor(True), ForceUnlock()], True),
        ([CpReported(Cp.B), Contactor(True), ForceUnlock(), Contactor(False)], False),
        ([CpReported(Cp.B), ForceUnlock(), CpReported(Cp.A), CpReported(Cp.B)], True),
        ([CpReported(Cp.E)], False),
    ],
)
def test_lock(story: list[Any], locked: bool) -> None:
    machine = pilot_with_lock()
    state = False
    for at, event in enumerate(story):
        for effect in machine.feed(event, float(at)):
            if isinstance(effect, Call) and effect.interface == "connector_lock":
                state = effect.command == "lock"
    assert state is locked


@pytest.mark.parametrize(
    ("story", "locked"),
    [
        ([CpReported(Cp.B)], False),
        ([CpReported(Cp.B), LockAuthorized(True)], True),
        ([LockAuthorized(True), CpReported(Cp.B)], True),
        ([CpReported(Cp.B), LockAuthorized(True), LockAuthorized(False)], False),
        ([CpReported(Cp.B), CpReported(Cp.C)], True),
    ],
)
def test_lock_only_while_authorized(story: list[Any], locked: bool) -> None:
    machine = pilot_with_lock(unlock_when_deauthorized=True)
    state = False
    for at, event in enumerate(story):
        for effect in machine.feed(event, float(at)):
            if isinstance(effect, Call) and effect.interface == "connector_lock":
                state = effect.command == "lock"
    assert state is locked


CP = st.sampled_from([Cp.A, Cp.B, Cp.C, Cp.D, Cp.E, Cp.F]).map(CpReported)
STEPS = st.lists(
    st.one_of(
        CP,
        st.sampled_from([ShowDuty(0.05), ShowDuty(0.5), ShowX1(), AllowPower(True), AllowPower(False)]),
        st.sampled_from([Contactor(True), Contactor(False), LockAuthorized(True), ForceUnlock()]),
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(STEPS)
def test_contactors_are_never_allowed_outside_c_and_d(steps: list[Any]) -> None:
    machine = pilot_with_lock()
    plugged = allowed = False
    for at, step in enumerate(steps):
        for effect in machine.feed(step, float(at)) + machine.wake(float(at)):
            if isinstance(effect, CarPluggedIn | CarUnplugged):
                assert plugged is not isinstance(effect, CarPluggedIn), "plug and unplug alternate"
                plugged = isinstance(effect, CarPluggedIn)
            if isinstance(effect, Call) and effect.command == "allow_power_on":
                allowed = effect.args[0].allow_power_on
        assert not allowed or machine.machines["pilot"].state in (Cp.C, Cp.D)


def test_bcb_toggle_needs_its_times() -> None:
    """ISO 15118-3: C longer than 150 ms and shorter than 450 ms."""
    toggle = BcbToggle()
    for at in (0.0, 1.0, 2.0):
        toggle.edge(True, at)
        toggle.edge(False, at + 0.3)
    assert toggle.complete(2.3)
    toggle = BcbToggle()
    toggle.edge(True, 0.0)
    toggle.edge(False, 0.3)
    assert not toggle.complete(3.6) and toggle.complete(3.7)
    for length_s in (0.1, 0.5):
        toggle = BcbToggle()
        toggle.edge(True, 0.0)
        toggle.edge(False, length_s)
        assert not toggle.complete(4.0)


def wish(source: str, state: str, priority: int) -> EnableDisableSource:
    return EnableDisableSource(
        enable_source=EnableDisableSourceEnableSource(source),
        enable_state=EnableDisableSourceEnableState(state),
        enable_priority=priority,
    )


@pytest.mark.parametrize(
    ("wishes", "enabled"),
    [
        ([], True),
        ([("CSMS", "Disable", 5)], False),
        ([("CSMS", "Disable", 5), ("LocalAPI", "Enable", 6)], False),
        ([("CSMS", "Disable", 5), ("LocalAPI", "Enable", 4)], True),
        ([("CSMS", "Disable", 5), ("LocalAPI", "Enable", 5)], False),
        ([("CSMS", "Disable", 5), ("CSMS", "Enable", 5)], True),
        ([("CSMS", "Disable", 5), ("CSMS", "Unassigned", 5)], True),
    ],
)
def test_smallest_priority_wins_and_a_tie_disables(wishes: list[tuple[str, str, int]], enabled: bool) -> None:
    table = EnableTable()
    for one in wishes:
        table.take(1, wish(*one))
    assert table.enabled is enabled


HARDWARE = replace(NO_HARDWARE, max_current_A_export=16.0, max_phase_count_export=3)


@pytest.mark.parametrize(
    ("low", "high", "options", "modes"),
    [
        (1, 1, {}, [Mode.AC_single_phase_core]),
        (1, 3, {}, [Mode.AC_single_phase_core, Mode.AC_two_phase, Mode.AC_three_phase_core]),
        (3, 1, {}, [Mode.AC_three_phase_core]),
        (0, 2, {}, [Mode.AC_single_phase_core, Mode.AC_two_phase]),
        (1, 1, {"bpt": True}, [Mode.AC_single_phase_core, Mode.AC_BPT]),
        (1, 1, {"der": True}, [Mode.AC_single_phase_core, Mode.AC_DER_IEC]),
        (1, 1, {"bpt": True, "der": True}, [Mode.AC_single_phase_core, Mode.AC_BPT, Mode.AC_DER_IEC]),
    ],
)
def test_ac_transfer_modes(low: int, high: int, options: dict[str, bool], modes: list[Mode]) -> None:
    hardware = replace(HARDWARE, min_phase_count_import=low, max_phase_count_import=high)
    wanted = {"bpt": False, "der": False} | options
    assert ac_modes(hardware, **wanted) == modes


def test_no_der_and_no_bpt_without_export() -> None:
    assert ac_modes(NO_HARDWARE, bpt=True, der=True) == [Mode.AC_single_phase_core]


def test_dc_transfer_modes() -> None:
    assert dc_modes(bidirectional=False, megawatt=False) == [Mode.DC_extended]
    assert dc_modes(bidirectional=True, megawatt=False) == [Mode.DC_extended, Mode.DC_BPT]
    assert dc_modes(bidirectional=True, megawatt=True) == [Mode.MCS, Mode.MCS_BPT]


@pytest.mark.parametrize(
    ("ev_V", "evse_V", "test_V"),
    [
        (400.0, 1000.0, 450.0),
        (480.0, 1000.0, 500.0),
        (400.0, 420.0, 420.0),
        (800.0, 1000.0, 880.0),
        (950.0, 1000.0, 1000.0),
    ],
)
def test_cable_check_voltage(ev_V: float, evse_V: float, test_V: float) -> None:
    """IEC 61851-23 CC.4.1.2."""
    assert check_voltage(ev_V, evse_V) == pytest.approx(test_V)


@pytest.mark.parametrize(
    ("maximum_V", "threshold_V"),
    [(450.0, 550.0), (500.0, 550.0), (501.0, 825.0), (751.0, 935.0), (851.0, 1100.0), (1001.0, 1375.0)],
)
def test_emergency_over_voltage_threshold(maximum_V: float, threshold_V: float) -> None:
    """IEC 61851-23 table 103."""
    assert emergency_threshold(maximum_V) == threshold_V


def over_voltage(duration_s: float = 0.4) -> OverVoltage:
    machine = OverVoltage(duration_s, external=False)
    machine.feed(EvMaximum(450.0, None, None), 0.0)
    machine.feed(CurrentDemand(True), 0.0)
    return machine


def test_over_voltage_error_level_is_debounced() -> None:
    machine = over_voltage()
    assert machine.feed(MonitorMeasured(449.0), 1.0) == []
    assert machine.feed(MonitorMeasured(460.0), 2.0) == [] and machine.deadline == 2.4
    assert machine.feed(MonitorMeasured(440.0), 2.2) == [] and machine.deadline is None
    machine.feed(MonitorMeasured(460.0), 3.0)
    machine.feed(MonitorMeasured(470.0), 3.2)
    (fault,) = machine.wake(3.4)
    assert (fault.name, fault.severity) == ("MREC5OverVoltage", Severity.Medium)
    assert "470 V" in fault.message
    assert machine.feed(MonitorMeasured(600.0), 4.0) == [], "latched"
    machine.feed(CarUnplugged(), 5.0)
    machine.feed(CurrentDemand(True), 6.0)
    assert machine.feed(MonitorMeasured(600.0), 7.0)


def test_over_voltage_emergency_is_immediate_and_a_stopped_monitor_is_silent() -> None:
    machine = over_voltage()
    (fault,) = machine.feed(MonitorMeasured(550.0), 1.0)
    assert fault.severity is Severity.High
    machine = over_voltage()
    machine.feed(CurrentDemand(False), 1.0)
    assert machine.feed(MonitorMeasured(900.0), 2.0) == []
    assert over_voltage(0.0).feed(MonitorMeasured(451.0), 1.0)[0].severity is Severity.Medium


def test_plausibility_needs_two_sources_and_its_time() -> None:
    machine = Plausibility(50.0, 30.0)
    machine.feed(CurrentDemand(True), 0.0)
    assert machine.feed(SupplyMeasured(400.0, 1.0), 0.0) == [] and machine.deadline is None
    machine.feed(MonitorMeasured(340.0), 1.0)
    assert machine.deadline == 31.0
    machine.feed(MonitorMeasured(360.0), 2.0)
    assert machine.deadline is None
    machine.feed(MonitorMeasured(300.0), 3.0)
    assert machine.wake(32.9) == []
    (fault,) = machine.wake(33.0)
    assert fault.name == "VoltagePlausibilityFault"
    assert machine.feed(MonitorMeasured(200.0), 40.0) == [], "latched"


def seen(name: str, sub_type: str = "", severity: Severity = Severity.High) -> FaultRaised:
    return FaultRaised("x", f"evse_board_support/{name}", sub_type, severity, "acme", "bsp.main")


def test_same_causes_are_told_once_and_changes_refresh() -> None:
    book = FaultPolicy(use_vendor_id=True)
    raised, shutdown = book.feed(seen("DiodeFault", severity=Severity.Medium), 0.0)
    assert (raised.name, raised.vendor_id, shutdown) == ("Inoperative", "acme", ShutdownChanged(Shutdown.Error))
    again = FaultRaised("x", "evse_board_support/DiodeFault", "", Severity.Medium, "acme", "other.main")
    assert book.feed(again, 1.0) == []
    cleared, raised, shutdown = book.feed(seen("MREC14PilotFault", "CPShortFault"), 2.0)
    assert (cleared, raised.description) == (
        ClearFault("Inoperative"),
        "DiodeFault, DiodeFault, MREC14PilotFault/CPShortFault",
    )
    assert raised.description.endswith("MREC14PilotFault/CPShortFault")
    assert shutdown == ShutdownChanged(Shutdown.Emergency)
    book.feed(FaultCleared("evse_board_support/MREC14PilotFault", "CPShortFault", "bsp.main"), 3.0)
    book.feed(FaultCleared("evse_board_support/DiodeFault", "", "bsp.main"), 4.0)
    assert book.feed(FaultCleared("evse_board_support/DiodeFault", "", "other.main"), 5.0) == [
        ClearFault("Inoperative"),
        ShutdownChanged(Shutdown.Nothing),
    ]


def test_own_faults_block_until_cleared() -> None:
    book = FaultPolicy()
    assert ShutdownChanged(Shutdown.Error) in book.feed(
        RaiseFault("MREC22ResistanceFault", "", "Resistance", Severity.Medium), 0.0
    )
    assert book.feed(ClearFault("MREC11CableCheckFault"), 1.0) == []
    assert ShutdownChanged(Shutdown.Nothing) in book.feed(ClearFault(""), 2.0)


@pytest.mark.parametrize(
    ("kind", "length"), [(SessionIdType.UUID, 36), (SessionIdType.UUID_BASE64, 22), (SessionIdType.SHORT_BASE64, 16)]
)
def test_session_ids(kind: SessionIdType, length: int) -> None:
    assert len(session_id_from_uuid(kind, "f3b1b3c6-5f2f-4f8e-9a53-6f2f7b3a0c11")) == length
