"""StoppingCharging: the regular way to open contactors, twenty seconds at most."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import Preparation, Stop
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState
from chargebyte_fw.modules.evse.machine.signals import SupplyOff

FORCE_AGAIN_S = 1.0


class StoppingCharging(ChargingState):
    """Ask the EV to stop, then see to it."""

    to = (Charging.ChargingPausedEV, Charging.ChargingPausedEVSE, Charging.Finished, Charging.TStepX1)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """With HLC the EV is asked over HLC, without by the end of the duty cycle.

        In ISO 15118-20 an EV that ended the power itself is not asked: it may go on with other services.
        """
        facts = machine.facts
        facts.wake_up, facts.preparation = BcbToggle(), Preparation()
        facts.stop = Stop(now, by_evse=facts.must_pause or facts.disabled)
        facts.charging.renegotiates = False
        machine.note(SessionEventEnum.StoppingCharging)
        if (facts.gone and facts.plug_in.plugged) or not facts.hlc_leads:
            # With another EV at the connector the data link is the next session's already.
            machine.show_x1()
        elif facts.link.service is None or facts.must_pause or facts.over:
            facts.link.asked_to_stop = True
            pause = facts.link.service is not None and facts.transaction.paused_by_user
            command = Iso15118Charger.pause_charging if pause else Iso15118Charger.stop_charging
            machine.hlc(call(command, True))

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Wait for open contactors."""
        facts = machine.facts
        if facts.interruption is not None:
            return facts.interruption
        facts.stop.by_evse = facts.stop.by_evse or facts.fatal
        on_ac_by_hlc = facts.session.five_percent and not facts.hardware.dc
        if on_ac_by_hlc and not facts.link.allows_power and facts.hardware.power_allowed:
            # The EV has ended the energy transfer (ISO 15118-2 PowerDelivery): nothing flows any more.
            machine.forbid_power()
        if facts.hardware.contactors_closed and not self._is_alone(machine, now):
            self._force(machine, now)
            return None
        if facts.over:
            return Charging.Finished
        if facts.stop.by_evse or facts.must_pause:
            # A stop of the EVSE's own, even if its reason is gone by now: that state goes on by itself.
            return Charging.ChargingPausedEVSE
        return Charging.ChargingPausedEV

    @staticmethod
    def _is_alone(machine: ChargingOrders, now: float) -> bool:
        """Whether the EV has been gone for long enough to go on without the contactor's feedback."""
        left_s = machine.facts.session.left_s
        if left_s is None:
            return False
        alone_s = left_s + timing.CONTACTOR_AFTER_UNPLUG_S
        if now < alone_s:
            machine.look_again(alone_s)
            return False
        machine.warn("the EV is gone, but the contactors are not reported open: the session ends")
        return True

    @staticmethod
    def _force(machine: ChargingOrders, now: float) -> None:
        """Open the contactors by force after 20 s: an EV that does not answer holds up no stop."""
        stop = machine.facts.stop
        force_s = machine.entered_s + timing.STOPPING_S if stop.forced_s is None else stop.forced_s + FORCE_AGAIN_S
        if now < force_s:
            machine.look_again(force_s)
            return
        if stop.forced_s is None:
            machine.warn("the EV did not stop within 20 s: opening the contactors")
        stop.forced_s = now
        machine.emit(SupplyOff(at_once=True))
        machine.forbid_power()
        machine.look_again(now + FORCE_AGAIN_S)
