"""StoppingCharging: the regular way to open contactors, twenty seconds at most."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.signals import SupplyOff
from chargebyte_fw.modules.evse.machine.states.state import Phase

FORCE_AGAIN_S = 1.0


class StoppingCharging(Phase):
    """Ask the EV to stop, then see to it."""

    def enter(self, c: Context, now: float) -> None:
        """With HLC the EV is asked over HLC, without by the end of the duty cycle."""
        c.bcb.reset()
        c.woken = False
        c.forced_s = None
        c.stopping_s = now
        c.stopped_by_evse = c.must_pause or c.disabled
        c.note(SessionEventEnum.StoppingCharging)
        if c.gone and c.plugged:
            c.show_x1()  # the data link is the next EV's already
        elif c.hlc_leads:
            if c.service is not None and c.user_pause:
                c.hlc("pause_charging", True)
            else:
                c.hlc("stop_charging", True)
        else:
            c.show_x1()

    def run(self, c: Context, now: float) -> Charging | None:
        """Wait for open contactors."""
        c.stopped_by_evse = c.stopped_by_evse or c.fatal
        if c.five and not c.dc and not c.hlc_allows and c.power_allowed:
            # The EV has ended the energy transfer (ISO 15118-2 PowerDelivery): nothing flows any more.
            c.forbid_power()
        if c.contactor_closed and not self._is_alone(c, now):
            self._force(c, now)
            return None
        if c.over:
            return Charging.Finished
        if c.stopped_by_evse or c.must_pause:
            # A stop of the EVSE's own, even if its reason is gone by now: that state goes on by itself.
            return Charging.ChargingPausedEVSE
        return Charging.ChargingPausedEV

    @staticmethod
    def _is_alone(c: Context, now: float) -> bool:
        """Whether the EV has been gone for long enough to go on without the contactor's word."""
        if not c.gone or c.left_s is None:
            return False
        alone_s = c.left_s + timing.CONTACTOR_AFTER_UNPLUG_S
        if now < alone_s:
            c.wait(alone_s)
            return False
        c.warn("the EV is gone, but the contactors are not reported open: the session ends")
        return True

    @staticmethod
    def _force(c: Context, now: float) -> None:
        force_s = c.entered_s + timing.STOPPING_S if c.forced_s is None else c.forced_s + FORCE_AGAIN_S
        if now < force_s:
            c.wait(force_s)
            return
        if c.forced_s is None:
            c.warn("the EV did not stop within 20 s: opening the contactors")
        c.forced_s = now
        c.say(SupplyOff(at_once=True))
        c.forbid_power()
        c.wait(now + FORCE_AGAIN_S)
