"""Numbers per phase; `total`/`DC` where applicable. EVerest type file `units`."""

from __future__ import annotations

import msgspec


class Current(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A."""

    DC: float | None = None
    L1: float | None = None
    L2: float | None = None
    L3: float | None = None
    N: float | None = None
    """Neutral."""


class Voltage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """V."""

    DC: float | None = None
    L1: float | None = None
    L2: float | None = None
    L3: float | None = None


class Frequency(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Hz."""

    L1: float
    L2: float | None = None
    L3: float | None = None


class Power(msgspec.Struct, kw_only=True, omit_defaults=True):
    """W; positive import, negative export."""

    total: float
    """AC sum or DC."""
    L1: float | None = None
    L2: float | None = None
    L3: float | None = None


class Energy(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Wh."""

    total: float
    """Billing-relevant."""
    L1: float | None = None
    L2: float | None = None
    L3: float | None = None


class ReactivePower(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Var."""

    total: float
    L1: float | None = None
    L2: float | None = None
    L3: float | None = None
