"""Schedules for cars with ISO 15118, and the schedules of the cars for the CSMS (K15 to K19).

What the profiles allow within the next day is offered to the car as its schedule, not the present limit alone. Where
the car chooses, or the station asks it to because a profile has changed (K16), the CSMS is notified of its choice.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.types.cb_iso15118_schedules import EvSchedule, ScheduleLimit
from chargebyte_fw.contracts.types.iso15118 import ControlMode
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.messages.v2.types import charging_profile as types
from chargebyte_fw.modules.ocpp.smart_charging.composite import Composite
from chargebyte_fw.modules.ocpp.smart_charging.events import NeedsAnswered, SchedulesComputed
from chargebyte_fw.modules.ocpp.smart_charging.profile import DAY_S, Installed, Purpose, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import NO_LIMIT
from chargebyte_fw.modules.ocpp.smart_charging.rules import V21
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of
from chargebyte_fw.modules.ocpp.smart_charging.to_v2 import DIGITS_21, DIGITS_201
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives

REFRESH_S = 3600.0
"""A day that has begun an hour ago is looked at again, so that its end moves on."""
MOST_PERIODS = 1024
"""Of a message (chargingSchedulePeriod)."""


class CarSchedules(Block):
    """Gives cars their schedule, and notifies the CSMS of theirs."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self.connected = False
        """A module of ISO 15118 has a place for schedules. Set by the module before the first event."""
        self._sent: dict[int, list[ScheduleLimit]] = {}
        self._looked_s: float | None = None
        self._awaited: dict[int, list[Installed]] = {}
        """EVSEs whose car waits for a profile, with the profiles that it had before."""
        self._control: dict[int, ControlMode | None] = {}
        """By the last needs of the car at each EVSE."""

    @property
    def _profiles(self) -> SmartCharging2:
        return self.station.block(SmartCharging2)

    # Towards the car.

    @receives(events.Started)
    def started(self, event: events.Started) -> None:
        """Nothing of an earlier run holds."""
        self._set_back_end(False)

    @receives(events.Connected)
    def online(self, event: events.Connected) -> None:
        """From now on the CSMS answers the needs of cars."""
        self._set_back_end(self._profiles.rules.available)

    @receives(events.Disconnected)
    def offline(self, event: events.Disconnected) -> None:
        """Cars do not wait for the CSMS any more (K15)."""
        self._awaited.clear()
        self._set_back_end(False)

    def _set_back_end(self, answered: bool) -> None:
        if self.connected:
            self.station.command(call(CbIso15118Schedules.set_back_end, answered))

    @receives(NeedsAnswered)
    def needs_answered(self, event: NeedsAnswered) -> None:
        """Let the car go on, at once or with the profile that is announced (K15)."""
        if not self.connected:
            return
        if event.profile_follows:
            self._awaited[event.evse_id] = self._transaction_profiles(event.evse_id)
        else:
            self._let_go_on(event.evse_id)

    def _transaction_profiles(self, evse_id: int) -> list[Installed]:
        return [one for one in self._profiles.store if one.evse_id == evse_id and one.profile.purpose is Purpose.TX]

    def _let_go_on(self, evse_id: int) -> None:
        self._awaited.pop(evse_id, None)
        self.station.command(call(CbIso15118Schedules.needs_answered), evse_id=evse_id)

    @receives(SchedulesComputed)
    def schedules_computed(self, event: SchedulesComputed) -> None:
        """Offer what is new, then let cars go on whose profile has come."""
        now_s = self.station.now
        if not self.connected:
            return
        if event.changed or self._looked_s is None or now_s - self._looked_s >= REFRESH_S:
            self._looked_s = now_s
            for evse_id in self.station.layout.evse_ids:
                self._offer(evse_id)
        for evse_id, before in list(self._awaited.items()):
            if any(all(one is not other for other in before) for one in self._transaction_profiles(evse_id)):
                self._let_go_on(evse_id)

    def _offer(self, evse_id: int) -> None:
        block = self._profiles
        unit = RateUnit.W if block.evses[evse_id].phases == 0 else RateUnit.A
        schedule = limits_of(block.enforced_composite(evse_id, DAY_S, unit))
        last = self._sent.get(evse_id)
        if last is not None and _same(last, schedule):
            return
        self._sent[evse_id] = schedule
        self.station.command(call(CbIso15118Schedules.set_schedule, schedule), evse_id=evse_id)

    # Towards the CSMS.

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Notify the schedule that a car has chosen (K15.FR.10, K15.FR.19, K15.FR.21, K18.FR.10)."""
        if (event.interface, event.variable) == ("iso15118_extensions", "charging_needs") and event.evse_id is not None:
            self._control[event.evse_id] = event.value.control_mode
        if (event.interface, event.variable) != (CbIso15118Schedules.interface, "ev_schedule"):
            return
        profiles, evse_id = self._profiles, event.evse_id
        if evse_id is None or evse_id not in profiles.evses or not profiles.rules.available:
            return
        chosen: EvSchedule = event.value
        version_21 = self.station.version == V21
        own = self._transaction_profiles(evse_id)
        if version_21 and self._control.get(evse_id) is ControlMode.DynamicControl:
            # [K19.FR.10]: the station leads the car, whatever profile it names.
            if len(own) != 1:
                return
            [schedule] = msgspec.json.decode(own[0].wire, type=types.ChargingProfileType).charging_schedule[:1]
        else:
            schedule = self._schedule(chosen)
        self.station.send(
            v2.NotifyEVChargingScheduleRequest(
                time_base=_time(chosen),
                charging_schedule=schedule,
                evse_id=evse_id,
                selected_charging_schedule_id=own[0].schedule.id if version_21 and len(own) == 1 else None,
                power_tolerance_acceptance=chosen.power_tolerance_accepted if version_21 else None,
            )
        )

    def _schedule(self, chosen: EvSchedule) -> types.ChargingScheduleType:
        digits = DIGITS_21 if self.station.version == V21 else DIGITS_201
        periods = [
            types.ChargingSchedulePeriodType(start_period_s=one.start_s, limit=round(one.power_W, digits))
            for one in chosen.entries[:MOST_PERIODS]
        ]
        return types.ChargingScheduleType(
            id=chosen.schedule_tuple_id,
            charging_rate_unit=types.ChargingRateUnitEnumType.W,
            charging_schedule_period=periods,
            start_schedule=_time(chosen),
            duration_s=chosen.duration_s,
        )


def limits_of(composite: Composite) -> list[ScheduleLimit]:
    """Return a composite schedule as limits for a car; none where nothing limits."""
    found: list[ScheduleLimit] = []
    for period in composite.periods:
        lowest = min(period.limit.given, default=None)
        if lowest is None or lowest >= NO_LIMIT:
            given: dict[str, float] = {}
        elif composite.unit is RateUnit.W:
            given = {"total_power_W": round(lowest * len(period.limit.given), 3)}
        else:
            given = {"ac_max_current_A": round(lowest, 3)}
        at = rfc3339(date_of(composite.start_s + period.start_s))
        found.append(ScheduleLimit(timestamp=at, **given))
    if all(one.ac_max_current_A is None and one.total_power_W is None for one in found):
        return []
    return found


def _time(chosen: EvSchedule) -> datetime:
    at = datetime.fromisoformat(chosen.time_base)
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def _same(one: list[ScheduleLimit], other: list[ScheduleLimit]) -> bool:
    """Return whether a schedule that begins later is the rest of an earlier one."""
    if not one or not other:
        return one == other
    begin = other[0].timestamp
    held = [place for place, entry in enumerate(one) if entry.timestamp <= begin] or [0]
    rest = one[held[-1] :]
    values = [[(entry.ac_max_current_A, entry.total_power_W) for entry in part] for part in (rest, other)]
    times = [[entry.timestamp for entry in part[1:]] for part in (rest, other)]
    return values[0] == values[1] and times[0] == times[1]
