"""Smart charging of OCPP 2.0.1 and 2.1: profiles are set, reported and cleared; composite schedules (K01 to K10)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2 import smart_charging as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.charging_profile import ChargingProfileType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.smart_charging import acceptance_v2
from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging
from chargebyte_fw.modules.ocpp.smart_charging.from_v2 import profile_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    STATION,
    Installed,
    Profile,
    Purpose,
    RateUnit,
    same_transaction,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState
from chargebyte_fw.modules.ocpp.smart_charging.store import Filter, wire_of
from chargebyte_fw.modules.ocpp.smart_charging.to_v2 import composite_of
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason, Rejected, Requested
from chargebyte_fw.modules.ocpp.station import answers
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded
from chargebyte_fw.modules.ocpp.variables.standard.internal import MAX_MESSAGE_SIZE

REPORT_FRAME_BYTES = 300
"""What a ReportChargingProfilesRequest has besides its profiles."""
Status = v2.ChargingProfileStatusEnumType


def status_info(reason: str, info: str) -> StatusInfoType:
    """Return why a request is rejected."""
    return StatusInfoType(reason_code=reason[:20], additional_info=info[:512] or None)


class SmartCharging2(SmartCharging):
    """Functional block K, the part of profiles."""

    def numbers(self) -> list[int]:
        """The EVSEs."""
        return list(self.station.layout.evse_ids)

    def decode(self, wire: bytes) -> Profile:
        """Read a profile of the last run."""
        return profile_of(msgspec.json.decode(wire, type=ChargingProfileType))

    def model_of(self, profile: Any) -> Profile:
        """Return a profile of a message."""
        return profile_of(profile)

    def accepted(self, profile: Profile, number: int, evses: dict[int, EvseState], **request: Any) -> Profile:
        """Check a profile."""
        asked = Requested(profile=profile, evse_id=number, now_s=self.now_s, **request)
        others = self.store.beside(profile, number)
        last_s = self.store.last_update_s(profile.purpose)
        return acceptance_v2.accepted(asked, others, evses, self.rules, last_update_s=last_s)

    def place_of(self, event: TransactionBegan | TransactionEnded) -> int:
        """The EVSE."""
        return event.evse_id

    def transaction_id_of(self, event: TransactionBegan) -> str | None:
        """The id of the session."""
        return event.session_id

    def evse_of(self, transaction_id: str) -> int | None:
        """Return the EVSE of a transaction, None where it does not run. Ids are the same in any case of letters."""
        for evse_id, state in self.evses.items():
            if state.transaction and same_transaction(state.transaction_id, transaction_id):
                return evse_id
        return None

    # K01: set.

    @answers(v2.SetChargingProfileRequest)
    def set_profile(self, request: v2.SetChargingProfileRequest) -> v2.SetChargingProfileResponse:
        """Install a profile (K01)."""
        self.require()
        self.refresh_supply()
        try:
            profile = self.accepted(profile_of(request.charging_profile), request.evse_id, self.evses)
        except Rejected as refused:
            return v2.SetChargingProfileResponse(
                status=Status.Rejected, status_info=status_info(refused.reason, refused.info)
            )
        self.install(profile, request.evse_id, wire_of(request.charging_profile))
        return v2.SetChargingProfileResponse(status=Status.Accepted)

    def install_pending(self, number: int, profile: Any, transaction_id: str | None) -> None:
        """Install the profile of RequestStartTransaction with the id of its transaction (K05)."""
        try:
            accepted = self.accepted(profile_of(profile), number, self.evses, in_remote_start=True)
        except Rejected:
            return
        accepted = msgspec.structs.replace(accepted, transaction_id=transaction_id)
        self.install(accepted, number, wire_of(msgspec.structs.replace(profile, transaction_id=transaction_id)))

    # K08: composite schedule.

    @answers(v2.GetCompositeScheduleRequest)
    def get_composite(self, request: v2.GetCompositeScheduleRequest) -> v2.GetCompositeScheduleResponse:
        """Report what all profiles together allow (K08)."""
        self.require()
        rules = self.rules
        if request.evse_id != STATION and request.evse_id not in self.evses:
            return self._no_schedule(Reason.INVALID_VALUE, f"there is no EVSE {request.evse_id}")  # K08.FR.05
        default = RateUnit.A if RateUnit.A in rules.units else RateUnit.W
        unit = RateUnit(request.charging_rate_unit) if request.charging_rate_unit is not None else default
        if unit not in rules.units:
            return self._no_schedule(Reason.UNSUPPORTED_UNIT, f"chargingRateUnit {unit}")  # K08.FR.07
        if request.duration_s < 0:
            return self._no_schedule(Reason.INVALID_VALUE, f"duration {request.duration_s}")
        made = self.composite_of(request.evse_id, request.duration_s, unit)
        return v2.GetCompositeScheduleResponse(
            status=GenericStatusEnumType.Accepted, schedule=composite_of(made, self.station.version)
        )

    @staticmethod
    def _no_schedule(reason: Reason, info: str) -> v2.GetCompositeScheduleResponse:
        return v2.GetCompositeScheduleResponse(
            status=GenericStatusEnumType.Rejected, status_info=status_info(reason, info)
        )

    # K09: report.

    @answers(v2.GetChargingProfilesRequest)
    def get_profiles(self, request: v2.GetChargingProfilesRequest) -> v2.GetChargingProfilesResponse:
        """Report the installed profiles that the criteria mean (K09)."""
        self.require()
        wanted, purpose = request.charging_profile, request.charging_profile.charging_profile_purpose
        found = self.store.select(
            Filter(
                ids=frozenset(wanted.charging_profile_id) if wanted.charging_profile_id else None,
                evse_id=request.evse_id,
                purpose=Purpose(purpose) if purpose is not None else None,
                stack_level=wanted.stack_level,
                sources=frozenset(wanted.charging_limit_source) if wanted.charging_limit_source else None,
            )
        )
        if not found:
            return v2.GetChargingProfilesResponse(status=v2.GetChargingProfileStatusEnumType.NoProfiles)
        self.station.after_answer(lambda: self._report(request.request_id, found))
        return v2.GetChargingProfilesResponse(status=v2.GetChargingProfileStatusEnumType.Accepted)

    def _report(self, request_id: int, profiles: list[Installed]) -> None:
        messages = [
            v2.ReportChargingProfilesRequest(
                request_id=request_id,
                charging_limit_source=source,
                charging_profile=[msgspec.json.decode(one.wire, type=ChargingProfileType) for one in batch],
                evse_id=evse_id,
                tbc=True,
            )
            for (evse_id, source), batch in self._batches(profiles)
        ]
        messages[-1].tbc = False
        for message in messages:
            self.station.send(message)

    def _batches(self, profiles: list[Installed]) -> Iterator[tuple[tuple[int, str], list[Installed]]]:
        """Yield the profiles of an EVSE and a source, no more at once than a message may have octets."""
        most = self.station.variables.get(MAX_MESSAGE_SIZE) - REPORT_FRAME_BYTES
        ordered = sorted(profiles, key=_origin)
        for origin, group in groupby(ordered, key=_origin):
            batch: list[Installed] = []
            size = 0
            for one in group:
                if batch and size + len(one.wire) > most:
                    yield origin, batch
                    batch, size = [], 0
                batch.append(one)
                size += len(one.wire) + 1
            yield origin, batch

    # K10: clear.

    @answers(v2.ClearChargingProfileRequest)
    def clear_profile(self, request: v2.ClearChargingProfileRequest) -> v2.ClearChargingProfileResponse:
        """Remove the profile of an id, or those that the criteria mean; never external constraints (K10.FR.04)."""
        self.require()
        criteria = request.charging_profile_criteria
        if request.charging_profile_id is not None:
            wanted = Filter(ids=frozenset({request.charging_profile_id}))
        elif criteria is not None:
            purpose = criteria.charging_profile_purpose
            wanted = Filter(
                evse_id=criteria.evse_id,
                purpose=Purpose(purpose) if purpose is not None else None,
                stack_level=criteria.stack_level,
            )
        else:
            wanted = Filter()
        found = [one for one in self.store.select(wanted) if one.profile.purpose is not Purpose.EXTERNAL]
        if not self.store.remove(found):
            return v2.ClearChargingProfileResponse(status=v2.ClearChargingProfileStatusEnumType.Unknown)
        self.changed()
        return v2.ClearChargingProfileResponse(status=v2.ClearChargingProfileStatusEnumType.Accepted)

    def is_enforced(self, installed: Installed) -> bool:
        """Limits of external systems reach the stack by themselves: they are for answers to the CSMS."""
        return installed.profile.purpose is not Purpose.EXTERNAL


def _origin(installed: Installed) -> tuple[int, str]:
    return installed.evse_id, installed.source
