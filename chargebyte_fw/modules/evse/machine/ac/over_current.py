"""An EV on AC that draws more than the duty cycle allows."""

from __future__ import annotations

from enum import Enum
from typing import Any

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.effects import RaiseFault
from chargebyte_fw.modules.evse.machine.events import Charging, MeterRead
from chargebyte_fw.modules.evse.machine.signals import PwmLimit, StateEntered

Effects = list[Any]


class Draw(Enum):
    """What the EV draws."""

    Idle = "idle"
    """It is not charging."""
    Within = "within the limit"
    Above = "above the limit"


class OverCurrent(Machine):
    """Compares each phase with the current signalled; a lower signal counts from the EV's time to follow on."""

    initial = Draw.Idle

    def __init__(self, config: EvseConfig) -> None:
        super().__init__()
        self._noise_A = config.soft_over_current_measurement_noise_A
        self._factor = 1.0 + config.soft_over_current_tolerance_percent / 100.0
        self._timeout_s = config.soft_over_current_timeout_ms / 1000
        self._limit_A: float | None = None
        self._worst_A = 0.0

    @on(Draw.Idle, event=PwmLimit)
    @on(Draw.Within, event=PwmLimit)
    @on(Draw.Above, event=PwmLimit, to=Draw.Within)
    def limit(self, event: PwmLimit, now: float) -> Effects:
        """Another current is signalled: the EV has its time to follow."""
        self._limit_A = event.limit_A
        return self.enter(Draw.Within) if self.state is Draw.Above else []

    @on(*Draw, event=StateEntered, to=(Draw.Within, Draw.Idle))
    def state_is(self, event: StateEntered, now: float) -> Effects:
        """Compare in Charging."""
        return self.enter(Draw.Within if event.state is Charging.Charging else Draw.Idle)

    @on(Draw.Idle, event=MeterRead)
    def not_charging(self, _: MeterRead, now: float) -> None:
        """Outside Charging no current is expected, nor limited by the duty cycle."""

    @on(Draw.Within, Draw.Above, event=MeterRead, to=(Draw.Within, Draw.Above))
    def meter(self, event: MeterRead, now: float) -> Effects:
        """Compare the phase that carries most."""
        current = event.value.current_A
        if self._limit_A is None or current is None:
            return []
        if current.L1 is None or current.L2 is None or current.L3 is None:
            return []
        self._worst_A = max(current.L1, current.L2, current.L3)
        if self._worst_A <= (self._limit_A + self._noise_A) * self._factor:
            return self.enter(Draw.Within)
        if self.state is Draw.Within:
            self.enter(Draw.Above)
            self.start("tolerated", now + self._timeout_s)
        return []

    @on(Draw.Above, timer="tolerated", to=Draw.Within)
    def lasted(self, now: float) -> Effects:
        """The current has been too high for too long."""
        text = f"{self._worst_A:.1f} A at a limit of {self._limit_A or 0.0:.1f} A"
        return self.enter(Draw.Within, RaiseFault("MREC4OverCurrentFailure", text))
