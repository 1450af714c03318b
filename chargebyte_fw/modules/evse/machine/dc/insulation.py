"""Insulation while energy flows: resistance, voltage to earth (IEC 61851-23 6.3.1.112.2), and when the monitor runs."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.iso15118 import IsolationStatus
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import RaiseFault, isolation_line
from chargebyte_fw.modules.evse.machine.events import (
    Charging,
    DcOpenContactor,
    InsulationMeasured,
    SupplyCapabilitiesChanged,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged, StateEntered

Effects = list[Any]
RESUME_W = 1000.0
"""A monitor that pauses in the pre-charge goes on above this power."""
ENDS = (Charging.Finished, Charging.ChargingPausedEVSE, Charging.TStepX1)
"""Charging states that end the monitor's work."""


class MonitorUse(Enum):
    """What the insulation monitor is used for."""

    Off = "off"
    Prepared = "prepared"
    """The cable check may have started it; its samples are not judged here."""
    Watching = "watching"


class Insulation(Machine):
    """Watches in state Charging; ends the monitor's work with the power path."""

    initial = MonitorUse.Off

    def __init__(self, fault_Ohm: float, *, pause_in_precharge: bool) -> None:
        super().__init__()
        self._fault_Ohm = fault_Ohm
        self._pause_in_precharge = pause_in_precharge
        self._paused = False
        self._min_V = 0.0
        self._max_V = 0.0
        self._reported: IsolationStatus | None = None
        self._bad_since_s: float | None = None
        """Since when each sample has had too high a voltage to earth."""

    @on(*MonitorUse, event=SupplyCapabilitiesChanged)
    def supply(self, event: SupplyCapabilitiesChanged, now: float) -> None:
        """Keep the range of the supply's voltage."""
        self._min_V = event.supply.min_export_voltage_V
        self._max_V = event.supply.max_export_voltage_V

    @on(*MonitorUse, event=StateEntered, to=tuple(MonitorUse))
    def state_is(self, event: StateEntered, now: float) -> Effects:
        """Prepare with PrepareCharging, watch in Charging, end where no energy flows any more."""
        self._bad_since_s = None
        if event.state is Charging.PrepareCharging:
            # In a renegotiation the monitor waits for the next cable check.
            ended = self._end() if self.state is MonitorUse.Watching else []
            self._paused, self._reported = self._pause_in_precharge, None
            return ended + self.enter(MonitorUse.Prepared)
        if event.state is Charging.Charging:
            return self.enter(MonitorUse.Watching)
        if event.state in ENDS:
            return self._end()
        return self.enter(MonitorUse.Prepared) if self.state is MonitorUse.Watching else []

    @on(*MonitorUse, event=DcOpenContactor, to=MonitorUse.Off)
    def open_contactor(self, _: DcOpenContactor, now: float) -> Effects:
        """HLC is done with the power path."""
        return self._end()

    @on(*MonitorUse, event=CarUnplugged, to=MonitorUse.Off)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        """The EV is gone."""
        return self._end()

    def _end(self) -> Effects:
        if self.state is MonitorUse.Off:
            return []
        return self.enter(MonitorUse.Off, call(IsolationMonitor.stop))

    @on(MonitorUse.Watching, event=SupplyMeasured)
    def measured(self, event: SupplyMeasured, now: float) -> Effects:
        """A monitor that pauses in the pre-charge goes on once power flows."""
        if not self._paused or event.voltage_V * event.current_A <= RESUME_W:
            return []
        self._paused = False
        return [call(IsolationMonitor.start)]

    @on(MonitorUse.Off, MonitorUse.Prepared, event=SupplyMeasured)
    @on(MonitorUse.Off, MonitorUse.Prepared, event=InsulationMeasured)
    def not_watched(self, _: Any, now: float) -> None:
        """No energy flows."""

    @on(MonitorUse.Watching, event=InsulationMeasured)
    def sample(self, event: InsulationMeasured, now: float) -> Effects:
        """Judge a sample, and report the status where it has changed."""
        resistance_Ohm = event.sample.resistance_F_Ohm
        low = resistance_Ohm < self._fault_Ohm
        effects: Effects = [isolation_line(resistance_Ohm, valid=not low)]
        status = IsolationStatus.Fault if low else IsolationStatus.Valid
        if status is not self._reported:
            self._reported = status
            effects.append(call(Iso15118Charger.update_isolation_status, status).latest_only())
        if low:
            text = f"{resistance_Ohm:.0f} Ohm while charging"
            effects.append(RaiseFault("MREC22ResistanceFault", text, "Resistance", Severity.Medium))
        return effects + self._to_earth(event.sample, now)

    def _to_earth(self, sample: IsolationMeasurement, now: float) -> Effects:
        """IEC 61851-23 6.3.1.112.2: neither line may have more than 1.1 times the voltage to earth, or 550 V."""
        voltage_V, l1e_V, l2e_V = sample.voltage_V, sample.voltage_to_earth_l1e_V, sample.voltage_to_earth_l2e_V
        if voltage_V is None or l1e_V is None or l2e_V is None or voltage_V <= self._min_V:
            self._bad_since_s = None
            return []
        limit_V = 1.1 * voltage_V if self._max_V > 500.0 else 550.0
        if max(abs(l1e_V), abs(l2e_V)) <= limit_V:
            self._bad_since_s = None
            return []
        if self._bad_since_s is None:
            self._bad_since_s = now
            return []
        if now - self._bad_since_s < timing.EARTH_VOLTAGE_S:
            return []
        text = f"{l1e_V:.0f} V and {l2e_V:.0f} V to earth at {voltage_V:.0f} V"
        return [RaiseFault("MREC22ResistanceFault", text, "VoltageToEarth", Severity.Medium)]
