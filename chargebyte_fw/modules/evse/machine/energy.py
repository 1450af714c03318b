"""From the limits of the energy management to the budget of the EVSE: phases, random delay, AC and DC."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.limit_sources import rule_of
from chargebyte_fw.contracts.types.energy import LimitsRes
from chargebyte_fw.contracts.types.evse_manager import Limits
from chargebyte_fw.contracts.types.iso15118 import AcTargetValues
from chargebyte_fw.kernel.effects import Publish, call, publish
from chargebyte_fw.kernel.machine import on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import limit_rules, timing
from chargebyte_fw.modules.evse.machine.dc.limits import (
    SignificantChange,
    limits_from_budget,
    limits_line,
    maximum_for_hlc,
    minimum_for_hlc,
)
from chargebyte_fw.modules.evse.machine.effects import (
    DelayCountdown,
    LimitsChanged,
    LogLine,
    RequestEnergy,
    ShowEnforcedLimits,
)
from chargebyte_fw.modules.evse.machine.energy_hardware import EnergyHardwareRows, EnergyState
from chargebyte_fw.modules.evse.machine.events import (
    Budget,
    BudgetOver,
    Charging,
    DelayCancelled,
    DelayConfigured,
    FirstBudget,
    LimitsEnforced,
    ModesAllowed,
    ModuleReady,
    PhasesWanted,
    ServiceSelected,
    StartUpDone,
)
from chargebyte_fw.modules.evse.machine.random_delay import AFTER_READY_S, RandomDelay
from chargebyte_fw.modules.evse.machine.signals import PowerPathLimits, ReportLimits
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from chargebyte_fw.modules.evse.machine.transfer_modes import BIDIRECTIONAL, power

Effects = list[Any]
DELAYED = (Charging.PrepareCharging, Charging.Charging, Charging.WaitingForAuthentication)
"""States in which the random delay holds a change: an EV is charging or about to."""
COUNTDOWN_S = 1.0


class EnergyMachine(EnergyHardwareRows):
    """Keeps the EVSE's share of the energy. `draw` returns a random second, 0 to its argument."""

    def __init__(
        self,
        config: EvseConfig,
        module_id: str,
        *,
        hlc: bool,
        others: Callable[[], Snapshot],
        draw: Callable[[int], int],
    ) -> None:
        super().__init__(config, hlc=hlc, others=others)
        self._id = module_id
        self._change = SignificantChange()
        self._granted_W = 0.0
        """Power at the grid that the last limits allow; negative: into the grid."""
        self._enforced: LimitsEnforced | None = None
        self._ac_A = 0.0
        """The current per phase of the last budget; negative: out of the EV."""
        self._ac_sent: tuple[bool, float] | None = None
        """Whether it is for a service of ISO 15118-20, and the current, that HLC got last."""
        self._phases_impossible = False
        self._begun_s: float | None = None
        self._after_delay_A = 0.0
        self.delay = RandomDelay(
            draw,
            enabled=config.uk_smartcharging_random_delay_enable,
            longest_s=config.uk_smartcharging_random_delay_max_duration,
            any_change=config.uk_smartcharging_random_delay_at_any_change,
        )

    # The beginning.

    @on(*EnergyState, event=ModuleReady)
    def module_ready(self, _: ModuleReady, now: float) -> Effects:
        """Publish that nothing is allowed yet, and send the first request."""
        return [self._report(0.0, None), RequestEnergy()]

    @on(*EnergyState, event=FirstBudget)
    def first_budget(self, _: FirstBudget, now: float) -> Effects:
        """Begin without power, but do not count the energy management as silent while it starts."""
        return [] if self._enforced is not None else self._budget(0.0, now + timing.FIRST_BUDGET_S)

    @on(*EnergyState, event=StartUpDone)
    def start_up_done(self, _: StartUpDone, now: float) -> None:
        """Note the time: an EV that is there already begins with a random delay."""
        self._begun_s = now

    # Limits.

    @on(EnergyState.Following, EnergyState.Delaying, event=LimitsEnforced, to=EnergyState.Delaying)
    def enforced(self, event: LimitsEnforced, now: float) -> Effects:
        """Turn limits into the number of phases, the budget and, on DC, the limits of the power path."""
        self._enforced = event
        others, side = self.others(), event.limits
        effects = self._phases(side)
        # A switch of phases under power pauses the charging before this limit is used.
        switches = any(isinstance(effect, PhasesWanted) for effect in effects) and others.state is Charging.Charging
        self._after_delay_A = self.node.ac_limit_A(side, self.config.ac_nominal_voltage)
        just_begun = self._begun_s is not None and now < self._begun_s + AFTER_READY_S
        limit_A = self.delay.limit(
            self._after_delay_A,
            now,
            active=others.state in DELAYED and not switches,
            starting=just_begun and others.plugged and self.state is EnergyState.Following,
        )
        if self.delay.running and self.state is EnergyState.Following:
            effects += self._count_down(now)
        effects.append(ShowEnforcedLimits())
        self._granted_W = self._power_W(side, limit_A)
        if self.config.dc:
            effects += self._dc()
        effects += self._budget(limit_A, now + event.valid_for_s)
        # With each enforcement, so that a client that joins late receives the limits.
        return [*effects, ReportLimits()]

    def _power_W(self, limits: LimitsRes, limit_A: float) -> float:
        if limits.total_power_W is None or limits.ac_max_current_A is None:
            return 0.0
        held = self.delay.running and self._after_delay_A
        return limits.total_power_W.value * (limit_A / self._after_delay_A if held else 1.0)

    @on(*EnergyState, event=BudgetOver)
    def budget_over(self, _: BudgetOver, now: float) -> Effects:
        """The energy management is silent: nothing may be drawn."""
        self._granted_W = 0.0
        return (self._dc(force=True) if self.config.dc else []) + self._ac_to_hlc(0.0)

    @on(*EnergyState, event=LimitsChanged)
    def limits_changed(self, event: LimitsChanged, now: float) -> Effects:
        """Publish what the EV may draw."""
        return [self._report(event.limit_A, event.phases)]

    def _report(self, limit_A: float, phases: int | None) -> Publish:
        # EVerest puts the module's id into `uuid`, not the session's.
        count = phases if phases is not None else self.node.active_phases or 3
        limits = Limits(uuid=self._id, max_current=limit_A, nr_of_phases_available=count)
        return publish(EvseManager.limits, limits)

    def _budget(self, limit_A: float, until_s: float) -> Effects:
        service, enforced = self.others().service, self._enforced
        bidirectional_ac = service is not None and service.ac and self.bidirectional
        charge_A, discharge_A = max(limit_A, 0.0), max(-limit_A, 0.0) if bidirectional_ac else 0.0
        limits = self._dc_limits()
        discharging = limits.discharge_power_W > 0.0 and self._granted_W < 0.0
        budget = Budget(
            ac_A=charge_A,
            dc_A=limits.discharge_current_A if discharging else limits.current_A,
            dc_W=limits.discharge_power_W if discharging else limits.power_W,
            until_s=until_s,
            phases=self.node.phases(enforced.limits) if enforced is not None else self.node.active_phases or 1,
            limited_by="" if discharge_A > 0.0 else self._limited_by(limits, charge_A),
            ac_discharge_A=discharge_A,
        )
        return [budget, *self._ac_to_hlc(charge_A - discharge_A)]

    def _limited_by(self, limits: PowerPathLimits, charge_A: float) -> str:
        side = self._enforced.limits if self._enforced is not None else None
        if side is None:
            return "the energy management has granted nothing yet"
        if not self.config.dc:
            return limit_rules.too_little_ac(side, charge_A, delayed=self.delay.running)
        if limits.current_A > 0.0 and limits.power_W > 0.0:
            return ""
        supply = self.node.supply if self.node.supply_known else None
        return limit_rules.too_little_dc(side, self._granted_W, supply)

    # The number of phases.

    def _phases(self, limits: LimitsRes) -> Effects:
        if limits.ac_max_current_A is not None and limits.ac_max_current_A.value == 0.0:
            # Nothing is granted (as before the board has reported its capabilities), on whatever number of phases.
            return []
        effects = self._log_phases(limits)
        wanted = limits.ac_max_phase_count.value if limits.ac_max_phase_count else None
        if self.config.dc or wanted is None or wanted == self.node.active_phases or wanted < 1:
            return effects
        if not self.node.hardware.supports_changing_phases_during_charging or not self.others().can_switch_phases:
            return effects
        self.node = replace(self.node, active_phases=wanted)
        return [*effects, PhasesWanted(wanted == 3)]

    def _log_phases(self, limits: LimitsRes) -> Effects:
        """Log once that a number of phases is asked for that the board cannot have, and once that this is over."""
        hardware, wanted = self.node.hardware, limits.ac_max_phase_count
        if self.config.dc or wanted is None or wanted.value < 1:
            return []
        fixed = not hardware.supports_changing_phases_during_charging
        impossible = fixed and wanted.value < hardware.max_phase_count_import
        if impossible is self._phases_impossible:
            return []
        self._phases_impossible = impossible
        if not impossible:
            return [LogLine(f"the number of phases is possible again: {wanted.value}")]
        source = rule_of(wanted.source)
        return [
            LogLine(
                f"{wanted.value} of {hardware.max_phase_count_import} phases from {source}: "
                "the board cannot switch phases, the current holds for each phase that is wired",
                "warning",
            )
        ]

    # To HLC and the DC power path.

    @on(*EnergyState, event=ServiceSelected)
    def service(self, event: ServiceSelected, now: float) -> Effects:
        """Request energy in both directions for a bidirectional service; on AC the EV gets its target as a power."""
        self.node = replace(self.node, bidirectional=event.bidirectional and not self._one_way)
        return self._ac_to_hlc(self._ac_A) if event.ac else []

    @on(*EnergyState, event=ModesAllowed)
    def modes_allowed(self, event: ModesAllowed, now: float) -> Effects:
        """Take nothing from the EV where no bidirectional mode is allowed, even if it keeps its service."""
        self._one_way = BIDIRECTIONAL.isdisjoint(event.modes)
        self.node = replace(self.node, bidirectional=self.bidirectional)
        effects = self._dc(force=True) if self.config.dc and self._enforced is not None else []
        return [*effects, RequestEnergy(priority=True)]

    def _ac_to_hlc(self, limit_A: float) -> Effects:
        """Send HLC the current per phase, or for a service of ISO 15118-20 the power; negative: out of the EV."""
        self._ac_A = limit_A
        service = self.others().service
        by_power = service is not None and service.ac
        if (by_power, limit_A) == self._ac_sent:
            return []
        self._ac_sent = by_power, limit_A
        if by_power:
            hardware = self.node.hardware
            phases = hardware.max_phase_count_import if limit_A >= 0.0 else hardware.max_phase_count_export
            target = AcTargetValues(target_active_power=power(limit_A, self.config.ac_nominal_voltage, phases))
            return self.to_hlc(call(Iso15118Charger.update_ac_target_values, target))
        return self.to_hlc(call(Iso15118Charger.update_ac_max_current, limit_A))

    def supply_limits(self, *, first: bool) -> Effects:
        """Return DC limits for other capabilities; the first ones wait for the first grant."""
        return self._dc(force=True) if not first or self._enforced is not None else []

    def _dc_limits(self) -> PowerPathLimits:
        path = self.others().power_path
        return limits_from_budget(
            self.node.supply,
            self._granted_W,
            target_V=path.reference_V,
            present_V=path.present_V,
            bidirectional=self.bidirectional,
        )

    def _dc(self, *, force: bool = False) -> Effects:
        path, supply = self.others().power_path, self.node.supply
        if not self._change.seen(self._granted_W, supply, path.reference_V, path.present_V) and not force:
            return []
        limits = self._dc_limits()
        negative = self._sae_active and self._granted_W < 0.0
        maximum = maximum_for_hlc(limits, bidirectional=supply.bidirectional, negative=negative)
        return [
            limits_line(limits, path.target_V or 0.0, path.present_V, bidirectional=self.bidirectional),
            limits,
            *self.to_hlc(call(Iso15118Charger.update_dc_maximum_limits, maximum)),
            *self.to_hlc(call(Iso15118Charger.update_dc_minimum_limits, minimum_for_hlc(supply))),
        ]

    # The random delay.

    @on(*EnergyState, event=DelayConfigured, to=(EnergyState.Following, EnergyState.Delaying))
    def delay_configured(self, event: DelayConfigured, now: float) -> Effects:
        """Switch the delay on or off, or set its longest time in s."""
        if event.longest_s is not None:
            self.delay.longest_s = max(0, event.longest_s)
        if event.enabled is not None:
            self.delay.enabled = event.enabled
        return self._cancel(now) if event.enabled is False else []

    @on(*EnergyState, event=DelayCancelled, to=(EnergyState.Following, EnergyState.Delaying))
    def delay_cancelled(self, _: DelayCancelled, now: float) -> Effects:
        """End a running delay."""
        return self._cancel(now)

    def _cancel(self, now: float) -> Effects:
        """End the delay; the newest limits hold at once."""
        self.delay.cancel()
        effects = self.enforced(self._enforced, now) if self._enforced is not None else []
        return effects + self._count_down(now)

    @on(EnergyState.Delaying, timer="countdown", to=EnergyState.Following)
    def countdown(self, now: float) -> Effects:
        """Publish the countdown once a second, and at last that it is over."""
        return self._count_down(now)

    def _count_down(self, now: float) -> Effects:
        counting = self.state is EnergyState.Delaying
        running = self.delay.running and self.delay.remaining_s(now) > 0
        if not running and not counting:
            return []
        effect = DelayCountdown(
            remaining_s=self.delay.remaining_s(now) if running else 0,
            after_A=self._after_delay_A,
            during_A=self.delay.held_A if running else self._after_delay_A,
            started=not counting,
        )
        if not running:
            return self.enter(EnergyState.Following, effect)
        self.start("countdown", now + COUNTDOWN_S)
        return [effect] if counting else self.enter(EnergyState.Delaying, effect)
