"""Charging: energy flows."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import ChargingStay, Preparation
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState


class EnergyFlows(ChargingState):
    """The contactors may be closed, with full power."""

    to = (Charging.PrepareCharging, Charging.StoppingCharging, Charging.TStepX1, Charging.SwitchPhases)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Let the contactors close (on DC they are closed already)."""
        machine.facts.charging = ChargingStay()
        machine.facts.preparation = Preparation()
        machine.note(SessionEventEnum.ChargingStarted, "charging_state_changed_event")
        machine.allow_power(PowerOnOffReason.FullPowerCharging)

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Stop when anything that must hold does not hold any more."""
        facts = machine.facts
        link = facts.link
        by_hlc = facts.hardware.dc or facts.session.five_percent
        if facts.interruption is not None:
            return facts.interruption
        if facts.fatal or facts.over or facts.transaction.paused_by_user or not facts.plug_in.asks_power:
            return Charging.StoppingCharging
        if facts.link_over or (by_hlc and not link.allows_power):
            # HLC has ended or asked for open contactors while the EV still shows state C.
            return Charging.StoppingCharging
        if facts.hardware.dc and not link.current_demand:
            return self._renegotiation(machine, now)
        if not facts.power:
            return self._without_power(machine, now)
        facts.charging.no_power_since_s = None
        if not by_hlc:
            machine.show_nominal(now)
        return None

    @staticmethod
    def _renegotiation(machine: ChargingOrders, now: float) -> Charging | None:
        """The current demand has ended, the power path is still granted (ISO 15118-2 PowerDelivery, Renegotiate).

        Charge parameters, cable check and pre-charge follow in the same transaction. The EV has opened its contactors
        and stays in state C; ours stay closed without voltage, as before the cable check's end.
        """
        begin_s = machine.facts.link.demand_ended_s + timing.DEMAND_PAUSE_S
        if not machine.facts.charging.renegotiates and now < begin_s:
            machine.look_again(begin_s)
            return None
        machine.info("the EV renegotiates: back to the preparation")
        return Charging.PrepareCharging

    @staticmethod
    def _without_power(machine: ChargingOrders, now: float) -> Charging | None:
        if not machine.facts.hlc_leads:
            return Charging.StoppingCharging
        stay = machine.facts.charging
        if stay.no_power_since_s is None:
            stay.no_power_since_s = now
        stop_s = stay.no_power_since_s + machine.config.hlc_charge_loop_without_energy_timeout_s
        if now >= stop_s:
            return Charging.StoppingCharging
        machine.look_again(stop_s)
        return None
