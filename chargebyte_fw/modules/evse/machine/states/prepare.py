"""PrepareCharging: a transaction runs; the EV and, with HLC, its communication lead up to closed contactors."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.states.state import Phase


class PrepareCharging(Phase):
    """From the transaction's start to flowing energy."""

    def enter(self, c: Context, now: float) -> None:
        """Show the duty cycle that this session uses."""
        c.bcb.reset()
        c.check_wanted = False
        c.pause_reasons = None
        c.stopped_by_evse = False
        c.note(SessionEventEnum.PrepareCharging)
        if c.dc and not c.power:
            c.signal_no_energy()
        if c.link_over:
            c.restart_link()
        if c.dc or c.five:
            c.show_five()

    def run(self, c: Context, now: float) -> Charging | None:
        """Charge once pilot, HLC and budget agree."""
        if c.fatal or c.over or c.user_pause:
            return Charging.StoppingCharging
        if c.proof_until_s is not None:
            return None
        if c.dc:
            return self._dc(c)
        if c.five:
            if c.link_over:
                return Charging.ChargingPausedEV
            return Charging.Charging if c.requests and c.hlc_allows else None
        if c.link_over:
            return Charging.ChargingPausedEV
        return self._basic(c, now)

    @staticmethod
    def _dc(c: Context) -> Charging | None:
        if c.link_over:
            # The EV has ended or paused the communication before energy flowed.
            return Charging.ChargingPausedEV
        if c.power_allowed and not c.requests:
            c.hlc_allows = False
            return Charging.ChargingPausedEVSE
        if c.power_allowed and not c.hlc_allows:
            # HLC is done with the power path before energy flowed; the EV may stay in state C until its session ends.
            c.forbid_power()
        if c.hlc_allows and c.requests and not c.power_allowed:
            c.allow_power(PowerOnOffReason.DCCableCheck)
        return Charging.Charging if c.current_demand and c.contactor_closed else None

    @staticmethod
    def _basic(c: Context, now: float) -> Charging | None:
        c.show_nominal(now)
        if not c.nominal_duty:
            return None
        if c.requests:
            return Charging.Charging
        if c.woken:
            paused_s = c.woken_s + timing.PAUSED_AFTER_WAKE_UP_S
            if now >= paused_s:
                return Charging.ChargingPausedEV
            c.wait(paused_s)
            return None
        wake_s = max(c.entered_s, c.duty_s) + timing.WAKE_UP_AFTER_S
        if now < wake_s:
            c.wait(wake_s)
            return None
        c.woken = True
        c.woken_s = now + timing.T_STEP_EF_S + timing.T_STEP_EF_AFTER_S
        c.info("the EV does not ask for power: waking it up")
        c.step_return = Charging.PrepareCharging
        c.step_duty = c.nominal_duty
        return Charging.TStepEF
