"""The EVSE in the energy tree: a request once a second, and the limits that come back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.uk_random_delay import UkRandomDelay
from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    EnforcedLimits,
    EvseState,
    IntegerWithSource,
    LimitsReq,
    NodeType,
    NumberWithSource,
    OptimizerTarget,
    ScheduleReqEntry,
)
from chargebyte_fw.contracts.types.evse_manager import EVInfo
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.uk_random_delay import CountDown
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.modules.evse.adapters.connected import Connected
from chargebyte_fw.modules.evse.adapters.ev_info import EvInfoAdapter
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import DelayCountdown
from chargebyte_fw.modules.evse.machine.energy_node import EnergyNode
from chargebyte_fw.modules.evse.machine.events import Charging, LimitsEnforced
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot

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


class EnergyAdapter:
    """Publishes requests, enforced limits and the random delay's countdown."""

    def __init__(
        self,
        module_id: str,
        config: EvseConfig,
        connected: Connected,
        snapshot: Callable[[], Snapshot],
        *,
        energy: Energy,
        evse: EvseManager,
        ev_info: EvInfoAdapter,
        random_delay: UkRandomDelay,
    ) -> None:
        self._id = module_id
        self._config = config
        self._connected = connected
        self._snapshot = snapshot
        self._energy = energy
        self._evse = evse
        self._ev_info = ev_info
        self._random_delay = random_delay
        self._enforced: EnforcedLimits | None = None

    async def repeat(self) -> None:
        """Send a request once a second."""
        while True:
            await asyncio.sleep(timing.ENERGY_REQUEST_S)
            self.request()

    def request(self, *, priority: bool = False) -> None:
        """Publish what is wanted now. `priority`: it is to be answered before the next round."""
        grid, car = self._connected.grid_meter, self._connected.car_meter
        self._energy.energy_flow_request.publish(
            request(
                self._id,
                self._config,
                self._snapshot(),
                utc_now(),
                priority=priority,
                # The grid's meter measures the root side; a single one measures the side where it is.
                root_meter=grid.powermeter.value if grid is not None else None,
                leaf_meter=car.powermeter.value if car is not None else None,
                target=optimizer_target(self._ev_info.info),
            )
        )

    def enforce(self, limits: EnforcedLimits) -> LimitsEnforced:
        """Take limits that are addressed to this EVSE; return the event of the machines."""
        self._enforced = limits
        return LimitsEnforced(limits.limits_root_side, limits.valid_for)

    def show_enforced(self, _: Any = None) -> None:
        """Publish the limits that hold, with the cable's where the cable limits."""
        if self._enforced is not None:
            node = self._snapshot().energy
            self._evse.enforced_limits.publish(node.within_cable(self._enforced, f"{self._id}/proximity_pilot"))

    def show_countdown(self, delay: DelayCountdown) -> None:
        """Publish the countdown of the random delay."""
        self._random_delay.countdown.publish(
            CountDown(
                countdown_s=delay.remaining_s,
                current_limit_after_delay_A=delay.after_A,
                current_limit_during_delay_A=delay.during_A,
                start_time=rfc3339(utc_now()) if delay.started else None,
            )
        )


def request(
    node_id: str,
    config: EvseConfig,
    snapshot: Snapshot,
    at: datetime,
    *,
    priority: bool,
    root_meter: Powermeter | None,
    leaf_meter: Powermeter | None,
    target: OptimizerTarget | None = None,
) -> EnergyFlowRequest:
    """Return what is wanted from now on; the entry begins with the current full hour."""
    state = snapshot.state if snapshot.started else Charging.Disabled
    hour = rfc3339(at.replace(minute=0, second=0, microsecond=0))
    supply = snapshot.energy.supply
    writer = _Limits(node_id, config, snapshot.energy)
    active = snapshot.asks_energy or not config.request_zero_power_in_idle
    paused = state is Charging.ChargingPausedEV and not snapshot.power
    efficiency = (supply.conversion_efficiency_export, supply.conversion_efficiency_import)

    def entry(*, exporting: bool) -> ScheduleReqEntry:
        return ScheduleReqEntry(
            timestamp=hour,
            limits_to_root=writer.to_root(exporting=exporting, paused=paused),
            limits_to_leaves=writer.to_leaves(active=active, exporting=exporting),
            conversion_efficiency=efficiency[exporting] if config.dc else None,
        )

    return EnergyFlowRequest(
        children=[],
        uuid=node_id,
        node_type=NodeType.Evse,
        priority_request=priority,
        evse_state=STATES[state],
        schedule_import=[entry(exporting=False)],
        schedule_export=[entry(exporting=True)],
        schedule_setpoints=[],
        energy_usage_root=root_meter,
        energy_usage_leaves=leaf_meter,
        optimizer_target=target,
    )


