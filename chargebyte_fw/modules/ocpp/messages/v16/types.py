"""Types of OCPP 1.6 that several profiles share."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Tenths, Text, Type


class AuthorizationStatus(StrEnum):
    Accepted = "Accepted"
    Blocked = "Blocked"
    Expired = "Expired"
    Invalid = "Invalid"
    ConcurrentTx = "ConcurrentTx"


class ChargingProfilePurposeType(StrEnum):
    ChargePointMaxProfile = "ChargePointMaxProfile"
    TxDefaultProfile = "TxDefaultProfile"
    TxProfile = "TxProfile"


class ChargingProfileKindType(StrEnum):
    Absolute = "Absolute"
    Recurring = "Recurring"
    Relative = "Relative"


class ChargingRateUnitType(StrEnum):
    A = "A"
    W = "W"


class RecurrencyKindType(StrEnum):
    Daily = "Daily"
    Weekly = "Weekly"


class IdTagInfo(Type, kw_only=True):
    status: AuthorizationStatus
    expiry_date: datetime | None = field(name="expiryDate", default=None)
    parent_id_tag: Annotated[str | None, Text(20, folded=True)] = field(name="parentIdTag", default=None)


class ChargingSchedulePeriod(Type, kw_only=True):
    start_period_s: int = field(name="startPeriod")
    limit: Annotated[float, Tenths()]
    number_phases: int | None = field(name="numberPhases", default=None)


class ChargingSchedule(Type, kw_only=True):
    charging_rate_unit: ChargingRateUnitType = field(name="chargingRateUnit")
    charging_schedule_period: list[ChargingSchedulePeriod] = field(name="chargingSchedulePeriod")
    duration_s: int | None = field(name="duration", default=None)
    start_schedule: datetime | None = field(name="startSchedule", default=None)
    min_charging_rate: Annotated[float | None, Tenths()] = field(name="minChargingRate", default=None)


class ChargingProfile(Type, kw_only=True):
    charging_profile_id: int = field(name="chargingProfileId")
    stack_level: int = field(name="stackLevel")
    charging_profile_purpose: ChargingProfilePurposeType = field(name="chargingProfilePurpose")
    charging_profile_kind: ChargingProfileKindType = field(name="chargingProfileKind")
    charging_schedule: ChargingSchedule = field(name="chargingSchedule")
    transaction_id: int | None = field(name="transactionId", default=None)
    recurrency_kind: RecurrencyKindType | None = field(name="recurrencyKind", default=None)
    valid_from: datetime | None = field(name="validFrom", default=None)
    valid_to: datetime | None = field(name="validTo", default=None)
