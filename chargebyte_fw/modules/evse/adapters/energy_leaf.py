"""The EVSE as a leaf of the energy tree: what it asks for, and what it makes of the limits it gets."""

from __future__ import annotations

from datetime import datetime

from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    EvseState,
    IntegerWithSource,
    LimitsReq,
    LimitsRes,
    NodeType,
    NumberWithSource,
    ScheduleReqEntry,
)
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.limit_rules import is_wiring

STATES = {
    Charging.Disabled: EvseState.Disabled,
    Charging.Idle: EvseState.Unplugged,
    Charging.WaitingForAuthentication: EvseState.WaitForAuth,
    Charging.PrepareCharging: EvseState.PrepareCharging,
    Charging.TStepEF: EvseState.PrepareCharging,
    Charging.TStepX1: EvseState.PrepareCharging,
    Charging.Charging: EvseState.Charging,
    Charging.SwitchPhases: EvseState.Charging,
    Charging.ChargingPausedEV: EvseState.PausedEV,
    Charging.ChargingPausedEVSE: EvseState.PausedEVSE,
    Charging.StoppingCharging: EvseState.Finished,
    Charging.Finished: EvseState.Finished,
}


class EnergyLeaf:
    """What the leaf knows of its hardware."""

    def __init__(self, node_id: str, config: EvseConfig, hardware: HardwareCapabilities) -> None:
        self._id = node_id
        self._config = config
        self.hardware = hardware
        self.active_phases: int | None = None
        self.cable_A: float | None = None
        self.bidirectional = False
        self.local: tuple[float, float] | None = None
        """Power of an EV that feeds the house: (export W, import W) limits of our own."""

    def take_hardware(self, hardware: HardwareCapabilities) -> None:
        """Use the board's capabilities."""
        self.hardware = hardware
        if self.active_phases is None:
            self.active_phases = hardware.max_phase_count_import
        elif self.active_phases > hardware.max_phase_count_import:
            self.active_phases = hardware.min_phase_count_import

    def _number(self, value: float, source: str) -> NumberWithSource:
        return NumberWithSource(value=value, source=f"{self._id}{source}")

    def _root(self, *, exporting: bool, paused: bool) -> LimitsReq:
        hardware = self.hardware
        caps = "/evse_board_support_caps"
        if exporting:
            max_A, min_A = hardware.max_current_A_export, hardware.min_current_A_export
            max_phases, min_phases = hardware.max_phase_count_export, hardware.min_phase_count_export
        else:
            max_A, min_A = hardware.max_current_A_import, hardware.min_current_A_import
            max_phases, min_phases = hardware.max_phase_count_import, hardware.min_phase_count_import
        limit = self._number(max_A, caps)
        if not exporting and self.cable_A is not None and not self._config.dc:
            limit = self._number(min(max_A, self.cable_A), caps)
        if paused:
            limit = self._number(0.0 if exporting else min_A, f"{caps}_pause")
        return LimitsReq(
            ac_max_current_A=limit,
            ac_min_current_A=self._number(min_A, caps),
            ac_max_phase_count=IntegerWithSource(value=max_phases, source=f"{self._id}{caps}"),
            ac_min_phase_count=IntegerWithSource(value=min_phases, source=f"{self._id}{caps}"),
            ac_supports_changing_phases_during_charging=hardware.supports_changing_phases_during_charging,
            ac_number_of_active_phases=self.active_phases,
        )

    def _leaves(self, supply: Capabilities, *, active: bool, exporting: bool) -> LimitsReq:
        if not active:
            idle = NumberWithSource(value=0.0, source="Idle")
            return LimitsReq(total_power_W=idle) if self._config.dc else LimitsReq(ac_max_current_A=idle)
        if exporting and not self.bidirectional and self.local is None:
            zero = self._number(0.0, " set_zero_discharge_limit")
            return LimitsReq(total_power_W=zero, ac_max_current_A=None if self._config.dc else zero)
        if self.local is not None:
            power_W = self.local[0] if exporting else self.local[1]
            return LimitsReq(total_power_W=self._number(power_W, " local_energy_limits"))
        if self._config.dc:
            power_W = (supply.max_import_power_W or 0.0) if exporting else supply.max_export_power_W
            return LimitsReq(total_power_W=self._number(power_W, " update_max_watt_limit"))
        hardware = self.hardware
        current_A = hardware.max_current_A_export if exporting else hardware.max_current_A_import
        return LimitsReq(ac_max_current_A=self._number(current_A, " update_max_current_limit"))

    def request(
        self,
        at: datetime,
        state: Charging,
        supply: Capabilities,
        *,
        asks: bool,
        no_power: bool,
        priority: bool,
        root_meter: Powermeter | None,
        leaf_meter: Powermeter | None,
    ) -> EnergyFlowRequest:
        """Say what is wanted from now on; the entry begins with the current full hour."""
        hour = rfc3339(at.replace(minute=0, second=0, microsecond=0))
        active = asks or not self._config.request_zero_power_in_idle
        paused = state is Charging.ChargingPausedEV and no_power
        efficiency = (supply.conversion_efficiency_export, supply.conversion_efficiency_import)

        def entry(*, exporting: bool) -> ScheduleReqEntry:
            return ScheduleReqEntry(
                timestamp=hour,
                limits_to_root=self._root(exporting=exporting, paused=paused),
                limits_to_leaves=self._leaves(supply, active=active, exporting=exporting),
                conversion_efficiency=efficiency[exporting] if self._config.dc else None,
            )

        return EnergyFlowRequest(
            children=[],
            uuid=self._id,
            node_type=NodeType.Evse,
            priority_request=priority,
            evse_state=STATES[state],
            schedule_import=[entry(exporting=False)],
            schedule_export=[entry(exporting=True)],
            schedule_setpoints=[],
            energy_usage_root=root_meter,
            energy_usage_leaves=leaf_meter,
        )

    def phases(self, limits: LimitsRes) -> int:
        """Return the phases that carry current: the active ones, or fewer where a node on the way has fewer.

        What a node's configuration says is how it is wired. A phase limit from elsewhere is a wish, and where the board
        cannot follow it all active phases carry current.
        """
        active = self.active_phases or 1
        wired = limits.ac_max_phase_count
        if wired is None or wired.value < 1 or not is_wiring(wired.source):
            return active
        return min(active, wired.value)

    def ac_limit(self, limits: LimitsRes) -> float:
        """Return the current per phase in A: the one of the current and the power limit that is closer to 0."""
        current_A = limits.ac_max_current_A.value if limits.ac_max_current_A else 0.0
        if limits.total_power_W is not None:
            from_power_A = limits.total_power_W.value / (self._config.ac_nominal_voltage * self.phases(limits))
            if limits.ac_max_current_A is None or abs(from_power_A) < abs(current_A):
                current_A = from_power_A
        return current_A
