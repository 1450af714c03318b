"""What a group of modules can do: reported by each of them, added up, and narrowed by the configuration."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from chargebyte_fw.modules.power.infypower.messages import MAX_CURRENT, MAX_POWER, MAX_VOLTAGE, MIN_VOLTAGE, Item


@dataclass(frozen=True, slots=True)
class Limits:
    """Of the whole group, in both directions."""

    min_voltage_V: float
    max_voltage_V: float
    max_current_A: float
    max_power_W: float

    @property
    def make_sense(self) -> bool:
        """Whether there is a set point within."""
        return 0 <= self.min_voltage_V < self.max_voltage_V and self.max_current_A > 0 and self.max_power_W > 0

    def clamp(self, voltage_V: float, current_A: float) -> tuple[float, float]:
        """Return the nearest set point that the group may be given."""
        voltage_V = min(_sane(voltage_V), self.max_voltage_V)
        most_A = min(self.max_current_A, self.max_power_W / voltage_V) if voltage_V > 0 else self.max_current_A
        return voltage_V, min(_sane(current_A), most_A)

    def narrowed(self, max_current_A: float, max_power_W: float) -> tuple[Limits, list[str]]:
        """Apply the configured greatest values (negative: none); returns also what was not applied, in words."""
        narrowed, refused = self, []
        if 0 <= max_current_A <= self.max_current_A:
            narrowed = replace(narrowed, max_current_A=max_current_A)
        elif max_current_A > self.max_current_A:
            refused.append(f"override_max_current {max_current_A:g} A: the modules can {self.max_current_A:g} A only")
        if 0 <= max_power_W <= self.max_power_W:
            narrowed = replace(narrowed, max_power_W=max_power_W)
        elif max_power_W > self.max_power_W:
            refused.append(f"override_max_power {max_power_W:g} W: the modules can {self.max_power_W:g} W only")
        return narrowed, refused


@dataclass(frozen=True, slots=True)
class Options:
    """The configuration, in EVerest's words; negative overrides are none."""

    source: int = 240
    destination: int = 0
    bidirectional: bool = True
    override_max_current_A: float = -1.0
    override_max_power_W: float = -1.0
    override_cutoff_V: float = -1.0


@dataclass(frozen=True, slots=True)
class LimitsAre:
    """Effect: what the group can do."""

    limits: Limits


def add_up(reported: Mapping[Item, Mapping[int, float]]) -> Limits:
    """Put together what each module reported of itself: currents and powers add up, the tightest voltages hold."""
    return Limits(
        max(reported[MIN_VOLTAGE].values()),
        min(reported[MAX_VOLTAGE].values()),
        sum(reported[MAX_CURRENT].values()),
        sum(reported[MAX_POWER].values()),
    )


def _sane(value: float) -> float:
    """A set point that is no number, or below zero, asks for nothing."""
    return value if math.isfinite(value) and value > 0.0 else 0.0
