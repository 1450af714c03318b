"""PrepareCharging: a transaction runs; the EV and, with HLC, its communication lead up to closed contactors."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import PilotStep, Stop
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState


class PrepareCharging(ChargingState):
    """From the transaction's start to flowing energy."""

    to = (
        Charging.Charging,
        Charging.ChargingPausedEV,
        Charging.ChargingPausedEVSE,
        Charging.StoppingCharging,
        Charging.TStepEF,
        Charging.TStepX1,
    )

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Show the duty cycle that this session uses."""
        facts = machine.facts
        facts.wake_up, facts.stop = BcbToggle(), Stop()
        machine.note(SessionEventEnum.PrepareCharging)
        if facts.hardware.dc and not facts.power:
            machine.signal_no_energy()
        if facts.link_over:
            machine.restart_link()
        elif facts.link.asked_to_stop:
            machine.withdraw_stop()
        if facts.hardware.dc or facts.session.five_percent:
            machine.show_five()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Charge once pilot, HLC and budget agree."""
        facts = machine.facts
        if facts.interruption is not None:
            return facts.interruption
        if facts.fatal or facts.over or facts.transaction.paused_by_user:
            return Charging.StoppingCharging
        if facts.session.doubt.prove_until_s is not None:
            return None
        if facts.link_over:
            # The EV has ended or paused the communication before energy flowed.
            return Charging.ChargingPausedEV
        if self._sleeps_on(machine, now):
            return Charging.TStepEF
        if facts.hardware.dc:
            return self._dc(machine)
        if facts.session.five_percent:
            return Charging.Charging if facts.plug_in.asks_power and facts.link.allows_power else None
        return self._basic(machine, now)

    @staticmethod
    def _sleeps_on(machine: ChargingOrders, now: float) -> bool:
        """Whether 5 % after X1 has not woken the EV (ISO 15118-3 clause 7.6): once, a new matching is begun for it.

        State F makes EVs start anew that have not noticed the duty cycle.
        """
        facts = machine.facts
        if not facts.session.five_percent or not facts.link.restarted or facts.link.answered:
            return False
        if facts.preparation.woken_s is not None or not facts.hardware.hlc:
            return False
        wake_s = machine.entered_s + timing.WAKE_UP_AFTER_S
        if now < wake_s:
            machine.look_again(wake_s)
            return False
        facts.preparation.woken_s = now
        machine.info("the EV does not communicate: waking it up")
        machine.hlc(call(Slac.reset, False))
        facts.step = PilotStep(returns_to=Charging.PrepareCharging)
        return True

    @staticmethod
    def _dc(machine: ChargingOrders) -> Charging | None:
        facts = machine.facts
        hardware, link, asks_power = facts.hardware, facts.link, facts.plug_in.asks_power
        if hardware.power_allowed and not asks_power:
            link.allows_power = False
            return Charging.ChargingPausedEVSE
        if hardware.power_allowed and not link.allows_power:
            # HLC is done with the power path before energy flowed; the EV may stay in state C until its session ends.
            machine.forbid_power()
        if link.allows_power and asks_power and not hardware.power_allowed:
            machine.allow_power(PowerOnOffReason.DCCableCheck)
        return Charging.Charging if link.current_demand and hardware.contactors_closed else None

    @staticmethod
    def _basic(machine: ChargingOrders, now: float) -> Charging | None:
        facts = machine.facts
        machine.show_nominal(now)
        nominal = facts.hardware.nominal
        if nominal is None:
            return None
        if facts.plug_in.asks_power:
            return Charging.Charging
        preparation = facts.preparation
        if preparation.woken_s is not None:
            paused_s = preparation.woken_s + timing.PAUSED_AFTER_WAKE_UP_S
            if now >= paused_s:
                return Charging.ChargingPausedEV
            machine.look_again(paused_s)
            return None
        wake_s = max(machine.entered_s, nominal.since_s) + timing.WAKE_UP_AFTER_S
        if now < wake_s:
            machine.look_again(wake_s)
            return None
        preparation.woken_s = now + timing.T_STEP_EF_S + timing.T_STEP_EF_AFTER_S
        machine.info("the EV does not ask for power: waking it up")
        facts.step = PilotStep(returns_to=Charging.PrepareCharging)
        return Charging.TStepEF
