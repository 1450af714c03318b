"""Charging: energy flows."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_board_support import PowerOnOffReason
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.states.state import Phase


class ChargingPhase(Phase):
    """The contactors may be closed, with full power."""

    def enter(self, c: Context, now: float) -> None:
        """Let the contactors close (on DC they are closed already)."""
        c.note(SessionEventEnum.ChargingStarted, "charging_state_changed_event")
        c.allow_power(PowerOnOffReason.FullPowerCharging)
        c.woken = False
        c.no_power_s = None

    def run(self, c: Context, now: float) -> Charging | None:
        """Stop when anything that must hold does not hold any more."""
        if c.fatal or c.over or c.user_pause or not c.requests:
            return Charging.StoppingCharging
        if c.link_over or ((c.dc or c.five) and not c.hlc_allows):
            # HLC has ended or asked for open contactors while the EV still shows state C.
            return Charging.StoppingCharging
        if c.dc and not c.current_demand:
            return self._renegotiation(c, now)
        if not c.power:
            return self._without_power(c, now)
        c.no_power_s = None
        if not c.dc and not c.five:
            c.show_nominal(now)
        return None

    @staticmethod
    def _renegotiation(c: Context, now: float) -> Charging | None:
        """The current demand has ended, the power path is still granted (ISO 15118-2 PowerDelivery, Renegotiate).

        Charge parameters, cable check and pre-charge follow in the same transaction. The EV has opened its contactors
        and stays in state C; ours stay closed without voltage, as before the cable check's end.
        """
        begin_s = c.demand_ended_s + timing.DEMAND_PAUSE_S
        if not c.check_wanted and now < begin_s:
            c.wait(begin_s)
            return None
        c.info("the EV renegotiates: back to the preparation")
        return Charging.PrepareCharging

    @staticmethod
    def _without_power(c: Context, now: float) -> Charging | None:
        if not c.hlc_leads:
            return Charging.StoppingCharging
        if c.no_power_s is None:
            c.no_power_s = now
        stop_s = c.no_power_s + c.config.hlc_charge_loop_without_energy_timeout_s
        if now >= stop_s:
            return Charging.StoppingCharging
        c.wait(stop_s)
        return None
