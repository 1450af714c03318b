"""The offset of local time: the next one takes over at its date (California Pricing; OCPP 2.x, ClockCtrlr)."""

from __future__ import annotations

from datetime import UTC, datetime

from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.variables.standard.station import (
    NEXT_TIME_OFFSET_TRANSITION,
    TIME_OFFSET,
    TIME_OFFSET_NEXT,
)

TIMER = "time offset"


class TimeOffset(Block):
    """Replaces `TimeOffset` when the date of the next one has come."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        station.variables.on_change(NEXT_TIME_OFFSET_TRANSITION, lambda _: self._arm())

    @receives(events.Started)
    @receives(events.WallClockSet)
    def clock_known(self, event: events.Started | events.WallClockSet) -> None:
        """Wait for the date, as the clock stands now."""
        self._arm()

    def _arm(self) -> None:
        try:
            at = datetime.fromisoformat(self.station.variables.get(NEXT_TIME_OFFSET_TRANSITION))
        except ValueError:
            self.station.stop(TIMER)  # none is set, or it is no date
            return
        at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
        self.station.start(TIMER, max(self.station.now, self.station.monotonic(at)), self._take_over)

    def _take_over(self) -> None:
        variables = self.station.variables
        following = variables.get(TIME_OFFSET_NEXT)
        if following:
            variables.set(TIME_OFFSET, following)
        variables.set(NEXT_TIME_OFFSET_TRANSITION, "")
