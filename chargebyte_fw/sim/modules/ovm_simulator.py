"""OVMSimulator: an over-voltage monitor that measures what the power supply reports, or what a test wants."""

from __future__ import annotations

import asyncio
import math
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.over_voltage_monitor import OverVoltageMonitor
from chargebyte_fw.contracts.interfaces.power_supply_dc import PowerSupplyDC
from chargebyte_fw.contracts.types.power_supply_DC import VoltageCurrent
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires_optional
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog

PERIOD_S = 0.02
"""Period of the measurement while it runs."""
OVER_VOLTAGE = "over_voltage_monitor/MREC5OverVoltage"


class MonitorConfig(ModuleConfig):
    """Which over-voltage is simulated."""

    simulate_error_shutdown: Annotated[bool, Meta(description="Report an over-voltage that ends the charging.")] = False
    simulate_error: Annotated[bool, Meta(description="Older name of simulate_error_shutdown.")] = False
    simulate_emergency_shutdown: Annotated[
        bool, Meta(description="Report an over-voltage that takes the power off at once.")
    ] = False
    simulate_error_delay: Annotated[
        int, Meta(ge=0, description="Time from the start of the measurement to that report, in s.")
    ] = 5


class _Monitor(OverVoltageMonitor):
    """The monitor."""

    module: OVMSimulator
    config: MonitorConfig

    async def set_limits(self, emergency_over_voltage_limit_V: float, error_over_voltage_limit_V: float) -> None:
        """Take the limits, in V."""
        self.module.limits_V = (emergency_over_voltage_limit_V, error_over_voltage_limit_V)

    async def start(self) -> None:
        """Measure from now on."""
        self.module.begin()

    async def stop(self) -> None:
        """Measure no more."""
        self.module.end()

    async def reset_over_voltage_error(self) -> None:
        """Clear the reports."""
        self.faults.clear_all(OVER_VOLTAGE)


class OVMSimulator(Module):
    """An over-voltage monitor, simulated.

    `everest_api/<id>/cmd/set_over_voltage_measurement_V` sets what it measures; an empty value: the supply's again.
    """

    enable_external_mqtt = True
    main = provides(_Monitor, config=MonitorConfig, description="The monitor.")
    power_supply = requires_optional(PowerSupplyDC, only_reads=True)

    async def init(self) -> None:
        """Follow the power supply and listen for another voltage."""
        self.limits_V = (math.inf, math.inf)
        self._supply_V = 0.0
        self._wanted_V: float | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._refused = RateLimitedLog(self.log)
        if self.power_supply is not None:
            self.power_supply.voltage_current.subscribe(self._on_supply)
        topic = f"everest_api/{self.id}/cmd/set_over_voltage_measurement_V"
        self._unsubscribe = self.runtime.mqtt.subscribe(topic, self._on_voltage)

    async def stop(self) -> None:
        """Measure no more."""
        self._unsubscribe()
        self.end()
        self._refused.close()

    def begin(self) -> None:
        """Measure, and report later what the configuration has to be reported."""
        self.end()
        config: MonitorConfig = self.main.config
        self._timers = [self.after(0.0, self._measure)]
        if config.simulate_error_shutdown or config.simulate_error or config.simulate_emergency_shutdown:
            self._timers.append(self.after(config.simulate_error_delay, self._report_simulated))

    def end(self) -> None:
        """Measure no more."""
        for timer in self._timers:
            timer.cancel()
        self._timers = []

    def _on_supply(self, value: VoltageCurrent) -> None:
        self._supply_V = value.voltage_V

    def _on_voltage(self, topic: str, payload: str) -> None:
        try:
            wanted_V = float(payload) if payload.strip() else None
        except ValueError:
            wanted_V = math.nan
        if wanted_V is not None and not math.isfinite(wanted_V):
            self._refused.write("%s: %r is no voltage in V", topic, payload[:40])
            return
        self._wanted_V = wanted_V

    def _measure(self) -> None:
        self._timers[0] = self.after(PERIOD_S, self._measure)
        voltage_V = self._supply_V if self._wanted_V is None else self._wanted_V
        self.main.voltage_measurement_V.publish(voltage_V)
        emergency_V, error_V = self.limits_V
        if voltage_V > emergency_V:
            self._report(Severity.High, f"{voltage_V:.0f} V is above the emergency limit of {emergency_V:.0f} V")
        elif voltage_V > error_V:
            self._report(Severity.Medium, f"{voltage_V:.0f} V is above the error limit of {error_V:.0f} V")

    def _report_simulated(self) -> None:
        emergency = self.main.config.simulate_emergency_shutdown
        self._report(Severity.High if emergency else Severity.Medium, "simulated over-voltage")

    def _report(self, severity: Severity, message: str) -> None:
        if not self.main.faults.is_active(OVER_VOLTAGE):
            self.main.faults.raise_fault(OVER_VOLTAGE, message, severity=severity)
