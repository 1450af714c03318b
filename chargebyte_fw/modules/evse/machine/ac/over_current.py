"""An EV on AC that draws more than the duty cycle says."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.effects import Raise
from chargebyte_fw.modules.evse.machine.events import Charging, MeterRead
from chargebyte_fw.modules.evse.machine.signals import PwmLimit, StateIs

Effects = list[Any]


class OverCurrent(Machine):
    """Compares each phase with the current signalled; a lower signal counts from the EV's time to follow on."""

    def __init__(self, config: EvseConfig) -> None:
        super().__init__(Charging.Idle)
        self._noise_A = config.soft_over_current_measurement_noise_A
        self._factor = 1.0 + config.soft_over_current_tolerance_percent / 100.0
        self._timeout_s = config.soft_over_current_timeout_ms / 1000
        self._limit_A: float | None = None
        self._worst_A = 0.0

    @on(event=PwmLimit)
    def limit(self, event: PwmLimit, now: float) -> Effects:
        self._limit_A = event.limit_A
        self.deadline = None
        return []

    @on(event=StateIs)
    def kernel_state(self, event: StateIs, now: float) -> Effects:
        self.state = event.state
        self.deadline = None
        return []

    @on(event=MeterRead)
    def meter(self, event: MeterRead, now: float) -> Effects:
        current = event.value.current_A
        if self.state is not Charging.Charging or self._limit_A is None or current is None:
            return []
        if current.L1 is None or current.L2 is None or current.L3 is None:
            return []
        self._worst_A = max(current.L1, current.L2, current.L3)
        if self._worst_A <= (self._limit_A + self._noise_A) * self._factor:
            self.deadline = None
        elif self.deadline is None:
            self.deadline = now + self._timeout_s
        return []

    @on(event=Timeout)
    def timeout(self, _: Timeout, now: float) -> Effects:
        return [Raise("MREC4OverCurrentFailure", f"{self._worst_A:.1f} A at a limit of {self._limit_A or 0.0:.1f} A")]
