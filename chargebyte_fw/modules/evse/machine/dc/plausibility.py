"""Voltages of one line from several instruments must agree."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.machine.effects import RaiseFault
from chargebyte_fw.modules.evse.machine.events import (
    Contactor,
    CurrentDemand,
    InsulationMeasured,
    MeterRead,
    MonitorMeasured,
    SupplyMeasured,
)
from chargebyte_fw.modules.evse.machine.signals import CarUnplugged

Effects = list[Any]


class Agreement(Enum):
    """Whether the instruments agree."""

    Idle = "idle"
    Agreed = "agreed"
    Apart = "apart"
    """For less than the time that makes it a fault."""
    Implausible = "implausible"
    """The fault is raised; it stays for this plug-in."""


WATCHED = (Agreement.Idle, Agreement.Agreed, Agreement.Apart)
COMPARING = (Agreement.Agreed, Agreement.Apart)
COMPARED = (Agreement.Agreed, Agreement.Apart, Agreement.Implausible)
"""Where a comparison may lead."""


class Plausibility(Machine):
    """Watches the spread while the current demand runs."""

    initial = Agreement.Idle

    def __init__(self, spread_V: float, duration_s: float) -> None:
        super().__init__()
        self._spread_V = spread_V
        self._duration_s = duration_s
        self._samples_V: dict[str, float] = {}

    @on(*WATCHED, event=CurrentDemand, to=(Agreement.Agreed, Agreement.Idle))
    def current_demand(self, event: CurrentDemand, now: float) -> Effects:
        """Compare while the current demand runs, beginning without a sample."""
        self._samples_V.clear()
        return self.enter(Agreement.Agreed if event.running else Agreement.Idle)

    @on(*WATCHED, event=Contactor, to=Agreement.Idle)
    def contactor(self, event: Contactor, now: float) -> Effects:
        """Open contactors end the comparison."""
        return [] if event.closed else self.enter(Agreement.Idle)

    @on(*Agreement, event=CarUnplugged, to=Agreement.Idle)
    def unplugged(self, _: CarUnplugged, now: float) -> Effects:
        """What was found is over."""
        return self.enter(Agreement.Idle)

    @on(Agreement.Implausible, event=CurrentDemand)
    @on(Agreement.Implausible, event=Contactor)
    @on(Agreement.Idle, Agreement.Implausible, event=SupplyMeasured)
    @on(Agreement.Idle, Agreement.Implausible, event=MeterRead)
    @on(Agreement.Idle, Agreement.Implausible, event=InsulationMeasured)
    @on(Agreement.Idle, Agreement.Implausible, event=MonitorMeasured)
    def not_compared(self, _: Any, now: float) -> None:
        """Nothing is compared."""

    @on(*COMPARING, event=SupplyMeasured, to=COMPARED)
    def supply(self, event: SupplyMeasured, now: float) -> Effects:
        """Compare the supply's voltage."""
        return self._compare("power supply", event.voltage_V, now)

    @on(*COMPARING, event=MeterRead, to=COMPARED)
    def meter(self, event: MeterRead, now: float) -> Effects:
        """Compare the meter's voltage, if it has one."""
        voltage = event.value.voltage_V
        return [] if voltage is None or voltage.DC is None else self._compare("meter", voltage.DC, now)

    @on(*COMPARING, event=InsulationMeasured, to=COMPARED)
    def insulation(self, event: InsulationMeasured, now: float) -> Effects:
        """Compare the insulation monitor's voltage, if it has one."""
        voltage_V = event.sample.voltage_V
        return [] if voltage_V is None else self._compare("insulation monitor", voltage_V, now)

    @on(*COMPARING, event=MonitorMeasured, to=COMPARED)
    def monitor(self, event: MonitorMeasured, now: float) -> Effects:
        """Compare the over-voltage monitor's voltage."""
        return self._compare("over-voltage monitor", event.voltage_V, now)

    def _compare(self, source: str, voltage_V: float, now: float) -> Effects:
        self._samples_V[source] = voltage_V
        values_V = self._samples_V.values()
        if len(values_V) < 2 or max(values_V) - min(values_V) <= self._spread_V:
            return self.enter(Agreement.Agreed)
        if self._duration_s <= 0.0:
            return self._found()
        if self.state is Agreement.Agreed:
            self.enter(Agreement.Apart)
            self.start("duration", now + self._duration_s)
        return []

    @on(Agreement.Apart, timer="duration", to=Agreement.Implausible)
    def lasted(self, now: float) -> Effects:
        """The voltages have been apart for too long."""
        return self._found()

    def _found(self) -> Effects:
        text = ", ".join(f"{source} {voltage_V:.0f} V" for source, voltage_V in self._samples_V.items())
        return self.enter(Agreement.Implausible, RaiseFault("VoltagePlausibilityFault", text))
