"""Dates and times: RFC 3339 as peers write it, and as OCPP wants it (`2024-08-27T09:19:32.876Z`)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

USUAL = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z$"
"""The form in which a date needs no closer look: in UTC, so that no conversion of it leaves the calendar."""

_TEXT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,12}))?)?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?",
    re.ASCII,
)


def parse(text: str) -> datetime:
    """Return an aware date, in the zone of the text; raises ValueError for what is no date.

    The zone is kept: `useLocalTime` of a charging schedule disregards it. Fractions of any length, an offset without
    colon or minutes and a space for the `T` are read. A text without zone is UTC, as back ends mean it that leave the
    `Z` out. A leap second is the last second of its minute.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise ValueError("no date of RFC 3339")
    year, month, day, hour, minute, second, fraction, _, sign, offset_h, offset_min = found.groups()
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    seconds = 59 if second == "60" else int(second or 0)
    zone = UTC
    if sign:
        offset = timedelta(hours=int(offset_h), minutes=int(offset_min or 0))
        zone = timezone(-offset if sign == "-" else offset)
    date = datetime(int(year), int(month), int(day), int(hour), int(minute), seconds, microsecond, zone)
    try:
        date.astimezone(UTC)
    except OverflowError:
        raise ValueError("a date outside of the years 1 to 9999") from None
    return date


def write(date: datetime) -> str:
    """Return the text of an aware date, in UTC with milliseconds (OCPP 1.6 section 3.15); raises ValueError."""
    if date.tzinfo is None:
        raise ValueError("a date without time zone")
    try:
        return f"{date.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"
    except OverflowError:
        raise ValueError("a date outside of the years 1 to 9999") from None
