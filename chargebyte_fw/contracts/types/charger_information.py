"""EVerest type file `charger_information`."""

from __future__ import annotations

import msgspec


class ChargerInformation(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Mostly static product identity."""

    vendor: str
    """Brand without legal form."""
    model: str
    """Product name without vendor."""
    chargepoint_serial: str | None = None
    """Device label serial."""
    chargebox_serial: str | None = None
    """Controller serial."""
    friendly_name: str | None = None
    """Text for listings."""
    manufacturer: str | None = None
    """Company name, may carry legal form."""
    manufacturer_url: str | None = None
    model_url: str | None = None
    model_number: str | None = None
    model_revision: str | None = None
    board_revision: str | None = None
    """Main PCB revision."""
    firmware_version: str | None = None
    """Whole-system firmware version (dynamic)."""
