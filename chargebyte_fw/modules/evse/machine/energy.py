"""From the limits of the energy management to the budget of the EVSE: phases, random delay, AC and DC."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types.dc_external_derate import ExternalDerating
from chargebyte_fw.contracts.types.energy import LimitsRes
from chargebyte_fw.contracts.types.evse_manager import Limits
from chargebyte_fw.contracts.types.iso15118 import AcTargetValues
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities
from chargebyte_fw.kernel.effects import Call, Publish, call, publish
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig, SaeMode
from chargebyte_fw.modules.evse.machine import limit_rules, timing
from chargebyte_fw.modules.evse.machine.dc.limits import (
    SignificantChange,
    derated,
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
    SessionChanged,
    ShowEnforcedLimits,
)
from chargebyte_fw.modules.evse.machine.energy_node import EnergyNode
from chargebyte_fw.modules.evse.machine.events import (
    BoardReported,
    Budget,
    BudgetOver,
    CableLimit,
    CableReported,
    Charging,
    DelayCancelled,
    DelayConfigured,
    Derated,
    FirstBudget,
    LimitsEnforced,
    ModuleReady,
    PhasesWanted,
    SaeBidi,
    ServiceSelected,
    StartUpDone,
    SupplyCapabilitiesChanged,
    SupplyReported,
)
from chargebyte_fw.modules.evse.machine.random_delay import AFTER_READY_S, RandomDelay
from chargebyte_fw.modules.evse.machine.signals import (
    PowerPathLimits,
    ReportLimits,
    StateEntered,
)
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot
from chargebyte_fw.modules.evse.machine.transfer_modes import power

Effects = list[Any]
DELAYED = (Charging.PrepareCharging, Charging.Charging, Charging.WaitingForAuthentication)
COUNTDOWN_S = 1.0


class EnergyState(Enum):
    """Whether limits can be applied."""

    HardwareUnknown = "hardware unknown"
    """The board has not reported its capabilities yet: limits have no meaning."""
    Following = "following"
    """The newest limits hold, or the random delay of a change runs."""


class EnergyMachine(Machine):
    """Takes limits and capabilities, and keeps the EVSE's share of them.

    `others` returns what the machines of the EVSE have published; `draw` returns a random second up to its argument.
    """

    initial = EnergyState.HardwareUnknown

    def __init__(
        self,
        config: EvseConfig,
        module_id: str,
        *,
        hlc: bool,
        others: Callable[[], Snapshot],
        draw: Callable[[int], int],
    ) -> None:
        super().__init__()
        self._config = config
        self._id = module_id
        self._hlc = hlc
        self._others = others
        self.node = EnergyNode(bidirectional=config.hack_allow_bpt_with_iso2)
        self._supply_reported: Capabilities | None = None
        self._derating = ExternalDerating()
        self._change = SignificantChange()
        self._granted_W = 0.0
        """Power at the grid that the last limits allow; negative: into the grid."""
        self._enforced: LimitsEnforced | None = None
        self._ac_sent_A: float | None = None
        """The current that HLC got last."""
        self._sae_active = False
        self._phases_impossible = False
        self._begun_s: float | None = None
        self._counting = False
        self._after_delay_A = 0.0
        self.delay = RandomDelay(
            draw,
            enabled=config.uk_smartcharging_random_delay_enable,
            longest_s=config.uk_smartcharging_random_delay_max_duration,
            any_change=config.uk_smartcharging_random_delay_at_any_change,
        )

    @property
    def bidirectional(self) -> bool:
        """Whether the EV's session can return energy."""
        config, service = self._config, self._others().service
        if config.hack_allow_bpt_with_iso2 or (config.sae_j2847_2_bpt_enabled and self._sae_active):
            return True
        return service is not None and service.bidirectional

    # The beginning.

    @on(event=ModuleReady)
    def module_ready(self, _: ModuleReady, now: float) -> Effects:
        """Publish that nothing may be drawn, and ask the energy management."""
        return [self._report(0.0, None), RequestEnergy()]

    @on(event=FirstBudget)
    def first_budget(self, _: FirstBudget, now: float) -> Effects:
        """Begin without power, but do not count the energy management as silent while it starts."""
        return [] if self._enforced is not None else self._budget(0.0, now + timing.FIRST_BUDGET_S)

    @on(event=StartUpDone)
    def begin(self, _: StartUpDone, now: float) -> Effects:
        """Note the start, for the random delay of an EV that was plugged in before."""
        self._begun_s = now
        return []

    # Capabilities.

    @on(*EnergyState, event=BoardReported, to=EnergyState.Following)
    def board_reported(self, event: BoardReported, now: float) -> Effects:
        """Take the hardware's limits; a socket carries nothing until its cable is known."""
        self.node = self.node.with_hardware(event.hardware)
        without_cable = self.node.socket and not self._config.dc and self.node.cable_A is None
        return self.enter(EnergyState.Following, *(self._cable(0.0) if without_cable else []))

    @on(event=CableReported)
    def cable_reported(self, event: CableReported, now: float) -> Effects:
        """Take the rating of the cable in a socket (IEC 61851-1, proximity pilot)."""
        return self._cable(self.node.rating_A(event.ampacity)) if self.node.socket else []

    def _cable(self, limit_A: float) -> Effects:
        self.node = replace(self.node, cable_A=limit_A or None)
        return [CableLimit(limit_A)]

    @on(event=SupplyReported)
    def supply_reported(self, event: SupplyReported, now: float) -> Effects:
        """Take the capabilities of the power supply."""
        self._supply_reported = event.supply
        return self._supply()

    @on(event=Derated)
    def external_derating(self, event: Derated, now: float) -> Effects:
        """Take a limit on the power supply from outside."""
        self._derating = event.derating
        return self._supply()

    def _supply(self) -> Effects:
        if self._supply_reported is None:
            return []
        supply = derated(self._supply_reported, self._derating, self._others().power_path.present_V)
        if supply == self.node.supply:
            return []
        first = not self.node.supply_known
        self.node = replace(self.node, supply=supply, supply_known=True)
        effects = [
            SupplyCapabilitiesChanged(supply),
            *self._to_hlc(call(Iso15118Charger.update_dc_minimum_limits, minimum_for_hlc(supply))),
        ]
        if not first or self._enforced is not None:
            effects += self._dc(force=True)
        return [*effects, RequestEnergy(priority=False)]

    # The EV's service.

    @on(event=ServiceSelected)
    def service(self, event: ServiceSelected, now: float) -> Effects:
        """Note whether the EV has chosen a service that returns energy."""
        self.node = replace(self.node, bidirectional=event.bidirectional)
        return []

    @on(event=SaeBidi)
    def sae_bidirectional(self, _: SaeBidi, now: float) -> Effects:
        """The EV discharges by SAE J2847/2; with V2H it draws nothing from the grid."""
        self._sae_active = True
        own_W = self.node.own_limits_W
        if self._config.sae_j2847_2_bpt_mode is SaeMode.V2H:
            # The EV supplies the house: nothing is drawn from the grid.
            own_W = (self.node.supply.max_import_power_W or 0.0, 0.0)
        self.node = replace(self.node, bidirectional=True, own_limits_W=own_W)
        return []

    @on(event=SessionChanged)
    def session_is(self, event: SessionChanged, now: float) -> Effects:
        """The end of a session ends its SAE J2847/2 service."""
        if not event.session_id:
            self._sae_active = False
        return []

    @on(event=StateEntered)
    def state_is(self, event: StateEntered, now: float) -> Effects:
        """Without an EV the service of the last one is over."""
        if event.state is Charging.Idle:
            self.node = replace(self.node, bidirectional=self._config.hack_allow_bpt_with_iso2, own_limits_W=None)
        return []

    # Limits.

    @on(EnergyState.Following, event=LimitsEnforced)
    def enforced(self, event: LimitsEnforced, now: float) -> Effects:
        """Take the limits that the energy management enforces."""
        self._enforced = event
        others, side = self._others(), event.limits
        effects = self._phases(side)
        # A switch of phases under power pauses the charging before this limit is used.
        switches = any(isinstance(effect, PhasesWanted) for effect in effects) and others.state is Charging.Charging
        self._after_delay_A = self.node.ac_limit_A(side, self._config.ac_nominal_voltage)
        just_begun = self._begun_s is not None and now < self._begun_s + AFTER_READY_S
        limit_A = self.delay.limit(
            self._after_delay_A,
            now,
            active=others.state in DELAYED and not switches,
            starting=just_begun and others.plugged and not self._counting,
        )
        if self.delay.running and not self._counting:
            effects += self._countdown(now)
        effects.append(ShowEnforcedLimits())
        self._granted_W = self._power_W(side, limit_A)
        if self._config.dc:
            effects += self._dc()
        effects += self._budget(limit_A, now + event.valid_for_s)
        # With each enforcement, so that a client that joins late receives the limits.
        return [*effects, ReportLimits()]

    def _power_W(self, limits: LimitsRes, limit_A: float) -> float:
        if limits.total_power_W is None or limits.ac_max_current_A is None:
            return 0.0
        held = self.delay.running and self._after_delay_A
        return limits.total_power_W.value * (limit_A / self._after_delay_A if held else 1.0)

    @on(event=BudgetOver)
    def budget_over(self, _: BudgetOver, now: float) -> Effects:
        """The energy management is silent: nothing may be drawn."""
        self._granted_W = 0.0
        return (self._dc(force=True) if self._config.dc else []) + self._ac_to_hlc(0.0)

    @on(event=LimitsChanged)
    def limits_changed(self, event: LimitsChanged, now: float) -> Effects:
        """Publish the limits."""
        return [self._report(event.limit_A, event.phases)]

    def _report(self, limit_A: float, phases: int | None) -> Publish:
        """Publish what the EV may draw; EVerest puts the module's id into `uuid`, not the session's."""
        count = phases if phases is not None else self.node.active_phases or 3
        limits = Limits(uuid=self._id, max_current=limit_A, nr_of_phases_available=count)
        return publish(EvseManager.limits, limits)

    def _budget(self, limit_A: float, until_s: float) -> Effects:
        service = self._others().service
        bidirectional_ac = service is not None and service.ac and service.bidirectional
        charge_A = limit_A if bidirectional_ac else max(limit_A, 0.0)
        limits = self._dc_limits()
        discharging = limits.discharge_power_W > 0.0 and self._granted_W < 0.0
        enforced = self._enforced
        budget = Budget(
            ac_A=charge_A,
            dc_A=limits.discharge_current_A if discharging else limits.current_A,
            dc_W=limits.discharge_power_W if discharging else limits.power_W,
            until_s=until_s,
            phases=self.node.phases(enforced.limits) if enforced is not None else self.node.active_phases or 1,
            limited_by=self._limited_by(limits, charge_A),
        )
        return [budget, *self._ac_to_hlc(charge_A)]

    def _limited_by(self, limits: PowerPathLimits, charge_A: float) -> str:
        side = self._enforced.limits if self._enforced is not None else None
        if side is None:
            return "the energy management has granted nothing yet"
        if not self._config.dc:
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
        if self._config.dc or wanted is None or wanted == self.node.active_phases or wanted < 1:
            return effects
        if not self.node.hardware.supports_changing_phases_during_charging or not self._others().can_switch_phases:
            return effects
        self.node = replace(self.node, active_phases=wanted)
        return [*effects, PhasesWanted(wanted == 3)]

    def _log_phases(self, limits: LimitsRes) -> Effects:
        """Log once that a number of phases is asked for that the board cannot have, and once that this is over."""
        hardware, wanted = self.node.hardware, limits.ac_max_phase_count
        if self._config.dc or wanted is None or wanted.value < 1:
            return []
        fixed = not hardware.supports_changing_phases_during_charging
        impossible = fixed and wanted.value < hardware.max_phase_count_import
        if impossible is self._phases_impossible:
            return []
        self._phases_impossible = impossible
        if not impossible:
            return [LogLine(f"the number of phases is possible again: {wanted.value}")]
        source = limit_rules.rule_of(wanted.source)
        return [
            LogLine(
                f"{wanted.value} of {hardware.max_phase_count_import} phases from {source}: "
                "the board cannot switch phases, the current holds for each phase that is wired",
                "warning",
            )
        ]

    # To HLC and the DC power path.

    def _to_hlc(self, command: Call) -> Effects:
        return [command.latest_only()] if self._hlc else []

    def _ac_to_hlc(self, limit_A: float) -> Effects:
        if limit_A == self._ac_sent_A:
            return []
        self._ac_sent_A = limit_A
        service = self._others().service
        if service is not None and service.ac:
            phases = self.node.hardware.max_phase_count_import
            target = AcTargetValues(target_active_power=power(limit_A, self._config.ac_nominal_voltage, phases))
            return self._to_hlc(call(Iso15118Charger.update_ac_target_values, target))
        return self._to_hlc(call(Iso15118Charger.update_ac_max_current, limit_A)) if limit_A >= 0.0 else []

    def _dc_limits(self) -> PowerPathLimits:
        path = self._others().power_path
        return limits_from_budget(
            self.node.supply,
            self._granted_W,
            target_V=path.reference_V,
            present_V=path.present_V,
            bidirectional=self.bidirectional,
        )

    def _dc(self, *, force: bool = False) -> Effects:
        path, supply = self._others().power_path, self.node.supply
        if not self._change.seen(self._granted_W, supply, path.reference_V, path.present_V) and not force:
            return []
        limits = self._dc_limits()
        maximum = maximum_for_hlc(limits, bidirectional=supply.bidirectional)
        return [
            limits_line(limits, path.target_V or 0.0, path.present_V, bidirectional=self.bidirectional),
            limits,
            *self._to_hlc(call(Iso15118Charger.update_dc_maximum_limits, maximum)),
            *self._to_hlc(call(Iso15118Charger.update_dc_minimum_limits, minimum_for_hlc(supply))),
        ]

    # The random delay.

    @on(event=DelayConfigured)
    def delay_configured(self, event: DelayConfigured, now: float) -> Effects:
        """Take the configuration of the random delay; switched off, it ends."""
        if event.longest_s is not None:
            self.delay.longest_s = max(0, event.longest_s)
        if event.enabled is not None:
            self.delay.enabled = event.enabled
        return self.delay_cancelled(DelayCancelled(), now) if event.enabled is False else []

    @on(event=DelayCancelled)
    def delay_cancelled(self, _: DelayCancelled, now: float) -> Effects:
        """End a running delay; the newest limits hold at once."""
        self.delay.cancel()
        effects = self.enforced(self._enforced, now) if self._enforced is not None else []
        return effects + self._countdown(now)

    @on(timer="countdown")
    def countdown(self, now: float) -> Effects:
        """Publish the seconds that are left of the random delay."""
        return self._countdown(now)

    def _countdown(self, now: float) -> Effects:
        running = self.delay.running and self.delay.remaining_s(now) > 0
        if not running and not self._counting:
            return []
        started = running and not self._counting
        self._counting = running
        if running:
            self.start("countdown", now + COUNTDOWN_S)
        else:
            self.stop("countdown")
        return [
            DelayCountdown(
                remaining_s=self.delay.remaining_s(now) if running else 0,
                after_A=self._after_delay_A,
                during_A=self.delay.held_A if running else self._after_delay_A,
                started=started,
            )
        ]
