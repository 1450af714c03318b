"""What the power stage and the insulation monitor are told, and what they say."""

from __future__ import annotations

from dataclasses import dataclass

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode


@dataclass(frozen=True, slots=True)
class Begin:
    """Everybody is there: say what there is to say."""


@dataclass(frozen=True, slots=True)
class SetMode:
    """Switch the stage; the phase tells what is at its output."""

    mode: Mode
    phase: ChargingPhase


@dataclass(frozen=True, slots=True)
class SetExport:
    """Set points towards the car."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class SetImport:
    """Set points from the car: nothing is drawn below the voltage, at most the current above it."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class ModeIs:
    """Effect: the stage is in this mode."""

    mode: Mode


@dataclass(frozen=True, slots=True)
class Output:
    """Effect: what is measured at the output; negative current flows from the car."""

    voltage_V: float
    current_A: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Effect: what the meter counts; import is what went to the car."""

    voltage_V: float
    current_A: float
    imported_Wh: float
    exported_Wh: float


@dataclass(frozen=True, slots=True)
class StartMeasuring:
    """Measure the insulation from now on."""


@dataclass(frozen=True, slots=True)
class StopMeasuring:
    """Measure no more, and give up a self test."""


@dataclass(frozen=True, slots=True)
class StartSelfTest:
    """Test yourself; an earlier test still running is given up."""


@dataclass(frozen=True, slots=True)
class SetResistance:
    """The insulation is this good from now on."""

    resistance_Ohm: float


@dataclass(frozen=True, slots=True)
class Measured:
    """Effect: a measurement."""

    resistance_Ohm: float


@dataclass(frozen=True, slots=True)
class SelfTested:
    """Effect: the end of a self test."""

    passed: bool
