"""Limits of external systems (energy management, grid operator): the CSMS is notified (K11 to K14, K29).

What binds an EVSE is in EVerest's `enforced_limits`, with its source. A source that is neither the station itself nor
this module is an external system. Its limit is also a profile of purpose ChargingStationExternalConstraints, so that
composite schedules and reports have it.
"""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.types.energy import EnforcedLimits, NumberWithSource
from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.messages.v2.types import charging_profile as types
from chargebyte_fw.modules.ocpp.smart_charging.events import ChargingRateChanged
from chargebyte_fw.modules.ocpp.smart_charging.from_v2 import profile_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import V21
from chargebyte_fw.modules.ocpp.smart_charging.store import wire_of
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared

OWN_SOURCES = (
    "/module_config",
    "_caps",
    "_caps_pause",
    "_limit",
    "_limits",
    "Idle",
    "no limit is known",
)
"""How sources end that are the station's own: a fuse, the hardware, an EVSE that asks for nothing."""
EXTERNAL = "EMS"
"""chargingLimitSource of what others set at the interfaces of the energy nodes."""
FIRST_ID = -1000
"""Ids of their profiles, downwards by EVSE, where `MaxExternalConstraintsId` does not name a range."""


class _Limit(msgspec.Struct, frozen=True):
    """A limit of an external system."""

    value: float
    unit: RateUnit
    source: str


class ExternalLimits(Block):
    """Notifies limits of others, and their end."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._limits: dict[int, _Limit] = {}

    @property
    def _profiles(self) -> SmartCharging2:
        return self.station.block(SmartCharging2)

    @receives(events.FactReceived)
    def fact(self, event: events.FactReceived) -> None:
        """Look at what binds an EVSE."""
        if (event.interface, event.variable) != ("evse_manager", "enforced_limits") or event.evse_id is None:
            return
        get = self.station.variables.get
        if not self._profiles.rules.available or not get(declared.EXTERNAL_CONTROL_SIGNALS_ENABLED):
            return
        enforced: EnforcedLimits = event.value
        root = enforced.limits_root_side
        bounds = [
            (bound, unit)
            for bound, unit in ((root.ac_max_current_A, RateUnit.A), (root.total_power_W, RateUnit.W))
            if bound is not None
        ]
        external = [_Limit(abs(bound.value), unit, bound.source) for bound, unit in bounds if self._is_external(bound)]
        if external:
            self._set(event.evse_id, external[0])
        else:
            self._look_for_release(event.evse_id, bounds)

    def _is_external(self, bound: NumberWithSource) -> bool:
        own = self._profiles.settings.source
        return any(
            name and name != own and not name.endswith(OWN_SOURCES)
            for name in (part.strip() for part in bound.source.split(","))
        )

    def _set(self, evse_id: int, limit: _Limit) -> None:
        last = self._limits.get(evse_id)
        if last == limit:
            return
        significant = last is None or last.unit is not limit.unit or self._is_significant(last.value, limit.value)
        if last is not None and not significant:
            return
        self._limits[evse_id] = limit
        self._install(evse_id, limit)
        get = self.station.variables.get
        self.station.send(
            v2.NotifyChargingLimitRequest(
                charging_limit=v2.ChargingLimitType(charging_limit_source=EXTERNAL),
                charging_schedule=[_schedule(limit)] if get(declared.NOTIFY_CHARGING_LIMIT_WITH_SCHEDULES) else None,
                evse_id=evse_id,
            )
        )
        self._rate_changed(evse_id)

    def _is_significant(self, before: float, after: float) -> bool:
        """Return whether a limit has changed by more than `LimitChangeSignificance` percent."""
        share = self.station.variables.get(declared.LIMIT_CHANGE_SIGNIFICANCE) / 100.0
        return abs(after - before) > share * max(abs(before), 1e-9)

    def _look_for_release(self, evse_id: int, bounds: list[tuple[NumberWithSource, RateUnit]]) -> None:
        """What exceeds the limit proves that it is released; a lower limit of another source may only hide it."""
        limit = self._limits.get(evse_id)
        if limit is None or not any(unit is limit.unit and abs(bound.value) > limit.value for bound, unit in bounds):
            return
        del self._limits[evse_id]
        profile_id = self._id(evse_id)
        block = self._profiles
        if block.store.remove(one for one in block.store.all() if one.profile.id == profile_id):
            block.changed()
        self.station.send(v2.ClearedChargingLimitRequest(charging_limit_source=EXTERNAL, evse_id=evse_id))
        self._rate_changed(evse_id)

    def _rate_changed(self, evse_id: int) -> None:
        state = self._profiles.evses.get(evse_id)
        if state is not None and state.transaction:
            self.station.notify(ChargingRateChanged(evse_id))

    def _id(self, evse_id: int) -> int:
        highest = self._profiles.rules.max_external_id
        return (highest if highest is not None else FIRST_ID) - evse_id

    def _install(self, evse_id: int, limit: _Limit) -> None:
        """Let composite schedules have the limit (K11.FR.01), as a dynamic profile in OCPP 2.1 (K29)."""
        get, block = self.station.variables.get, self._profiles
        if evse_id not in block.evses or get(declared.EXTERNAL_CONSTRAINTS_PROFILE_DISALLOWED):
            return
        dynamic = self.station.version == V21 and block.rules.dynamic
        schedule = _schedule(limit)
        if not dynamic:
            schedule.start_schedule = self.station.utc
        kinds = types.ChargingProfileKindEnumType
        wire = types.ChargingProfileType(
            id=self._id(evse_id),
            stack_level=0,
            charging_profile_purpose=types.ChargingProfilePurposeEnumType.ChargingStationExternalConstraints,
            charging_profile_kind=kinds.Dynamic if dynamic else kinds.Absolute,
            charging_schedule=[schedule],
            dyn_update_time=self.station.utc if dynamic else None,
        )
        block.install(profile_of(wire), evse_id, wire_of(wire), EXTERNAL)


def _schedule(limit: _Limit) -> types.ChargingScheduleType:
    return types.ChargingScheduleType(
        id=0,
        charging_rate_unit=types.ChargingRateUnitEnumType(limit.unit),
        charging_schedule_period=[types.ChargingSchedulePeriodType(start_period_s=0, limit=round(limit.value, 1))],
    )
