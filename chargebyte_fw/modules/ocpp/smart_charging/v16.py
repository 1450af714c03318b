"""Smart charging of OCPP 1.6: SetChargingProfile, ClearChargingProfile, GetCompositeSchedule (§5.5, §5.7, §5.16)."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v16 import smart_charging as v16
from chargebyte_fw.modules.ocpp.messages.v16 import types
from chargebyte_fw.modules.ocpp.smart_charging import acceptance_v16
from chargebyte_fw.modules.ocpp.smart_charging.block import SmartCharging
from chargebyte_fw.modules.ocpp.smart_charging.from_v16 import PURPOSES, profile_of, schedule_of
from chargebyte_fw.modules.ocpp.smart_charging.profile import STATION, Profile, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState
from chargebyte_fw.modules.ocpp.smart_charging.seconds import date_of
from chargebyte_fw.modules.ocpp.smart_charging.store import Filter, wire_of
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Rejected, Requested
from chargebyte_fw.modules.ocpp.station import answers, receives
from chargebyte_fw.modules.ocpp.transactions.events import TransactionBegan, TransactionEnded, TransactionKnown

Status = v16.ChargingProfileStatus
_NO_SCHEDULE = v16.GetCompositeScheduleResponse(status=v16.GetCompositeScheduleStatus.Rejected)


class SmartCharging16(SmartCharging):
    """Profile SmartCharging of OCPP 1.6. EVSEs are its connectors."""

    def numbers(self) -> list[int]:
        """The connectors."""
        return [place.connector for place in self.station.layout]

    def evse_numbers(self, evse_id: int) -> list[int]:
        """The connectors of an EVSE."""
        return [place.connector for place in self.station.layout.of(evse_id)]

    def decode(self, wire: bytes) -> Profile:
        """Read a profile of the last run."""
        return profile_of(msgspec.json.decode(wire, type=types.ChargingProfile))

    def model_of(self, profile: Any) -> Profile:
        """Return a profile of a message."""
        return profile_of(profile)

    def accepted(self, profile: Profile, number: int, evses: dict[int, EvseState], **request: Any) -> Profile:
        """Check a profile."""
        asked = Requested(profile=profile, evse_id=number, now_s=self.now_s, **request)
        return acceptance_v16.accepted(asked, self.store.beside(profile, number), evses, self.rules)

    def place_of(self, event: TransactionBegan | TransactionEnded) -> int:
        """The connector."""
        return event.connector

    def transaction_id_of(self, event: TransactionBegan) -> str | None:
        """StartTransaction.conf brings it."""
        return None

    @answers(v16.SetChargingProfileRequest)
    def set_profile(self, request: v16.SetChargingProfileRequest) -> v16.SetChargingProfileResponse:
        """Install a profile (§5.16)."""
        self.require()
        wire = request.cs_charging_profiles
        self.refresh_supply()
        try:
            profile = self.accepted(profile_of(wire), request.connector_id, self.evses)
        except Rejected:
            return v16.SetChargingProfileResponse(status=Status.Rejected)
        kept = wire
        if profile.transaction_id is not None:
            kept = msgspec.structs.replace(wire, transaction_id=int(profile.transaction_id))
        self.install(profile, request.connector_id, wire_of(kept))
        return v16.SetChargingProfileResponse(status=Status.Accepted)

    @answers(v16.ClearChargingProfileRequest)
    def clear_profile(self, request: v16.ClearChargingProfileRequest) -> v16.ClearChargingProfileResponse:
        """Remove the profile of an id, or all of connector, purpose and level (§5.5)."""
        self.require()
        purpose = request.charging_profile_purpose
        wanted = (
            Filter(ids=frozenset({request.id}))
            if request.id is not None
            else Filter(
                evse_id=request.connector_id,
                purpose=PURPOSES[purpose] if purpose is not None else None,
                stack_level=request.stack_level,
            )
        )
        if not self.store.remove(self.store.select(wanted)):
            return v16.ClearChargingProfileResponse(status=v16.ClearChargingProfileStatus.Unknown)
        self.changed()
        return v16.ClearChargingProfileResponse(status=v16.ClearChargingProfileStatus.Accepted)

    @answers(v16.GetCompositeScheduleRequest)
    def get_composite(self, request: v16.GetCompositeScheduleRequest) -> v16.GetCompositeScheduleResponse:
        """Report what all profiles together allow (§5.7)."""
        self.require()
        rules = self.rules
        unit = RateUnit(request.charging_rate_unit) if request.charging_rate_unit is not None else RateUnit.A
        if request.charging_rate_unit is None and RateUnit.A not in rules.units:
            unit = RateUnit.W
        is_known = request.connector_id == STATION or request.connector_id in self.evses
        if not is_known or unit not in rules.units or request.duration_s < 0:
            return _NO_SCHEDULE
        made = self.composite_of(request.connector_id, min(request.duration_s, rules.max_composite_s), unit)
        return v16.GetCompositeScheduleResponse(
            status=v16.GetCompositeScheduleStatus.Accepted,
            connector_id=request.connector_id,
            schedule_start=date_of(made.start_s),
            charging_schedule=schedule_of(made),
        )

    @receives(TransactionKnown)
    def transaction_known(self, event: TransactionKnown) -> None:
        """The CSMS gave the transaction its id; so do its profiles."""
        transaction_id = str(event.transaction_id)
        self.change(event.connector, transaction_id=transaction_id)
        for installed in self.store.all():
            if (
                installed.evse_id == event.connector
                and PURPOSES[types.ChargingProfilePurposeType.TxProfile] is installed.profile.purpose
                and installed.profile.transaction_id is None
            ):
                wire = msgspec.json.decode(installed.wire, type=types.ChargingProfile)
                self.store.update(
                    msgspec.structs.replace(
                        installed,
                        profile=msgspec.structs.replace(installed.profile, transaction_id=transaction_id),
                        wire=wire_of(msgspec.structs.replace(wire, transaction_id=event.transaction_id)),
                    )
                )

    def install_pending(self, number: int, profile: Any, transaction_id: str | None) -> None:
        """Install the profile of RemoteStartTransaction; its id follows with StartTransaction.conf."""
        try:
            accepted = self.accepted(profile_of(profile), number, self.evses, in_remote_start=True)
        except Rejected:
            return
        self.install(accepted, number, wire_of(profile))
