"""The EVSE in the energy tree: requests once a second, limits into the machines and to HLC."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.evse_board_support import (
    HardwareCapabilities,
    HardwareCapabilitiesConnectorType,
)
from chargebyte_fw.contracts.types.iso15118 import AcTargetValues
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.contracts.types.uk_random_delay import CountDown
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.modules.evse.adapters.energy_leaf import EnergyLeaf
from chargebyte_fw.modules.evse.logs.event_lines import limits_line
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.allowance import LEAST_A
from chargebyte_fw.modules.evse.machine.dc.limits import (
    NO_SUPPLY,
    DcLimits,
    derated,
    limits_from_budget,
    maximum_for_hlc,
    minimum_for_hlc,
)
from chargebyte_fw.modules.evse.machine.events import Budget, CableLimit, Charging, SupplyCapabilitiesChanged
from chargebyte_fw.modules.evse.machine.limit_rules import rule_of
from chargebyte_fw.modules.evse.machine.random_delay import AFTER_READY_S, RandomDelay
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits
from chargebyte_fw.modules.evse.machine.transfer_modes import power

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager

NO_HARDWARE = HardwareCapabilities(
    max_current_A_import=0.0,
    min_current_A_import=0.0,
    max_phase_count_import=1,
    min_phase_count_import=1,
    max_current_A_export=0.0,
    min_current_A_export=0.0,
    max_phase_count_export=1,
    min_phase_count_export=1,
    supports_changing_phases_during_charging=False,
    supports_cp_state_E=False,
    connector_type=HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
)
"""What holds until the board has spoken."""
EPSILON_A = 1e-6
DELAYED = (Charging.PrepareCharging, Charging.Charging, Charging.WaitingForAuthentication)


class EnergyAdapter:
    """Between the energy management, the supply and the machines."""

    def __init__(self, module: EvseManager) -> None:
        self._module = module
        config = module.config
        self.leaf = EnergyLeaf(module.id, config, NO_HARDWARE)
        self.leaf.bidirectional = config.hack_allow_bpt_with_iso2
        self.supply = NO_SUPPLY
        self._told_supply = NO_SUPPLY
        self._derating = ExternalDerating()
        self._limits = DcLimits()
        self._root_W = 0.0
        self._last: energy.EnforcedLimits | None = None
        self._ac_told: float | None = None
        self.delay = RandomDelay(
            module.runtime.random,
            enabled=config.uk_smartcharging_random_delay_enable,
            longest_s=config.uk_smartcharging_random_delay_max_duration,
            any_change=config.uk_smartcharging_random_delay_at_any_change,
        )
        self._after_delay_A = 0.0
        self._counting = False
        self._phases_impossible = False
        self.ready_s: float | None = None

    @property
    def hardware_known(self) -> bool:
        """Whether the board (or on DC the supply) has said what it can do."""
        if self._module.config.dc:
            return self.supply is not NO_SUPPLY
        return self.leaf.hardware is not NO_HARDWARE

    async def work(self) -> None:
        """Ask once a second."""
        while True:
            await asyncio.sleep(timing.ENERGY_REQUEST_S)
            self.ask()
            self._count_down()

    def ask(self, *, priority: bool = False) -> None:
        """Tell the energy management what is wanted."""
        module = self._module
        snapshot = module.machines.snapshot
        # With both meters the grid's feeds the root; a single one measures the side where it is.
        grid = module.grid_meter_value
        request = self.leaf.request(
            utc_now(),
            snapshot.state if snapshot.started else Charging.Disabled,
            self.supply,
            asks=snapshot.asks_energy,
            no_power=not snapshot.power,
            priority=priority,
            root_meter=grid,
            leaf_meter=module.car_meter_value,
        )
        module.energy_grid.energy_flow_request.publish(request)

    def hardware(self, hardware: HardwareCapabilities) -> None:
        """Take the board's capabilities."""
        module = self._module
        self.leaf.take_hardware(hardware)
        module.evse.hw_capabilities.publish(hardware)
        socket = hardware.connector_type is HardwareCapabilitiesConnectorType.IEC62196Type2Socket
        if socket and not module.config.dc and self.leaf.cable_A is None:
            self.cable(0.0)
        module.hlc_adapter.offer_modes()

    def cable(self, limit_A: float) -> None:
        """Take the rating of a socket's cable in A, 0 without one."""
        if self.leaf.hardware.connector_type is not HardwareCapabilitiesConnectorType.IEC62196Type2Socket:
            return
        self.leaf.cable_A = limit_A or None
        self._module.pump.feed(CableLimit(limit_A))

    def supply_told(self, supply: Capabilities) -> None:
        """Take the supply's capabilities."""
        self._told_supply = supply
        self._resupply()

    def derate(self, derating: ExternalDerating) -> None:
        """Narrow the supply's capabilities."""
        self._derating = derating
        self._resupply()

    def _resupply(self) -> None:
        module = self._module
        supply = derated(self._told_supply, self._derating, module.machines.snapshot.power_path.present_V)
        if supply == self.supply:
            return
        first, self.supply = self.supply is NO_SUPPLY, supply
        module.pump.feed(SupplyCapabilitiesChanged(supply))
        module.hlc_adapter.supply_told(supply)
        module.tell_hlc("update_dc_minimum_limits", minimum_for_hlc(supply))
        if not first or self._last is not None:
            self._dc(force=True)
        self.ask()

    def enforce(self, value: energy.EnforcedLimits) -> None:
        """Take limits that are addressed to us."""
        module = self._module
        if self.leaf.active_phases is None:
            return
        self._last = value
        self._switch_phases(value.limits_root_side)
        now = asyncio.get_running_loop().time()
        snapshot = module.machines.snapshot
        limit_A = self.leaf.ac_limit(value.limits_root_side)
        starting = self.ready_s is not None and snapshot.plugged and now < self.ready_s + AFTER_READY_S
        self._after_delay_A = limit_A
        limit_A = self.delay.limit(
            limit_A, now, active=snapshot.state in DELAYED, starting=starting and not self._counting
        )
        if self.delay.running and not self._counting:
            self._count_down()
        watts = value.limits_root_side.total_power_W
        module.panel.limits(power_W=watts.value if watts else None)
        self._publish(value)
        self._root_W = watts.value if watts is not None else 0.0
        if value.limits_root_side.ac_max_current_A is None:
            self._root_W = 0.0
        if self.delay.running and self._after_delay_A:
            self._root_W *= limit_A / self._after_delay_A
        if module.config.dc:
            self._dc()
        self._budget(limit_A, now + value.valid_for)
        # With each enforcement, so that a client that joins late learns of them.
        module.publish_limits()

    def _publish(self, value: energy.EnforcedLimits) -> None:
        cable_A, limit = self.leaf.cable_A, value.limits_root_side.ac_max_current_A
        if cable_A is not None and limit is not None and limit.value > cable_A:
            capped = energy.NumberWithSource(value=cable_A, source=f"{self._module.id}/proximity_pilot")
            side = msgspec.structs.replace(value.limits_root_side, ac_max_current_A=capped)
            value = msgspec.structs.replace(value, limits_root_side=side)
        self._module.evse.enforced_limits.publish(value)

    def _why_too_little(self, limits: PowerPathLimits, charge_A: float) -> str:
        """Say how much there is and which limit rules, where it is too little to charge with."""
        side = self._last.limits_root_side if self._last is not None else None
        if side is None:
            return "the energy management has granted nothing yet"
        amperes, watts = side.ac_max_current_A, side.total_power_W
        if self._module.config.dc:
            if limits.current_A > 0.0 and limits.power_W > 0.0:
                return ""
            if self.supply is NO_SUPPLY:
                return "the power supply has not told what it can"
            least_A = self.supply.min_export_current_A
            names = [rule_of(one.source) for one in (watts, amperes) if one is not None]
            return (
                f"{self._root_W:.0f} W from {(names or ['nobody'])[0]}, the power supply gives at least {least_A:g} A"
            )
        if charge_A >= LEAST_A:
            return ""
        if self.delay.running:
            return f"{charge_A:.2f} A from the random delay, an EV needs {LEAST_A:g} A"
        by_current = amperes is not None and abs(amperes.value - charge_A) < EPSILON_A
        rules = amperes if by_current or watts is None else watts
        name = rule_of(rules.source) if rules is not None else "nobody"
        return f"{charge_A:.2f} A from {name}, an EV needs {LEAST_A:g} A"

    def _budget(self, limit_A: float, until_s: float) -> None:
        module = self._module
        service = module.machines.snapshot.service
        bidirectional_ac = service is not None and service.ac and service.bidirectional
        charge_A = limit_A if bidirectional_ac else max(limit_A, 0.0)
        limits = self.dc_limits()
        discharging = limits.discharge_power_W > 0.0 and self._root_W < 0.0
        module.pump.feed(
            Budget(
                ac_A=charge_A,
                dc_A=limits.discharge_current_A if discharging else limits.current_A,
                dc_W=limits.discharge_power_W if discharging else limits.power_W,
                until_s=until_s,
                phases=self.leaf.phases(self._last.limits_root_side) if self._last else self.leaf.active_phases or 1,
                limited_by=self._why_too_little(limits, charge_A),
            )
        )
        self._tell_ac(charge_A)

    def _tell_ac(self, limit_A: float) -> None:
        if limit_A == self._ac_told:
            return
        self._ac_told = limit_A
        module = self._module
        service = module.machines.snapshot.service
        if service is not None and service.ac:
            phases = self.leaf.hardware.max_phase_count_import
            target = power(limit_A, module.config.ac_nominal_voltage, phases)
            module.tell_hlc("update_ac_target_values", AcTargetValues(target_active_power=target))
        elif limit_A >= 0.0:
            module.tell_hlc("update_ac_max_current", limit_A)

    def _tell_phases(self, limits: energy.LimitsRes) -> None:
        """One line when a number of phases is wanted that the board cannot have, one when that is over."""
        hardware, wanted = self.leaf.hardware, limits.ac_max_phase_count
        if self._module.config.dc or wanted is None or wanted.value < 1:
            return
        fixed = not hardware.supports_changing_phases_during_charging
        impossible = fixed and wanted.value < hardware.max_phase_count_import
        if impossible is self._phases_impossible:
            return
        self._phases_impossible = impossible
        if not impossible:
            self._module.log.info("the number of phases is possible again: %d", wanted.value)
            return
        what = "%d of %d phases from %s: the board cannot switch phases, the current holds for each phase that is wired"
        self._module.log.warning(what, wanted.value, hardware.max_phase_count_import, rule_of(wanted.source))

    def _switch_phases(self, limits: energy.LimitsRes) -> None:
        if limits.ac_max_current_A is not None and limits.ac_max_current_A.value == 0.0:
            # Nothing is granted (as before the board told what it can), so it is not on any number of phases either.
            return
        self._tell_phases(limits)
        wanted = limits.ac_max_phase_count.value if limits.ac_max_phase_count else None
        if self._module.config.dc or wanted is None or wanted == self.leaf.active_phases or wanted < 1:
            return
        if not self.leaf.hardware.supports_changing_phases_during_charging:
            return
        if self._module.switch_phases(wanted == 3):
            self.leaf.active_phases = wanted

    def dc_limits(self) -> PowerPathLimits:
        """Compute what the power path may do now."""
        path = self._module.machines.snapshot.power_path
        target_V = path.reference_V
        return limits_from_budget(
            self.supply,
            self._root_W,
            target_V=target_V,
            present_V=path.present_V,
            bidirectional=self._module.hlc_adapter.bidirectional,
        )

    def _dc(self, *, force: bool = False) -> None:
        module = self._module
        path = module.machines.snapshot.power_path
        target_V = path.reference_V
        if not self._limits.changed(self._root_W, self.supply, target_V, path.present_V) and not force:
            return
        self._tell_dc(self.dc_limits())

    def _tell_dc(self, limits: PowerPathLimits) -> None:
        module = self._module
        path = module.machines.snapshot.power_path
        target_V = path.target_V or 0.0
        bidirectional = module.hlc_adapter.bidirectional
        module.logbook.write(limits_line(limits, target_V, path.present_V, bidirectional=bidirectional))
        module.pump.feed(limits)
        module.tell_hlc("update_dc_maximum_limits", maximum_for_hlc(limits, bidirectional=self.supply.bidirectional))
        module.tell_hlc("update_dc_minimum_limits", minimum_for_hlc(self.supply))

    def budget_over(self) -> None:
        """The energy management has gone silent: nothing may be drawn."""
        self._root_W = 0.0
        if self._module.config.dc:
            self._dc(force=True)
        self._tell_ac(0.0)

    def start_budget(self) -> None:
        """Begin without power, but without complaint while the energy management starts."""
        now = asyncio.get_running_loop().time()
        if self._last is None:
            self._budget(0.0, now + timing.FIRST_BUDGET_S)

    # The random delay.

    def delay_over(self) -> None:
        """End a running delay; the newest limits hold at once."""
        self.delay.cancel()
        if self._last is not None:
            self.enforce(self._last)
        self._count_down()

    def _count_down(self) -> None:
        now = asyncio.get_running_loop().time()
        running = self.delay.running and self.delay.remaining_s(now) > 0
        if not running and not self._counting:
            return
        started = running and not self._counting
        self._counting = running
        self._module.random_delay.countdown.publish(
            CountDown(
                countdown_s=self.delay.remaining_s(now) if running else 0,
                current_limit_after_delay_A=self._after_delay_A,
                current_limit_during_delay_A=self.delay.held_A if running else self._after_delay_A,
                start_time=rfc3339(utc_now()) if started else None,
            )
        )
