"""The latest reading of every EVSE: powermeter, state of charge, what the station offers."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.energy import EnforcedLimits
from chargebyte_fw.contracts.types.evse_manager import EVInfo, SessionEventEnum
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.ocpp.metering.samples import Offered, Reading
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives

METER_CLOCK_TOLERANCE_S = 60.0
"""The time of a meter counts if it is so close to that of the station."""


class Readings(Block):
    """Keeps what was measured last; nothing of a car stays when it has left."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._meters: dict[int, Powermeter] = {}
        self._measured_at: dict[int, datetime] = {}
        self._soc: dict[int, float] = {}
        self._offered: dict[int, Offered] = {}

    def latest(self, evse_id: int, meter: Powermeter | None = None) -> Reading:
        """Return the reading of an EVSE; `meter` is the value that belongs to an event, where there is one."""
        return Reading(
            self.station.utc,
            meter or self._meters.get(evse_id),
            self._soc.get(evse_id),
            self._offered.get(evse_id, Offered()),
        )

    def measured(self, evse_id: int) -> Reading:
        """Return the reading of an EVSE with the time at which its meter has measured."""
        latest = self.latest(evse_id)
        return msgspec.structs.replace(latest, at=self._measured_at.get(evse_id, latest.at))

    def has_meter(self, evse_id: int) -> bool:
        """Return whether the EVSE has measured anything yet."""
        return evse_id in self._meters

    @receives(events.PowermeterReceived)
    def powermeter(self, event: events.PowermeterReceived) -> None:
        """Keep the values of the meter."""
        self._meters[event.evse_id] = event.powermeter
        self._measured_at[event.evse_id] = self._time_of(event.powermeter)

    def _time_of(self, meter: Powermeter) -> datetime:
        """Return the time of a value: the meter's, unless its clock is wrong or not set."""
        received = self.station.utc
        try:
            at = datetime.fromisoformat(meter.timestamp)
        except ValueError:
            return received
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        return at if abs((received - at).total_seconds()) <= METER_CLOCK_TOLERANCE_S else received

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Keep the state of charge and the enforced limits."""
        if event.interface != EvseManager.interface or event.evse_id is None:
            return
        if isinstance(event.value, EVInfo) and event.value.soc is not None:
            self._soc[event.evse_id] = event.value.soc
        elif isinstance(event.value, EnforcedLimits):
            limits = event.value.limits_root_side
            current, power = limits.ac_max_current_A, limits.total_power_W
            self._offered[event.evse_id] = Offered(
                None if current is None else current.value, None if power is None else power.value
            )

    @receives(events.SessionEventReceived)
    def session(self, event: events.SessionEventReceived) -> None:
        """Drop the values of a car that left."""
        if event.event.event is SessionEventEnum.SessionFinished:
            self._soc.pop(event.evse_id, None)
