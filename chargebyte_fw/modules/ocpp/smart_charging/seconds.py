"""Dates of messages as whole seconds since 1970 (UTC), and back. Dates at both ends of the calendar included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def seconds_of(at: datetime) -> int:
    """Return the second of an aware date."""
    return local_seconds_of(at) - (at.utcoffset() or timedelta()) // SECOND


def local_seconds_of(at: datetime) -> int:
    """Return the second of the date as it is written, whatever its offset (`useLocalTime`)."""
    return (at.replace(tzinfo=UTC) - EPOCH) // SECOND


def optional_seconds_of(at: datetime | None) -> int | None:
    """Return the second of a date, None without one."""
    return seconds_of(at) if at is not None else None


def date_of(at_s: int) -> datetime:
    """Return the date of a second; one beyond the calendar is its first or last."""
    try:
        return EPOCH + timedelta(seconds=at_s)
    except OverflowError:
        return LAST if at_s > 0 else FIRST
