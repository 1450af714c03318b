"""Dynamic charging profiles: the CSMS pushes new limits and setpoints, or is asked for them (OCPP 2.1, K28)."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.charging_profile import ChargingProfileType
from chargebyte_fw.modules.ocpp.smart_charging.acceptance_v2 import accepted
from chargebyte_fw.modules.ocpp.smart_charging.events import SchedulesComputed
from chargebyte_fw.modules.ocpp.smart_charging.from_v2 import profile_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, Kind
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of
from chargebyte_fw.modules.ocpp.smart_charging.store import wire_of
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2, Status, status_info
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason, Rejected, Requested
from chargebyte_fw.modules.ocpp.station import Block, Station, answers, receives

FIELDS = (
    "limit", "limit_L2", "limit_L3",
    "discharge_limit", "discharge_limit_L2", "discharge_limit_L3",
    "setpoint", "setpoint_L2", "setpoint_L3",
    "setpoint_reactive", "setpoint_reactive_L2", "setpoint_reactive_L3",
)  # fmt: skip
"""What an update has; a value that it lacks stays."""


class DynamicProfiles(Block):
    """Updates of dynamic profiles."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._armed: dict[int, Installed] = {}
        """What each timer was started for."""

    @property
    def _profiles(self) -> SmartCharging2:
        return self.station.block(SmartCharging2)

    @answers(v2.UpdateDynamicScheduleRequest)
    def update_schedule(self, request: v2.UpdateDynamicScheduleRequest) -> v2.UpdateDynamicScheduleResponse:
        """Take the limits and setpoints that the CSMS pushes."""
        self._profiles.require()
        try:
            self._update(request.charging_profile_id, request.schedule_update)
        except Rejected as refused:
            return v2.UpdateDynamicScheduleResponse(
                status=Status.Rejected, status_info=status_info(refused.reason, refused.info)
            )
        return v2.UpdateDynamicScheduleResponse(status=Status.Accepted)

    def _update(self, profile_id: int, update: v2.ChargingScheduleUpdateType) -> None:
        installed = self._dynamic(profile_id)
        if installed is None:
            raise Rejected(Reason.INVALID_PROFILE_ID, f"there is no dynamic profile {profile_id}")
        block = self._profiles
        wire = msgspec.json.decode(installed.wire, type=ChargingProfileType)
        given: dict[str, Any] = {name: value for name in FIELDS if (value := getattr(update, name)) is not None}
        (schedule,) = wire.charging_schedule
        (period,) = schedule.charging_schedule_period
        period = msgspec.structs.replace(period, **given)
        schedule = msgspec.structs.replace(schedule, charging_schedule_period=[period])
        wire = msgspec.structs.replace(wire, charging_schedule=[schedule], dyn_update_time=date_of(block.now_s))
        block.refresh_supply()
        asked = Requested(
            profile=profile_of(wire), evse_id=installed.evse_id, now_s=block.now_s, source=installed.source
        )
        others = block.store.beside(asked.profile, installed.evse_id)
        profile = accepted(asked, others, block.evses, block.rules)
        block.store.update(msgspec.structs.replace(installed, profile=profile, wire=wire_of(wire)))
        self._arm(profile_id)
        block.changed()

    def _dynamic(self, profile_id: int) -> Installed | None:
        installed = self._profiles.store.get(profile_id)
        return installed if installed is not None and installed.profile.kind is Kind.DYNAMIC else None

    # What the station asks for.

    @receives(SchedulesComputed)
    def schedules_computed(self, event: SchedulesComputed) -> None:
        """Ask for each profile that wants it, from its installation (or the start) on."""
        for profile_id in [one for one in self._armed if self._dynamic(one) is None]:
            self._arm(profile_id)
        for installed in self._profiles.store:
            profile = installed.profile
            if profile.kind is Kind.DYNAMIC and self._armed.get(profile.id) is not installed:
                self._arm(profile.id)

    def _arm(self, profile_id: int) -> None:
        """Ask again one interval after the last update."""
        installed = self._dynamic(profile_id)
        interval_s = installed.profile.update_interval_s if installed is not None else 0
        if installed is None or interval_s <= 0:
            self._armed.pop(profile_id, None)
            self.station.stop(_timer(profile_id))
            return
        self._armed[profile_id] = installed
        self.station.start(_timer(profile_id), self.station.now + interval_s, partial(self._pull, profile_id))

    def _pull(self, profile_id: int) -> None:
        self._arm(profile_id)
        if profile_id in self._armed and self._profiles.online:
            request = v2.PullDynamicScheduleUpdateRequest(charging_profile_id=profile_id)
            self.station.send(request, partial(self._pulled, profile_id))

    def _pulled(self, profile_id: int, response: Any) -> None:
        """Take what the CSMS answers; a refusal, or no answer, leaves the profile as it is."""
        if isinstance(response, v2.PullDynamicScheduleUpdateResponse) and response.status == "Accepted":
            update = response.schedule_update
            if update is not None:
                try:
                    self._update(profile_id, update)
                except Rejected:
                    return


def _timer(profile_id: int) -> tuple[str, int]:
    return "dynamic profile", profile_id
