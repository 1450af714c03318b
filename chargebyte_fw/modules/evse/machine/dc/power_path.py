"""The DC power path: what the supply is set to, from the EV's targets and the EVSE's limits."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.types.power_supply_DC import Capabilities, ChargingPhase, Mode
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Say
from chargebyte_fw.modules.evse.machine.events import (
    BudgetOver,
    Charging,
    Contactor,
    CurrentDemand,
    Dynamic,
    EvMaximum,
    EvTargets,
    PreChargeStart,
    SaeBidi,
    ServiceSelected,
    Shutdown,
    SupplyMeasured,
    SupplyTold,
)
from chargebyte_fw.modules.evse.machine.signals import (
    LimitsAre,
    PhaseIs,
    ShutdownIs,
    StateIs,
    SupplyOff,
    SupplyOrdered,
    SupplyWanted,
)

Effects = list[Any]
EPSILON = 1e-6
LEAST_VOLTAGE_V = 10.0
"""Below this a measured voltage says nothing about power."""


class DcPath(Machine):
    """Set points and mode of one supply. Rising current follows the ramp, falling current is set at once."""

    def __init__(self, config: EvseConfig) -> None:
        super().__init__(ChargingPhase.Other)
        self._config = config
        self._supply: Capabilities | None = None
        self._limits: LimitsAre | None = None
        self._kernel = Charging.Idle
        self._fatal = False
        self._closed = False
        self._bidirectional = config.hack_allow_bpt_with_iso2
        self._mode = Mode.Off
        self._set: tuple[Mode, float, float] | None = None
        self._checking = False
        self.ev_max = EvMaximum(None, None, None)
        self.target: EvTargets | None = None
        self._dynamic: Dynamic | None = None
        self._last_voltage_V = 0.0
        self.present_V = 0.0
        self.present_A = 0.0
        self._applied_A = 0.0
        self._applied_s = 0.0
        self._enforce_s: float | None = None
        self._refused = False
        self._below_least = False

    @property
    def reference_V(self) -> float:
        """The voltage that the EV asked for last in this session, 0 before."""
        return self._last_voltage_V

    @on(event=SupplyTold)
    def supply(self, event: SupplyTold, now: float) -> Effects:
        self._supply = event.supply
        return []

    @on(event=LimitsAre)
    def limits(self, event: LimitsAre, now: float) -> Effects:
        self._limits = event
        # Less must hold at once; more is taken with the next target or the next enforcement.
        return self._apply(now) if self._mode is not Mode.Off and not self._checking else []

    @on(event=BudgetOver)
    def budget_over(self, _: BudgetOver, now: float) -> Effects:
        if self._limits is None:
            return []
        nothing = replace(self._limits, current_A=0.0, power_W=0.0, discharge_current_A=0.0, discharge_power_W=0.0)
        return self.limits(nothing, now)

    @on(event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        self.present_V, self.present_A = event.voltage_V, event.current_A
        return []

    @on(event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> Effects:
        self.ev_max = event
        return []

    @on(event=StateIs)
    def kernel_state(self, event: StateIs, now: float) -> Effects:
        self._kernel = event.state
        if event.state is Charging.Idle:
            self.ev_max = EvMaximum(None, None, None)
            self.target = self._dynamic = None
            self._bidirectional = self._config.hack_allow_bpt_with_iso2
            self._last_voltage_V = 0.0
            self._below_least = False
            return self._phase(ChargingPhase.Other)
        return []

    @on(event=ShutdownIs)
    def shutdown(self, event: ShutdownIs, now: float) -> Effects:
        self._fatal = event.kind is not Shutdown.Nothing
        return []

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> Effects:
        self._closed = event.closed
        return self._apply(now) if event.closed else []

    @on(event=ServiceSelected)
    def service(self, event: ServiceSelected, now: float) -> Effects:
        self._bidirectional = event.bidirectional and not event.ac
        return []

    @on(event=SaeBidi)
    def sae(self, _: SaeBidi, now: float) -> Effects:
        self._bidirectional = True
        return []

    @on(event=PhaseIs)
    def phase(self, event: PhaseIs, now: float) -> Effects:
        return self._phase(event.phase)

    @on(event=PreChargeStart)
    def pre_charge(self, _: PreChargeStart, now: float) -> Effects:
        return self._phase(ChargingPhase.PreCharge) + (self._apply(now) if self.target is not None else [])

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        phase = ChargingPhase.Charging if event.running else ChargingPhase.Other
        effects = self._phase(phase) if event.running else []
        if event.running and self.target is not None:
            effects += self._apply(now)
        if not event.running:
            self.state = phase
            # What the EV asked for ends with the loop; the next pre-charge brings its own.
            self.target = self._dynamic = None
        return effects

    def _phase(self, phase: ChargingPhase) -> Effects:
        if phase is self.state:
            return []
        self.state = phase
        return [Call("supply", "setMode", (self._mode, phase))] if self._mode is not Mode.Off else []

    # The cable check's way.

    @on(event=SupplyWanted)
    def wanted(self, event: SupplyWanted, now: float) -> Effects:
        if self._fatal:
            return []
        self._checking = True
        least_A = self._supply.min_export_current_A if self._supply is not None else 0.0
        if event.current_A < least_A:
            text = f"{event.current_A:.1f} A are allowed here, the power supply gives at least {least_A:.1f} A"
            return [Say(text, "error")]
        effects = self._set_point(Mode.Export, event.voltage_V, event.current_A)
        return effects if self._refused else effects + self._on(Mode.Export)

    # The EV's way.

    @on(event=EvTargets)
    def targets(self, event: EvTargets, now: float) -> Effects:
        if self._config.hack_skoda_enyaq and (event.voltage_V < 300.0 or event.current_A < 0.0):
            return []
        voltage_V = event.voltage_V if event.voltage_V > 0.0 else self._last_voltage_V
        self._last_voltage_V = voltage_V
        current_A = event.current_A
        if self._config.hack_fix_hlc_integer_current_requests:
            current_A = self._with_fraction(current_A)
        self.target = EvTargets(voltage_V, current_A)
        self._dynamic = None
        return self._apply(now)

    def _with_fraction(self, current_A: float) -> float:
        """An EV that asks for whole amperes just below what is offered gets what is offered."""
        if self._limits is None or current_A != int(current_A):
            return current_A
        offered_A = self._limits.current_A
        return offered_A if 0.0 < offered_A - current_A < 1.0 else current_A

    @on(event=Dynamic)
    def dynamic(self, event: Dynamic, now: float) -> Effects:
        """ISO 15118-20 dynamic mode: the EV tells limits, the EVSE decides."""
        self._dynamic = event
        limits = self._limits
        if limits is None:
            return []
        exporting = self._bidirectional and limits.current_A <= 0.0 and limits.discharge_current_A > 0.0
        if exporting:
            voltage_V = max(event.min_voltage_V, self._supply.min_export_voltage_V if self._supply else 0.0)
            power_W = min(event.discharge_power_W or 0.0, limits.discharge_power_W)
            current_A = min(event.discharge_current_A or 0.0, limits.discharge_current_A)
            at_V = max(self.present_V, voltage_V, 1.0)
            self.target = EvTargets(voltage_V, -min(current_A, power_W / at_V))
        else:
            power_W = min(event.max_power_W, limits.power_W)
            at_V = self.present_V if self.present_V > LEAST_VOLTAGE_V else event.max_voltage_V
            current_A = min(event.max_current_A, limits.current_A, power_W / max(at_V, 1.0))
            self.target = EvTargets(event.max_voltage_V, current_A)
        self._last_voltage_V = self.target.voltage_V
        return self._apply(now)

    def _permitted(self) -> bool:
        ending = self._kernel is Charging.StoppingCharging and self._mode is not Mode.Off
        return (
            not self._fatal
            and self._closed
            and (self._kernel in (Charging.PrepareCharging, Charging.Charging) or ending)
            and self.state in (ChargingPhase.PreCharge, ChargingPhase.Charging)
        )

    def _clamped(self) -> tuple[float, float, str]:
        """The EV's targets within its own maxima and the EVSE's limits, and what limits the current."""
        assert self.target is not None
        voltage_V = self.target.voltage_V
        if self.ev_max.voltage_V:
            voltage_V = min(voltage_V, self.ev_max.voltage_V)
        limits_A = [(self.target.current_A, "the EV asks for")]
        if self.ev_max.current_A:
            limits_A.append((self.ev_max.current_A, "the EV takes at most"))
        if self._limits is not None and self.state is ChargingPhase.Charging:
            limits_A.append((self._limits.current_A, "the EVSE allows"))
            at_V = self.present_V if self.present_V > LEAST_VOLTAGE_V else voltage_V
            if at_V > LEAST_VOLTAGE_V:
                limits_A.append((self._limits.power_W / at_V, f"{self._limits.power_W:.0f} W allow"))
        current_A, by = min(limits_A, key=lambda limit: limit[0])
        return voltage_V, max(current_A, 0.0), by

    def _apply(self, now: float) -> Effects:
        self._enforce_s = now + timing.DC_ENFORCE_S
        if self.target is None or not self._permitted():
            return []
        self._checking = False
        if self._discharging():
            return self._apply_discharge(now)
        voltage_V, wanted_A, by = self._clamped()
        least_A = self._supply.min_export_current_A if self._supply is not None else 0.0
        wanted_A, effects = self._above_least(wanted_A, least_A, by)
        current_A = self._ramped(wanted_A, least_A, now)
        effects += self._set_point(Mode.Export, voltage_V, current_A)
        if not self._refused:
            effects += self._on(Mode.Export)
        rising = current_A < wanted_A - EPSILON and self._kernel is not Charging.StoppingCharging
        self.deadline = now + timing.RAMP_STEP_S if rising else self._enforce_s
        return effects

    def _above_least(self, wanted_A: float, least_A: float, by: str) -> tuple[float, Effects]:
        """Return 0 A for less than the supply can give: its least is never given against a limit; say so once."""
        below = 0.0 < wanted_A < least_A - EPSILON
        effects: Effects = []
        if below and not self._below_least:
            text = f"no current: {by} {wanted_A:.2f} A, the power supply gives at least {least_A:.2f} A"
            effects.append(Say(text, "warning"))
        elif self._below_least and wanted_A >= least_A - EPSILON:
            effects.append(Say(f"current again: {wanted_A:.2f} A"))
        if below or wanted_A > 0.0:
            self._below_least = below
        return (0.0 if below else wanted_A), effects

    def _ramped(self, wanted_A: float, least_A: float, now: float) -> float:
        if self._mode is Mode.Off:
            self._applied_A, self._applied_s = 0.0, now
        # Once we stop, the EV leads the current down and it never rises again.
        stopping = self._kernel is Charging.StoppingCharging
        rise_A = 0.0 if stopping else (now - self._applied_s) * self._config.dc_ramp_ampere_per_second
        current_A = min(wanted_A, self._applied_A + rise_A)
        if current_A < least_A:
            # The ramp begins at the least current of the supply.
            current_A = 0.0 if stopping else min(wanted_A, least_A)
        self._applied_A, self._applied_s = current_A, now
        return current_A

    def _discharging(self) -> bool:
        limits = self._limits
        return (
            self._bidirectional
            and self.state is ChargingPhase.Charging
            and limits is not None
            and limits.current_A <= 0.0
            and limits.discharge_current_A > 0.0
            and self._supply is not None
            and self._supply.bidirectional
        )

    def _apply_discharge(self, now: float) -> Effects:
        assert self.target is not None and self._limits is not None
        asked_A = abs(self.target.current_A)
        at_V = self.present_V if self.present_V > LEAST_VOLTAGE_V else max(self.target.voltage_V, 1.0)
        limits_A = [
            (asked_A, "the EV offers"),
            (self._limits.discharge_current_A, "the EVSE takes at most"),
            (self._limits.discharge_power_W / at_V, f"{self._limits.discharge_power_W:.0f} W allow"),
        ]
        wanted_A, by = min(limits_A, key=lambda limit: limit[0])
        least_A = self._supply.min_import_current_A or 0.0 if self._supply is not None else 0.0
        current_A, effects = self._above_least(wanted_A, least_A, by)
        self.deadline = self._enforce_s
        self._applied_A, self._applied_s = 0.0, now
        return effects + self._set_point(Mode.Import, self.target.voltage_V, current_A) + self._on(Mode.Import)

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        """The ramp goes on, or five seconds are over: the newest limits are applied to the last target."""
        if self._mode is Mode.Off or self._checking:
            return []
        return self._apply(now)

    # The supply.

    def _set_point(self, mode: Mode, voltage_V: float, current_A: float) -> Effects:
        supply = self._supply
        self._refused = False
        if supply is not None:
            high_V = supply.max_export_voltage_V if mode is Mode.Export else supply.max_import_voltage_V or 0.0
            low_V = supply.min_export_voltage_V if mode is Mode.Export else supply.min_import_voltage_V or 0.0
            if voltage_V > high_V + EPSILON or voltage_V < low_V - EPSILON:
                self._refused = True
                return [Say(f"{voltage_V:.0f} V is not in the supply's range {low_V:.0f}..{high_V:.0f} V", "error")]
            high_A = supply.max_export_current_A if mode is Mode.Export else supply.max_import_current_A or 0.0
            current_A = min(current_A, high_A)
        if self._set == (mode, voltage_V, current_A):
            return []
        self._set = (mode, voltage_V, current_A)
        command = "setExportVoltageCurrent" if mode is Mode.Export else "setImportVoltageCurrent"
        return [Call("supply", command, (voltage_V, current_A))]

    def _on(self, mode: Mode) -> Effects:
        if self._mode is mode:
            return []
        self._mode = mode
        return [SupplyOrdered(mode), Call("supply", "setMode", (mode, self.state))]

    @on(event=SupplyOff)
    def off(self, event: SupplyOff, now: float) -> Effects:
        self.deadline = None
        self._set = None
        self._checking = False
        self._applied_A = 0.0
        was, self._mode = self._mode, Mode.Off
        if was is Mode.Off and not event.at_once:
            return []
        off = Call("supply", "setMode", (Mode.Off, self.state), urgent=event.at_once)
        return [SupplyOrdered(Mode.Off), off]
