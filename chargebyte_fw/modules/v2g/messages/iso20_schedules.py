"""ISO 15118-20: schedules of power and price, power profiles (data types of the common messages)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages.iso20_types import (
    CommonMessagesType,
    RationalNumberType,
    descriptionType,
    identifierType,
    nameType,
    numericIDType,
    percentValueType,
)
from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Occurs,
    choice,
    element,
    seq,
    xs_boolean,
    xs_ID,
    xs_unsignedByte,
    xs_unsignedInt,
    xs_unsignedLong,
    xs_unsignedShort,
)


class powerToleranceAcceptanceType(StrEnum):
    PowerToleranceNotConfirmed = "PowerToleranceNotConfirmed"
    PowerToleranceConfirmed = "PowerToleranceConfirmed"


currencyType = Annotated[str, Coding("string", longest=3)]
languageType = Annotated[str, Coding("string", longest=3)]


class EVPowerScheduleEntryType(CommonMessagesType, kw_only=True):
    Duration: xs_unsignedInt
    Power: RationalNumberType


class EVPowerScheduleEntryListType(CommonMessagesType, kw_only=True):
    EVPowerScheduleEntry: Annotated[list[EVPowerScheduleEntryType], Occurs(1, 1024)]


class EVPowerScheduleType(CommonMessagesType, kw_only=True):
    TimeAnchor: xs_unsignedLong
    EVPowerScheduleEntries: EVPowerScheduleEntryListType


class EVPriceRuleType(CommonMessagesType, kw_only=True):
    EnergyFee: RationalNumberType
    PowerRangeStart: RationalNumberType


class EVPriceRuleStackType(CommonMessagesType, kw_only=True):
    Duration: xs_unsignedInt
    EVPriceRule: Annotated[list[EVPriceRuleType], Occurs(1, 8)]


class EVPriceRuleStackListType(CommonMessagesType, kw_only=True):
    EVPriceRuleStack: Annotated[list[EVPriceRuleStackType], Occurs(1, 1024)]


class EVAbsolutePriceScheduleType(CommonMessagesType, kw_only=True):
    TimeAnchor: xs_unsignedLong
    Currency: currencyType
    PriceAlgorithm: identifierType
    EVPriceRuleStacks: EVPriceRuleStackListType


class EVEnergyOfferType(CommonMessagesType, kw_only=True):
    EVPowerSchedule: EVPowerScheduleType
    EVAbsolutePriceSchedule: EVAbsolutePriceScheduleType


class Scheduled_SEReqControlModeType(CommonMessagesType, kw_only=True):
    DepartureTime: xs_unsignedInt | None = None
    EVTargetEnergyRequest: RationalNumberType | None = None
    EVMaximumEnergyRequest: RationalNumberType | None = None
    EVMinimumEnergyRequest: RationalNumberType | None = None
    EVEnergyOffer: EVEnergyOfferType | None = None


class Dynamic_SEReqControlModeType(CommonMessagesType, kw_only=True):
    DepartureTime: xs_unsignedInt
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    EVTargetEnergyRequest: RationalNumberType
    EVMaximumEnergyRequest: RationalNumberType
    EVMinimumEnergyRequest: RationalNumberType
    EVMaximumV2XEnergyRequest: RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: RationalNumberType | None = None


class PowerScheduleEntryType(CommonMessagesType, kw_only=True):
    Duration: xs_unsignedInt
    Power: RationalNumberType
    Power_L2: RationalNumberType | None = None
    Power_L3: RationalNumberType | None = None


class PowerScheduleEntryListType(CommonMessagesType, kw_only=True):
    PowerScheduleEntry: Annotated[list[PowerScheduleEntryType], Occurs(1, 1024)]


class PowerScheduleType(CommonMessagesType, kw_only=True):
    TimeAnchor: xs_unsignedLong
    AvailableEnergy: RationalNumberType | None = None
    PowerTolerance: RationalNumberType | None = None
    PowerScheduleEntries: PowerScheduleEntryListType


class PriceScheduleType(CommonMessagesType, kw_only=True):
    """Abstract."""

    TimeAnchor: xs_unsignedLong
    PriceScheduleID: numericIDType
    PriceScheduleDescription: descriptionType | None = None


class TaxRuleType(CommonMessagesType, kw_only=True):
    TaxRuleID: numericIDType
    TaxRuleName: nameType | None = None
    TaxRate: RationalNumberType
    TaxIncludedInPrice: xs_boolean | None = None
    AppliesToEnergyFee: xs_boolean
    AppliesToParkingFee: xs_boolean
    AppliesToOverstayFee: xs_boolean
    AppliesMinimumMaximumCost: xs_boolean


class TaxRuleListType(CommonMessagesType, kw_only=True):
    TaxRule: Annotated[list[TaxRuleType], Occurs(1, 10)]


class PriceRuleType(CommonMessagesType, kw_only=True):
    EnergyFee: RationalNumberType
    ParkingFee: RationalNumberType | None = None
    ParkingFeePeriod: xs_unsignedInt | None = None
    CarbonDioxideEmission: xs_unsignedShort | None = None
    RenewableGenerationPercentage: xs_unsignedByte | None = None
    PowerRangeStart: RationalNumberType


class PriceRuleStackType(CommonMessagesType, kw_only=True):
    Duration: xs_unsignedInt
    PriceRule: Annotated[list[PriceRuleType], Occurs(1, 8)]


class PriceRuleStackListType(CommonMessagesType, kw_only=True):
    PriceRuleStack: Annotated[list[PriceRuleStackType], Occurs(1, 1024)]


class OverstayRuleType(CommonMessagesType, kw_only=True):
    OverstayRuleDescription: descriptionType | None = None
    StartTime: xs_unsignedInt
    OverstayFee: RationalNumberType
    OverstayFeePeriod: xs_unsignedInt


class OverstayRuleListType(CommonMessagesType, kw_only=True):
    OverstayTimeThreshold: xs_unsignedInt | None = None
    OverstayPowerThreshold: RationalNumberType | None = None
    OverstayRule: Annotated[list[OverstayRuleType], Occurs(1, 5)]


class AdditionalServiceType(CommonMessagesType, kw_only=True):
    ServiceName: nameType
    ServiceFee: RationalNumberType


class AdditionalServiceListType(CommonMessagesType, kw_only=True):
    AdditionalService: Annotated[list[AdditionalServiceType], Occurs(1, 5)]


class AbsolutePriceScheduleType(PriceScheduleType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    Currency: currencyType
    Language: languageType
    PriceAlgorithm: identifierType
    MinimumCost: RationalNumberType | None = None
    MaximumCost: RationalNumberType | None = None
    TaxRules: TaxRuleListType | None = None
    PriceRuleStacks: PriceRuleStackListType
    OverstayRules: OverstayRuleListType | None = None
    AdditionalSelectedServices: AdditionalServiceListType | None = None


class PriceLevelScheduleEntryType(CommonMessagesType, kw_only=True):
    Duration: xs_unsignedInt
    PriceLevel: xs_unsignedByte


class PriceLevelScheduleEntryListType(CommonMessagesType, kw_only=True):
    PriceLevelScheduleEntry: Annotated[list[PriceLevelScheduleEntryType], Occurs(1, 1024)]


class PriceLevelScheduleType(PriceScheduleType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    NumberOfPriceLevels: xs_unsignedByte
    PriceLevelScheduleEntries: PriceLevelScheduleEntryListType


class ChargingScheduleType(CommonMessagesType, kw_only=True):
    PowerSchedule: PowerScheduleType
    AbsolutePriceSchedule: AbsolutePriceScheduleType | None = None
    PriceLevelSchedule: PriceLevelScheduleType | None = None

    model = seq("PowerSchedule", choice("AbsolutePriceSchedule", "PriceLevelSchedule", low=0))


class ScheduleTupleType(CommonMessagesType, kw_only=True):
    ScheduleTupleID: numericIDType
    ChargingSchedule: ChargingScheduleType
    DischargingSchedule: ChargingScheduleType | None = None


class Scheduled_SEResControlModeType(CommonMessagesType, kw_only=True):
    ScheduleTuple: Annotated[list[ScheduleTupleType], Occurs(1, 3)]


class Dynamic_SEResControlModeType(CommonMessagesType, kw_only=True):
    DepartureTime: xs_unsignedInt | None = None
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    AbsolutePriceSchedule: AbsolutePriceScheduleType | None = None
    PriceLevelSchedule: PriceLevelScheduleType | None = None

    model = seq(
        element("DepartureTime", low=0),
        element("MinimumSOC", low=0),
        element("TargetSOC", low=0),
        choice("AbsolutePriceSchedule", "PriceLevelSchedule", low=0),
    )


class EVPowerProfileEntryListType(CommonMessagesType, kw_only=True):
    EVPowerProfileEntry: Annotated[list[PowerScheduleEntryType], Occurs(1, 2048)]


class Scheduled_EVPPTControlModeType(CommonMessagesType, kw_only=True):
    SelectedScheduleTupleID: numericIDType
    PowerToleranceAcceptance: powerToleranceAcceptanceType | None = None


class Dynamic_EVPPTControlModeType(CommonMessagesType):
    pass


class EVPowerProfileType(CommonMessagesType, kw_only=True):
    TimeAnchor: xs_unsignedLong
    Dynamic_EVPPTControlMode: Dynamic_EVPPTControlModeType | None = None
    Scheduled_EVPPTControlMode: Scheduled_EVPPTControlModeType | None = None
    EVPowerProfileEntries: EVPowerProfileEntryListType

    model = seq("TimeAnchor", choice("Dynamic_EVPPTControlMode", "Scheduled_EVPPTControlMode"), "EVPowerProfileEntries")
