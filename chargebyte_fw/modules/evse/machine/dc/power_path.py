"""The DC power path: what the supply is set to, from the EV's targets and the EVSE's limits."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities, ChargingPhase, Mode
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.dc.set_point import (
    EPSILON,
    clamped_voltage,
    dynamic_target,
    export_current,
    import_current,
    supply_range,
    with_fraction,
)
from chargebyte_fw.modules.evse.machine.effects import LogLine
from chargebyte_fw.modules.evse.machine.events import (
    BudgetOver,
    Charging,
    Contactor,
    CurrentDemand,
    DynamicLimits,
    EvMaximum,
    EvTargets,
    PreChargeStart,
    SaeBidi,
    ServiceSelected,
    Shutdown,
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import (
    PowerPathLimits,
    PowerPathUse,
    ShutdownChanged,
    StateEntered,
    SupplyOff,
    SupplyOrdered,
    SupplyWanted,
)

Effects = list[Any]
FOR_EV = (ChargingPhase.PreCharge, ChargingPhase.Charging)
"""Phases in which the EV's targets count."""
NOT_FOR_EV = (ChargingPhase.Other, ChargingPhase.CableCheck)
PERMITTED = (Charging.PrepareCharging, Charging.Charging)


class EvSide(msgspec.Struct):
    """The EV of one session on the power path."""

    maximum: EvMaximum = EvMaximum(None, None, None)
    target: EvTargets | None = None
    """What it asks for; None: for nothing."""
    reference_V: float = 0.0
    """The voltage that it asked for last."""
    dynamic: DynamicLimits | None = None
    """Its limits in Dynamic control, from which its target follows anew with each change of the EVSE's."""
    bidirectional: bool = False
    signed: bool = False
    """It asks for a discharge by a negative current (ISO 15118-20)."""
    below_least_logged: bool = False
    """Logged that the supply cannot give as little as is wanted."""


class Output(msgspec.Struct):
    """What the supply is ordered to do, until it is switched off."""

    mode: Mode = Mode.Off
    set_point: tuple[Mode, float, float] | None = None
    """Direction, voltage in V and current in A that were ordered last."""
    for_cable_check: bool = False
    applied_A: float = 0.0
    applied_s: float = 0.0
    """Where the ramp was last, and when."""