def optimizer_target(ev: EVInfo) -> OptimizerTarget | None:
    """Return how much energy the EV needs until when; None where neither is known."""
    needed_Wh = ev.remaining_energy_needed if ev.remaining_energy_needed is not None else ev.target_energy_request
    if needed_Wh is None and ev.departure_time is None:
        return None
    return OptimizerTarget(
        energy_amount_needed=None if needed_Wh is None else needed_Wh / 1000.0,
        charge_to_max_percent=ev.battery_full_soc,
        car_battery_soc=ev.soc,
        leave_time=ev.departure_time,
    )


class _Limits:
    """Writes limits of the EVSE with their sources, as EVerest names them."""

    def __init__(self, node_id: str, config: EvseConfig, node: EnergyNode) -> None:
        self._id = node_id
        self._config = config
        self._node = node

    def _number(self, value: float, source: str) -> NumberWithSource:
        return NumberWithSource(value=value, source=f"{self._id}{source}")

    def to_root(self, *, exporting: bool, paused: bool) -> LimitsReq:
        """Return the limits of the hardware."""
        hardware, cable_A = self._node.hardware, self._node.cable_A
        caps = "/evse_board_support_caps"
        if exporting:
            max_A, min_A = hardware.max_current_A_export, hardware.min_current_A_export
            max_phases, min_phases = hardware.max_phase_count_export, hardware.min_phase_count_export
        else:
            max_A, min_A = hardware.max_current_A_import, hardware.min_current_A_import
            max_phases, min_phases = hardware.max_phase_count_import, hardware.min_phase_count_import
        limit = self._number(max_A, caps)
        if not exporting and cable_A is not None and not self._config.dc:
            limit = self._number(min(max_A, cable_A), caps)
        if paused:
            limit = self._number(0.0 if exporting else min_A, f"{caps}_pause")
        return LimitsReq(
            ac_max_current_A=limit,
            ac_min_current_A=self._number(min_A, caps),
            ac_max_phase_count=IntegerWithSource(value=max_phases, source=f"{self._id}{caps}"),
            ac_min_phase_count=IntegerWithSource(value=min_phases, source=f"{self._id}{caps}"),
            ac_supports_changing_phases_during_charging=hardware.supports_changing_phases_during_charging,
            ac_number_of_active_phases=self._node.active_phases,
        )

    def to_leaves(self, *, active: bool, exporting: bool) -> LimitsReq:
        """Return what is wanted for the EV."""
        node, dc = self._node, self._config.dc
        if not active:
            idle = NumberWithSource(value=0.0, source="Idle")
            return LimitsReq(total_power_W=idle) if dc else LimitsReq(ac_max_current_A=idle)
        if exporting and not node.bidirectional and node.own_limits_W is None:
            zero = self._number(0.0, " set_zero_discharge_limit")
            return LimitsReq(total_power_W=zero, ac_max_current_A=None if dc else zero)
        if node.own_limits_W is not None:
            power_W = node.own_limits_W[0] if exporting else node.own_limits_W[1]
            return LimitsReq(total_power_W=self._number(power_W, " local_energy_limits"))
        if dc:
            power_W = (node.supply.max_import_power_W or 0.0) if exporting else node.supply.max_export_power_W
            return LimitsReq(total_power_W=self._number(power_W, " update_max_watt_limit"))
        hardware = node.hardware
        current_A = hardware.max_current_A_export if exporting else hardware.max_current_A_import
        return LimitsReq(ac_max_current_A=self._number(current_A, " update_max_current_limit"))
