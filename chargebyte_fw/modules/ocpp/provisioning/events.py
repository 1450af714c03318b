"""Events of provisioning for the other blocks of the station."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Registration(StrEnum):
    """RegistrationStatus, and that there was no answer yet."""

    UNKNOWN = ""
    ACCEPTED = "Accepted"
    PENDING = "Pending"
    REJECTED = "Rejected"


class Registered(msgspec.Struct, frozen=True):
    """The CSMS accepted the station. From now on it is sent what happens, until the next start of the process."""

    first: bool
    """False: it was accepted before, by a BootNotification that was triggered or after a change of the CSMS."""


class BackOnline(msgspec.Struct, frozen=True):
    """An accepted station is connected again."""

    outage_s: float


class WentOffline(msgspec.Struct, frozen=True):
    """The connection is gone."""


class SecurityEventRaised(msgspec.Struct, frozen=True):
    """Something that the security log, and perhaps the CSMS, is to have."""

    type: str
    """SecurityEvent of the whitepaper or of OCPP 2.x, Part 2 Appendix 1."""
    tech_info: str = ""
    critical: bool | None = None
    """None: as the standard has it for the type."""
