"""Events and effects of the power stage and the insulation monitor."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode


class Begin(msgspec.Struct, frozen=True):
    """All modules are ready: publish the first values."""


class SetMode(msgspec.Struct, frozen=True):
    """Switch the stage; the phase is what its output is for."""

    mode: Mode
    phase: ChargingPhase


class SetExport(msgspec.Struct, frozen=True):
    """Set points towards the car."""

    voltage_V: float
    current_A: float


class SetImport(msgspec.Struct, frozen=True):
    """Set points from the car: nothing is drawn below the voltage, at most the current above it."""

    voltage_V: float
    current_A: float


class ModeIs(msgspec.Struct, frozen=True):
    """Effect: the stage is in this mode."""

    mode: Mode


class Output(msgspec.Struct, frozen=True):
    """Effect: what is measured at the output; negative current flows from the car."""

    voltage_V: float
    current_A: float


class Reading(msgspec.Struct, frozen=True):
    """Effect: what the meter counts; import is what went to the car."""

    voltage_V: float
    current_A: float
    imported_Wh: float
    exported_Wh: float


class StartMeasuring(msgspec.Struct, frozen=True):
    """Measure the insulation from now on."""


class StopMeasuring(msgspec.Struct, frozen=True):
    """Measure no more, and give up a self test."""


class StartSelfTest(msgspec.Struct, frozen=True):
    """Test yourself; an earlier test still running is given up."""


class SetResistance(msgspec.Struct, frozen=True):
    """The insulation is this good from now on."""

    resistance_Ohm: float


class Measured(msgspec.Struct, frozen=True):
    """Effect: a measurement."""

    resistance_Ohm: float


class SelfTested(msgspec.Struct, frozen=True):
    """Effect: the end of a self test."""

    passed: bool
