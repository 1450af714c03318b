"""Pauses: the EV's own, and ours (user, fault, no energy)."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import (
    ChargingPausedEVSEReasons,
    PauseChargingEVSEReasonEnum,
    SessionEventEnum,
)
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.effects import Clear
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.states.state import Phase


class PausedByEv(Phase):
    """The EV does not want energy now."""

    def enter(self, c: Context, now: float) -> None:
        """Contactors stay open."""
        c.forbid_power()
        c.note(SessionEventEnum.ChargingPausedEV, "charging_state_changed_event")
        if c.link_over:
            c.show_x1()

    def run(self, c: Context, now: float) -> Charging | None:
        """Go on when the EV asks: by BCB toggle with HLC, by state C without."""
        if c.over:
            return Charging.StoppingCharging
        if c.hlc_leads or c.five or c.link_over:
            if c.bcb.complete(now):
                c.info("the EV woke up: on with charging")
                return Charging.PrepareCharging
            due_s = c.bcb.due()
            if due_s is not None and due_s > now:
                c.wait(due_s)
            return None
        if not c.power:
            return Charging.ChargingPausedEVSE
        if c.requests:
            return Charging.PrepareCharging
        c.show_nominal(now)
        return None


class PausedByEvse(Phase):
    """We do not deliver energy now, for the reasons told."""

    def enter(self, c: Context, now: float) -> None:
        """Without HLC a new fault is shown as a pulse of state F; a failed cable check may be tried again."""
        c.forbid_power()
        c.pause_reasons = None
        self._show(c, now)
        c.say(Clear("MREC11CableCheckFault"))

    def _show(self, c: Context, now: float) -> None:
        if c.hlc_leads and c.transaction:
            return
        length_s = c.config.state_F_after_fault_ms / 1000
        if c.fatal and not c.fault_shown and length_s > 0.0:
            c.fault_shown = True
            c.f_until_s = now + length_s
            c.show_f()
        elif now >= c.f_until_s:
            c.show_x1()

    @staticmethod
    def _asked_in_vain(c: Context) -> bool:
        """False where nothing is granted because nothing is asked for."""
        return not c.config.request_zero_power_in_idle or c.asks_energy(Charging.ChargingPausedEVSE)

    def run(self, c: Context, now: float) -> Charging | None:
        """Go on when no reason is left."""
        if c.over:
            return Charging.StoppingCharging
        self._show(c, now)
        if now < c.f_until_s:
            c.wait(c.f_until_s)
        reasons = []
        if c.fatal:
            reasons.append(PauseChargingEVSEReasonEnum.Error)
        if not c.power and self._asked_in_vain(c):
            reasons.append(PauseChargingEVSEReasonEnum.NoEnergy)
        if c.user_pause:
            reasons.append(PauseChargingEVSEReasonEnum.UserPause)
        if not reasons:
            if now < c.f_until_s or not c.watched or c.doubt:
                return None
            if now < c.stop_settled_s():
                # The end of the communication belongs to the stop; seen later it would be the EV's wish to pause.
                c.wait(c.stop_settled_s())
                return None
            c.restart_link()
            return Charging.PrepareCharging
        if reasons == [PauseChargingEVSEReasonEnum.NoEnergy] and c.just_asked(now):
            c.wait((c.asking_since_s or now) + timing.NO_ENERGY_S)
            return None
        if reasons != c.pause_reasons:
            c.pause_reasons = reasons
            c.note(
                SessionEventEnum.ChargingPausedEVSE,
                "charging_state_changed_event",
                charging_paused_evse=ChargingPausedEVSEReasons(reasons=reasons),
            )
        return None
