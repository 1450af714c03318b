"""Events of smart charging for the other blocks of the station."""

from __future__ import annotations

import msgspec


class SchedulesComputed(msgspec.Struct, frozen=True):
    """Profiles, or the situation, have changed: the schedules are new."""


class ChargingRateChanged(msgspec.Struct, frozen=True):
    """A limit of an external system significantly changed what an EVSE may draw (`LimitChangeSignificance`, K11)."""

    evse_id: int
