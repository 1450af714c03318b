"""WaitingForAuthentication: the EV is plugged in; who pays, and is it HLC or the duty cycle (5 % decision)?"""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import RequestEnergy, SessionLogLine
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import Facts, PilotStep, TransactionState
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState
from chargebyte_fw.modules.evse.machine.signals import BeginSession, BeginTransaction


class WaitingForAuthentication(ChargingState):
    """From plug-in to the running transaction."""

    to = (
        Charging.PrepareCharging,
        Charging.TStepEF,
        Charging.TStepX1,
        Charging.StoppingCharging,
        Charging.Finished,
    )

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Begin the session unless an authorization came first."""
        session, link = machine.facts.session, machine.facts.link
        machine.begin_link()
        link.offered_s = now if link.offered_s is None else link.offered_s
        machine.forbid_power()
        if not session.begun:
            session.begun = True
            machine.emit(BeginSession())
        if not session.auth_required_reported:
            session.auth_required_reported = True
            machine.note(SessionEventEnum.AuthRequired)
        machine.emit(RequestEnergy())

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Go on once authorized, with a transaction, and the pilot decided."""
        facts = machine.facts
        if facts.interruption is not None:
            return facts.interruption
        if facts.fatal and facts.transaction.active:
            # The data link began anew in a running transaction: it is paused like any other.
            return Charging.StoppingCharging
        if facts.fatal:
            machine.hlc(call(Slac.reset, False))
            return Charging.Finished
        if facts.gone or facts.disabled:
            return Charging.Finished
        if facts.energy.allowance.cable_A == 0.0:
            self._log_unknown_cable(machine)
            return None
        if self._wants_five_percent(machine) and not facts.session.five_percent:
            show_s = machine.entered_s + machine.config.sleep_before_enabling_pwm_hlc_mode_ms / 1000
            if now < show_s:
                machine.look_again(show_s)
                return None
            machine.show_five()
        if facts.session.authorization is None:
            return Charging.Finished if facts.transaction.active else None
        if facts.hardware.dc and not facts.power and not self._waited_for_energy(machine, now):
            return None
        if not facts.transaction.active:
            self._begin_transaction(machine)
            return None
        return self._decide(machine, now)

    @staticmethod
    def _log_unknown_cable(machine: ChargingOrders) -> None:
        session = machine.facts.session
        if not session.cable_unknown_logged:
            session.cable_unknown_logged = True
            machine.warn("the cable's rating is not known yet: waiting for it")

    @staticmethod
    def _wants_five_percent(machine: ChargingOrders) -> bool:
        facts, config = machine.facts, machine.config
        if facts.hardware.dc:
            return True
        if not facts.ac_hlc:
            return False
        return (
            config.ac_enforce_hlc
            or config.ac_with_soc
            or (config.ac_hlc_use_5percent and facts.session.authorization is None)
        )

    @staticmethod
    def _begin_transaction(machine: ChargingOrders) -> None:
        facts = machine.facts
        authorization = facts.session.authorization
        if authorization is None or not facts.hardware.plug_watched:
            return
        if facts.transaction.state is not TransactionState.NotAsked:
            return
        facts.transaction.state = TransactionState.Starting
        machine.emit(SessionLogLine(f"{'PnC' if authorization.contract else 'EIM'} Authorization received"))
        machine.emit(BeginTransaction(authorization.token, authorization.tariff_text, authorization.reservation_id))

    @staticmethod
    def _waited_for_energy(machine: ChargingOrders, now: float) -> bool:
        session, supply_known_s = machine.facts.session, machine.facts.hardware.supply_known_s
        since_s = max(machine.entered_s, session.authorized_s)
        if supply_known_s is None:
            until_s = since_s + timing.WAIT_FOR_SUPPLY_S
        else:
            until_s = max(since_s, supply_known_s) + timing.WAIT_FOR_ENERGY_S
        if now < until_s:
            machine.look_again(until_s)
            return False
        if not session.without_power_logged:
            session.without_power_logged = True
            machine.info("authorized, but there is no power to charge with: going on without")
            machine.signal_no_energy()
        return True

    @staticmethod
    def _decide(machine: ChargingOrders, now: float) -> Charging | None:
        """Keep 5 % for HLC, or step to the nominal duty cycle in a way that the EV understands (ISO 15118-3)."""
        facts = machine.facts
        session = facts.session
        if not session.five_percent or facts.hardware.dc or facts.link.set_up or machine.config.ac_enforce_hlc:
            machine.emit(SessionLogLine(_way_on(facts)))
            return Charging.PrepareCharging
        if session.doubt.prove_until_s is not None:
            return None
        contract = session.authorization is not None and session.authorization.contract
        if machine.config.ac_with_soc:
            fall_back_s = max(session.authorized_s, facts.link.offered_s or 0.0) + timing.SOC_FALLBACK_S
        elif not contract and not facts.link.matching_seen:
            return _step(facts, Charging.TStepEF)
        else:
            fall_back_s = session.authorized_s + timing.HLC_FALLBACK_S
        if now < fall_back_s:
            machine.look_again(fall_back_s)
            return None
        machine.info("no HLC from the EV: on with the nominal duty cycle")
        return _step(facts, Charging.TStepEF if contract else Charging.TStepX1)


def _way_on(facts: Facts) -> str:
    """Return how the pilot goes on, in EVerest's words where a recording has them."""
    if facts.hardware.dc:
        return "DC mode. We are in 5percent mode so we can continue without further action."
    if facts.session.five_percent:
        return "AC mode, HLC enabled(5percent), keeping 5 percent on for HLC."
    if not facts.ac_hlc:
        return "AC mode, HLC disabled. We are in X1 so we can go directly to nominal PWM."
    started = "already started" if facts.link.matching_seen else "not started yet"
    return f"AC mode, HLC enabled(X1), matching {started}. We are in X1 so we can go directly to nominal PWM."


def _step(facts: Facts, step: Charging) -> Charging:
    facts.step = PilotStep(returns_to=Charging.PrepareCharging)
    facts.session.five_percent = False
    return step
