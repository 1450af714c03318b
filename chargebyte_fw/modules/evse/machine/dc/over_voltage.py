"""Over-voltage at the EV, IEC 61851-23 table 103: limits for the monitor, and a monitor of our own beside it."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.machine import timing
from chargebyte_fw.modules.evse.machine.effects import Call, Raise
from chargebyte_fw.modules.evse.machine.events import (
    Contactor,
    CurrentDemand,
    EvMaximum,
    MonitorMeasured,
    Shutdown,
    SupplyTold,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged

Effects = list[Any]
TABLE_103 = ((1000.0, 1375.0), (850.0, 1100.0), (750.0, 935.0), (500.0, 825.0))
LOWEST_V = 550.0


def emergency_threshold(max_voltage_V: float) -> float:
    """Return the voltage (V) at which power must go at once, from the least of both sides' maxima."""
    return next((threshold for above, threshold in TABLE_103 if max_voltage_V > above), LOWEST_V)


class OverVoltage(Machine):
    """Watches while current demand runs. What it found stays until it is reset."""

    def __init__(self, duration_s: float, *, external: bool) -> None:
        super().__init__(Shutdown.Nothing)
        self._duration_s = duration_s
        self._external = external
        self._running = False
        self._supply_max_V = float("inf")
        self._error_V = timing.EV_MAX_VOLTAGE_DEFAULT_V
        self._emergency_V = LOWEST_V

    def _call(self, command: str, *args: Any) -> Effects:
        return [Call("monitor", command, args)] if self._external else []

    @on(event=SupplyTold)
    def supply(self, event: SupplyTold, now: float) -> Effects:
        self._supply_max_V = event.supply.max_export_voltage_V
        return []

    @on(event=EvMaximum)
    def ev_maximum(self, event: EvMaximum, now: float) -> Effects:
        limits = (self._emergency_V, self._error_V)
        self._error_V = event.voltage_V or timing.EV_MAX_VOLTAGE_DEFAULT_V
        self._emergency_V = emergency_threshold(min(self._error_V, self._supply_max_V))
        if limits == (self._emergency_V, self._error_V):
            return []
        return self._call("set_limits", self._emergency_V, self._error_V)

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        return self._start() if event.running else self._stop()

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> Effects:
        return [] if event.closed else self._stop()

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        self.state = Shutdown.Nothing
        self._emergency_V, self._error_V = LOWEST_V, timing.EV_MAX_VOLTAGE_DEFAULT_V
        return self._call("reset_over_voltage_error") + self._stop()

    def _start(self) -> Effects:
        self._running = True
        return self._call("start")

    def _stop(self) -> Effects:
        self._running = False
        self.deadline = None
        return self._call("stop")

    @on(event=MonitorMeasured)
    def measured(self, event: MonitorMeasured, now: float) -> Effects:
        if not self._running or self.state is not Shutdown.Nothing:
            return []
        self._voltage_V = event.voltage_V
        if event.voltage_V >= self._emergency_V:
            return self._found(Severity.High)
        if event.voltage_V < self._error_V:
            self.deadline = None
            return []
        if self._duration_s <= 0.0:
            return self._found(Severity.Medium)
        if self.deadline is None:
            self.deadline = now + self._duration_s
        return []

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        return self._found(Severity.Medium) if self._running else []

    def _found(self, severity: Severity) -> Effects:
        self.deadline = None
        self.state = Shutdown.Emergency if severity is Severity.High else Shutdown.Error
        text = f"{self._voltage_V:.0f} V (error above {self._error_V:.0f} V, emergency {self._emergency_V:.0f} V)"
        return [Raise("MREC5OverVoltage", text, severity=severity)]
