"""Charging profiles (OCPP 2.x part 2, block K)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Items, Range, Required, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import OperationModeEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.price_schedule import (
    AbsolutePriceScheduleType,
    PriceLevelScheduleType,
    SalesTariffType,
)


class ChargingLimitSourceEnumType(StrEnum):
    EMS = "EMS"
    Other = "Other"
    SO = "SO"
    CSO = "CSO"


class ChargingProfileKindEnumType(Values):
    Absolute = "Absolute"
    Recurring = "Recurring"
    Relative = "Relative"
    Dynamic = "Dynamic", SINCE_21


class ChargingProfilePurposeEnumType(Values):
    ChargingStationExternalConstraints = "ChargingStationExternalConstraints"
    ChargingStationMaxProfile = "ChargingStationMaxProfile"
    TxDefaultProfile = "TxDefaultProfile"
    TxProfile = "TxProfile"
    PriorityCharging = "PriorityCharging", SINCE_21
    LocalGeneration = "LocalGeneration", SINCE_21


class ChargingRateUnitEnumType(StrEnum):
    W = "W"
    A = "A"


class RecurrencyKindEnumType(StrEnum):
    Daily = "Daily"
    Weekly = "Weekly"


class V2XFreqWattPointType(V2Type, kw_only=True):
    frequency_Hz: float = field(name="frequency")
    power_W: float = field(name="power")


class V2XSignalWattPointType(V2Type, kw_only=True):
    signal: int
    power_W: float = field(name="power")


class ChargingSchedulePeriodType(V2Type, kw_only=True):
    start_period_s: int = field(name="startPeriod")
    limit: Annotated[float | None, In201(Required())] = None
    number_phases: Annotated[int | None, In21(Range(0, 3))] = field(name="numberPhases", default=None)
    phase_to_use: Annotated[int | None, In21(Range(0, 3))] = field(name="phaseToUse", default=None)
    limit_L2: Annotated[float | None, SINCE_21] = None
    limit_L3: Annotated[float | None, SINCE_21] = None
    discharge_limit: Annotated[float | None, Range(high=0), SINCE_21] = field(name="dischargeLimit", default=None)
    discharge_limit_L2: Annotated[float | None, Range(high=0), SINCE_21] = field(name="dischargeLimit_L2", default=None)
    discharge_limit_L3: Annotated[float | None, Range(high=0), SINCE_21] = field(name="dischargeLimit_L3", default=None)
    setpoint: Annotated[float | None, SINCE_21] = None
    setpoint_L2: Annotated[float | None, SINCE_21] = None
    setpoint_L3: Annotated[float | None, SINCE_21] = None
    setpoint_reactive: Annotated[float | None, SINCE_21] = field(name="setpointReactive", default=None)
    setpoint_reactive_L2: Annotated[float | None, SINCE_21] = field(name="setpointReactive_L2", default=None)
    setpoint_reactive_L3: Annotated[float | None, SINCE_21] = field(name="setpointReactive_L3", default=None)
    preconditioning_request: Annotated[bool | None, SINCE_21] = field(name="preconditioningRequest", default=None)
    evse_sleep: Annotated[bool | None, SINCE_21] = field(name="evseSleep", default=None)
    v2x_baseline_W: Annotated[float | None, SINCE_21] = field(name="v2xBaseline", default=None)
    operation_mode: Annotated[OperationModeEnumType | None, SINCE_21] = field(name="operationMode", default=None)
    v2x_freq_watt_curve: Annotated[list[V2XFreqWattPointType] | None, Items(1, 20), SINCE_21] = field(
        name="v2xFreqWattCurve", default=None
    )
    v2x_signal_watt_curve: Annotated[list[V2XSignalWattPointType] | None, Items(1, 20), SINCE_21] = field(
        name="v2xSignalWattCurve", default=None
    )


class LimitAtSoCType(V2Type, kw_only=True):
    soc_percent: Annotated[int, Range(0, 100)] = field(name="soc")
    limit: float


class ChargingScheduleType(V2Type, kw_only=True):
    id: int
    charging_rate_unit: ChargingRateUnitEnumType = field(name="chargingRateUnit")
    charging_schedule_period: Annotated[list[ChargingSchedulePeriodType], Items(1, 1024)] = field(
        name="chargingSchedulePeriod"
    )
    start_schedule: datetime | None = field(name="startSchedule", default=None)
    duration_s: int | None = field(name="duration", default=None)
    min_charging_rate: float | None = field(name="minChargingRate", default=None)
    sales_tariff: SalesTariffType | None = field(name="salesTariff", default=None)
    limit_at_soc: Annotated[LimitAtSoCType | None, SINCE_21] = field(name="limitAtSoC", default=None)
    power_tolerance: Annotated[float | None, SINCE_21] = field(name="powerTolerance", default=None)
    signature_id: Annotated[int | None, Range(0), SINCE_21] = field(name="signatureId", default=None)
    digest_value: Annotated[str | None, Text(88), SINCE_21] = field(name="digestValue", default=None)
    use_local_time: Annotated[bool | None, SINCE_21] = field(name="useLocalTime", default=None)
    randomized_delay_s: Annotated[int | None, Range(0), SINCE_21] = field(name="randomizedDelay", default=None)
    absolute_price_schedule: Annotated[AbsolutePriceScheduleType | None, SINCE_21] = field(
        name="absolutePriceSchedule", default=None
    )
    price_level_schedule: Annotated[PriceLevelScheduleType | None, SINCE_21] = field(
        name="priceLevelSchedule", default=None
    )


class ChargingProfileType(V2Type, kw_only=True):
    id: int
    stack_level: Annotated[int, In21(Range(0))] = field(name="stackLevel")
    charging_profile_purpose: ChargingProfilePurposeEnumType = field(name="chargingProfilePurpose")
    charging_profile_kind: ChargingProfileKindEnumType = field(name="chargingProfileKind")
    charging_schedule: Annotated[list[ChargingScheduleType], Items(1, 3)] = field(name="chargingSchedule")
    recurrency_kind: RecurrencyKindEnumType | None = field(name="recurrencyKind", default=None)
    valid_from: datetime | None = field(name="validFrom", default=None)
    valid_to: datetime | None = field(name="validTo", default=None)
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)
    max_offline_duration_s: Annotated[int | None, SINCE_21] = field(name="maxOfflineDuration", default=None)
    invalid_after_offline_duration: Annotated[bool | None, SINCE_21] = field(
        name="invalidAfterOfflineDuration", default=None
    )
    dyn_update_interval_s: Annotated[int | None, SINCE_21] = field(name="dynUpdateInterval", default=None)
    dyn_update_time: Annotated[datetime | None, SINCE_21] = field(name="dynUpdateTime", default=None)
    price_schedule_signature: Annotated[str | None, Text(256), SINCE_21] = field(
        name="priceScheduleSignature", default=None
    )
