"""The commands of `cb_iso15118_schedules`: schedules of a back end for cars."""

from __future__ import annotations

from datetime import UTC, datetime

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.types.cb_iso15118_schedules import ScheduleLimit
from chargebyte_fw.modules.v2g.iso15118_charger import Owner
from chargebyte_fw.modules.v2g.secc.back_end import Limit

MOST_LIMITS = 1024
"""Entries of the longest schedule that ISO 15118-20 has; what follows is left out."""


class SchedulesImpl(CbIso15118Schedules):
    """Schedules of a back end, as facts that the sessions answer with."""

    module: Owner

    async def set_schedule(self, schedule: list[ScheduleLimit]) -> None:
        """Take a schedule; raises ValueError for a time that is none."""
        limits = [Limit(_unix_s(one.timestamp), one.ac_max_current_A, one.total_power_W) for one in schedule]
        engine = self.module.engine
        engine.facts.back_end.limits = tuple(sorted(limits[:MOST_LIMITS], key=lambda one: one.from_s))
        engine.facts_changed()

    async def set_back_end(self, answers_needs: bool) -> None:
        """Let cars wait for their schedule, or not."""
        self.module.engine.facts.back_end.answers_needs = answers_needs

    async def needs_answered(self) -> None:
        """Let the car that waits have its schedule."""
        self.module.engine.facts.session.needs_answered = True


def _unix_s(text: str) -> float:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()