class PowerPath(Machine):
    """Set points and mode of one supply. Rising current follows the ramp, falling current is set at once.

    The state is what the power path is used for: the phase that EVerest's power supplies get with their mode.
    """

    initial = ChargingPhase.Other

    def __init__(self, config: EvseConfig) -> None:
        super().__init__()
        self._config = config
        self._supply: Capabilities | None = None
        self._limits: PowerPathLimits | None = None
        self._charging = Charging.Idle
        self._fatal = False
        self._contactors_closed = False
        self.present_V = 0.0
        self.present_A = 0.0
        """Voltage and current at the supply's output."""
        self.ev = EvSide(bidirectional=config.hack_allow_bpt_with_iso2)
        self._output = Output()

    # Facts.

    @on(*ChargingPhase, event=SupplyCapabilitiesChanged)
    def supply(self, event: SupplyCapabilitiesChanged, now: float) -> None:
        """Keep the supply's capabilities."""
        self._supply = event.supply

    @on(*ChargingPhase, event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> None:
        """Keep voltage and current at the supply's output."""
        self.present_V, self.present_A = event.voltage_V, event.current_A

    @on(*ChargingPhase, event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> None:
        """Keep what the EV can take."""
        self.ev.maximum = event

    @on(*ChargingPhase, event=ShutdownChanged)
    def shutdown(self, event: ShutdownChanged, now: float) -> None:
        """Nothing is applied while a fault blocks."""
        self._fatal = event.kind is not Shutdown.Nothing

    @on(*ChargingPhase, event=ServiceSelected)
    def service(self, event: ServiceSelected, now: float) -> None:
        """The EV has chosen its service: it may give energy back."""
        self.ev.bidirectional = self.ev.signed = event.bidirectional and not event.ac

    @on(*ChargingPhase, event=SaeBidi)
    def sae(self, _: SaeBidi, now: float) -> None:
        """An SAE J2847/2 EV gives energy back."""
        self.ev.bidirectional = True

    @on(*ChargingPhase, event=PowerPathLimits)
    def limits(self, event: PowerPathLimits, now: float) -> Effects:
        """Apply less at once; more is taken with the next target or the next enforcement."""
        self._limits = event
        on_for_ev = self._output.mode is not Mode.Off and not self._output.for_cable_check
        return self._apply(now) if on_for_ev else []

    @on(*ChargingPhase, event=BudgetOver)
    def budget_over(self, _: BudgetOver, now: float) -> Effects:
        """The energy management is silent: nothing is allowed."""
        if self._limits is None:
            return []
        nothing = replace(self._limits, current_A=0.0, power_W=0.0, discharge_current_A=0.0, discharge_power_W=0.0)
        return self.limits(nothing, now)

    # What the power path is used for.

    @on(*ChargingPhase, event=StateEntered, to=ChargingPhase.Other)
    def state_is(self, event: StateEntered, now: float) -> Effects:
        """Follow the charging state; in Idle the EV's side ends."""
        self._charging = event.state
        if event.state is not Charging.Idle:
            return []
        self.ev = EvSide(bidirectional=self._config.hack_allow_bpt_with_iso2)
        return self._use(ChargingPhase.Other)

    @on(*NOT_FOR_EV, event=Contactor)
    def contactor(self, event: Contactor, now: float) -> None:
        """Keep the contactors' feedback."""
        self._contactors_closed = event.closed

    @on(*FOR_EV, event=Contactor)
    def contactor_for_ev(self, event: Contactor, now: float) -> Effects:
        """Closed contactors let the EV's targets count."""
        self._contactors_closed = event.closed
        return self._apply(now) if event.closed else []

    @on(*ChargingPhase, event=PowerPathUse, to=NOT_FOR_EV)
    def phase(self, event: PowerPathUse, now: float) -> Effects:
        """The cable check begins or ends."""
        return self._use(event.phase)

    @on(*ChargingPhase, event=PreChargeStart, to=ChargingPhase.PreCharge)
    def pre_charge(self, _: PreChargeStart, now: float) -> Effects:
        """The EV precharges (IEC 61851-23 CC.4.2)."""
        return self._use(ChargingPhase.PreCharge) + self._apply(now)

    @on(*ChargingPhase, event=CurrentDemand, to=(ChargingPhase.Charging, ChargingPhase.Other))
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        """Energy flows; what the EV asked for ends with the loop: the next pre-charge brings its own targets."""
        if event.running:
            return self._use(ChargingPhase.Charging) + self._apply(now)
        self.ev.target = self.ev.dynamic = None
        return self.enter(ChargingPhase.Other)

    def _use(self, phase: ChargingPhase) -> Effects:
        if phase is self.state:
            return []
        mode = self._output.mode
        return self.enter(phase, *([call(PowerSupplyDC.setMode, mode, phase)] if mode is not Mode.Off else []))

    # The EV's targets.

    @on(*ChargingPhase, event=EvTargets)
    def targets(self, event: EvTargets, now: float) -> Effects:
        """The EV asks for voltage and current."""
        if self._config.hack_skoda_enyaq and (event.voltage_V < 300.0 or event.current_A < 0.0):
            return []
        voltage_V = event.voltage_V if event.voltage_V > 0.0 else self.ev.reference_V
        current_A = event.current_A
        if self._config.hack_fix_hlc_integer_current_requests:
            current_A = with_fraction(current_A, self._limits)
        self.ev.dynamic = None
        self._aim(EvTargets(voltage_V, current_A))
        return self._apply(now)

    @on(*ChargingPhase, event=DynamicLimits)
    def dynamic(self, event: DynamicLimits, now: float) -> Effects:
        """ISO 15118-20 dynamic mode: the EV reports limits, the EVSE decides."""
        self.ev.dynamic = event
        return self._apply(now)

    def _decide(self) -> None:
        """Choose voltage and current in dynamic mode, within everybody's limits of this moment."""
        ev, limits = self.ev, self._limits
        if ev.dynamic is None or limits is None:
            return
        exports = ev.bidirectional and limits.current_A <= 0.0 and limits.discharge_current_A > 0.0
        supply_min_V = self._supply.min_export_voltage_V if self._supply is not None else 0.0
        self._aim(dynamic_target(ev.dynamic, limits, self.present_V, exports=exports, supply_min_V=supply_min_V))

    def _aim(self, target: EvTargets) -> None:
        self.ev.target, self.ev.reference_V = target, target.voltage_V

    @on(*FOR_EV, timer="apply")
    def apply_again(self, now: float) -> Effects:
        """The ramp goes on, or five seconds are over: the newest limits are applied to the last target."""
        on_for_ev = self._output.mode is not Mode.Off and not self._output.for_cable_check
        return self._apply(now) if on_for_ev else []

    def _permitted(self) -> bool:
        """No voltage onto open contactors, none with a fault, none outside the states that use it."""
        ending = self._charging is Charging.StoppingCharging and self._output.mode is not Mode.Off
        in_use = self._charging in PERMITTED or ending
        return in_use and not self._fatal and self._contactors_closed and self.state in FOR_EV

    def _apply(self, now: float) -> Effects:
        self._decide()
        target = self.ev.target
        if target is None or not self._permitted():
            return []
        self._output.for_cable_check = False
        if self._discharges():
            return self._discharge(target, now)
        limits = self._limits if self.state is ChargingPhase.Charging else None
        wanted_A, by = export_current(target, self.ev.maximum, limits, self.present_V)
        least_A = self._supply.min_export_current_A if self._supply is not None else 0.0
        wanted_A, effects = self._above_least(wanted_A, least_A, by)
        current_A = self._ramped(wanted_A, least_A, now)
        effects += self._order(Mode.Export, clamped_voltage(target, self.ev.maximum), current_A)
        rising = current_A < wanted_A - EPSILON and self._charging is not Charging.StoppingCharging
        self.start("apply", now + (timing.RAMP_STEP_S if rising else timing.DC_ENFORCE_S))
        return effects

    def _above_least(self, wanted_A: float, least_A: float, by: str) -> tuple[float, Effects]:
        """Return 0 A for less than the supply can give: its least is never given against a limit; logged once."""
        ev = self.ev
        below = 0.0 < wanted_A < least_A - EPSILON
        effects: Effects = []
        if below and not ev.below_least_logged:
            text = f"no current: {by} {wanted_A:.2f} A, the power supply gives at least {least_A:.2f} A"
            effects.append(LogLine(text, "warning"))
        elif ev.below_least_logged and wanted_A >= least_A - EPSILON:
            effects.append(LogLine(f"current again: {wanted_A:.2f} A"))
        if below or wanted_A > 0.0:
            ev.below_least_logged = below
        return (0.0 if below else wanted_A), effects

    def _ramped(self, wanted_A: float, least_A: float, now: float) -> float:
        output = self._output
        if output.mode is not Mode.Export:
            output.applied_A, output.applied_s = 0.0, now
        # Once we stop, the EV leads the current down and it never rises again.
        stopping = self._charging is Charging.StoppingCharging
        rise_A = 0.0 if stopping else (now - output.applied_s) * self._config.dc_ramp_ampere_per_second
        current_A = min(wanted_A, output.applied_A + rise_A)
        if current_A < least_A:
            # The ramp begins at the least current of the supply.
            current_A = 0.0 if stopping else min(wanted_A, least_A)
        output.applied_A, output.applied_s = current_A, now
        return current_A

    def _discharges(self) -> bool:
        limits, supply = self._limits, self._supply
        if limits is None or supply is None or self.state is not ChargingPhase.Charging:
            return False
        granted = limits.current_A <= 0.0 and limits.discharge_current_A > 0.0
        return granted and self.ev.bidirectional and supply.bidirectional

    def _discharge(self, target: EvTargets, now: float) -> Effects:
        assert self._limits is not None and self._supply is not None
        wanted_A, by = import_current(target, self._limits, self.present_V, signed=self.ev.signed)
        current_A, effects = self._above_least(wanted_A, self._supply.min_import_current_A or 0.0, by)
        self.start("apply", now + timing.DC_ENFORCE_S)
        return effects + self._order(Mode.Import, target.voltage_V, current_A)

    # The supply.

    @on(*ChargingPhase, event=SupplyWanted)
    def wanted(self, event: SupplyWanted, now: float) -> Effects:
        """The cable check orders voltage and current, without ramp."""
        if self._fatal:
            return []
        self._output.for_cable_check = True
        least_A = self._supply.min_export_current_A if self._supply is not None else 0.0
        if event.current_A < least_A:
            text = f"{event.current_A:.1f} A are allowed here, the power supply gives at least {least_A:.1f} A"
            return [LogLine(text, "error")]
        return self._order(Mode.Export, event.voltage_V, event.current_A)

    def _order(self, mode: Mode, voltage_V: float, current_A: float) -> Effects:
        """Set the supply and switch it on; a voltage that it cannot give is not ordered."""
        output = self._output
        if self._supply is not None:
            low_V, high_V, high_A = supply_range(self._supply, mode)
            if voltage_V > high_V + EPSILON or voltage_V < low_V - EPSILON:
                return [LogLine(f"{voltage_V:.0f} V is not in the supply's range {low_V:.0f}..{high_V:.0f} V", "error")]
            current_A = min(current_A, high_A)
        effects: Effects = []
        if output.set_point != (mode, voltage_V, current_A):
            output.set_point = (mode, voltage_V, current_A)
            towards_ev = mode is Mode.Export
            command = PowerSupplyDC.setExportVoltageCurrent if towards_ev else PowerSupplyDC.setImportVoltageCurrent
            effects.append(call(command, voltage_V, current_A))
        if output.mode is not mode:
            output.mode = mode
            effects += [SupplyOrdered(mode), call(PowerSupplyDC.setMode, mode, ChargingPhase(self.state.value))]
        return effects

    @on(*ChargingPhase, event=SupplyOff)
    def off(self, event: SupplyOff, now: float) -> Effects:
        """Switch the supply off; at once, it overtakes everything that waits for the supply."""
        self.stop("apply")
        was, self._output = self._output.mode, Output()
        if was is Mode.Off and not event.at_once:
            return []
        off = call(PowerSupplyDC.setMode, Mode.Off, ChargingPhase(self.state.value))
        return [SupplyOrdered(Mode.Off), off.urgently() if event.at_once else off]
