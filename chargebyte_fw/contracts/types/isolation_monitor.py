"""EVerest type file `isolation_monitor`."""

from __future__ import annotations

import msgspec


class IsolationMeasurement(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `isolation_monitor.IsolationMeasurement`."""

    resistance_F_Ohm: float
    """Ω, DC± to PE."""
    voltage_V: float | None = None
    """V DC+ to DC−."""
    voltage_to_earth_l1e_V: float | None = None
    """V."""
    voltage_to_earth_l2e_V: float | None = None
    """V."""
