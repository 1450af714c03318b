"""The schedule that a session of ISO 15118-2 offers, and the check of the car's charging profile against it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.back_end import Span, at_most, lowest_within, power_at, with_durations
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID, SCHEDULE_S

SCHEDULE_IN_PAUSE_S = 1_800
MOST_ENTRIES = 12
"""Entries of a schedule (PMaxScheduleEntry)."""
WHENEVER_S = 2**32 - 1
"""The greatest DepartureTime: cars without a departure give it."""


class Schedule(msgspec.Struct, frozen=True):
    """The one schedule that the car was given: its powers, and its duration."""

    entries: tuple[Span, ...] = (Span(0, 0.0),)
    duration_s: int = SCHEDULE_S
    begin_s: float = 0.0
    """Seconds since 1970."""

    def power_W(self, unix_s: float) -> float:
        """Return the power at a time."""
        return power_at(self.entries, unix_s - self.begin_s)

    def message(
        self, watts: Callable[[float], Any], tariff: iso2.SalesTariffType | None = None
    ) -> iso2.SAScheduleListType:
        """Return it as SASchedules; `watts` makes a power a physical value."""
        entries = [
            iso2.PMaxScheduleEntryType(
                TimeInterval=iso2.RelativeTimeIntervalType(start=span.start_s, duration=duration_s),
                PMax=watts(span.power_W),
            )
            for span, duration_s in with_durations(in_days(self.entries, self.duration_s), self.duration_s)
        ]
        schedule = iso2.SAScheduleTupleType(
            SAScheduleTupleID=SCHEDULE_ID,
            PMaxSchedule=iso2.PMaxScheduleType(PMaxScheduleEntry=entries),
            SalesTariff=tariff,
        )
        return iso2.SAScheduleListType(SAScheduleTuple=[schedule])

    def refusal_of(self, request: iso2.PowerDeliveryReq) -> tuple[str, str]:
        """Return the FAILED code and why, where schedule or profile of the car is not this one."""
        if request.SAScheduleTupleID != SCHEDULE_ID:
            return "FAILED_TariffSelectionInvalid", f"schedule {request.SAScheduleTupleID}"  # [V2G2-479]
        profile = _profile(request)
        ends_s = [*(entry.ChargingProfileEntryStart for entry in profile[1:]), self.duration_s]
        for entry, end_s in zip(profile, ends_s, strict=False):
            power_W = number(entry.ChargingProfileEntryMaxPower)
            most_W = lowest_within(self.entries, entry.ChargingProfileEntryStart, end_s)
            # Rounding to the wire's sixteen bits may have cost the schedule its last digits.
            if power_W > most_W * 1.001 + 1.0:  # [V2G2-224], [V2G2-478]
                what = f"a profile of {power_W:g} W in a schedule of {most_W:g} W"
                return "FAILED_ChargingProfileInvalid", what
        return "", ""

    def entries_beyond(self, request: iso2.PowerDeliveryReq) -> int:
        """Return how many entries of the car's profile begin after the end of the schedule."""
        return sum(entry.ChargingProfileEntryStart > self.duration_s for entry in _profile(request))


def _profile(request: iso2.PowerDeliveryReq) -> list[iso2.ProfileEntryType]:
    return request.ChargingProfile.ProfileEntry if request.ChargingProfile is not None else []


def schedule(
    spans_of: Callable[[int], tuple[Span, ...]],
    begin_s: float,
    departure_s: int | None,
    *,
    pause: bool,
    most_entries: int | None = MOST_ENTRIES,
) -> Schedule:
    """Return a schedule until the departure, for a day where the car gives none, shorter in a pause.

    `spans_of` returns the powers of a schedule of so many seconds. `most_entries` is MaxEntriesSAScheduleTuple of the
    car; None or 0: it has no limit.
    """
    whole_s = SCHEDULE_S if departure_s in (None, 0, WHENEVER_S) else departure_s
    assert whole_s is not None
    most = min(most_entries or MOST_ENTRIES, MOST_ENTRIES)
    duration_s = sum(durations_until(SCHEDULE_IN_PAUSE_S if pause else whole_s)[:most])
    entries = spans_of(duration_s)
    count = most
    while len(in_days(at_most(entries, count), duration_s)) > most:
        count -= 1
    return Schedule(at_most(entries, count), duration_s, begin_s)


def in_days(entries: tuple[Span, ...], duration_s: int) -> tuple[Span, ...]:
    """Return entries that last a day at most, which is the schema's limit."""
    return tuple(
        Span(start_s, span.power_W)
        for span, lasts_s in with_durations(entries, duration_s)
        for start_s in range(span.start_s, span.start_s + lasts_s, SCHEDULE_S)
    )


def durations_until(departure_s: int) -> list[int]:
    """Return the durations of a schedule's entries: their sum is the time until the departure.

    An entry lasts a day at most (the schema's limit). Twelve entries are what libcbv2g, and many a car with it, can
    take of the 1,024 of the schema: a departure beyond twelve days is not reached.
    """
    whole, rest_s = divmod(departure_s, SCHEDULE_S)
    durations_s = [SCHEDULE_S] * min(whole, MOST_ENTRIES) + ([rest_s] if rest_s else [])
    return durations_s[:MOST_ENTRIES]
