"""Events of smart charging for the other blocks of the station."""

from __future__ import annotations

import msgspec


class SchedulesComputed(msgspec.Struct, frozen=True):
    """The schedules are new."""

    changed: bool = True
    """Profiles, or the situation, have changed; else an interval is over."""


class NeedsAnswered(msgspec.Struct, frozen=True):
    """The CSMS has answered what a car needs."""

    evse_id: int
    profile_follows: bool
    """A charging profile for the transaction is announced."""


class ChargingRateChanged(msgspec.Struct, frozen=True):
    """A limit of an external system significantly changed what an EVSE may draw (`LimitChangeSignificance`, K11)."""

    evse_id: int
