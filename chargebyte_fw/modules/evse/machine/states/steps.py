"""Steps of the pilot that an EV understands as a new beginning: t_step_EF, t_step_X1, and the switch of phases."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.evse_board_support import EvseBoardSupport
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.evse.config import SwitchPilot
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.facts import Facts
from chargebyte_fw.modules.evse.machine.orders import ChargingOrders, ChargingState
from chargebyte_fw.modules.evse.machine.signals import SupplyOff


def _ends_early(facts: Facts) -> bool:
    """Nothing must hold up a fault, an unplug or a disable."""
    return facts.fatal or facts.gone or facts.disabled


def _leave(machine: ChargingOrders, now: float) -> Charging:
    """Show what belongs to the state that follows: 5 %, or the nominal duty cycle."""
    if machine.facts.session.five_percent:
        machine.show_five()
    elif not machine.facts.hardware.dc:
        machine.show_nominal(now)
    return machine.facts.step.returns_to


class StepEF(ChargingState):
    """State F for 4 s, then X1 for 0.75 s: the EV begins anew, HLC included (ISO 15118-3 t_step_EF)."""

    to = (Charging.WaitingForAuthentication, Charging.PrepareCharging)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Show F."""
        machine.emit(SupplyOff())
        machine.forbid_power()
        machine.show_f()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Let the times pass."""
        facts = machine.facts
        if _ends_early(facts):
            machine.show_x1()
            return facts.step.returns_to
        x1_s = machine.entered_s + timing.T_STEP_EF_S
        if now < x1_s:
            machine.look_again(x1_s)
            return None
        if not facts.step.x1_shown:
            facts.step.x1_shown = True
            machine.show_x1()
        end_s = x1_s + timing.T_STEP_EF_AFTER_S
        if now < end_s:
            machine.look_again(end_s)
            return None
        if facts.session.five_percent and facts.hardware.slac is SlacState.UNMATCHED:
            machine.hlc(call(Slac.enter_bcd))
        return _leave(machine, now)


class StepX1(ChargingState):
    """X1 for 3 s between 5 % and another duty cycle (ISO 15118-3 t_step_X1)."""

    to = (Charging.WaitingForAuthentication, Charging.PrepareCharging, Charging.TStepEF)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Show X1."""
        machine.show_x1()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Go on after the time; with an error of the data link t_step_EF follows."""
        step = machine.facts.step
        if _ends_early(machine.facts):
            return step.returns_to
        end_s = machine.entered_s + timing.T_STEP_X1_S
        if now < end_s:
            machine.look_again(end_s)
            return None
        return Charging.TStepEF if step.then_ef else _leave(machine, now)


class SwitchPhases(ChargingState):
    """Between one and three phases the EV must not be connected to the grid."""

    to = (Charging.PrepareCharging,)

    def enter(self, machine: ChargingOrders, now: float) -> None:
        """Take the duty cycle away."""
        machine.note(SessionEventEnum.SwitchingPhases)
        if machine.config.switch_3ph1ph_cp_state is SwitchPilot.F:
            machine.show_f()
        else:
            machine.show_x1()

    def next(self, machine: ChargingOrders, now: float) -> Charging | None:
        """Switch after the delay, or earlier where it ends early."""
        end_s = machine.entered_s + machine.config.switch_3ph1ph_delay_s
        if now < end_s and not _ends_early(machine.facts):
            machine.look_again(end_s)
            return None
        machine.forbid_power()
        machine.emit(call(EvseBoardSupport.ac_switch_three_phases_while_charging, machine.facts.three_phases))
        return Charging.PrepareCharging
