"""The states of the charging kernel: what each does on entry, and where it goes when the facts are right."""

from __future__ import annotations

from chargebyte_fw.modules.evse.messages import Charging
from chargebyte_fw.modules.evse.phases.authorization import WaitingForAuthentication
from chargebyte_fw.modules.evse.phases.charging import ChargingPhase
from chargebyte_fw.modules.evse.phases.ends import Disabled, Finished, Idle
from chargebyte_fw.modules.evse.phases.paused import PausedByEv, PausedByEvse
from chargebyte_fw.modules.evse.phases.phase import Phase
from chargebyte_fw.modules.evse.phases.prepare import PrepareCharging
from chargebyte_fw.modules.evse.phases.steps import StepEF, StepX1, SwitchPhases
from chargebyte_fw.modules.evse.phases.stopping import StoppingCharging

PHASES: dict[Charging, Phase] = {
    Charging.Disabled: Disabled(),
    Charging.Idle: Idle(),
    Charging.WaitingForAuthentication: WaitingForAuthentication(),
    Charging.PrepareCharging: PrepareCharging(),
    Charging.Charging: ChargingPhase(),
    Charging.ChargingPausedEV: PausedByEv(),
    Charging.ChargingPausedEVSE: PausedByEvse(),
    Charging.StoppingCharging: StoppingCharging(),
    Charging.Finished: Finished(),
    Charging.TStepEF: StepEF(),
    Charging.TStepX1: StepX1(),
    Charging.SwitchPhases: SwitchPhases(),
}
