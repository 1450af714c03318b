"""Same shapes as `units`, but every leaf is a signed value object. EVerest type file `units_signed`."""

from __future__ import annotations

import msgspec


class SignedMeterValue(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.SignedMeterValue`."""

    signed_meter_data: str
    """Encoded text."""
    signing_method: str
    """Algorithm name."""
    encoding_method: str
    """E.g. OCMF."""
    public_key: str | None = None
    """Encoded text."""
    timestamp: str | None = None


class Current(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.Current`."""

    DC: SignedMeterValue | None = None
    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None
    N: SignedMeterValue | None = None


class Voltage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.Voltage`."""

    DC: SignedMeterValue | None = None
    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None


class Frequency(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.Frequency`."""

    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None


class Power(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.Power`."""

    total: SignedMeterValue | None = None
    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None


class Energy(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.Energy`."""

    total: SignedMeterValue | None = None
    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None


class ReactivePower(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `units_signed.ReactivePower`."""

    total: SignedMeterValue | None = None
    L1: SignedMeterValue | None = None
    L2: SignedMeterValue | None = None
    L3: SignedMeterValue | None = None
