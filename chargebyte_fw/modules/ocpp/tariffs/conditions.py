"""Which price of a tariff applies at an instant, and when that may change next (TariffConditionsType)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from functools import lru_cache

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.rules import LocalTime

DAY_MINUTES = 24 * 60
MINUTE_US = 60_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Quantity(IntEnum):
    """What a minimum or maximum is about."""

    ENERGY = 0
    """mWh, negative: discharged."""
    CURRENT = 1
    """mA, the sum over the phases."""
    POWER = 2
    """mW."""
    TIME = 3
    """Microseconds since the begin of the transaction."""
    CHARGING_TIME = 4
    IDLE_TIME = 5


class Facts(msgspec.Struct, frozen=True):
    """What is known of a transaction at an instant."""

    at_us: int
    """Wall time in microseconds since 1970."""
    values: tuple[int, int | None, int | None, int, int, int] = (0, None, None, 0, 0, 0)
    """In the order of `Quantity`; None: nothing measures it."""
    evse_kind: str = ""
    """`AC` or `DC`."""
    payment_brand: str = ""
    payment_recognition: str = ""


class Bound(msgspec.Struct, frozen=True):
    """A range of a quantity: "min" is the end nearer to zero, "max" the one that is farther from it."""

    quantity: Quantity
    low: int | None = None
    high: int | None = None

    def holds(self, value: int | None) -> bool:
        """Return whether a value is in the range: from `low` on, up to but without `high`."""
        if value is None:
            return False
        if self.low is not None and not (value <= self.low if self.low < 0 else value >= self.low):
            return False
        return self.high is None or (value > self.high if self.high < 0 else value < self.high)


class Conditions(msgspec.Struct, frozen=True):
    """When a price applies; all of it must hold. What nothing measures does not hold."""

    start_minute: int | None = None
    """Minute of the local day."""
    end_minute: int | None = None
    days: frozenset[int] = frozenset()
    """0: Monday; empty: every day."""
    from_day: date | None = None
    to_day: date | None = None
    """Without this day itself."""
    evse_kind: str = ""
    payment_brand: str = ""
    payment_recognition: str = ""
    bounds: tuple[Bound, ...] = ()

    def hold(self, facts: Facts, local: LocalTime) -> bool:
        """Return whether the price applies."""
        for wanted, found in (
            (self.evse_kind, facts.evse_kind),
            (self.payment_brand, facts.payment_brand),
            (self.payment_recognition, facts.payment_recognition),
        ):
            if wanted and wanted != found:
                return False
        return self._in_calendar(facts.at_us, local) and all(
            one.holds(facts.values[one.quantity]) for one in self.bounds
        )

    def _in_calendar(self, at_us: int, local: LocalTime) -> bool:
        if not self.in_calendar:
            return True
        shown = _shown(at_us, local.offset_at(at_us // 1_000_000))
        if self.days and shown.weekday() not in self.days:
            return False
        if self.from_day is not None and shown.date() < self.from_day:
            return False
        if self.to_day is not None and shown.date() >= self.to_day:
            return False
        start, end = self.start_minute or 0, self.end_minute or 0
        minute = shown.hour * 60 + shown.minute
        if start == end:
            return True
        return start <= minute < end if start < end else minute >= start or minute < end

    @property
    def in_calendar(self) -> bool:
        """Whether day or time of day matter."""
        window = self.start_minute is not None or self.end_minute is not None
        return window or bool(self.days) or self.from_day is not None or self.to_day is not None


@lru_cache(maxsize=4)
def _shown(at_us: int, offset_s: int) -> datetime:
    """Return local time; many conditions ask for the same one."""
    return EPOCH + timedelta(microseconds=at_us, seconds=offset_s)


class Changes:
    """The values of time and quantities at which another price may apply."""

    def __init__(self, conditions: Iterable[Conditions]) -> None:
        minutes: set[int] = set()
        thresholds: dict[Quantity, set[int]] = {}
        for one in conditions:
            if one.in_calendar:
                # Midnight: the day of the week and the date change.
                minutes |= {0, one.start_minute or 0, one.end_minute or 0}
            for bound in one.bounds:
                found = thresholds.setdefault(bound.quantity, set())
                found |= {value for value in (bound.low, bound.high) if value is not None}
        self._minutes = sorted(minutes)
        self._thresholds = {quantity: sorted(found) for quantity, found in thresholds.items()}

    def measures(self, quantity: Quantity) -> bool:
        """Return whether a price depends on a quantity."""
        return quantity in self._thresholds

    def next_threshold(self, quantity: Quantity, value: int, *, upward: bool = True) -> int | None:
        """Return the next threshold beyond a value, None if there is none."""
        found = self._thresholds.get(quantity)
        if found is None:
            return None
        if upward:
            index = bisect_right(found, value)
            return found[index] if index < len(found) else None
        index = bisect_left(found, value)
        return found[index - 1] if index > 0 else None

    def next_instant_us(self, at_us: int, local: LocalTime) -> int | None:
        """Return the next instant at which time of day, day or the offset of local time changes."""
        if not self._minutes:
            return None
        offset_us = local.offset_at(at_us // 1_000_000) * 1_000_000
        in_day_us = (at_us + offset_us) % (DAY_MINUTES * MINUTE_US)
        begin_us = at_us - in_day_us
        index = bisect_right(self._minutes, in_day_us // MINUTE_US)
        minute = self._minutes[index] if index < len(self._minutes) else self._minutes[0] + DAY_MINUTES
        instant_us = begin_us + minute * MINUTE_US
        if local.transition_s is not None and at_us < local.transition_s * 1_000_000:
            instant_us = min(instant_us, local.transition_s * 1_000_000)
        return instant_us
