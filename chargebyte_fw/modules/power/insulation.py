"""An insulation monitor that measures a given resistance at its interval; its self test takes three seconds."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.power.messages import (
    Measured,
    SelfTested,
    SetResistance,
    StartMeasuring,
    StartSelfTest,
    StopMeasuring,
)
from chargebyte_fw.modules.power.timing import SELF_TEST_S


class State(Enum):
    """Whether measurements are published."""

    STOPPED = "stopped"
    MEASURING = "measuring"


class InsulationMonitor(Machine):
    """The rules of the simulated monitor."""

    initial = State.STOPPED

    def __init__(self, resistance_Ohm: float, interval_s: float, *, self_test_passes: bool) -> None:
        super().__init__()
        self.resistance_Ohm = resistance_Ohm
        self._interval_s = interval_s
        self._self_test_passes = self_test_passes

    @on(State.STOPPED, event=StartMeasuring, to=State.MEASURING)
    def start_measuring(self, _event: StartMeasuring, now: float) -> list[Any]:
        """Measure at once and then at every interval."""
        self.enter(State.MEASURING)
        return self.measure(now)

    @on(State.MEASURING, event=StartMeasuring)
    def start_again(self, _event: StartMeasuring, now: float) -> None:
        """Keep the rhythm."""

    @on(State.STOPPED, State.MEASURING, event=StopMeasuring, to=State.STOPPED)
    def stop_measuring(self, _event: StopMeasuring, now: float) -> list[Any]:
        """Publish nothing any more, not even the result of a self test that is under way."""
        self.stop("self test")
        return self.enter(State.STOPPED)

    @on(State.STOPPED, State.MEASURING, event=StartSelfTest)
    def start_self_test(self, _event: StartSelfTest, now: float) -> None:
        """Have a result later."""
        self.start("self test", now + SELF_TEST_S)

    @on(State.STOPPED, State.MEASURING, event=SetResistance)
    def set_resistance(self, event: SetResistance, now: float) -> None:
        """Measure this from the next interval on."""
        self.resistance_Ohm = event.resistance_Ohm

    @on(State.STOPPED, State.MEASURING, timer="self test")
    def self_tested(self, now: float) -> list[Any]:
        """Publish the result of the self test."""
        return [SelfTested(self._self_test_passes)]

    @on(State.MEASURING, timer="interval")
    def measure(self, now: float) -> list[Any]:
        """Publish a measurement."""
        self.start("interval", now + self._interval_s)
        return [Measured(self.resistance_Ohm)]
