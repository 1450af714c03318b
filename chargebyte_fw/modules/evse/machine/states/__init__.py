"""The states of the charging state machine: what each begins with, and where it goes when the facts are right."""

from __future__ import annotations

from enum import Enum

from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.orders import ChargingState
from chargebyte_fw.modules.evse.machine.states.authorization import WaitingForAuthentication
from chargebyte_fw.modules.evse.machine.states.charging import EnergyFlows
from chargebyte_fw.modules.evse.machine.states.ends import Disabled, Finished, Idle
from chargebyte_fw.modules.evse.machine.states.paused import PausedByEv, PausedByEvse
from chargebyte_fw.modules.evse.machine.states.prepare import PrepareCharging
from chargebyte_fw.modules.evse.machine.states.steps import StepEF, StepX1, SwitchPhases
from chargebyte_fw.modules.evse.machine.states.stopping import StoppingCharging

STATES: dict[Enum, ChargingState] = {
    Charging.Disabled: Disabled(),
    Charging.Idle: Idle(),
    Charging.WaitingForAuthentication: WaitingForAuthentication(),
    Charging.PrepareCharging: PrepareCharging(),
    Charging.Charging: EnergyFlows(),
    Charging.ChargingPausedEV: PausedByEv(),
    Charging.ChargingPausedEVSE: PausedByEvse(),
    Charging.StoppingCharging: StoppingCharging(),
    Charging.Finished: Finished(),
    Charging.TStepEF: StepEF(),
    Charging.TStepX1: StepX1(),
    Charging.SwitchPhases: SwitchPhases(),
}
