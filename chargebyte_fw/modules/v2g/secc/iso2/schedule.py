"""The schedule that a session of ISO 15118-2 offers, and the check of the car's charging profile against it."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number
from chargebyte_fw.modules.v2g.secc.common.session import SCHEDULE_ID, SCHEDULE_S

SCHEDULE_IN_PAUSE_S = 1_800
MOST_ENTRIES = 12
"""Entries of a schedule (PMaxScheduleEntry)."""
WHENEVER_S = 2**32 - 1
"""The greatest DepartureTime: cars without a departure give it."""


class Schedule(msgspec.Struct, frozen=True):
    """The one schedule that the car was given: its power, and the durations of its entries."""

    power_W: float = 0.0
    durations_s: tuple[int, ...] = (SCHEDULE_S,)

    @property
    def duration_s(self) -> int:
        """How long it is."""
        return sum(self.durations_s)

    def message(self, power: Any, tariff: iso2.SalesTariffType | None = None) -> iso2.SAScheduleListType:
        """Return it as SASchedules; `power` is its power as a physical value."""
        starts_s = itertools.accumulate(self.durations_s, initial=0)
        entries = [
            iso2.PMaxScheduleEntryType(
                TimeInterval=iso2.RelativeTimeIntervalType(start=start_s, duration=duration_s), PMax=power
            )
            for start_s, duration_s in zip(starts_s, self.durations_s)
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
        for entry in _profile(request):
            power_W = number(entry.ChargingProfileEntryMaxPower)
            # Rounding to the wire's sixteen bits may have cost the schedule its last digits.
            if power_W > self.power_W * 1.001 + 1.0:  # [V2G2-224], [V2G2-478]
                return (
                    "FAILED_ChargingProfileInvalid",
                    f"a profile of {power_W:g} W in a schedule of {self.power_W:g} W",
                )
        return "", ""

    def entries_beyond(self, request: iso2.PowerDeliveryReq) -> int:
        """Return how many entries of the car's profile begin after the end of the schedule."""
        return sum(entry.ChargingProfileEntryStart > self.duration_s for entry in _profile(request))


def _profile(request: iso2.PowerDeliveryReq) -> list[iso2.ProfileEntryType]:
    return request.ChargingProfile.ProfileEntry if request.ChargingProfile is not None else []


def schedule(
    power_W: float, departure_s: int | None, *, pause: bool, most_entries: int | None = MOST_ENTRIES
) -> Schedule:
    """Return a schedule of `power_W` until the departure, for a day where the car gives none, shorter in a pause.

    `most_entries` is MaxEntriesSAScheduleTuple of the car; None or 0: it has no limit.
    """
    whole_s = SCHEDULE_S if departure_s in (None, 0, WHENEVER_S) else departure_s
    assert whole_s is not None
    durations_s = durations_until(SCHEDULE_IN_PAUSE_S if pause else whole_s)
    return Schedule(power_W, tuple(durations_s[: most_entries or MOST_ENTRIES]))


def durations_until(departure_s: int) -> list[int]:
    """Return the durations of a schedule's entries: their sum is the time until the departure.

    An entry lasts a day at most (the schema's limit). Twelve entries are what libcbv2g, and many a car with it, can
    take of the 1,024 of the schema: a departure beyond twelve days is not reached.
    """
    whole, rest_s = divmod(departure_s, SCHEDULE_S)
    durations_s = [SCHEDULE_S] * min(whole, MOST_ENTRIES) + ([rest_s] if rest_s else [])
    return durations_s[:MOST_ENTRIES]
