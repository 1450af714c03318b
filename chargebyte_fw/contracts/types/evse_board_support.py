"""EVerest type file `evse_board_support`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.field_enum import FieldEnum


class HardwareCapabilitiesConnectorType(FieldEnum):
    """Values of `HardwareCapabilities.connector_type`."""

    IEC62196Type2Cable = "IEC62196Type2Cable"
    IEC62196Type2Socket = "IEC62196Type2Socket"


class HardwareCapabilities(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Import = grid→car, export = car→grid; for DC chargers these describe the AC input side."""

    max_current_A_import: float
    """A."""
    min_current_A_import: float
    """A; below it charging may pause."""
    max_phase_count_import: Annotated[int, Meta(ge=1, le=3)]
    min_phase_count_import: Annotated[int, Meta(ge=1, le=3)]
    max_current_A_export: float
    """A."""
    min_current_A_export: float
    """A."""
    max_phase_count_export: Annotated[int, Meta(ge=1, le=3)]
    min_phase_count_export: Annotated[int, Meta(ge=1, le=3)]
    supports_changing_phases_during_charging: bool
    """1ph/3ph switching while charging."""
    supports_cp_state_E: bool
    """cp_state_E usable."""
    connector_type: HardwareCapabilitiesConnectorType
    max_plug_temperature_C: float | None = None
    """°C."""


class Telemetry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_board_support.Telemetry`."""

    evse_temperature_C: float
    """°C."""
    fan_rpm: float
    """0 = off/absent."""
    supply_voltage_12V: float
    """V."""
    supply_voltage_minus_12V: float
    """V."""
    relais_on: bool
    """True = car is powered."""
    plug_temperature_C: float | None = None
    """°C."""


class PowerOnOffReason(FieldEnum):
    """Values of `PowerOnOff.reason`."""

    DCCableCheck = "DCCableCheck"
    DCPreCharge = "DCPreCharge"
    FullPowerCharging = "FullPowerCharging"
    PowerOff = "PowerOff"


class PowerOnOff(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `evse_board_support.PowerOnOff`."""

    allow_power_on: bool
    """False = force open."""
    reason: PowerOnOffReason
