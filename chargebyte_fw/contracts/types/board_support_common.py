"""Shared by EV and EVSE board drivers. EVerest type file `board_support_common`."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.field_enum import FieldEnum
from chargebyte_fw.contracts.open_type import OpenType


class BspEventEvent(FieldEnum):
    """Values of `BspEvent.event`."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"
    F = "F"
    PowerOn = "PowerOn"
    PowerOff = "PowerOff"
    Disconnected = "Disconnected"


class BspEvent(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A–F are IEC 61851-1 CP states; PowerOn/PowerOff are contactor feedback confirmations (PowerOff also means
    not welded); Disconnected is EV-side only.
    """

    event: BspEventEvent


class ProximityPilotAmpacity(FieldEnum):
    """Values of `ProximityPilot.ampacity`."""

    None_ = "None"
    A_13 = "A_13"
    A_20 = "A_20"
    A_32 = "A_32"
    A_63_3ph_70_1ph = "A_63_3ph_70_1ph"


class ProximityPilot(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `board_support_common.ProximityPilot`."""

    ampacity: ProximityPilotAmpacity
    """`None` is the string "None" (nothing plugged / unknown)."""


class BspMeasurement(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `board_support_common.BspMeasurement`."""

    proximity_pilot: ProximityPilot
    cp_pwm_duty_cycle: float
    """Percent 0..100."""
    rcd_current_mA: float | None = None
    """MA."""
