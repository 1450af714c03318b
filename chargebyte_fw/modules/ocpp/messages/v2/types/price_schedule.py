"""Price schedules and sales tariffs for the car (OCPP 2.x part 2, block K)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import In21, Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type


class CostKindEnumType(StrEnum):
    CarbonDioxideEmission = "CarbonDioxideEmission"
    RelativePricePercentage = "RelativePricePercentage"
    RenewableGenerationPercentage = "RenewableGenerationPercentage"


class RationalNumberType(V2Type, kw_only=True):
    exponent: int
    value: int


class AdditionalSelectedServicesType(V2Type, kw_only=True):
    service_fee: RationalNumberType = field(name="serviceFee")
    service_name: Annotated[str, Text(80)] = field(name="serviceName")


class OverstayRuleType(V2Type, kw_only=True):
    overstay_fee: RationalNumberType = field(name="overstayFee")
    start_time_s: int = field(name="startTime")
    overstay_fee_period_s: int = field(name="overstayFeePeriod")
    overstay_rule_description: Annotated[str | None, Text(32)] = field(name="overstayRuleDescription", default=None)


class OverstayRuleListType(V2Type, kw_only=True):
    overstay_rule: Annotated[list[OverstayRuleType], Items(1, 5)] = field(name="overstayRule")
    overstay_power_threshold: RationalNumberType | None = field(name="overstayPowerThreshold", default=None)
    overstay_time_threshold_s: int | None = field(name="overstayTimeThreshold", default=None)


class PriceRuleType(V2Type, kw_only=True):
    energy_fee: RationalNumberType = field(name="energyFee")
    power_range_start: RationalNumberType = field(name="powerRangeStart")
    parking_fee_period_s: int | None = field(name="parkingFeePeriod", default=None)
    carbon_dioxide_emission: Annotated[int | None, Range(0)] = field(name="carbonDioxideEmission", default=None)
    renewable_generation_percentage: Annotated[int | None, Range(0, 100)] = field(
        name="renewableGenerationPercentage", default=None
    )
    parking_fee: RationalNumberType | None = field(name="parkingFee", default=None)


class PriceRuleStackType(V2Type, kw_only=True):
    duration_s: int = field(name="duration")
    price_rule: Annotated[list[PriceRuleType], Items(1, 8)] = field(name="priceRule")


class TaxRuleType(V2Type, kw_only=True):
    tax_rule_id: Annotated[int, Range(0)] = field(name="taxRuleID")
    applies_to_energy_fee: bool = field(name="appliesToEnergyFee")
    applies_to_parking_fee: bool = field(name="appliesToParkingFee")
    applies_to_overstay_fee: bool = field(name="appliesToOverstayFee")
    applies_to_minimum_maximum_cost: bool = field(name="appliesToMinimumMaximumCost")
    tax_rate: RationalNumberType = field(name="taxRate")
    tax_rule_name: Annotated[str | None, Text(100)] = field(name="taxRuleName", default=None)
    tax_included_in_price: bool | None = field(name="taxIncludedInPrice", default=None)


class AbsolutePriceScheduleType(V2Type, kw_only=True):
    time_anchor: datetime = field(name="timeAnchor")
    price_schedule_id: Annotated[int, Range(0)] = field(name="priceScheduleID")
    currency: Annotated[str, Text(3)]
    language: Annotated[str, Text(8)]
    price_algorithm: Annotated[str, Text(2000)] = field(name="priceAlgorithm")
    price_rule_stacks: Annotated[list[PriceRuleStackType], Items(1, 1024)] = field(name="priceRuleStacks")
    price_schedule_description: Annotated[str | None, Text(160)] = field(name="priceScheduleDescription", default=None)
    minimum_cost: RationalNumberType | None = field(name="minimumCost", default=None)
    maximum_cost: RationalNumberType | None = field(name="maximumCost", default=None)
    tax_rules: Annotated[list[TaxRuleType] | None, Items(1, 10)] = field(name="taxRules", default=None)
    overstay_rule_list: OverstayRuleListType | None = field(name="overstayRuleList", default=None)
    additional_selected_services: Annotated[list[AdditionalSelectedServicesType] | None, Items(1, 5)] = field(
        name="additionalSelectedServices", default=None
    )


class CostType(V2Type, kw_only=True):
    cost_kind: CostKindEnumType = field(name="costKind")
    amount: int
    amount_multiplier: int | None = field(name="amountMultiplier", default=None)


class ConsumptionCostType(V2Type, kw_only=True):
    start_value: float = field(name="startValue")
    cost: Annotated[list[CostType], Items(1, 3)]


class PriceLevelScheduleEntryType(V2Type, kw_only=True):
    duration_s: int = field(name="duration")
    price_level: Annotated[int, Range(0)] = field(name="priceLevel")


class PriceLevelScheduleType(V2Type, kw_only=True):
    price_level_schedule_entries: Annotated[list[PriceLevelScheduleEntryType], Items(1, 100)] = field(
        name="priceLevelScheduleEntries"
    )
    time_anchor: datetime = field(name="timeAnchor")
    price_schedule_id: Annotated[int, Range(0)] = field(name="priceScheduleId")
    number_of_price_levels: Annotated[int, Range(0)] = field(name="numberOfPriceLevels")
    price_schedule_description: Annotated[str | None, Text(32)] = field(name="priceScheduleDescription", default=None)


class RelativeTimeIntervalType(V2Type, kw_only=True):
    start_s: int = field(name="start")
    duration_s: int | None = field(name="duration", default=None)


class SalesTariffEntryType(V2Type, kw_only=True):
    relative_time_interval: RelativeTimeIntervalType = field(name="relativeTimeInterval")
    e_price_level: Annotated[int | None, Range(0)] = field(name="ePriceLevel", default=None)
    consumption_cost: Annotated[list[ConsumptionCostType] | None, Items(1, 3)] = field(
        name="consumptionCost", default=None
    )


class SalesTariffType(V2Type, kw_only=True):
    id: Annotated[int, In21(Range(0))]
    sales_tariff_entry: Annotated[list[SalesTariffEntryType], Items(1, 1024)] = field(name="salesTariffEntry")
    sales_tariff_description: Annotated[str | None, Text(32)] = field(name="salesTariffDescription", default=None)
    num_e_price_levels: Annotated[int | None, In21(Range(0))] = field(name="numEPriceLevels", default=None)
