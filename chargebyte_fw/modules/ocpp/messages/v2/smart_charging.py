"""Smart charging (OCPP 2.x part 2, block K)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Items, OneOf, Range, Text, Values, Whole
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.charging_profile import (
    ChargingLimitSourceEnumType,
    ChargingProfilePurposeEnumType,
    ChargingProfileType,
    ChargingRateUnitEnumType,
    ChargingSchedulePeriodType,
    ChargingScheduleType,
)
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType


class ChargingProfileStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class ClearChargingProfileStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Unknown = "Unknown"


class ControlModeEnumType(StrEnum):
    ScheduledControl = "ScheduledControl"
    DynamicControl = "DynamicControl"


class GetChargingProfileStatusEnumType(StrEnum):
    Accepted = "Accepted"
    NoProfiles = "NoProfiles"


class IslandingDetectionEnumType(StrEnum):
    NoAntiIslandingSupport = "NoAntiIslandingSupport"
    RoCoF = "RoCoF"
    UVP_OVP = "UVP_OVP"
    UFP_OFP = "UFP_OFP"
    VoltageVectorShift = "VoltageVectorShift"
    ZeroCrossingDetection = "ZeroCrossingDetection"
    OtherPassive = "OtherPassive"
    ImpedanceMeasurement = "ImpedanceMeasurement"
    ImpedanceAtFrequency = "ImpedanceAtFrequency"
    SlipModeFrequencyShift = "SlipModeFrequencyShift"
    SandiaFrequencyShift = "SandiaFrequencyShift"
    SandiaVoltageShift = "SandiaVoltageShift"
    FrequencyJump = "FrequencyJump"
    RCLQFactor = "RCLQFactor"
    OtherActive = "OtherActive"


class MobilityNeedsModeEnumType(StrEnum):
    EVCC = "EVCC"
    EVCC_SECC = "EVCC_SECC"


class NotifyEVChargingNeedsStatusEnumType(Values):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Processing = "Processing"
    NoChargingProfile = "NoChargingProfile", SINCE_21, "Accepted"


class PriorityChargingStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NoProfile = "NoProfile"


class ACChargingParametersType(V2Type, kw_only=True):
    energy_amount_Wh: Annotated[float, In201(Whole())] = field(name="energyAmount")
    ev_min_current_A: Annotated[float, In201(Whole())] = field(name="evMinCurrent")
    ev_max_current_A: Annotated[float, In201(Whole())] = field(name="evMaxCurrent")
    ev_max_voltage_V: Annotated[float, In201(Whole())] = field(name="evMaxVoltage")


class ChargingLimitType(V2Type, kw_only=True):
    charging_limit_source: Annotated[str, Text(20), In201(OneOf(ChargingLimitSourceEnumType))] = field(
        name="chargingLimitSource"
    )
    is_grid_critical: bool | None = field(name="isGridCritical", default=None)
    is_local_generation: Annotated[bool | None, SINCE_21] = field(name="isLocalGeneration", default=None)


class DCChargingParametersType(V2Type, kw_only=True):
    ev_max_current_A: Annotated[float, In201(Whole())] = field(name="evMaxCurrent")
    ev_max_voltage_V: Annotated[float, In201(Whole())] = field(name="evMaxVoltage")
    energy_amount_Wh: Annotated[float | None, In201(Whole())] = field(name="energyAmount", default=None)
    ev_max_power_W: Annotated[float | None, In201(Whole())] = field(name="evMaxPower", default=None)
    state_of_charge_percent: Annotated[int | None, Range(0, 100)] = field(name="stateOfCharge", default=None)
    ev_energy_capacity_Wh: Annotated[float | None, In201(Whole())] = field(name="evEnergyCapacity", default=None)
    full_soc_percent: Annotated[int | None, Range(0, 100)] = field(name="fullSoC", default=None)
    bulk_soc_percent: Annotated[int | None, Range(0, 100)] = field(name="bulkSoC", default=None)


class DERChargingParametersType(V2Type, kw_only=True):
    ev_supported_der_control: Annotated[list[DERControlEnumType] | None, Items(1)] = field(
        name="evSupportedDERControl", default=None
    )
    ev_over_excited_max_discharge_power_W: float | None = field(name="evOverExcitedMaxDischargePower", default=None)
    ev_over_excited_power_factor: float | None = field(name="evOverExcitedPowerFactor", default=None)
    ev_under_excited_max_discharge_power_W: float | None = field(name="evUnderExcitedMaxDischargePower", default=None)
    ev_under_excited_power_factor: float | None = field(name="evUnderExcitedPowerFactor", default=None)
    max_apparent_power_VA: float | None = field(name="maxApparentPower", default=None)
    max_charge_apparent_power_VA: float | None = field(name="maxChargeApparentPower", default=None)
    max_charge_apparent_power_L2_VA: float | None = field(name="maxChargeApparentPower_L2", default=None)
    max_charge_apparent_power_L3_VA: float | None = field(name="maxChargeApparentPower_L3", default=None)
    max_discharge_apparent_power_VA: float | None = field(name="maxDischargeApparentPower", default=None)
    max_discharge_apparent_power_L2_VA: float | None = field(name="maxDischargeApparentPower_L2", default=None)
    max_discharge_apparent_power_L3_VA: float | None = field(name="maxDischargeApparentPower_L3", default=None)
    max_charge_reactive_power_var: float | None = field(name="maxChargeReactivePower", default=None)
    max_charge_reactive_power_L2_var: float | None = field(name="maxChargeReactivePower_L2", default=None)
    max_charge_reactive_power_L3_var: float | None = field(name="maxChargeReactivePower_L3", default=None)
    min_charge_reactive_power_var: float | None = field(name="minChargeReactivePower", default=None)
    min_charge_reactive_power_L2_var: float | None = field(name="minChargeReactivePower_L2", default=None)
    min_charge_reactive_power_L3_var: float | None = field(name="minChargeReactivePower_L3", default=None)
    max_discharge_reactive_power_var: float | None = field(name="maxDischargeReactivePower", default=None)
    max_discharge_reactive_power_L2_var: float | None = field(name="maxDischargeReactivePower_L2", default=None)
    max_discharge_reactive_power_L3_var: float | None = field(name="maxDischargeReactivePower_L3", default=None)
    min_discharge_reactive_power_var: float | None = field(name="minDischargeReactivePower", default=None)
    min_discharge_reactive_power_L2_var: float | None = field(name="minDischargeReactivePower_L2", default=None)
    min_discharge_reactive_power_L3_var: float | None = field(name="minDischargeReactivePower_L3", default=None)
    nominal_voltage_V: float | None = field(name="nominalVoltage", default=None)
    nominal_voltage_offset_V: float | None = field(name="nominalVoltageOffset", default=None)
    max_nominal_voltage_V: float | None = field(name="maxNominalVoltage", default=None)
    min_nominal_voltage_V: float | None = field(name="minNominalVoltage", default=None)
    ev_inverter_manufacturer: Annotated[str | None, Text(50)] = field(name="evInverterManufacturer", default=None)
    ev_inverter_model: Annotated[str | None, Text(50)] = field(name="evInverterModel", default=None)
    ev_inverter_serial_number: Annotated[str | None, Text(50)] = field(name="evInverterSerialNumber", default=None)
    ev_inverter_sw_version: Annotated[str | None, Text(50)] = field(name="evInverterSwVersion", default=None)
    ev_inverter_hw_version: Annotated[str | None, Text(50)] = field(name="evInverterHwVersion", default=None)
    ev_islanding_detection_method: Annotated[list[IslandingDetectionEnumType] | None, Items(1)] = field(
        name="evIslandingDetectionMethod", default=None
    )
    ev_islanding_trip_time_s: float | None = field(name="evIslandingTripTime", default=None)
    ev_maximum_level1_dc_injection_A: float | None = field(name="evMaximumLevel1DCInjection", default=None)
    ev_duration_level1_dc_injection_s: float | None = field(name="evDurationLevel1DCInjection", default=None)
    ev_maximum_level2_dc_injection_A: float | None = field(name="evMaximumLevel2DCInjection", default=None)
    ev_duration_level2_dc_injection_s: float | None = field(name="evDurationLevel2DCInjection", default=None)
    ev_reactive_susceptance_S: float | None = field(name="evReactiveSusceptance", default=None)
    ev_session_total_discharge_energy_available_Wh: float | None = field(
        name="evSessionTotalDischargeEnergyAvailable", default=None
    )


class EVPriceRuleType(V2Type, kw_only=True):
    energy_fee: float = field(name="energyFee")
    power_range_start_W: float = field(name="powerRangeStart")


class EVAbsolutePriceScheduleEntryType(V2Type, kw_only=True):
    duration_s: int = field(name="duration")
    ev_price_rule: Annotated[list[EVPriceRuleType], Items(1, 8)] = field(name="evPriceRule")


class EVAbsolutePriceScheduleType(V2Type, kw_only=True):
    time_anchor: datetime = field(name="timeAnchor")
    currency: Annotated[str, Text(3)]
    ev_absolute_price_schedule_entries: Annotated[list[EVAbsolutePriceScheduleEntryType], Items(1, 1024)] = field(
        name="evAbsolutePriceScheduleEntries"
    )
    price_algorithm: Annotated[str, Text(2000)] = field(name="priceAlgorithm")


class EVPowerScheduleEntryType(V2Type, kw_only=True):
    duration_s: int = field(name="duration")
    power_W: float = field(name="power")


class EVPowerScheduleType(V2Type, kw_only=True):
    ev_power_schedule_entries: Annotated[list[EVPowerScheduleEntryType], Items(1, 1024)] = field(
        name="evPowerScheduleEntries"
    )
    time_anchor: datetime = field(name="timeAnchor")


class EVEnergyOfferType(V2Type, kw_only=True):
    ev_power_schedule: EVPowerScheduleType = field(name="evPowerSchedule")
    ev_absolute_price_schedule: EVAbsolutePriceScheduleType | None = field(name="evAbsolutePriceSchedule", default=None)


class V2XChargingParametersType(V2Type, kw_only=True):
    min_charge_power_W: float | None = field(name="minChargePower", default=None)
    min_charge_power_L2_W: float | None = field(name="minChargePower_L2", default=None)
    min_charge_power_L3_W: float | None = field(name="minChargePower_L3", default=None)
    max_charge_power_W: float | None = field(name="maxChargePower", default=None)
    max_charge_power_L2_W: float | None = field(name="maxChargePower_L2", default=None)
    max_charge_power_L3_W: float | None = field(name="maxChargePower_L3", default=None)
    min_discharge_power_W: float | None = field(name="minDischargePower", default=None)
    min_discharge_power_L2_W: float | None = field(name="minDischargePower_L2", default=None)
    min_discharge_power_L3_W: float | None = field(name="minDischargePower_L3", default=None)
    max_discharge_power_W: float | None = field(name="maxDischargePower", default=None)
    max_discharge_power_L2_W: float | None = field(name="maxDischargePower_L2", default=None)
    max_discharge_power_L3_W: float | None = field(name="maxDischargePower_L3", default=None)
    min_charge_current_A: float | None = field(name="minChargeCurrent", default=None)
    max_charge_current_A: float | None = field(name="maxChargeCurrent", default=None)
    min_discharge_current_A: float | None = field(name="minDischargeCurrent", default=None)
    max_discharge_current_A: float | None = field(name="maxDischargeCurrent", default=None)
    min_voltage_V: float | None = field(name="minVoltage", default=None)
    max_voltage_V: float | None = field(name="maxVoltage", default=None)
    ev_target_energy_request_Wh: float | None = field(name="evTargetEnergyRequest", default=None)
    ev_min_energy_request_Wh: float | None = field(name="evMinEnergyRequest", default=None)
    ev_max_energy_request_Wh: float | None = field(name="evMaxEnergyRequest", default=None)
    ev_min_v2x_energy_request_Wh: float | None = field(name="evMinV2XEnergyRequest", default=None)
    ev_max_v2x_energy_request_Wh: float | None = field(name="evMaxV2XEnergyRequest", default=None)
    target_soc_percent: Annotated[int | None, Range(0, 100)] = field(name="targetSoC", default=None)


class ChargingNeedsType(V2Type, kw_only=True):
    requested_energy_transfer: EnergyTransferModeEnumType = field(name="requestedEnergyTransfer")
    ac_charging_parameters: ACChargingParametersType | None = field(name="acChargingParameters", default=None)
    dc_charging_parameters: DCChargingParametersType | None = field(name="dcChargingParameters", default=None)
    departure_time: datetime | None = field(name="departureTime", default=None)
    der_charging_parameters: Annotated[DERChargingParametersType | None, SINCE_21] = field(
        name="derChargingParameters", default=None
    )
    ev_energy_offer: Annotated[EVEnergyOfferType | None, SINCE_21] = field(name="evEnergyOffer", default=None)
    v2x_charging_parameters: Annotated[V2XChargingParametersType | None, SINCE_21] = field(
        name="v2xChargingParameters", default=None
    )
    available_energy_transfer: Annotated[list[EnergyTransferModeEnumType] | None, Items(1), SINCE_21] = field(
        name="availableEnergyTransfer", default=None
    )
    control_mode: Annotated[ControlModeEnumType | None, SINCE_21] = field(name="controlMode", default=None)
    mobility_needs_mode: Annotated[MobilityNeedsModeEnumType | None, SINCE_21] = field(
        name="mobilityNeedsMode", default=None
    )


class ChargingProfileCriterionType(V2Type, kw_only=True):
    charging_profile_purpose: ChargingProfilePurposeEnumType | None = field(name="chargingProfilePurpose", default=None)
    stack_level: Annotated[int | None, In21(Range(0))] = field(name="stackLevel", default=None)
    charging_profile_id: Annotated[list[int] | None, Items(1)] = field(name="chargingProfileId", default=None)
    charging_limit_source: Annotated[
        list[Annotated[str, Text(20), In201(OneOf(ChargingLimitSourceEnumType))]] | None, Items(1, 4)
    ] = field(name="chargingLimitSource", default=None)


class ChargingScheduleUpdateType(V2Type, kw_only=True):
    limit: float | None = None
    limit_L2: float | None = None
    limit_L3: float | None = None
    discharge_limit: Annotated[float | None, Range(high=0)] = field(name="dischargeLimit", default=None)
    discharge_limit_L2: Annotated[float | None, Range(high=0)] = field(name="dischargeLimit_L2", default=None)
    discharge_limit_L3: Annotated[float | None, Range(high=0)] = field(name="dischargeLimit_L3", default=None)
    setpoint: float | None = None
    setpoint_L2: float | None = None
    setpoint_L3: float | None = None
    setpoint_reactive: float | None = field(name="setpointReactive", default=None)
    setpoint_reactive_L2: float | None = field(name="setpointReactive_L2", default=None)
    setpoint_reactive_L3: float | None = field(name="setpointReactive_L3", default=None)


class ClearChargingProfileType(V2Type, kw_only=True):
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)
    charging_profile_purpose: ChargingProfilePurposeEnumType | None = field(name="chargingProfilePurpose", default=None)
    stack_level: Annotated[int | None, In21(Range(0))] = field(name="stackLevel", default=None)


class CompositeScheduleType(V2Type, kw_only=True):
    charging_schedule_period: Annotated[list[ChargingSchedulePeriodType], Items(1)] = field(
        name="chargingSchedulePeriod"
    )
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    duration_s: int = field(name="duration")
    schedule_start: datetime = field(name="scheduleStart")
    charging_rate_unit: ChargingRateUnitEnumType = field(name="chargingRateUnit")


class SetChargingProfileRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    charging_profile: ChargingProfileType = field(name="chargingProfile")


class SetChargingProfileResponse(V2Response, kw_only=True):
    status: ChargingProfileStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetChargingProfilesRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    charging_profile: ChargingProfileCriterionType = field(name="chargingProfile")
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)


class GetChargingProfilesResponse(V2Response, kw_only=True):
    status: GetChargingProfileStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class ReportChargingProfilesRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    charging_limit_source: Annotated[str, Text(20), In201(OneOf(ChargingLimitSourceEnumType))] = field(
        name="chargingLimitSource"
    )
    charging_profile: Annotated[list[ChargingProfileType], Items(1)] = field(name="chargingProfile")
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    tbc: bool = False


class ReportChargingProfilesResponse(V2Response, kw_only=True):
    pass


class ClearChargingProfileRequest(V2Request, kw_only=True):
    charging_profile_id: int | None = field(name="chargingProfileId", default=None)
    charging_profile_criteria: ClearChargingProfileType | None = field(name="chargingProfileCriteria", default=None)


class ClearChargingProfileResponse(V2Response, kw_only=True):
    status: ClearChargingProfileStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetCompositeScheduleRequest(V2Request, kw_only=True):
    duration_s: int = field(name="duration")
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    charging_rate_unit: ChargingRateUnitEnumType | None = field(name="chargingRateUnit", default=None)


class GetCompositeScheduleResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    schedule: CompositeScheduleType | None = None


class NotifyChargingLimitRequest(V2Request, kw_only=True):
    charging_limit: ChargingLimitType = field(name="chargingLimit")
    charging_schedule: Annotated[list[ChargingScheduleType] | None, Items(1)] = field(
        name="chargingSchedule", default=None
    )
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)


class NotifyChargingLimitResponse(V2Response, kw_only=True):
    pass


class ClearedChargingLimitRequest(V2Request, kw_only=True):
    charging_limit_source: Annotated[str, Text(20), In201(OneOf(ChargingLimitSourceEnumType))] = field(
        name="chargingLimitSource"
    )
    evse_id: Annotated[int | None, In21(Range(0))] = field(name="evseId", default=None)


class ClearedChargingLimitResponse(V2Response, kw_only=True):
    pass


class NotifyEVChargingNeedsRequest(V2Request, kw_only=True):
    charging_needs: ChargingNeedsType = field(name="chargingNeeds")
    evse_id: Annotated[int, In21(Range(1))] = field(name="evseId")
    max_schedule_tuples: Annotated[int | None, In21(Range(0))] = field(name="maxScheduleTuples", default=None)
    timestamp: Annotated[datetime | None, SINCE_21] = None


class NotifyEVChargingNeedsResponse(V2Response, kw_only=True):
    status: NotifyEVChargingNeedsStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyEVChargingScheduleRequest(V2Request, kw_only=True):
    time_base: datetime = field(name="timeBase")
    charging_schedule: ChargingScheduleType = field(name="chargingSchedule")
    evse_id: Annotated[int, In21(Range(1))] = field(name="evseId")
    selected_charging_schedule_id: Annotated[int | None, Range(0), SINCE_21] = field(
        name="selectedChargingScheduleId", default=None
    )
    power_tolerance_acceptance: Annotated[bool | None, SINCE_21] = field(name="powerToleranceAcceptance", default=None)


class NotifyEVChargingScheduleResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class UsePriorityChargingRequest(V2Request, kw_only=True):
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")
    activate: bool


class UsePriorityChargingResponse(V2Response, kw_only=True):
    status: PriorityChargingStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyPriorityChargingRequest(V2Request, kw_only=True):
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")
    activated: bool


class NotifyPriorityChargingResponse(V2Response, kw_only=True):
    pass


class PullDynamicScheduleUpdateRequest(V2Request, kw_only=True):
    charging_profile_id: int = field(name="chargingProfileId")


class PullDynamicScheduleUpdateResponse(V2Response, kw_only=True):
    status: ChargingProfileStatusEnumType
    schedule_update: ChargingScheduleUpdateType | None = field(name="scheduleUpdate", default=None)
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class UpdateDynamicScheduleRequest(V2Request, kw_only=True):
    charging_profile_id: int = field(name="chargingProfileId")
    schedule_update: ChargingScheduleUpdateType = field(name="scheduleUpdate")


class UpdateDynamicScheduleResponse(V2Response, kw_only=True):
    status: ChargingProfileStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
