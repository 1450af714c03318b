"""Over-voltage at the EV, IEC 61851-23 table 103: limits for the monitor, and a watch of our own beside it."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import RaiseFault
from chargebyte_fw.modules.evse.machine.events import (
    Contactor,
    CurrentDemand,
    EvMaximum,
    MonitorMeasured,
    SupplyCapabilitiesChanged,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged

Effects = list[Any]
TABLE_103 = ((1000.0, 1375.0), (850.0, 1100.0), (750.0, 935.0), (500.0, 825.0))
LOWEST_V = 550.0


def emergency_threshold(max_voltage_V: float) -> float:
    """Return the voltage (V) at which power must go at once, from the least of both sides' maxima."""
    return next((threshold for above, threshold in TABLE_103 if max_voltage_V > above), LOWEST_V)


class Watch(Enum):
    """What the watch has found."""

    Idle = "idle"
    Watching = "watching"
    Above = "above the EV's maximum"
    """For less than the time that makes it a fault."""
    Exceeded = "exceeded"
    """The fault is raised; it stays for this plug-in."""


class OverVoltage(Machine):
    """Watches while the current demand runs."""

    initial = Watch.Idle

    def __init__(self, duration_s: float, *, external: bool) -> None:
        super().__init__()
        self._duration_s = duration_s
        self._external = external
        self._supply_max_V = float("inf")
        self._error_V = timing.EV_MAX_VOLTAGE_DEFAULT_V
        self._emergency_V = LOWEST_V
        self._voltage_V = 0.0

    def _monitor(self, command: Call) -> Effects:
        return [command] if self._external else []

    @on(*Watch, event=SupplyCapabilitiesChanged)
    def supply(self, event: SupplyCapabilitiesChanged, now: float) -> None:
        """Keep the supply's maximum."""
        self._supply_max_V = event.supply.max_export_voltage_V

    @on(*Watch, event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> Effects:
        """Set the monitor's limits from the EV's maximum."""
        limits = (self._emergency_V, self._error_V)
        self._error_V = event.voltage_V or timing.EV_MAX_VOLTAGE_DEFAULT_V
        self._emergency_V = emergency_threshold(min(self._error_V, self._supply_max_V))
        if limits == (self._emergency_V, self._error_V):
            return []
        set_limits = call(OverVoltageMonitor.set_limits, self._emergency_V, self._error_V)
        return self._monitor(set_limits.latest_only())

    @on(Watch.Idle, Watch.Watching, Watch.Above, event=CurrentDemand, to=(Watch.Watching, Watch.Idle))
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        """Watch while the current demand runs."""
        if not event.running:
            return self._stop()
        monitor = self._monitor(call(OverVoltageMonitor.start))
        return monitor if self.state is Watch.Above else self.enter(Watch.Watching, *monitor)

    @on(Watch.Exceeded, event=CurrentDemand)
    def demand_again(self, event: CurrentDemand, now: float) -> Effects:
        """The monitor follows the current demand; what was found stays."""
        return self._monitor(call(OverVoltageMonitor.start if event.running else OverVoltageMonitor.stop))

    @on(Watch.Idle, Watch.Watching, Watch.Above, event=Contactor, to=Watch.Idle)
    def contactor(self, event: Contactor, now: float) -> Effects:
        """Open contactors end the watch."""
        return [] if event.closed else self._stop()

    @on(Watch.Exceeded, event=Contactor)
    def contactor_after_fault(self, event: Contactor, now: float) -> Effects:
        """Open contactors end the monitor's work; what was found stays."""
        return [] if event.closed else self._monitor(call(OverVoltageMonitor.stop))

    @on(*Watch, event=CarUnplugged, to=Watch.Idle)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        """The next EV has limits of its own, and what was found is over."""
        self._emergency_V, self._error_V = LOWEST_V, timing.EV_MAX_VOLTAGE_DEFAULT_V
        return self._monitor(call(OverVoltageMonitor.reset_over_voltage_error)) + self._stop()

    def _stop(self) -> Effects:
        return self.enter(Watch.Idle, *self._monitor(call(OverVoltageMonitor.stop)))

    @on(Watch.Watching, Watch.Above, event=MonitorMeasured, to=(Watch.Watching, Watch.Above, Watch.Exceeded))
    def measured(self, event: MonitorMeasured, now: float) -> Effects:
        """Judge a sample: an emergency at once, an error when it lasts."""
        self._voltage_V = event.voltage_V
        if event.voltage_V >= self._emergency_V:
            return self._exceeded(Severity.High)
        if event.voltage_V < self._error_V:
            return self.enter(Watch.Watching)
        if self._duration_s <= 0.0:
            return self._exceeded(Severity.Medium)
        if self.state is Watch.Watching:
            self.enter(Watch.Above)
            self.start("duration", now + self._duration_s)
        return []

    @on(Watch.Idle, Watch.Exceeded, event=MonitorMeasured)
    def not_watched(self, _: MonitorMeasured, now: float) -> None:
        """Without current demand a voltage is no finding."""

    @on(Watch.Above, timer="duration", to=Watch.Exceeded)
    def lasted(self, now: float) -> Effects:
        """The voltage has been too high for too long."""
        return self._exceeded(Severity.Medium)

    def _exceeded(self, severity: Severity) -> Effects:
        text = f"{self._voltage_V:.0f} V (error above {self._error_V:.0f} V, emergency {self._emergency_V:.0f} V)"
        return self.enter(Watch.Exceeded, RaiseFault("MREC5OverVoltage", text, severity=severity))
