"""What the charging state machine orders: the pilot, the contactors, SLAC and HLC."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.iso15118 import NoEnergyPauseMode
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.kernel.level_machine import LevelMachine, LevelState
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.ac.pwm import duty_from_current
from chargebyte_fw.modules.evse.machine.effects import LogLine
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import (
    Facts,
    Hardware,
    LinkEnd,
    NominalDuty,
    PilotStep,
    Session,
    StopOrder,
    Transaction,
)
from chargebyte_fw.modules.evse.machine.signals import (
    AllowPower,
    EndSession,
    PwmLimit,
    SessionEventDue,
    ShowDuty,
    ShowF,
    ShowX1,
)


class ChargingOrders(LevelMachine):
    """The facts, and the orders that several states and rows give."""

    initial = Charging.Idle

    def __init__(self, config: EvseConfig, *, hlc: bool) -> None:
        super().__init__()
        self.config = config
        self.facts = Facts(Hardware(dc=config.dc, hlc=hlc))

    # The log and session events.

    def note(self, event: SessionEventEnum, meter: str | None = None, **extra: Any) -> None:
        """Report a session event."""
        self.emit(SessionEventDue(event, extra, meter))

    def info(self, text: str) -> None:
        """Log a line of the session."""
        self.emit(LogLine(text))

    def warn(self, text: str) -> None:
        """Log a warning."""
        self.emit(LogLine(text, "warning"))

    # The pilot (IEC 61851-1) and the contactors.

    def show_five(self) -> None:
        """Show 5 %: HLC leads (ISO 15118-3)."""
        self.facts.session.five_percent = True
        self._signal(None)
        self.emit(ShowDuty(timing.FIVE_PERCENT))

    def show_x1(self) -> None:
        """Show no PWM."""
        self._signal(None)
        self.emit(ShowX1())

    def show_f(self) -> None:
        """Show state F."""
        self._signal(None)
        self.emit(ShowF())

    def show_nominal(self, now: float) -> None:
        """Show the duty cycle of the budget, at most one change every 5 s; without power X1 at once.

        After HLC has ended or paused the data link, X1 stays until a replug or the EV's wake-up (ISO 15118-3).
        """
        facts = self.facts
        nominal, current_A = facts.hardware.nominal, facts.energy.allowance.pilot_A
        facts.session.five_percent = False
        duty = duty_from_current(current_A) if facts.power and not facts.link_over else 1.0
        if duty >= 1.0:
            if nominal is not None:
                self.show_x1()
            return
        if nominal is not None:
            if abs(duty - nominal.duty) < 1e-6:
                return
            if now < nominal.since_s + timing.DUTY_CHANGE_S:
                self.look_again(nominal.since_s + timing.DUTY_CHANGE_S)
                return
        self._signal(NominalDuty(duty, current_A, now))
        self.emit(ShowDuty(duty))

    def _signal(self, nominal: NominalDuty | None) -> None:
        hardware = self.facts.hardware
        before, hardware.nominal = hardware.nominal, nominal
        limit_A = nominal.current_A if nominal is not None else None
        if limit_A != (before.current_A if before is not None else None):
            self.emit(PwmLimit(limit_A))

    def allow_power(self, reason: PowerOnOffReason) -> None:
        """Let the contactors close."""
        self.facts.hardware.power_allowed = True
        self.emit(AllowPower(True, reason))

    def forbid_power(self) -> None:
        """Keep the contactors open, or open them; on DC only another cable check closes them again."""
        facts = self.facts
        facts.hardware.power_allowed = False
        if facts.hardware.dc:
            facts.link.allows_power = False
        self.emit(AllowPower(False))

    # SLAC and HLC.

    @property
    def with_ev(self) -> bool:
        """False between two EVs: what HLC still reports of the last one does not count for the next."""
        return self.state not in (Charging.Idle, Charging.Disabled)

    def hlc(self, command: Call) -> None:
        """Send a command to SLAC or HLC, if they are used."""
        if self.facts.hardware.hlc:
            self.emit(command)

    def begin_link(self) -> None:
        """Make SLAC and HLC ready for this EV, once a plug-in."""
        if self.facts.link.begun:
            return
        self.facts.link.begun = True
        self.hlc(call(Slac.enter_bcd))
        self.hlc(call(Iso15118Charger.reset_error))
        self.hlc(call(Iso15118Charger.ac_contactor_closed, False))
        self.hlc(call(Iso15118Charger.stop_charging, False))

    def restart_link(self) -> None:
        """Make ready for another HLC session of the same plug-in."""
        link = self.facts.link
        if link.end is not LinkEnd.Paused:
            # Matched already, it does nothing; with a lost link SLAC asks for its error routine again.
            self.hlc(call(Slac.enter_bcd))
        link.end, link.restarted, link.answered = None, True, False
        self.withdraw_stop()

    def begin_link_anew(self) -> Charging:
        """End a communication that the EV keeps up, and begin another one by t_step_EF; return the state for that."""
        link = self.facts.link
        link.current_demand, link.answered = False, False
        self.withdraw_stop()
        self.hlc(call(Slac.reset, False))
        self.facts.step = PilotStep(returns_to=Charging.PrepareCharging, then_ef=True)
        return Charging.TStepX1

    def withdraw_stop(self) -> None:
        """Take back what HLC was asked for: the end, and in ISO 15118-20 the pause."""
        self.facts.link.asked_to_stop = False
        self.hlc(call(Iso15118Charger.stop_charging, False))
        if self.facts.link.service is not None:
            self.hlc(call(Iso15118Charger.pause_charging, False))

    def signal_no_energy(self) -> None:
        """Notify HLC that there is no power now, unless the configuration forbids it."""
        if self.config.zero_power_ignore_pause:
            return
        mode = (
            NoEnergyPauseMode.AllowEvToIgnorePause
            if self.config.zero_power_allow_ev_to_ignore_pause
            else NoEnergyPauseMode.PauseBeforeCableCheck
        )
        self.hlc(call(Iso15118Charger.no_energy_pause_charging, mode))

    # The session.

    def end_session(self) -> None:
        """End the session: nothing of it is known any more."""
        self.facts.session, self.facts.transaction = Session(), Transaction()
        self.emit(EndSession())

    def leave(self, now: float, why: str) -> None:
        """End the session: its EV is not there any more, or may be another one."""
        session, transaction = self.facts.session, self.facts.transaction
        if session.left_s is not None or not session.begun:
            return
        session.left_s = now
        if transaction.stop is None:
            emergency = session.emergency_stop
            transaction.stop = StopOrder(
                StopTransactionReason.EmergencyStop if emergency else StopTransactionReason.Other
            )
        self.info(f"{why}: the session ends")
        self.forbid_power()

    def just_asked(self, now: float) -> bool:
        """Whether the energy management was asked for nothing until a moment ago, so that it has not answered yet."""
        since_s = self.facts.energy.asked_since_s
        zero = self.config.request_zero_power_in_idle
        return zero and since_s is not None and now < since_s + timing.NO_ENERGY_S


ChargingState = LevelState[ChargingOrders]
"""A state of the charging state machine. It keeps nothing: what it needs is in the facts."""
