"""Voltages of one line from several instruments must agree."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.machine.effects import Raise
from chargebyte_fw.modules.evse.machine.events import (
    Contactor,
    CurrentDemand,
    InsulationMeasured,
    MeterRead,
    MonitorMeasured,
    Shutdown,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged

Effects = list[Any]


class Plausibility(Machine):
    """Watches the spread while current demand runs; what it found stays until the next start."""

    def __init__(self, spread_V: float, duration_s: float) -> None:
        super().__init__(Shutdown.Nothing)
        self._spread_V = spread_V
        self._duration_s = duration_s
        self._running = False
        self._samples: dict[str, float] = {}

    @on(event=CurrentDemand)
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        return self._switch(event.running)

    @on(event=Contactor)
    def contactor(self, event: Contactor, now: float) -> Effects:
        return [] if event.closed else self._switch(False)

    @on(event=CarUnplugged)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        self.state = Shutdown.Nothing
        return self._switch(False)

    def _switch(self, running: bool) -> Effects:
        self._running = running
        self._samples.clear()
        self.deadline = None
        return []

    @on(event=SupplyMeasured)
    def supply(self, event: SupplyMeasured, now: float) -> Effects:
        return self._take("power supply", event.voltage_V, now)

    @on(event=MeterRead)
    def meter(self, event: MeterRead, now: float) -> Effects:
        voltage = event.value.voltage_V
        return [] if voltage is None or voltage.DC is None else self._take("meter", voltage.DC, now)

    @on(event=InsulationMeasured)
    def insulation(self, event: InsulationMeasured, now: float) -> Effects:
        voltage_V = event.sample.voltage_V
        return [] if voltage_V is None else self._take("insulation monitor", voltage_V, now)

    @on(event=MonitorMeasured)
    def monitor(self, event: MonitorMeasured, now: float) -> Effects:
        return self._take("over-voltage monitor", event.voltage_V, now)

    def _take(self, source: str, voltage_V: float, now: float) -> Effects:
        if not self._running or self.state is not Shutdown.Nothing:
            return []
        self._samples[source] = voltage_V
        if not self._implausible():
            self.deadline = None
            return []
        if self._duration_s <= 0.0:
            return self._found()
        if self.deadline is None:
            self.deadline = now + self._duration_s
        return []

    def _implausible(self) -> bool:
        values = self._samples.values()
        return len(values) >= 2 and max(values) - min(values) > self._spread_V

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        return self._found() if self._running and self._implausible() else []

    def _found(self) -> Effects:
        self.deadline = None
        self.state = Shutdown.Emergency
        text = ", ".join(f"{source} {voltage_V:.0f} V" for source, voltage_V in self._samples.items())
        return [Raise("VoltagePlausibilityFault", text)]
