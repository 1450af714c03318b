"""Profile SmartCharging of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Request, Response
from chargebyte_fw.modules.ocpp.messages.v16.types import (
    ChargingProfile,
    ChargingProfilePurposeType,
    ChargingRateUnitType,
    ChargingSchedule,
)


class ClearChargingProfileRequest(Request, kw_only=True):
    id: int | None = None
    connector_id: int | None = field(name="connectorId", default=None)
    charging_profile_purpose: ChargingProfilePurposeType | None = field(name="chargingProfilePurpose", default=None)
    stack_level: int | None = field(name="stackLevel", default=None)


class ClearChargingProfileStatus(StrEnum):
    Accepted = "Accepted"
    Unknown = "Unknown"


class ClearChargingProfileResponse(Response, kw_only=True):
    status: ClearChargingProfileStatus


class GetCompositeScheduleRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    duration_s: int = field(name="duration")
    charging_rate_unit: ChargingRateUnitType | None = field(name="chargingRateUnit", default=None)


class GetCompositeScheduleStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class GetCompositeScheduleResponse(Response, kw_only=True):
    status: GetCompositeScheduleStatus
    connector_id: int | None = field(name="connectorId", default=None)
    schedule_start: datetime | None = field(name="scheduleStart", default=None)
    charging_schedule: ChargingSchedule | None = field(name="chargingSchedule", default=None)


class SetChargingProfileRequest(Request, kw_only=True):
    connector_id: int = field(name="connectorId")
    cs_charging_profiles: ChargingProfile = field(name="csChargingProfiles")


class ChargingProfileStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotSupported = "NotSupported"


class SetChargingProfileResponse(Response, kw_only=True):
    status: ChargingProfileStatus
