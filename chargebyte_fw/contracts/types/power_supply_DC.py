"""EVerest type file `power_supply_DC`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta


class Mode(StrEnum):
    """Export = power towards car, Import = power from car."""

    Off = "Off"
    Export = "Export"
    Import = "Import"
    Fault = "Fault"


class ChargingPhase(StrEnum):
    """EVerest enumeration `ChargingPhase`."""

    Other = "Other"
    CableCheck = "CableCheck"
    PreCharge = "PreCharge"
    Charging = "Charging"


class VoltageCurrent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `power_supply_DC.VoltageCurrent`."""

    voltage_V: float
    """V."""
    current_A: float
    """A."""


class Capabilities(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Nominal_* are what to advertise in HLC when set; import fields only for bidirectional supplies."""

    bidirectional: bool
    current_regulation_tolerance_A: float
    peak_current_ripple_A: float
    max_export_voltage_V: float
    min_export_voltage_V: float
    max_export_current_A: float
    min_export_current_A: float
    max_export_power_W: float
    nominal_max_export_voltage_V: float | None = None
    nominal_min_export_voltage_V: float | None = None
    nominal_max_export_current_A: float | None = None
    nominal_min_export_current_A: float | None = None
    max_import_voltage_V: float | None = None
    nominal_max_import_voltage_V: float | None = None
    min_import_voltage_V: float | None = None
    nominal_min_import_voltage_V: float | None = None
    max_import_current_A: float | None = None
    nominal_max_import_current_A: float | None = None
    min_import_current_A: float | None = None
    nominal_min_import_current_A: float | None = None
    nominal_max_export_power_W: float | None = None
    max_import_power_W: float | None = None
    nominal_max_import_power_W: float | None = None
    conversion_efficiency_import: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    """0..1."""
    conversion_efficiency_export: Annotated[float, Meta(ge=0.0, le=1.0)] | None = None
    """0..1."""
