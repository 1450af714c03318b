"""EVerest type file `temperature`."""

from __future__ import annotations

import msgspec


class Temperature(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `temperature.Temperature`."""

    temperature: float
    """°C."""
    identification: str | None = None
    location: str | None = None
