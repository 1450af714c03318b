"""The schedule of a car's session of ISO 15118-2: power over time, price levels, and the car's charging profile."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.physical import number

_MOST_ENTRIES = 23
"""One less than the schema allows: peers fail at a list of full length."""


class Schedule(msgspec.Struct, frozen=True):
    """One SAScheduleTuple: power and price level from so many seconds after its begin on."""

    id: int
    power_W: tuple[tuple[int, float], ...]
    levels: tuple[tuple[int, int], ...] = ()

    def power_at(self, since_s: float) -> float:
        """Return the power that is allowed `since_s` after the begin."""
        return _at(self.power_W, since_s)

    def level_at(self, since_s: float) -> int | None:
        """Return the price level then; None: there is no tariff."""
        return int(_at(self.levels, since_s)) if self.levels else None

    def profile(self, most_W: float | None) -> list[tuple[int, float]]:
        """Return what the car draws from when on: as much as schedule and car allow."""
        return [(at_s, power_W if most_W is None else min(power_W, most_W)) for at_s, power_W in self.power_W][
            :_MOST_ENTRIES
        ]


def _at(entries: Iterable[tuple[int, float]], since_s: float) -> float:
    value = 0.0
    for number_, (at_s, one) in enumerate(entries):
        if number_ == 0 or at_s <= since_s:
            value = one
    return value


def read(tuple_: iso2.SAScheduleTupleType) -> Schedule:
    """Return a schedule as the charger sent it."""
    power = tuple((one.TimeInterval.start, number(one.PMax)) for one in tuple_.PMaxSchedule.PMaxScheduleEntry)
    tariff = tuple_.SalesTariff
    entries = [] if tariff is None else tariff.SalesTariffEntry
    levels = tuple((one.TimeInterval.start, one.EPriceLevel) for one in entries if one.EPriceLevel is not None)
    return Schedule(tuple_.SAScheduleTupleID, power, levels)


def best(schedules: iso2.SAScheduleListType) -> Schedule:
    """Return the schedule with the lowest price level at its begin, the charger's first otherwise."""
    offers = [read(one) for one in schedules.SAScheduleTuple]
    priced = [one for one in offers if one.levels]
    return min(priced, key=lambda one: one.levels[0][1]) if priced else offers[0]
