"""EVerest type file `energy_price_information`."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class PricePerkWh(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy_price_information.PricePerkWh`."""

    timestamp: str
    value: float
    """Price per kWh."""
    currency: Annotated[str, Meta(min_length=3, max_length=3)]
    """ISO 4217."""


class EnergyPriceSchedule(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy_price_information.EnergyPriceSchedule`."""

    schedule_import: list[PricePerkWh]
    schedule_export: list[PricePerkWh]
