"""IMDSimulator: an insulation monitor that measures the configured value."""

from __future__ import annotations

import math
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.power.insulation import InsulationMonitor
from chargebyte_fw.modules.power.messages import (
    Measured,
    SelfTested,
    SetResistance,
    StartMeasuring,
    StartSelfTest,
    StopMeasuring,
)


class MonitorConfig(ModuleConfig):
    """What the monitor measures."""

    resistance_F_Ohm: Annotated[
        float, Meta(ge=0, description="Resistance between the direct-current lines and earth, in Ohm.")
    ] = 900_000.0
    interval: Annotated[int, Meta(ge=1, description="Time between two measurements, in ms.")] = 1000
    selftest_success: Annotated[bool, Meta(description="Whether the self test passes.")] = True


class Monitor(IsolationMonitor):
    """The insulation monitor."""

    module: IMDSimulator

    async def start(self) -> None:
        """Measure from now on."""
        self.module.pump.feed(StartMeasuring())

    async def stop(self) -> None:
        """Measure no more."""
        self.module.pump.feed(StopMeasuring())

    async def start_self_test(self, test_voltage_V: float) -> None:
        """Test yourself; the result comes as `self_test_result`."""
        self.module.log.info("self test at %.0f V", test_voltage_V)
        self.module.pump.feed(StartSelfTest())


class IMDSimulator(Module):
    """An insulation monitor, simulated; `everest_api/<id>/cmd/set_resistance` changes what it measures."""

    enable_external_mqtt = True
    main = provides(Monitor, config=MonitorConfig, description="The insulation monitor.")

    pump: Pump

    async def init(self) -> None:
        """Build the monitor and listen for another resistance."""
        config: MonitorConfig = self.main.config
        machine = InsulationMonitor(
            config.resistance_F_Ohm, config.interval / 1000, self_test_passes=config.selftest_success
        )
        self.pump = Pump(machine, self._act, self.crash)
        self._refused = RateLimitedLog(self.log)
        self._unsubscribe = self.runtime.mqtt.subscribe(
            f"everest_api/{self.id}/cmd/set_resistance", self._on_resistance
        )

    async def stop(self) -> None:
        """Measure no more."""
        self._unsubscribe()
        self._refused.close()
        self.pump.close()

    def _on_resistance(self, topic: str, payload: str) -> None:
        try:
            resistance_Ohm = float(payload)
        except ValueError:
            resistance_Ohm = math.nan
        if not (math.isfinite(resistance_Ohm) and resistance_Ohm >= 0):
            self._refused.write("%s: %r is no resistance in Ohm", topic, payload[:40])
            return
        self.log.info("measures %.0f Ohm from now on", resistance_Ohm)
        self.pump.feed(SetResistance(resistance_Ohm))

    def _act(self, effect: Any) -> None:
        match effect:
            case Measured(resistance_Ohm):
                self.main.isolation_measurement.publish(IsolationMeasurement(resistance_F_Ohm=resistance_Ohm))
            case SelfTested(passed):
                self.main.self_test_result.publish(passed)
