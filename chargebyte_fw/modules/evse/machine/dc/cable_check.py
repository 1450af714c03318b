"""The cable check of IEC 61851-23 CC.4.1.2: insulation at test voltage, before the EV may precharge."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.contracts.types.iso15118 import IsolationStatus
from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.dc.cable_check_steps import (
    AFTER_SELF_TEST,
    EXPECTED_STOPS,
    MEASURED,
    NOT_RUNNING,
    RUNNING,
    Check,
    Step,
    test_voltage_from_limits,
)
from chargebyte_fw.modules.evse.machine.effects import LogLine, RaiseFault, SessionLogLine, isolation_line
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
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import PowerPathUse, StateEntered, SupplyOff, SupplyWanted

Effects = list[Any]


class CableCheck(Machine):
    """One check after the other; leaving PrepareCharging aborts.

    A step that is entered takes what is known already (voltage, contactors, the EV's maximum) as if it came then.
    """

    initial = Step.Rest

    def __init__(self, config: EvseConfig, *, imd: bool, insulation_fault_Ohm: float) -> None:
        super().__init__()
        self._config = config
        self._imd = imd
        self._fault_Ohm = insulation_fault_Ohm
        self._charging = Charging.Idle
        self._stop_reason: StopTransactionReason | None = None
        self._voltage_V = 0.0
        self._contactors_closed = False
        self._ev_max_V: float | None = None
        self._evse_max_V = 0.0
        self._current_demand = False
        self._asked_early = False
        """Asked for before the preparation is entered again: the EV renegotiates."""
        self._check = Check()

    # Facts.

    @on(*Step, event=SupplyCapabilitiesChanged)
    def supply(self, event: SupplyCapabilitiesChanged, now: float) -> None:
        """Keep the supply's maximum."""
        self._evse_max_V = event.supply.max_export_voltage_V

    @on(*(step for step in Step if step is not Step.EvVoltage), event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> None:
        """Keep the EV's maximum voltage."""
        self._ev_max_V = event.voltage_V or self._ev_max_V

    @on(Step.EvVoltage, event=EvMaximum, to=Step.Voltage)
    def ev_maximum_at_last(self, event: EvMaximum, now: float) -> Effects:
        """The test voltage is known."""
        self._ev_max_V = event.voltage_V or self._ev_max_V
        return self._to_test_voltage(now) if self._ev_max_V else []

    @on(*(step for step in Step if step is not Step.Contactors), event=Contactor)
    def contactor(self, event: Contactor, now: float) -> None:
        """Keep the contactors' feedback."""
        self._contactors_closed = event.closed

    @on(Step.Contactors, event=Contactor, to=Step.EvVoltage)
    def contactor_at_last(self, event: Contactor, now: float) -> Effects:
        """Go on once they are closed."""
        self._contactors_closed = event.closed
        if not event.closed:
            return []
        self._await(Step.EvVoltage, now, timing.EV_MAX_VOLTAGE_WAIT_S)
        return self.feed(EvMaximum(self._ev_max_V, None, None), now)

    @on(*Step, event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> None:
        """Keep whether energy flows: a check that is asked for then is no renegotiation."""
        self._current_demand = event.running

    @on(*Step, event=Cancel)
    def cancel(self, event: Cancel, now: float) -> None:
        """Keep why the transaction is stopped."""
        self._stop_reason = event.reason

    # The begin.

    @on(*NOT_RUNNING, event=CableCheckStart, to=Step.Below60V)
    def start_check(self, _: CableCheckStart, now: float) -> Effects:
        """HLC asks for the check."""
        renegotiates = self._charging is Charging.Charging and not self._current_demand
        if renegotiates or self._charging in (Charging.StoppingCharging, Charging.ChargingPausedEV):
            # A renegotiation: the charging state machine goes back to the preparation on the same message.
            self._asked_early = True
            return []
        return self._begin(now)

    @on(*RUNNING, event=CableCheckStart)
    def running_already(self, _: CableCheckStart, now: float) -> None:
        """One check at a time."""

    @on(*NOT_RUNNING, event=StateEntered, to=Step.Below60V)
    def state_entered(self, event: StateEntered, now: float) -> Effects:
        """Begin a check that was asked for before the preparation; forget the last EV."""
        self._follow(event.state)
        if event.state is Charging.ChargingPausedEV:
            return []
        asked, self._asked_early = self._asked_early, False
        return self._begin(now) if asked else []

    @on(*RUNNING, event=StateEntered, to=Step.FailDischarge)
    def preparation_left(self, event: StateEntered, now: float) -> Effects:
        """The preparation is left: the check is aborted."""
        self._follow(event.state)
        return self._fail("charging was stopped", now, aborted=True) if not self._preparing else []

    def _follow(self, state: Charging) -> None:
        self._charging = state
        if state is Charging.Idle:
            self._ev_max_V = None
        if state in (Charging.Idle, Charging.WaitingForAuthentication):
            self._stop_reason = None

    @property
    def _preparing(self) -> bool:
        return self._charging is Charging.PrepareCharging

    def _begin(self, now: float) -> Effects:
        if not self._preparing:
            return [LogLine("a cable check was asked for outside the preparation", "warning"), _finished(False)]
        if self._evse_max_V <= 0.0:
            return [LogLine("no limits of the power supply are known: no cable check", "warning"), _finished(False)]
        if not self._imd:
            return [
                HlcAllowsClose(True),
                _isolation_status(IsolationStatus.No_IMD),
                LogLine("cable check: no insulation monitor", "warning"),
                _finished(True),
            ]
        self._check = Check()
        self._await(Step.Below60V, now, timing.CABLE_CHECK_STEP_S)
        return [PowerPathUse(ChargingPhase.CableCheck), *self._look(now)]

    def _await(self, step: Step, now: float, limit_s: float) -> None:
        self.enter(step)
        self.start("step", now + limit_s)
        if step in MEASURED:
            self.start("measurement", now + timing.MEASUREMENT_LOST_S)

    # Voltages.

    @property
    def _below_60V(self) -> bool:
        return self._voltage_V < timing.SAFE_VOLTAGE_V

    def _look(self, now: float) -> Effects:
        """Take the voltage that is known already."""
        return self.feed(SupplyMeasured(self._voltage_V, 0.0), now)

    def _take(self, event: SupplyMeasured, now: float) -> None:
        self._voltage_V = event.voltage_V
        if self.state in MEASURED:
            self.start("measurement", now + timing.MEASUREMENT_LOST_S)

    @on(*(step for step in Step if step not in (*MEASURED, Step.FailDischarge)), event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> None:
        """Keep the voltage at the supply's output."""
        self._take(event, now)

    @on(Step.Below60V, event=SupplyMeasured, to=(Step.EarlyVoltage, Step.Contactors))
    def below_60V(self, event: SupplyMeasured, now: float) -> Effects:
        """Go on below 60 V."""
        self._take(event, now)
        return self._after_60V(now) if self._below_60V else []

    @on(Step.EarlyVoltage, event=SupplyMeasured, to=Step.EarlySelfTest)
    @on(Step.Voltage, event=SupplyMeasured, to=(Step.SelfTest, *AFTER_SELF_TEST))
    def at_voltage(self, event: SupplyMeasured, now: float) -> Effects:
        """Go on at the test voltage, within 10 %."""
        self._take(event, now)
        wanted_V = self._check.wanted_V
        return self._at_voltage(now) if abs(self._voltage_V - wanted_V) <= 0.1 * wanted_V else []

    @on(Step.Discharge, event=SupplyMeasured, to=Step.Rest)
    def discharged(self, event: SupplyMeasured, now: float) -> Effects:
        """The check has passed below 60 V."""
        self._take(event, now)
        return self._succeed() if self._below_60V else []

    @on(Step.FailDischarge, event=SupplyMeasured, to=Step.Rest)
    def discharged_after_failure(self, event: SupplyMeasured, now: float) -> Effects:
        """The failure is reported below 60 V."""
        self._take(event, now)
        return self._failed() if self._below_60V else []

    def _after_60V(self, now: float) -> Effects:
        if not self._config.cable_check_enable_imd_self_test_relays_open:
            return self._close(now)
        self._check.wanted_V = float(self._config.cable_check_relays_open_voltage_V)
        self._await(Step.EarlyVoltage, now, timing.CABLE_CHECK_STEP_S)
        return [SupplyWanted(self._check.wanted_V, timing.CABLE_CHECK_CURRENT_A)]

    def _close(self, now: float) -> Effects:
        self._await(Step.Contactors, now, float(self._config.cable_check_relays_closed_timeout_s))
        effects: Effects = [HlcAllowsClose(True), SessionLogLine("DC HLC Close contactor (in CableCheck)", "CAR", True)]
        return effects + self.feed(Contactor(self._contactors_closed), now)

    def _to_test_voltage(self, now: float) -> Effects:
        ev_max_V = self._ev_max_V or timing.EV_MAX_VOLTAGE_DEFAULT_V
        fixed_V = self._config.dc_isolation_voltage_V
        wanted_V = float(fixed_V) if fixed_V > 0 else test_voltage_from_limits(ev_max_V, self._evse_max_V)
        self._check.wanted_V = wanted_V
        self._await(Step.Voltage, now, timing.CABLE_CHECK_STEP_S)
        return [LogLine(f"cable check at {wanted_V:.0f} V"), SupplyWanted(wanted_V, timing.CABLE_CHECK_CURRENT_A)]

    # The insulation monitor.

    def _at_voltage(self, now: float) -> Effects:
        test = call(IsolationMonitor.start_self_test, self._check.wanted_V)
        if self.state is Step.EarlyVoltage:
            self._await(Step.EarlySelfTest, now, timing.SELF_TEST_S)
            return [test]
        if self._config.cable_check_enable_imd_self_test and not self._check.self_test_done:
            self._await(Step.SelfTest, now, timing.SELF_TEST_S)
            return [test]
        return self._measure(now)

    @on(Step.EarlySelfTest, event=SelfTested, to=(Step.Contactors, Step.FailDischarge))
    def early_self_tested(self, event: SelfTested, now: float) -> Effects:
        """The contactors may close after a test that was passed."""
        if not event.passed:
            return self._fail("Self test failed", now)
        self._check.self_test_done = True
        return [SupplyOff(), *self._close(now)]

    @on(Step.SelfTest, event=SelfTested, to=(*AFTER_SELF_TEST, Step.FailDischarge))
    def self_tested(self, event: SelfTested, now: float) -> Effects:
        """Measure after a test that was passed."""
        if not event.passed:
            return self._fail("Self test failed", now)
        self._check.self_test_done = True
        return self._measure(now)

    @on(*(step for step in Step if step not in (Step.EarlySelfTest, Step.SelfTest)), event=SelfTested)
    def tested_unasked(self, _: SelfTested, now: float) -> None:
        """No test was asked for."""

    def _measure(self, now: float) -> Effects:
        if self._config.cable_check_wait_number_of_imd_measurements <= 0:
            return [_isolation_status(IsolationStatus.Valid), *self._end(now)]
        self._check.monitor_runs = True
        self._await(Step.Insulation, now, timing.IMD_SAMPLE_S)
        return [call(IsolationMonitor.start)]

    @on(Step.Insulation, event=InsulationMeasured, to=(Step.Discharge, Step.Rest, Step.FailDischarge))
    def insulation(self, event: InsulationMeasured, now: float) -> Effects:
        """Judge the last of the samples that are waited for."""
        self._check.samples += 1
        if self._check.samples < self._config.cable_check_wait_number_of_imd_measurements:
            self.start("step", now + timing.IMD_SAMPLE_S)
            return []
        resistance_Ohm = event.sample.resistance_F_Ohm
        valid = resistance_Ohm >= self._fault_Ohm
        effects: Effects = [
            _isolation_status(IsolationStatus.Valid if valid else IsolationStatus.Fault),
            LogLine(f"insulation is {resistance_Ohm / 1000:.0f} kOhm"),
            isolation_line(resistance_Ohm, valid=valid),
        ]
        if valid:
            return effects + self._end(now)
        effects += self._fail("Resistance", now)
        # Both at once: the fault of the insulation stops charging by itself, and the session ends before the discharge.
        effects += self._fault()
        effects.append(RaiseFault("MREC22ResistanceFault", f"{resistance_Ohm:.0f} Ohm", "Resistance", Severity.Medium))
        return effects

    @on(*(step for step in Step if step is not Step.Insulation), event=InsulationMeasured)
    def measured_unasked(self, _: InsulationMeasured, now: float) -> None:
        """No sample is waited for."""

    # The end.

    def _end(self, now: float) -> Effects:
        effects: Effects = []
        if self._config.hack_pause_imd_during_precharge:
            self._check.monitor_runs = False
            effects.append(call(IsolationMonitor.stop))
        if not self._config.cable_check_wait_below_60V_before_finish:
            return effects + self._succeed()
        self._await(Step.Discharge, now, timing.CABLE_CHECK_STEP_S)
        return [*effects, SupplyOff()]

    def _succeed(self) -> Effects:
        return self.enter(Step.Rest, LogLine("cable check passed"), _finished(True))

    @on(*RUNNING, event=DcOpenContactor, to=Step.FailDischarge)
    def open_contactor(self, _: DcOpenContactor, now: float) -> Effects:
        """The EV has ended the energy transfer before it began; it need not show state B for that."""
        return self._fail("the EV has ended it", now, aborted=True)

    @on(*NOT_RUNNING, event=DcOpenContactor)
    def open_contactor_later(self, _: DcOpenContactor, now: float) -> None:
        """There is nothing to abort."""

    @on(*MEASURED, timer="measurement", to=Step.FailDischarge)
    def measurement_lost(self, now: float) -> Effects:
        """The supply does not report its voltage any more."""
        return self._fail(self._missed(), now)

    @on(*(step for step in RUNNING if step is not Step.EvVoltage), timer="step", to=Step.FailDischarge)
    def step_over(self, now: float) -> Effects:
        """The step has taken too long."""
        return self._fail(self._missed(), now)

    @on(Step.EvVoltage, timer="step", to=Step.Voltage)
    def without_ev_maximum(self, now: float) -> Effects:
        """The EV does not report its maximum: the default holds."""
        return self._to_test_voltage(now)

    @on(Step.FailDischarge, timer="step", to=Step.Rest)
    def not_discharged(self, now: float) -> Effects:
        """The failure is reported in any case."""
        return self._failed()

    def _missed(self) -> str:
        match self.state:
            case Step.Contactors:
                return "Contactors did not close"
            case Step.EarlySelfTest | Step.SelfTest:
                return "Self test timed out"
            case Step.Insulation:
                return "No insulation measurement"
            case Step.Below60V | Step.Discharge:
                return "Voltage stays above 60 V"
        return "Voltage not reached"

    def _fail(self, why: str, now: float, *, aborted: bool = False) -> Effects:
        """Take the voltage away, wait for less than 60 V, then report it."""
        effects: Effects = [
            LogLine(f"cable check aborted: {why}") if aborted else LogLine(f"cable check failed: {why}", "warning")
        ]
        if self._check.monitor_runs:
            self._check.monitor_runs = False
            effects.append(call(IsolationMonitor.stop))
        effects += [PowerPathUse(ChargingPhase.Other), SupplyOff(at_once=True)]
        self._check.failed_because = "" if aborted else why
        self._await(Step.FailDischarge, now, timing.CABLE_CHECK_STEP_S)
        return effects + self._look(now)

    def _failed(self) -> Effects:
        self.enter(Step.Rest)
        return [_finished(False), *self._fault()]

    def _fault(self) -> Effects:
        """Report why the check has failed, once, unless the stop of the transaction was ordered."""
        why, self._check.failed_because = self._check.failed_because, ""
        quiet = self._charging in (Charging.Idle, Charging.Finished) or self._stop_reason in EXPECTED_STOPS
        if not why or quiet:
            return []
        return [RaiseFault("MREC11CableCheckFault", f"cable check failed: {why}", why, Severity.Medium)]


def _finished(passed: bool) -> Call:
    return call(Iso15118Charger.cable_check_finished, passed)


def _isolation_status(status: IsolationStatus) -> Call:
    return call(Iso15118Charger.update_isolation_status, status).latest_only()
