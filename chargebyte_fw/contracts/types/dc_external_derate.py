"""EVerest type file `dc_external_derate`."""

from __future__ import annotations

import msgspec


class ExternalDerating(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Absent value = no limit; effective value is the minimum of this and the supply capability."""

    max_export_current_A: float | None = None
    """A."""
    max_import_current_A: float | None = None
    """A."""
    max_export_power_W: float | None = None
    """W."""
    max_import_power_W: float | None = None
    """W."""
