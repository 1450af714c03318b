"""The charging state machine: rows keep the facts, and the states look at them until none wants to move.

States look at what is true now, not at what happened last: the order in which racing events came does not matter.
What takes power away at once (an unplug, state B, a fault) is ordered by the row itself and waits for no state.
"""

from __future__ import annotations

from enum import Enum

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.iso15118 import EvseError
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import (
    LimitsChanged,
    RequestEnergy,
    SessionLogLine,
)
from chargebyte_fw.modules.evse.machine.ev_identity import EvIdentityRows
from chargebyte_fw.modules.evse.machine.events import (
    Budget,
    BudgetOver,
    CableLimit,
    Charging,
    Contactor,
    FaultRaised,
    PhasesWanted,
    Shutdown,
    StartUpDone,
    SupplyCapabilitiesChanged,
)
from chargebyte_fw.modules.evse.machine.facts import (
    Doubt,
    EvCondition,
    Facts,
    Fault,
    PlugIn,
)
from chargebyte_fw.modules.evse.machine.hlc import HlcLinkRows
from chargebyte_fw.modules.evse.machine.signals import (
    CancelReservation,
    CarLost,
    CarPluggedIn,
    CarRequests,
    CarUnplugged,
    ReportLimits,
    ShutdownChanged,
    StateEntered,
    SupplyOff,
)
from chargebyte_fw.modules.evse.machine.states import STATES
from chargebyte_fw.modules.evse.machine.transaction import TransactionRows

LIVE = (Charging.PrepareCharging, Charging.Charging, Charging.StoppingCharging)
"""States in which the contactors may be closed."""
EMERGENCY_STOP = "evse_board_support/MREC8EmergencyStop"
DIODE_FAULT = "evse_board_support/DiodeFault"


