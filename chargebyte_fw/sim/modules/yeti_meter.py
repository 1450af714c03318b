"""The meter of YetiSimulator: what a car draws from the grid, counted."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from chargebyte_fw.contracts.types import powermeter, units
from chargebyte_fw.kernel.clock import rfc3339, utc_now

METER_ID = "YETI_POWERMETER"
NOISE = 0.01
"""Share of a value by which a reading may differ from it."""


@dataclass
class Meter:
    """Energy, power and current per phase. `flow` sets what flows from now on, `advance` counts up to now."""

    voltage_V: float = 230.0
    frequency_Hz: float = 50.0
    current_A: float = 0.0
    """Of each phase that is in use; below zero: into the grid."""
    phases: int = 3
    imported_Wh: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    exported_Wh: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    _since_s: float = 0.0

    def advance(self, now: float) -> None:
        """Count what flowed up to monotonic second `now`."""
        moved_Wh = self.voltage_V * self.current_A * (now - self._since_s) / 3600
        for phase in range(self.phases):
            if moved_Wh >= 0:
                self.imported_Wh[phase] += moved_Wh
            else:
                self.exported_Wh[phase] -= moved_Wh
        self._since_s = now

    def flow(self, current_A: float, phases: int, now: float) -> None:
        """So much flows in each of these phases from now on."""
        self.advance(now)
        self.current_A, self.phases = current_A, phases

    def reset(self) -> None:
        """Begin to count at zero."""
        self.imported_Wh, self.exported_Wh = [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]

    def reading(self, chance: random.Random) -> powermeter.Powermeter:
        """Return what the meter shows, in the words of the contract."""
        volts = [self.voltage_V * _noise(chance) for _ in range(3)]
        amperes = [self.current_A * _noise(chance) if phase < self.phases else 0.0 for phase in range(3)]
        watts = [volt * ampere for volt, ampere in zip(volts, amperes, strict=True)]
        imported, exported = self.imported_Wh, self.exported_Wh
        return powermeter.Powermeter(
            timestamp=rfc3339(utc_now()),
            meter_id=METER_ID,
            phase_seq_error=False,
            energy_Wh_import=units.Energy(total=sum(imported), L1=imported[0], L2=imported[1], L3=imported[2]),
            energy_Wh_export=units.Energy(total=sum(exported), L1=exported[0], L2=exported[1], L3=exported[2]),
            power_W=units.Power(total=sum(watts), L1=watts[0], L2=watts[1], L3=watts[2]),
            voltage_V=units.Voltage(L1=volts[0], L2=volts[1], L3=volts[2]),
            current_A=units.Current(L1=amperes[0], L2=amperes[1], L3=amperes[2], N=0.0),
            frequency_Hz=units.Frequency(
                L1=self.frequency_Hz * _noise(chance),
                L2=self.frequency_Hz * _noise(chance),
                L3=self.frequency_Hz * _noise(chance),
            ),
        )


def _noise(chance: random.Random) -> float:
    return 1.0 + NOISE * (2 * chance.random() - 1)
