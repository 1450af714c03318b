"""An insulation monitor that measures what it was told to, at its interval; its self test takes three seconds."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, Timeout, on
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

    def __init__(self, resistance_Ohm: float, interval_s: float, *, self_test_passes: bool) -> None:
        super().__init__(State.STOPPED)
        self.resistance_Ohm = resistance_Ohm
        self._interval_s = interval_s
        self._self_test_passes = self_test_passes
        self._measure_s: float | None = None
        self._tested_s: float | None = None

    @on(event=StartMeasuring)
    def start_measuring(self, _event: StartMeasuring, now: float) -> list[Any]:
        """Measure at once and then at every interval; started twice, the rhythm stays."""
        if self.state is State.MEASURING:
            return []
        self.state, self._measure_s = State.MEASURING, now
        return self._due(now)

    @on(event=StopMeasuring)
    def stop_measuring(self, _event: StopMeasuring, now: float) -> list[Any]:
        """Say nothing any more, not even the result of a test that nobody waits for now."""
        self.state, self._measure_s, self._tested_s = State.STOPPED, None, None
        return self._due(now)

    @on(event=StartSelfTest)
    def start_self_test(self, _event: StartSelfTest, now: float) -> list[Any]:
        """Have a result later."""
        self._tested_s = now + SELF_TEST_S
        return self._due(now)

    @on(event=SetResistance)
    def set_resistance(self, event: SetResistance, now: float) -> list[Any]:
        """Measure this from the next interval on."""
        self.resistance_Ohm = event.resistance_Ohm
        return self._due(now)

    @on(event=Timeout)
    def time_passes(self, _event: Timeout, now: float) -> list[Any]:
        """Say what is due."""
        return self._due(now)

    def _due(self, now: float) -> list[Any]:
        effects: list[Any] = []
        if self._tested_s is not None and now >= self._tested_s:
            self._tested_s = None
            effects.append(SelfTested(self._self_test_passes))
        if self._measure_s is not None and now >= self._measure_s:
            self._measure_s = now + self._interval_s
            effects.append(Measured(self.resistance_Ohm))
        self.deadline = min((at for at in (self._tested_s, self._measure_s) if at is not None), default=None)
        return effects
