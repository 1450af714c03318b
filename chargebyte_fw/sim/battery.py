"""A traction battery with a charging curve: what a car asks for at each state of charge."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

_CURVE = ((0.0, 0.6), (8.0, 1.0), (55.0, 1.0), (80.0, 0.55), (95.0, 0.2), (100.0, 0.05))
"""State of charge in percent against the share of the maximum power that the cells accept."""


@dataclass
class Battery:
    """State of a battery; `draw` advances it. All values are the car's own, nothing is shared with the charger."""

    capacity_Wh: float = 60_000.0
    soc_percent: float = 30.0
    empty_V: float = 330.0
    full_V: float = 410.0
    max_power_W: float = 150_000.0
    max_current_A: float = 300.0
    max_voltage_V: float = 440.0
    resistance_Ohm: float = 0.05
    least_soc_percent: float = 10.0
    """Below this the battery gives nothing to others."""

    def __post_init__(self) -> None:
        if self.capacity_Wh <= 0:
            raise ValueError(f"a battery holds more than {self.capacity_Wh:g} Wh")
        if not 0 <= self.soc_percent <= 100:
            raise ValueError(f"a state of charge is 0 to 100 percent, not {self.soc_percent:g}")

    @property
    def open_circuit_V(self) -> float:
        """Voltage at rest, rising with the state of charge."""
        return self.empty_V + (self.full_V - self.empty_V) * self.soc_percent / 100

    @property
    def accepted_power_W(self) -> float:
        """Power the cells accept now, from the charging curve."""
        for (soc_a, share_a), (soc_b, share_b) in pairwise(_CURVE):
            if self.soc_percent <= soc_b:
                share = share_a + (share_b - share_a) * (self.soc_percent - soc_a) / (soc_b - soc_a)
                return share * self.max_power_W
        return 0.0

    @property
    def target_current_A(self) -> float:
        """Current the car asks for now."""
        return min(self.max_current_A, self.accepted_power_W / self.open_circuit_V)

    @property
    def target_voltage_V(self) -> float:
        """Voltage the car asks for now: enough to push the target current through the inner resistance."""
        return min(self.max_voltage_V, self.open_circuit_V + self.target_current_A * self.resistance_Ohm + 5.0)

    def terminal_V(self, current_A: float) -> float:
        """Voltage at the inlet while `current_A` flows in."""
        return self.open_circuit_V + current_A * self.resistance_Ohm

    def draw(self, power_W: float, duration_s: float) -> float:
        """Take in (or, negative, give out) power for a while; returns the energy in Wh."""
        energy_Wh = power_W * duration_s / 3600
        self.soc_percent = min(100.0, max(0.0, self.soc_percent + 100 * energy_Wh / self.capacity_Wh))
        return energy_Wh
