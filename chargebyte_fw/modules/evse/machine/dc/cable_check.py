"""The cable check of IEC 61851-23 CC.4.1.2: insulation at test voltage, before the EV may precharge."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.contracts.types.iso15118 import IsolationStatus
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Log, Raise, Say, isolation_line
from chargebyte_fw.modules.evse.machine.events import (
    CableCheckStart,
    Cancel,
    Charging,
    Contactor,
    CurrentDemand,
    DcOpenContactor,
    EvMaximum,
    HlcAllowsClose,
    InsulationMeasured,
    SelfTested,
    SupplyMeasured,
    SupplyTold,
)
from chargebyte_fw.modules.evse.machine.signals import PhaseIs, StateIs, SupplyOff, SupplyWanted

Effects = list[Any]
EXPECTED_STOPS = (
    StopTransactionReason.DeAuthorized,
    StopTransactionReason.Local,
    StopTransactionReason.Remote,
    StopTransactionReason.EVSEDisabled,
)


class Step(Enum):
    """Steps of the check."""

    Rest = 0
    Below60V = 1
    EarlyVoltage = 3
    EarlySelfTest = 4
    Contactors = 5
    EvVoltage = 6
    Voltage = 7
    SelfTest = 8
    Insulation = 9
    Discharge = 13
    FailDischarge = 14


def test_voltage_from_limits(ev_max_V: float, evse_max_V: float) -> float:
    """Return the cable check's voltage in V: the EV's maximum with a margin, never above ours."""
    if ev_max_V <= 500.0:
        return min(500.0, ev_max_V + 50.0, evse_max_V)
    return min(evse_max_V, 1.1 * ev_max_V)


test_voltage_from_limits.__test__ = False  # type: ignore[attr-defined]


class CableCheck(Machine):
    """One check after the other; leaving PrepareCharging aborts."""

    def __init__(self, config: EvseConfig, *, imd: bool, insulation_fault_Ohm: float) -> None:
        super().__init__(Step.Rest)
        self._config = config
        self._imd = imd
        self._fault_Ohm = insulation_fault_Ohm
        self._kernel = Charging.Idle
        self._stop_reason: StopTransactionReason | None = None
        self._voltage_V = 0.0
        self._closed = False
        self._ev_max_V: float | None = None
        self._evse_max_V = 0.0
        self._wanted_V = 0.0
        self._samples = 0
        self._self_test_done = False
        self._imd_runs = False
        self._until_s = 0.0
        self._measured_s = 0.0
        self._demand = False
        self._wanted = False

    @on(event=SupplyTold)
    def supply(self, event: SupplyTold, now: float) -> Effects:
        self._evse_max_V = event.supply.max_export_voltage_V
        return []

    @on(event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> Effects:
        if event.voltage_V:
            self._ev_max_V = event.voltage_V
        return self._to_test_voltage(now) if self.state is Step.EvVoltage and self._ev_max_V else []

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> Effects:
        self._closed = event.closed
        if self.state is Step.Contactors and self._closed:
            return self._contactors_closed(now)
        return []

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        self._demand = event.running
        return []

    @on(event=DcOpenContactor)
    def open_contactor(self, _: DcOpenContactor, now: float) -> Effects:
        """The EV has ended the energy transfer before it began; it need not show state B for that."""
        running = self.state not in (Step.Rest, Step.FailDischarge)
        return self._fail("the EV has ended it", now, aborted=True) if running else []

    @on(event=Cancel)
    def cancel(self, event: Cancel, now: float) -> Effects:
        self._stop_reason = event.reason
        return []

    @on(event=StateIs)
    def kernel_state(self, event: StateIs, now: float) -> Effects:
        self._kernel = event.state
        wanted, self._wanted = self._wanted, False
        if wanted:
            return self.begin(CableCheckStart(), now)
        if event.state in (Charging.Idle, Charging.WaitingForAuthentication):
            self._ev_max_V = None if event.state is Charging.Idle else self._ev_max_V
            self._stop_reason = None
        if event.state is not Charging.PrepareCharging and self.state not in (Step.Rest, Step.FailDischarge):
            return self._fail("charging was stopped", now, aborted=True)
        return []

    @on(event=CableCheckStart)
    def begin(self, _: CableCheckStart, now: float) -> Effects:
        if self.state not in (Step.Rest, Step.FailDischarge):
            return []
        if self._kernel is Charging.Charging and not self._demand:
            # A renegotiation: the charging kernel goes back to the preparation on the same message.
            self._wanted = True
            return []
        if self._kernel is not Charging.PrepareCharging:
            return [Say("a cable check was asked for outside the preparation", "warning"), _finished(False)]
        if self._evse_max_V <= 0.0:
            return [Say("the power supply has not told its limits: no cable check", "warning"), _finished(False)]
        if not self._imd:
            return [
                HlcAllowsClose(True),
                Call("hlc", "update_isolation_status", (IsolationStatus.No_IMD,)),
                Say("cable check: no insulation monitor", "warning"),
                _finished(True),
            ]
        self._samples = 0
        self._self_test_done = False
        effects: Effects = [PhaseIs(ChargingPhase.CableCheck)]
        return effects + self._await(Step.Below60V, now, timing.CABLE_CHECK_STEP_S) + self._look(now)

    def _await(self, step: Step, now: float, limit_s: float) -> Effects:
        self._until_s = now + limit_s
        self._measured_s = now
        self.enter(step)
        self._arm()
        return []

    def _arm(self) -> None:
        lost = self.state in (Step.Below60V, Step.EarlyVoltage, Step.Voltage, Step.Discharge)
        self.deadline = min(self._until_s, self._measured_s + timing.MEASUREMENT_LOST_S) if lost else self._until_s

    @on(event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        self._voltage_V = event.voltage_V
        if self.state is Step.Rest:
            return []
        self._measured_s = now
        effects = self._look(now)
        if self.state is not Step.Rest:
            self._arm()
        return effects

    def _look(self, now: float) -> Effects:
        below = self._voltage_V < timing.SAFE_VOLTAGE_V
        match self.state:
            case Step.Below60V if below:
                return self._after_60V(now)
            case Step.EarlyVoltage | Step.Voltage if abs(self._voltage_V - self._wanted_V) <= 0.1 * self._wanted_V:
                return self._at_voltage(now)
            case Step.Discharge if below:
                return self._succeed()
            case Step.FailDischarge if below:
                return self._failed()
        return []

    def _after_60V(self, now: float) -> Effects:
        if self._config.cable_check_enable_imd_self_test_relays_open:
            self._wanted_V = float(self._config.cable_check_relays_open_voltage_V)
            self._await(Step.EarlyVoltage, now, timing.CABLE_CHECK_STEP_S)
            return [SupplyWanted(self._wanted_V, timing.CABLE_CHECK_CURRENT_A)]
        return self._close(now)

    def _close(self, now: float) -> Effects:
        effects: Effects = [HlcAllowsClose(True), Log("DC HLC Close contactor (in CableCheck)", "CAR", True)]
        self._await(Step.Contactors, now, float(self._config.cable_check_relays_closed_timeout_s))
        return effects + (self._contactors_closed(now) if self._closed else [])

    def _contactors_closed(self, now: float) -> Effects:
        if self._ev_max_V:
            return self._to_test_voltage(now)
        return self._await(Step.EvVoltage, now, timing.EV_MAX_VOLTAGE_WAIT_S)

    def _to_test_voltage(self, now: float) -> Effects:
        ev_max_V = self._ev_max_V or timing.EV_MAX_VOLTAGE_DEFAULT_V
        fixed_V = self._config.dc_isolation_voltage_V
        self._wanted_V = float(fixed_V) if fixed_V > 0 else test_voltage_from_limits(ev_max_V, self._evse_max_V)
        self._await(Step.Voltage, now, timing.CABLE_CHECK_STEP_S)
        return [
            Say(f"cable check at {self._wanted_V:.0f} V"),
            SupplyWanted(self._wanted_V, timing.CABLE_CHECK_CURRENT_A),
        ]

    def _at_voltage(self, now: float) -> Effects:
        test = Call("imd", "start_self_test", (self._wanted_V,))
        if self.state is Step.EarlyVoltage:
            self._await(Step.EarlySelfTest, now, timing.SELF_TEST_S)
            return [test]
        if self._config.cable_check_enable_imd_self_test and not self._self_test_done:
            self._await(Step.SelfTest, now, timing.SELF_TEST_S)
            return [test]
        return self._measure(now)

    @on(event=SelfTested)
    def self_tested(self, event: SelfTested, now: float) -> Effects:
        if self.state not in (Step.EarlySelfTest, Step.SelfTest):
            return []
        if not event.passed:
            return self._fail("Self test failed", now)
        self._self_test_done = True
        if self.state is Step.EarlySelfTest:
            return [SupplyOff(), *self._close(now)]
        return self._measure(now)

    def _measure(self, now: float) -> Effects:
        if self._config.cable_check_wait_number_of_imd_measurements <= 0:
            valid = Call("hlc", "update_isolation_status", (IsolationStatus.Valid,))
            return [valid, *self._end(now)]
        self._imd_runs = True
        self._await(Step.Insulation, now, timing.IMD_SAMPLE_S)
        return [Call("imd", "start")]

    @on(event=InsulationMeasured)
    def insulation(self, event: InsulationMeasured, now: float) -> Effects:
        if self.state is not Step.Insulation:
            return []
        self._samples += 1
        if self._samples < self._config.cable_check_wait_number_of_imd_measurements:
            return self._await(Step.Insulation, now, timing.IMD_SAMPLE_S)
        resistance_Ohm = event.sample.resistance_F_Ohm
        valid = resistance_Ohm >= self._fault_Ohm
        status = IsolationStatus.Valid if valid else IsolationStatus.Fault
        effects: Effects = [
            Call("hlc", "update_isolation_status", (status,)),
            Say(f"insulation is {resistance_Ohm / 1000:.0f} kOhm"),
            isolation_line(resistance_Ohm, valid=valid),
        ]
        if not valid:
            text = f"{resistance_Ohm:.0f} Ohm"
            fault = Raise("MREC22ResistanceFault", text, "Resistance", Severity.Medium)
            failed = self._fail("Resistance", now)
            return [*effects, *failed, fault]
        return effects + self._end(now)

    def _end(self, now: float) -> Effects:
        effects: Effects = []
        if self._config.hack_pause_imd_during_precharge:
            self._imd_runs = False
            effects.append(Call("imd", "stop"))
        if not self._config.cable_check_wait_below_60V_before_finish:
            return effects + self._succeed()
        self._await(Step.Discharge, now, timing.CABLE_CHECK_STEP_S)
        return [*effects, SupplyOff()]

    def _succeed(self) -> Effects:
        self.enter(Step.Rest)
        self._imd_runs = False
        return [Say("cable check passed"), _finished(True)]

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        match self.state:
            case Step.EvVoltage:
                return self._to_test_voltage(now)
            case Step.FailDischarge:
                return self._failed()
            case Step.Rest:
                return []
            case Step.Contactors:
                return self._fail("Contactors did not close", now)
            case Step.EarlySelfTest | Step.SelfTest:
                return self._fail("Self test timed out", now)
            case Step.Insulation:
                return self._fail("No insulation measurement", now)
            case Step.Below60V | Step.Discharge:
                return self._fail("Voltage stays above 60 V", now)
        return self._fail("Voltage not reached", now)

    def _fail(self, why: str, now: float, *, aborted: bool = False) -> Effects:
        """Take the voltage away, wait for less than 60 V, then say so."""
        effects: Effects = [
            Say(f"cable check aborted: {why}") if aborted else Say(f"cable check failed: {why}", "warning")
        ]
        if self._imd_runs:
            self._imd_runs = False
            effects.append(Call("imd", "stop"))
        effects += [PhaseIs(ChargingPhase.Other), SupplyOff(at_once=True)]
        self._why = "" if aborted else why
        self._await(Step.FailDischarge, now, timing.CABLE_CHECK_STEP_S)
        return effects + (self._failed() if self._voltage_V < timing.SAFE_VOLTAGE_V else [])

    def _failed(self) -> Effects:
        self.enter(Step.Rest)
        effects: Effects = [_finished(False)]
        quiet = self._kernel in (Charging.Idle, Charging.Finished) or self._stop_reason in EXPECTED_STOPS
        if self._why and not quiet:
            effects.append(
                Raise("MREC11CableCheckFault", f"cable check failed: {self._why}", self._why, Severity.Medium)
            )
        return effects


def _finished(passed: bool) -> Call:
    return Call("hlc", "cable_check_finished", (passed,))
