"""Schedules between a back end and cars with ISO 15118, which EVerest's types have no place for."""

from __future__ import annotations

import msgspec


class ScheduleLimit(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a car may draw from a time on; without values it is not limited."""

    timestamp: str
    """RFC 3339 UTC. The last entry holds on."""
    ac_max_current_A: float | None = None
    """A per phase, positive."""
    total_power_W: float | None = None
    """W, positive."""


class EvScheduleEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A stretch of a car's charging profile, until the next entry."""

    start_s: int
    """Seconds since `time_base` of the schedule."""
    power_W: float
    """Positive to the car, negative from it."""


class EvSchedule(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The charging profile by which a car is going to charge (ISO 15118-2 ChargingProfile, -20 EVPowerProfile)."""

    time_base: str
    """RFC 3339 UTC."""
    schedule_tuple_id: int
    """The offered schedule that the car has chosen."""
    entries: list[EvScheduleEntry]
    duration_s: int | None = None
    """Where the profile ends; None: it has no end."""
    power_tolerance_accepted: bool | None = None
    """Whether the car keeps to the tolerance of power that it was asked for (ISO 15118-20)."""
