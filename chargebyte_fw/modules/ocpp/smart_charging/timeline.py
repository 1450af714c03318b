"""Which period of a profile holds at an instant, and until when."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Sequence
from operator import attrgetter

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, Kind, Period
from chargebyte_fw.modules.ocpp.smart_charging.rules import Situation, SmartChargingRules

FOREVER = 1 << 62
"""A second that never comes."""
_start = attrgetter("start_s")


def is_ignored(installed: Installed, situation: Situation, rules: SmartChargingRules) -> bool:
    """Return whether the profile does not count because the station is offline."""
    return situation.offline_since_s is not None and installed.profile.purpose in rules.ignored_offline


class Timeline:
    """One profile over time. Ask for instants in ascending order."""

    def __init__(
        self,
        installed: Installed,
        situation: Situation,
        rules: SmartChargingRules,
        *,
        transaction_start_s: int,
        transaction_id: str | None = None,
    ) -> None:
        profile, schedule = installed.profile, installed.schedule
        self.installed = installed
        self.evse_id = installed.evse_id
        self.stack_level = profile.stack_level
        self._periods = schedule.periods
        self._duration_s = schedule.duration_s
        self._first_s = profile.valid_from_s if profile.valid_from_s is not None else -FOREVER
        self._end_s = profile.valid_to_s if profile.valid_to_s is not None else FOREVER
        if situation.offline_since_s is not None and profile.max_offline_s is not None:
            # The profile holds up to and with this second (Q11, Q12); 0 means not at all.
            over_s = situation.offline_since_s + profile.max_offline_s + (profile.max_offline_s > 0)
            self._end_s = min(self._end_s, over_s)
        self._every_s = int(profile.recurrency) if profile.kind is Kind.RECURRING and profile.recurrency else 0
        self._delay_s = schedule.randomized_delay_s if rules.randomized_delay else 0
        self._seed = f"{rules.seed}/{profile.id}/{schedule.id}/{installed.installed_s}/{transaction_id}"
        self._local = situation.local if schedule.local_time else None
        match profile.kind:
            case Kind.RELATIVE:
                self._base_s = min(transaction_start_s, situation.now_s)
            case Kind.DYNAMIC:
                updated_s = profile.updated_s if profile.updated_s is not None else installed.installed_s
                self._base_s = min(updated_s, situation.now_s)
            case _:
                start_s = schedule.start_s if schedule.start_s is not None else profile.valid_from_s
                self._base_s = start_s if start_s is not None else installed.installed_s
        self._until_s = -FOREVER
        self._period: Period | None = None

    def at(self, at_s: int) -> tuple[Period | None, int]:
        """Return the period that holds at `at_s`, or None, and the second until which this is so."""
        if at_s >= self._until_s:
            self._period, self._until_s = self._find(at_s)
        return self._period, self._until_s

    def _find(self, at_s: int) -> tuple[Period | None, int]:
        if at_s < self._first_s:
            return None, self._first_s
        if at_s >= self._end_s:
            return None, FOREVER
        base_s, next_s = self._occurrence(at_s)
        period, until_s = self._within(at_s, base_s, next_s)
        return period, min(until_s, self._end_s)

    def _occurrence(self, at_s: int) -> tuple[int, int]:
        """Return the start of the occurrence that `at_s` is in (before it, for one that does not recur) and its end."""
        if self._local is None:
            if not self._every_s:
                return self._base_s, FOREVER
            base_s = self._base_s + (at_s - self._base_s) // self._every_s * self._every_s
            return base_s, base_s + self._every_s
        if not self._every_s:
            return self._local.to_utc(self._base_s), FOREVER
        # The occurrences have equal distances in local time; in UTC one of them is shorter or longer by a transition.
        n = (at_s + self._local.offset_at(at_s) - self._base_s) // self._every_s + 1
        while (base_s := self._local.to_utc(self._base_s + n * self._every_s)) > at_s:
            n -= 1
        return base_s, self._local.to_utc(self._base_s + (n + 1) * self._every_s)

    def _within(self, at_s: int, base_s: int, next_s: int) -> tuple[Period | None, int]:
        end_s = next_s if self._duration_s is None else min(next_s, base_s + self._duration_s)
        if at_s >= end_s:
            return None, next_s
        if at_s < base_s:
            return None, base_s
        periods = self._delayed(base_s) if self._delay_s else self._periods
        index = max(0, bisect_right(periods, at_s - base_s, key=_start) - 1)
        if index + 1 < len(periods):
            end_s = min(end_s, base_s + periods[index + 1].start_s)
        return periods[index], end_s

    def _delayed(self, base_s: int) -> Sequence[Period]:
        """Return the periods of an occurrence, each but the first begun late by a random time (K01.FR.92).

        The times follow from the profile as it was submitted, the transaction and the occurrence: each computation has
        the same ones (K01.FR.93). A period that would begin no sooner than a later one, which ends it, is
        left out (K01.FR.97, errata 2025-09).
        """
        first, *others = self._periods
        kept: list[Period] = []
        next_s = FOREVER
        for place, period in reversed(list(enumerate(others))):
            late_s = zlib.crc32(f"{self._seed}/{base_s}/{place}".encode()) % (self._delay_s + 1)
            if period.start_s + late_s < next_s:
                next_s = period.start_s + late_s
                kept.append(msgspec.structs.replace(period, start_s=next_s))
        return [first, *reversed(kept)]
