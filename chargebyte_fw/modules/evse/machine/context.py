"""What the charging kernel knows, and the few things that its phases do with it.

Phases look at what is true now, not at what happened last: the order in which racing events came does not matter.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.contracts.types.authorization import ProvidedIdToken
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    PauseChargingEVSEReasonEnum,
    SessionEventEnum,
    StopTransactionReason,
)
from chargebyte_fw.contracts.types.iso15118 import NoEnergyPauseMode
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.effects import Call, Say
from chargebyte_fw.modules.evse.machine.events import Authorized, Charging, ServiceSelected, Shutdown
from chargebyte_fw.modules.evse.machine.pwm import Allowance, duty_from_current
from chargebyte_fw.modules.evse.machine.signals import AllowPower, Note, PwmLimit, ShowDuty, ShowF, ShowX1

ASKING = (
    Charging.WaitingForAuthentication,
    Charging.PrepareCharging,
    Charging.Charging,
    Charging.ChargingPausedEV,
    Charging.TStepEF,
    Charging.TStepX1,
    Charging.SwitchPhases,
)
"""States that want energy, whatever else is true."""


class Wiring(msgspec.Struct, frozen=True):
    """Which neighbours are connected and used."""

    hlc: bool = False
    """SLAC and HLC."""


class Context:
    """Facts of one EVSE."""

    def __init__(self, config: EvseConfig, wiring: Wiring) -> None:
        self.config = config
        self.wiring = wiring
        self.effects: list[Any] = []
        self.allowance = Allowance()
        self.bcb = BcbToggle()
        self.entered_s = 0.0
        self.before = Charging.Disabled
        self.due_s: list[float] = []
        """When the running phase wants to look again."""

        self.begun = False
        self.disabled = False
        self.source: EnableDisableSource | None = None
        self.source_connector: int | None = None
        self.plugged = False
        self.left = False
        """The EV of this session was unplugged, or may have been, even if one is plugged in again."""
        self.left_s: float | None = None
        """When `left` became true, or the plug was pulled."""
        self.watched = False
        """The pilot shows the plug: neither state E or F nor a lost link hides it."""
        self.unwatched_s: float | None = None
        """Since when it does not."""
        self.doubt = False
        """Meanwhile another EV may have been plugged in; looked into when no fault stands any more."""
        self.proof_until_s: float | None = None
        """After the plug was not watched: by then the EV has to prove that it is the one of this session."""
        self.ids: dict[str, str] = {}
        """How the plugged-in EV has named itself, by the layer that said so."""
        self.ids_before: dict[str, str] = {}
        """The same of the EV that this session began with, from before the doubt."""
        self.ev_failed = False
        """The EV itself had a fault in this plug-in."""
        self.unfit_ev = False
        """Which is over, but has ended charging for this plug-in."""
        self.emergency_stop = False
        """An emergency stop came in this session."""
        self.link_begun = False
        self.requests = False
        self.supply_s: float | None = None
        """When the power supply told what it can for the first time."""
        self.cp_shorted = False
        self.contactor_closed = False
        self.shutdown = Shutdown.Nothing
        self.calm_s = -1e9
        """From when on the last fault counts as over where it hid the plug."""
        self.fault_shown = False
        """The F pulse of the present fault has been shown."""
        self.f_until_s = -1e9

        self.session = False
        self.auth_required_told = False
        self.authorized: Authorized | None = None
        self.authorized_s = 0.0
        self.cancelled = False
        self.transaction = False
        self.transaction_asked = False
        self.transaction_pending = False
        self.transaction_ending = False
        self.stop_reason: StopTransactionReason | None = None
        self.stop_token: ProvidedIdToken | None = None
        self.user_pause = False
        self.stopping_s = -1e9
        """When the last stop began."""
        self.stopped_by_evse = False
        """The stop under way was the EVSE's decision: what the EV answers to it is no wish of the EV."""
        self.pause_reasons: list[PauseChargingEVSEReasonEnum] | None = None

        self.five = False
        """The pilot carries 5 %: HLC leads."""
        self.nominal_duty = 0.0
        self.duty_s = -1e9
        """When the nominal duty cycle was changed last."""
        self.signalled_A: float | None = None
        self.slac = SlacState.UNMATCHED
        self.matching = False
        self.hlc_allows = False
        self.v2g_ready = False
        self.link_paused = False
        self.link_ended = False
        self.link_over_s = -1e9
        """When the EV ended or paused the communication the last time."""
        self.link_retries = 0
        """Error routines since the plug-in, or since a session that lasted."""
        self.closed_s: float | None = None
        """When the contactors closed, None while they are open."""
        self.service: ServiceSelected | None = None
        self.current_demand = False
        self.demand_ended_s = 0.0
        self.check_wanted = False
        """HLC asks for a cable check while the state is still Charging: the EV renegotiates."""
        self.power_allowed = False
        self.no_power_s: float | None = None
        self.warned_no_power = False
        self.no_energy_s: float | None = None
        """Since when an EV that may charge has had no energy."""
        self.no_energy_told = False
        self.asking_since_s: float | None = None
        """Since when the energy management has been asked without a break; None: it is not asked."""
        self.warned_cable = False
        self.warned_contactor = False
        self.woken = False
        self.woken_s = 0.0
        self.step_return = Charging.WaitingForAuthentication
        self.step_duty: float | None = None
        """Duty cycle after a t_step; None shows X1."""
        self.step_ef_next = False
        self.step_x1_shown = False
        self.switch_to_three = False
        self.forced_s: float | None = None

    @property
    def dc(self) -> bool:
        """Direct current."""
        return self.config.dc

    @property
    def ac_hlc(self) -> bool:
        """HLC on AC."""
        return not self.dc and self.wiring.hlc

    @property
    def hlc_leads(self) -> bool:
        """HLC is active: on DC always, on AC once the V2G set-up has finished."""
        return self.wiring.hlc and (self.dc or self.v2g_ready)

    @property
    def fatal(self) -> bool:
        """A fault keeps us from charging."""
        return self.shutdown is not Shutdown.Nothing

    @property
    def power(self) -> bool:
        """There is power to charge with."""
        return self.allowance.available(dc=self.dc)

    @property
    def link_over(self) -> bool:
        """HLC has ended or paused the data link of this plug-in."""
        return self.link_ended or self.link_paused

    @property
    def over(self) -> bool:
        """Charging cannot go on in this session."""
        return self.authorized is None or not self.transaction or self.gone or self.disabled or self.unfit_ev

    @property
    def gone(self) -> bool:
        """The EV of this session is not there any more."""
        return self.left or not self.plugged

    def leave(self, now: float, why: str) -> None:
        """End the session: its EV is not there any more, or cannot be told from another one."""
        if self.left or not self.session:
            return
        self.left = True
        self.left_s = now
        if self.stop_reason is None:
            self.stop_reason = (
                StopTransactionReason.EmergencyStop if self.emergency_stop else StopTransactionReason.Other
            )
        self.info(f"{why}: the session ends")
        self.forbid_power()

    def asks_energy(self, state: Charging) -> bool:
        """Whether energy is wanted in this state: also while nothing but the lack of it holds up the charging."""
        if state in (Charging.StoppingCharging, Charging.ChargingPausedEVSE):
            return not (self.over or self.user_pause or self.fatal)
        return state in ASKING

    def just_asked(self, now: float) -> bool:
        """Whether the energy management was asked for nothing until a moment ago, so that it has not answered yet."""
        since_s = self.asking_since_s
        zero = self.config.request_zero_power_in_idle
        return zero and since_s is not None and now < since_s + timing.NO_ENERGY_S

    def say(self, *effects: Any) -> None:
        """Add effects, in order."""
        self.effects.extend(effects)

    def note(self, event: SessionEventEnum, meter: str | None = None, **extra: Any) -> None:
        """Tell a session event."""
        self.effects.append(Note(event, extra, meter))

    def info(self, text: str) -> None:
        """Write a line of the session's story."""
        self.effects.append(Say(text))

    def warn(self, text: str) -> None:
        """Write a warning."""
        self.effects.append(Say(text, "warning"))

    def hlc(self, command: str, *args: Any) -> None:
        """Send a command to HLC, if there is one."""
        if self.wiring.hlc:
            self.effects.append(Call("hlc", command, args))

    def slac_do(self, command: str, *args: Any) -> None:
        """Send a command to SLAC, if there is one."""
        if self.wiring.hlc:
            self.effects.append(Call("slac", command, args))

    def wait(self, until_s: float) -> None:
        """Ask to be looked at again."""
        self.due_s.append(until_s)

    @property
    def transaction_begun(self) -> bool:
        """A transaction runs, or the meter is starting it: what is ordered for it holds already."""
        return self.transaction or self.transaction_pending

    @property
    def must_pause(self) -> bool:
        """The EVSE may not deliver energy now: a fault, no energy, or the user's pause."""
        return self.fatal or not self.power or self.user_pause

    def why_stop(self) -> list[str]:
        """Return why charging is stopped, in EVerest's words where a recording has them."""
        reasons = {
            "fatal error": self.fatal,
            "EV unplugged": self.gone,
            "EVSE disabled": self.disabled,
            "not authorized": self.authorized is None,
            "no transaction": not self.transaction,
            "user pause": self.user_pause,
            "IEC stop": not self.requests and not self.gone,
            "no energy": not self.power,
        }
        return [text for text, true in reasons.items() if true] or ["HLC stop"]

    def stop_settled_s(self) -> float:
        """When the EV has answered the EVSE's stop: out of state C, or by the end of the communication and X1 seen."""
        if not self.stopped_by_evse or self.service is not None:
            return -1e9
        if not self.hlc_leads:
            return self.stopping_s + timing.LEAVE_C_S if self.requests else -1e9
        if self.link_paused or self.slac is SlacState.UNMATCHED:
            return self.link_over_s + timing.T_STEP_X1_S
        return self.entered_s + timing.STOPPING_S

    def show_five(self) -> None:
        """Show 5 %."""
        self.five = True
        self.nominal_duty = 0.0
        self._signal(None)
        self.say(ShowDuty(timing.FIVE_PERCENT))

    def show_x1(self) -> None:
        """Show no PWM."""
        self.nominal_duty = 0.0
        self._signal(None)
        self.say(ShowX1())

    def show_f(self) -> None:
        """Show state F."""
        self.nominal_duty = 0.0
        self._signal(None)
        self.say(ShowF())

    def show_nominal(self, now: float) -> None:
        """Show the duty cycle of the budget, at most one change every 5 s; without power X1 at once.

        After HLC has ended or paused the data link, X1 stays until a replug or the EV's wake-up (ISO 15118-3).
        """
        self.five = False
        if self.link_over:
            if self.nominal_duty:
                self.show_x1()
            return
        duty = duty_from_current(self.allowance.current_A) if self.power else 1.0
        if duty >= 1.0:
            if self.nominal_duty:
                self.show_x1()
            return
        if abs(duty - self.nominal_duty) < 1e-6:
            return
        if self.nominal_duty and now < self.duty_s + timing.DUTY_CHANGE_S:
            self.wait(self.duty_s + timing.DUTY_CHANGE_S)
            return
        self.nominal_duty = duty
        self.duty_s = now
        self._signal(self.allowance.current_A)
        self.say(ShowDuty(duty))

    def _signal(self, limit_A: float | None) -> None:
        if limit_A != self.signalled_A:
            self.signalled_A = limit_A
            self.say(PwmLimit(limit_A))

    def allow_power(self, reason: PowerOnOffReason) -> None:
        """Let the contactors close."""
        self.power_allowed = True
        self.say(AllowPower(True, reason))

    def forbid_power(self) -> None:
        """Keep the contactors open, or open them."""
        self.power_allowed = False
        self.say(AllowPower(False))

    def signal_no_energy(self) -> None:
        """Tell HLC that there is no power now, unless the configuration says never to."""
        if self.config.zero_power_ignore_pause:
            return
        mode = (
            NoEnergyPauseMode.AllowEvToIgnorePause
            if self.config.zero_power_allow_ev_to_ignore_pause
            else NoEnergyPauseMode.PauseBeforeCableCheck
        )
        self.hlc("no_energy_pause_charging", mode)

    def begin_link(self) -> None:
        """Make SLAC and HLC ready for this EV, once a plug-in."""
        if self.link_begun:
            return
        self.link_begun = True
        self.slac_do("enter_bcd")
        self.hlc("reset_error")
        self.hlc("ac_contactor_closed", False)
        self.hlc("stop_charging", False)

    def restart_link(self) -> None:
        """Make ready for another HLC session of the same plug-in."""
        if not self.link_paused:
            # Matched already, it does nothing; with a lost link SLAC asks for its error routine again.
            self.slac_do("enter_bcd")
        self.link_paused = self.link_ended = False
        self.hlc("stop_charging", False)

    def reset_for_next_car(self) -> None:
        """Forget everything that belongs to one plug-in."""
        self.bcb.reset()
        self.left = self.link_begun = False
        self.left_s = self.proof_until_s = None
        self.ids_before = {}
        self.doubt = False
        self.ev_failed = self.unfit_ev = self.emergency_stop = False
        self.matching = self.slac is not SlacState.UNMATCHED
        self.hlc_allows = self.v2g_ready = self.current_demand = False
        self.link_paused = self.link_ended = False
        self.link_retries = 0
        self.service = None
        self.woken = self.warned_no_power = self.warned_cable = self.warned_contactor = False
        self.five = False
        self.fault_shown = False
        self.no_power_s = self.no_energy_s = None
        self.no_energy_told = False
        self.authorized = None
        self.transaction = self.transaction_asked = self.transaction_ending = self.transaction_pending = False
        self.cancelled = self.user_pause = self.stopped_by_evse = False
        self.auth_required_told = False
        self.stop_reason = self.stop_token = None
        self.pause_reasons = None
