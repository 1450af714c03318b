"""Pauses: the EV's own, and the EVSE's (user, fault, no energy)."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import (
    ChargingPausedEVSEReasons,
    PauseChargingEVSEReasonEnum,
    SessionEventEnum,
)
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import ClearFault
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import EvsePause
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState

Reason = PauseChargingEVSEReasonEnum


class PausedByEv(ChargingState):
    """The EV does not want energy now."""

    to = (Charging.PrepareCharging, Charging.ChargingPausedEVSE, Charging.StoppingCharging, Charging.TStepX1)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Contactors stay open."""
        machine.forbid_power()
        machine.note(SessionEventEnum.ChargingPausedEV, "charging_state_changed_event")
        if machine.facts.link_over:
            machine.show_x1()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Go on when the EV asks: by BCB toggle with HLC (ISO 15118-3), by state C without.

        State C is enough also in a session of ISO 15118-20 on AC that goes on and allows power.
        """
        facts = machine.facts
        if facts.interruption is not None:
            return facts.interruption
        if facts.over:
            return Charging.StoppingCharging
        if facts.charging.renegotiates:
            facts.charging.renegotiates = False
            machine.info("the EV has chosen its services anew: back to the preparation")
            machine.withdraw_stop()
            return Charging.PrepareCharging
        in_session = facts.link.service is not None and facts.link.service.ac and not facts.link_over
        if in_session and facts.link.allows_power and facts.plug_in.asks_power:
            return Charging.PrepareCharging
        if facts.hlc_leads or facts.session.five_percent or facts.link_over:
            return self._asleep(machine, now)
        if not facts.power:
            return Charging.ChargingPausedEVSE
        if facts.plug_in.asks_power:
            return Charging.PrepareCharging
        machine.show_nominal(now)
        return None

    @staticmethod
    def _asleep(machine: ChargingOrders, now: float) -> Charging | None:
        wake_up = machine.facts.wake_up
        if wake_up.complete(now):
            machine.info("the EV woke up: on with charging")
            return Charging.PrepareCharging
        due_s = wake_up.due()
        if due_s is not None and due_s > now:
            machine.look_again(due_s)
        return None


class PausedByEvse(ChargingState):
    """The EVSE does not deliver energy now, for the reasons reported."""

    to = (Charging.PrepareCharging, Charging.StoppingCharging, Charging.TStepX1)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Without HLC a new fault is shown as a pulse of state F; a failed cable check may be tried again."""
        machine.forbid_power()
        machine.facts.pause = EvsePause()
        machine.facts.charging.renegotiates = False
        self._show(machine, now)
        machine.emit(ClearFault("MREC11CableCheckFault"))

    @staticmethod
    def _show(machine: ChargingOrders, now: float) -> None:
        facts = machine.facts
        if facts.hlc_leads and facts.transaction.active:
            return
        fault, pause = facts.hardware.fault, facts.pause
        length_s = machine.config.state_F_after_fault_ms / 1000
        if facts.fatal and not fault.pulse_shown and length_s > 0.0:
            fault.pulse_shown = True
            pause.pulse_until_s = now + length_s
            machine.show_f()
        elif now >= pause.pulse_until_s:
            machine.show_x1()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Go on when no reason is left."""
        facts = machine.facts
        pause = facts.pause
        if facts.interruption is not None:
            return facts.interruption
        if facts.over:
            return Charging.StoppingCharging
        self._show(machine, now)
        if now < pause.pulse_until_s:
            machine.look_again(pause.pulse_until_s)
        reasons = self._reasons(machine)
        if not reasons:
            return self._go_on(machine, now)
        if reasons == [Reason.NoEnergy] and machine.just_asked(now):
            machine.look_again((facts.energy.asked_since_s or now) + timing.NO_ENERGY_S)
            return None
        if reasons != pause.reasons:
            pause.reasons = reasons
            machine.note(
                SessionEventEnum.ChargingPausedEVSE,
                "charging_state_changed_event",
                charging_paused_evse=ChargingPausedEVSEReasons(reasons=reasons),
            )
        return None

    @staticmethod
    def _reasons(machine: ChargingOrders) -> list[Reason]:
        facts = machine.facts
        # Nothing is granted in vain where nothing is asked for.
        asked = not machine.config.request_zero_power_in_idle or facts.asks_energy(Charging.ChargingPausedEVSE)
        true = {
            Reason.Error: facts.fatal,
            Reason.NoEnergy: not facts.power and asked,
            Reason.UserPause: facts.transaction.paused_by_user,
        }
        return [reason for reason, holds in true.items() if holds]

    @staticmethod
    def _go_on(machine: ChargingOrders, now: float) -> Charging | None:
        facts = machine.facts
        if now < facts.pause.pulse_until_s or not facts.hardware.plug_watched or facts.session.doubt.raised:
            return None
        settled_s = facts.stop_settled_s(machine.entered_s)
        if now < settled_s:
            # The end of the communication belongs to the stop; seen later it would be the EV's wish to pause.
            machine.look_again(settled_s)
            return None
        if facts.stop.forced_s is not None and not facts.link_over:
            # It has not followed the stop: its communication goes on, and cannot be used for another start.
            return machine.begin_link_anew()
        machine.restart_link()
        return Charging.PrepareCharging