class ChargingMachine(EvIdentityRows, HlcLinkRows, TransactionRows):
    """States of EVerest's EVSE manager."""

    states = STATES

    def __init__(self, config: EvseConfig, *, hlc: bool) -> None:
        super().__init__(config, hlc=hlc)
        self._limits: tuple[float, int | None] = (0.0, 0)

    # Rules that hold in every state.

    def before_states(self, now: float) -> None:
        """Judge a doubt about the EV, and let the budget age."""
        self.judge_doubt(now)
        self.end_doubt(now)
        if self.facts.energy.allowance.age(now):
            self.warn("the energy budget was not renewed in time: 0 A")
            self.emit(BudgetOver())
        self._track_asking(now)

    def change(self, state: Enum, now: float) -> None:
        """Report the change, then begin the state."""
        self.facts.interruption = None
        if state is Charging.StoppingCharging:
            self.emit(SessionLogLine(f"Stop in {self.state.name}: [{', '.join(why_stop(self.facts))}]"))
        self.emit(StateEntered(Charging(state)))
        super().change(state, now)
        if state is Charging.Finished:
            self.emit(RequestEnergy())
        self._track_asking(now)

    def after_states(self, now: float) -> None:
        """Report limits and a lack of energy; wait for the end of the budget and of a doubt."""
        self._report_limits()
        self._log_energy(now)
        over_s = self.facts.energy.allowance.over_s
        if over_s is not None:
            self.look_again(over_s)
        self.await_proof(now)

    def does_not_settle(self, now: float) -> None:
        """Two states each see a reason for the other."""
        self.warn(f"the charging state does not settle ({self.state.value})")

    def _track_asking(self, now: float) -> None:
        """Note since when energy is asked for, and ask at once where nothing was asked before."""
        energy = self.facts.energy
        if not self.facts.asks_energy(Charging(self.state)):
            energy.asked_since_s = None
        elif energy.asked_since_s is None:
            energy.asked_since_s = now
            if self.config.request_zero_power_in_idle and self.state is not Charging.WaitingForAuthentication:
                self.emit(RequestEnergy())

    def _log_energy(self, now: float) -> None:
        """One line when there is no energy for an EV that may charge, with the limit that rules; one when there is."""
        facts, session = self.facts, self.facts.session
        if facts.power or facts.over or not facts.asks_energy(Charging(self.state)):
            session.no_energy_since_s = None
            if facts.power and session.no_energy_logged:
                session.no_energy_logged = False
                self.info("there is energy again")
            return
        if session.no_energy_since_s is None:
            session.no_energy_since_s = now
        if session.no_energy_logged:
            return
        log_s = session.no_energy_since_s + timing.NO_ENERGY_S
        if now < log_s:
            self.look_again(log_s)
            return
        session.no_energy_logged = True
        self.warn(f"no energy to charge with: {facts.energy.allowance.why_none}")

    @property
    def _present_limits(self) -> tuple[float, int | None]:
        allowance = self.facts.energy.allowance
        return allowance.signed_A, allowance.budget.phases if allowance.budget else None

    @on(event=ReportLimits)
    def report_limits(self, _: ReportLimits, now: float) -> None:
        """Report the limits even when they have not changed."""
        self.emit(LimitsChanged(*self._present_limits))

    def _report_limits(self) -> None:
        limits = self._present_limits
        if limits == self._limits:
            return
        if abs(limits[0]) != abs(self._limits[0]):
            self.emit(call(EvseBoardSupport.ac_set_overcurrent_limit_A, abs(limits[0])))
        self._limits = limits
        self.emit(LimitsChanged(*limits))

    @on(event=StartUpDone)
    def begin(self, _: StartUpDone, now: float) -> None:
        """Serve EVs from now on."""
        self.facts.hardware.started = True
        self.entered_s = now
        self.emit(RequestEnergy())

    # The pilot and the contactors.

    @on(event=CarPluggedIn)
    def plugged_in(self, _: CarPluggedIn, now: float) -> None:
        """An EV is plugged in."""
        self.facts.plug_in.plugged = True
        if self.state is Charging.Idle and not self.facts.fatal:
            self.info("EV plugged in")

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> None:
        """Everything of the plug-in ends; the session ends when its states have seen it."""
        facts = self.facts
        facts.plug_in, facts.session.doubt = PlugIn(), Doubt()
        if self.with_ev:
            if facts.session.left_s is None:
                facts.session.left_s = now
            self.info("EV unplugged")
        self.emit(SupplyOff(at_once=True))
        self.forbid_power()
        self.hlc(call(Slac.leave_bcd))
        if facts.hardware.slac is not SlacState.UNMATCHED:
            self.hlc(call(Slac.reset, False))

    @on(event=CarRequests)
    def requests(self, event: CarRequests, now: float) -> None:
        """The EV asks for power or does not; state B takes the power away before the contactors open."""
        facts = self.facts
        was, facts.plug_in.asks_power = facts.plug_in.asks_power, event.power
        if self.state in (Charging.ChargingPausedEV, Charging.StoppingCharging) and was is not event.power:
            facts.wake_up.edge(event.power, now)
        if not event.power and facts.hardware.dc and self.state in LIVE:
            # State B while the power path may be live: take the power away before the contactors open.
            self.emit(SupplyOff(at_once=True))

    @on(event=CarLost)
    def car_lost(self, event: CarLost, now: float) -> None:
        """State E or F: no communication; with a shorted pilot no power either."""
        if event.shorted and self.state is Charging.Charging:
            self.facts.plug_in.asks_power = False
            self.emit(SupplyOff(at_once=True))
            self.forbid_power()
        self.hlc(call(Slac.leave_bcd))

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> None:
        """Keep since when the contactors are closed; opened, they leave no supply on."""
        hardware = self.facts.hardware
        closed_s = hardware.contactors_closed_s
        if event.closed:
            hardware.contactors_closed_s = now if closed_s is None else closed_s
        else:
            hardware.contactors_closed_s = None
            if closed_s is not None and now - closed_s >= timing.LINK_PROVEN_S:
                # A session that lasted proves the communication: a later loss has all its error routines again.
                self.facts.link.error_routines = 0
        self.hlc(call(Iso15118Charger.ac_contactor_closed, event.closed))
        if closed_s is not None and not event.closed and hardware.dc:
            # Whoever opened them: nothing may stay live on our side.
            self.emit(SupplyOff(at_once=True))

    @on(event=CableLimit)
    def cable(self, event: CableLimit, now: float) -> None:
        """Keep the cable's rating."""
        self.facts.energy.allowance.cable_A = event.limit_A

    # Energy.

    @on(event=Budget)
    def budget(self, event: Budget, now: float) -> None:
        """Keep what the energy management allows."""
        self.facts.energy.allowance.take(event)

    @on(event=SupplyCapabilitiesChanged)
    def supply(self, _: SupplyCapabilitiesChanged, now: float) -> None:
        """The power supply is there."""
        if self.facts.hardware.supply_known_s is None:
            self.facts.hardware.supply_known_s = now

    @on(event=PhasesWanted)
    def phases(self, event: PhasesWanted, now: float) -> None:
        """While charging the EV is taken off the grid first; under HLC the wish waits for a pause."""
        self.facts.three_phases = event.three
        if self.state is Charging.Charging and not self.facts.hlc_leads:
            self.facts.interruption = Charging.SwitchPhases
        elif self.state not in (Charging.Charging, Charging.SwitchPhases):
            self.emit(call(EvseBoardSupport.ac_switch_three_phases_while_charging, event.three))

    # Faults.

    @on(event=FaultRaised)
    def fault_raised(self, event: FaultRaised, now: float) -> None:
        """Keep what the fault means for this session: an emergency stop, or an EV with a failed diode."""
        session = self.facts.session
        if not session.begun:
            return
        if event.type == EMERGENCY_STOP:
            session.emergency_stop = True
        if event.type == DIODE_FAULT and session.ev is EvCondition.Sound:
            session.ev = EvCondition.Faulty
            self.info("the EV's diode has failed: no charging until it was unplugged")

    @on(event=ShutdownChanged)
    def shutdown(self, event: ShutdownChanged, now: float) -> None:
        """What the active faults demand: without power at once; the states do the rest."""
        facts = self.facts
        hardware, session = facts.hardware, facts.session
        if event.kind is Shutdown.Nothing:
            hardware.fault = Fault(over_s=now + timing.FAULT_OVER_S)
            if session.ev is EvCondition.Faulty:
                session.ev = EvCondition.Unfit
            self.hlc(call(Iso15118Charger.reset_error))
            return
        before = hardware.fault
        if event.kind.value <= before.shutdown.value:
            before.shutdown = event.kind
            return
        hardware.fault = Fault(event.kind, over_s=before.over_s)
        self.emit(CancelReservation(), SupplyOff(at_once=True))
        self.forbid_power()
        if self.state is Charging.Charging:
            # Clients of the reference see the state reported again when its shutdown begins.
            self.note(SessionEventEnum.ChargingStarted, "charging_state_changed_event")
        if not self.with_ev:
            return
        if event.kind is Shutdown.Emergency and (session.five_percent or hardware.nominal is not None):
            self.show_x1()
        self.hlc(call(Iso15118Charger.send_error, EvseError.Error_EmergencyShutdown))


def why_stop(facts: Facts) -> list[str]:
    """Return why charging is stopped, in EVerest's words where a recording has them."""
    reasons = {
        "fatal error": facts.fatal,
        "EV unplugged": facts.gone,
        "EVSE disabled": facts.disabled,
        "not authorized": facts.session.authorization is None,
        "no transaction": not facts.transaction.active,
        "user pause": facts.transaction.paused_by_user,
        "IEC stop": not facts.plug_in.asks_power and not facts.gone,
        "no energy": not facts.power,
    }
    return [text for text, true in reasons.items() if true] or ["HLC stop"]
