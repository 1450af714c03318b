"""Steps of the pilot that an EV understands as a new beginning: t_step_EF, t_step_X1, and the switch of phases."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.modules.evse.config import SwitchPilot
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.context import Context
from chargebyte_fw.modules.evse.machine.effects import Call
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.signals import SupplyOff
from chargebyte_fw.modules.evse.machine.states.state import Phase


def _leave(c: Context, now: float) -> Charging:
    """Show what belongs to the state that follows: nothing, 5 %, or the nominal duty cycle."""
    if c.five:
        c.show_five()
    elif c.step_duty is not None and not c.dc:
        c.duty_s = -1e9
        c.show_nominal(now)
    return c.step_return


class StepEF(Phase):
    """State F for 4 s, then X1 for 0.75 s: the EV begins anew, HLC included."""

    def enter(self, c: Context, now: float) -> None:
        """Show F."""
        c.step_x1_shown = False
        c.say(SupplyOff())
        c.forbid_power()
        c.show_f()

    def run(self, c: Context, now: float) -> Charging | None:
        """Let the times pass; nothing must hold up a fault, an unplug or a disable."""
        if c.fatal or c.gone or c.disabled:
            c.show_x1()
            return c.step_return
        x1_s = c.entered_s + timing.T_STEP_EF_S
        if now < x1_s:
            c.wait(x1_s)
            return None
        if not c.step_x1_shown:
            c.step_x1_shown = True
            c.show_x1()
        end_s = x1_s + timing.T_STEP_EF_AFTER_S
        if now < end_s:
            c.wait(end_s)
            return None
        if c.five and c.slac is SlacState.UNMATCHED:
            c.slac_do("enter_bcd")
        return _leave(c, now)


class StepX1(Phase):
    """X1 for 3 s between 5 % and another duty cycle."""

    def enter(self, c: Context, now: float) -> None:
        """Show X1."""
        c.show_x1()

    def run(self, c: Context, now: float) -> Charging | None:
        """Go on after the time; with an error of the data link t_step_EF follows."""
        if c.fatal or c.gone or c.disabled:
            c.step_ef_next = False
            return c.step_return
        end_s = c.entered_s + timing.T_STEP_X1_S
        if now < end_s:
            c.wait(end_s)
            return None
        if c.step_ef_next:
            c.step_ef_next = False
            return Charging.TStepEF
        return _leave(c, now)


class SwitchPhases(Phase):
    """Between one and three phases the EV must not be connected to the grid."""

    def enter(self, c: Context, now: float) -> None:
        """Take the duty cycle away."""
        c.note(SessionEventEnum.SwitchingPhases)
        if c.config.switch_3ph1ph_cp_state is SwitchPilot.F:
            c.show_f()
        else:
            c.show_x1()

    def run(self, c: Context, now: float) -> Charging | None:
        """Switch after the delay; a fault, an unplug or a disable ends it early."""
        end_s = c.entered_s + c.config.switch_3ph1ph_delay_s
        if now < end_s and not (c.fatal or c.gone or c.disabled):
            c.wait(end_s)
            return None
        c.forbid_power()
        c.say(Call("bsp", "ac_switch_three_phases_while_charging", (c.switch_to_three,)))
        return Charging.PrepareCharging
