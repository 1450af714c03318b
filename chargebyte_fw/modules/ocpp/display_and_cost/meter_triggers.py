"""Triggers of meter values in the cost messages of California Pricing: an energy, a power, statuses. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.contracts.types.powermeter import Powermeter

HYSTERESIS = 0.05
"""A power that was reached is reached again after it was this part away from the threshold."""


class MeterTriggers:
    """The triggers of one transaction."""

    def __init__(self, energy_kWh: float | None, power_kW: float | None, statuses: Sequence[str]) -> None:
        self.statuses = tuple(statuses)
        self._energy_Wh = None if energy_kWh is None else energy_kWh * 1000
        self._power_W = None if power_kW is None else power_kW * 1000
        self._above: bool | None = None
        self._has_crossed = False
        self.by_power = False
        """The last value of the meter that triggered did so by its power."""

    def measured(self, meter: Powermeter) -> bool:
        """Return whether a value of the meter triggers."""
        energy = self._energy_reached(meter.energy_Wh_import.total)
        self.by_power = meter.power_W is not None and self._power_crossed(meter.power_W.total)
        return energy or self.by_power

    def after_the_end(self) -> MeterTriggers | None:
        """Return what still triggers after the end of the transaction: a status like Finishing, which follows it."""
        return MeterTriggers(None, None, self.statuses) if self.statuses else None

    def _energy_reached(self, register_Wh: float) -> bool:
        if self._energy_Wh is None or register_Wh < self._energy_Wh:
            return False
        self._energy_Wh = None
        return True

    def _power_crossed(self, power_W: float) -> bool:
        threshold_W = self._power_W
        if threshold_W is None:
            return False
        if self._above is None:
            self._above = power_W >= threshold_W
            self._has_crossed = self._above
            return self._above
        margin_W = threshold_W * HYSTERESIS if self._has_crossed else 0.0
        if self._above:
            crossed = power_W <= threshold_W - margin_W
        else:
            crossed = power_W >= threshold_W + margin_W
        if crossed:
            self._above, self._has_crossed = not self._above, True
        return crossed
