"""WaitingForAuthentication: the EV is plugged in; who pays, and is it HLC or the duty cycle (5 % decision)?"""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.effects import AskEnergy, Log
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.signals import BeginSession, BeginTransaction
from chargebyte_fw.modules.evse.machine.states.state import Phase


class WaitingForAuthentication(Phase):
    """From plug-in to the running transaction."""

    def enter(self, c: Context, now: float) -> None:
        """Begin the session unless an authorization came first."""
        c.begin_link()
        c.forbid_power()
        if not c.session:
            c.session = True
            c.say(BeginSession())
        if not c.auth_required_told:
            c.auth_required_told = True
            c.note(SessionEventEnum.AuthRequired)
        c.say(AskEnergy())

    def run(self, c: Context, now: float) -> Charging | None:
        """Go on once authorized, with a transaction, and the pilot decided."""
        if c.fatal and c.transaction:
            # The data link began anew in a running transaction: it is paused like any other.
            return Charging.StoppingCharging
        if c.fatal:
            c.slac_do("reset", False)
            return Charging.Finished
        if c.gone or c.disabled:
            return Charging.Finished
        if c.allowance.cable_A == 0.0:
            if not c.warned_cable:
                c.warned_cable = True
                c.warn("the cable's rating is not known yet: waiting for it")
            return None
        if self._wants_five(c) and not c.five:
            show_s = c.entered_s + c.config.sleep_before_enabling_pwm_hlc_mode_ms / 1000
            if now < show_s:
                c.wait(show_s)
                return None
            c.show_five()
        if c.authorized is None:
            return Charging.Finished if c.transaction else None
        if c.dc and not c.power and not self._waited_for_energy(c, now):
            return None
        if not c.transaction:
            if not c.watched:
                return None
            if not c.transaction_asked:
                c.transaction_asked = c.transaction_pending = True
                c.say(Log(f"{'PnC' if c.authorized.contract else 'EIM'} Authorization received"))
                c.say(BeginTransaction(c.authorized.token, c.authorized.tariff_text))
            return None
        return self._decide(c, now)

    @staticmethod
    def _wants_five(c: Context) -> bool:
        if c.dc:
            return True
        if not c.ac_hlc:
            return False
        return c.config.ac_enforce_hlc or (c.config.ac_hlc_use_5percent and c.authorized is None)

    @staticmethod
    def _waited_for_energy(c: Context, now: float) -> bool:
        since_s = max(c.entered_s, c.authorized_s)
        if c.supply_s is None:
            until_s = since_s + timing.WAIT_FOR_SUPPLY_S
        else:
            until_s = max(since_s, c.supply_s) + timing.WAIT_FOR_ENERGY_S
        if now < until_s:
            c.wait(until_s)
            return False
        if not c.warned_no_power:
            c.warned_no_power = True
            c.info("authorized, but there is no power to charge with: going on without")
            c.signal_no_energy()
        return True

    @staticmethod
    def _decide(c: Context, now: float) -> Charging | None:
        """Keep 5 % for HLC, or step to the nominal duty cycle in a way that the EV understands."""
        if not c.five or c.dc or c.v2g_ready or c.config.ac_enforce_hlc:
            c.say(Log(_way_on(c)))
            return Charging.PrepareCharging
        if c.proof_until_s is not None:
            return None
        contract = c.authorized is not None and c.authorized.contract
        if not contract and not c.matching:
            return _step(c, Charging.TStepEF)
        fall_back_s = c.authorized_s + timing.HLC_FALLBACK_S
        if now < fall_back_s:
            c.wait(fall_back_s)
            return None
        c.info("no HLC from the EV: on with the nominal duty cycle")
        return _step(c, Charging.TStepEF if contract else Charging.TStepX1)


def _way_on(c: Context) -> str:
    """Return how the pilot goes on, in EVerest's words where a recording has them."""
    if c.dc:
        return "DC mode. We are in 5percent mode so we can continue without further action."
    if c.five:
        return "AC mode, HLC enabled(5percent), keeping 5 percent on for HLC."
    if not c.ac_hlc:
        return "AC mode, HLC disabled. We are in X1 so we can go directly to nominal PWM."
    started = "already started" if c.matching else "not started yet"
    return f"AC mode, HLC enabled(X1), matching {started}. We are in X1 so we can go directly to nominal PWM."


def _step(c: Context, step: Charging) -> Charging:
    c.step_return = Charging.PrepareCharging
    c.step_duty = 0.0
    c.five = False
    return step
