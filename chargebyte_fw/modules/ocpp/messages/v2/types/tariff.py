"""Tariffs of OCPP 2.1 (part 2, block I)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType


class DayOfWeekEnumType(StrEnum):
    Monday = "Monday"
    Tuesday = "Tuesday"
    Wednesday = "Wednesday"
    Thursday = "Thursday"
    Friday = "Friday"
    Saturday = "Saturday"
    Sunday = "Sunday"


class EvseKindEnumType(StrEnum):
    AC = "AC"
    DC = "DC"


class TaxRateType(V2Type, kw_only=True):
    type: Annotated[str, Text(20)]
    tax_percent: float = field(name="tax")
    stack: Annotated[int | None, Range(0)] = None


class PriceType(V2Type, kw_only=True):
    excl_tax: float | None = field(name="exclTax", default=None)
    incl_tax: float | None = field(name="inclTax", default=None)
    tax_rates: Annotated[list[TaxRateType] | None, Items(1, 5)] = field(name="taxRates", default=None)


class TariffConditionsFixedType(V2Type, kw_only=True):
    start_time_of_day: str | None = field(name="startTimeOfDay", default=None)
    end_time_of_day: str | None = field(name="endTimeOfDay", default=None)
    day_of_week: Annotated[list[DayOfWeekEnumType] | None, Items(1, 7)] = field(name="dayOfWeek", default=None)
    valid_from_date: str | None = field(name="validFromDate", default=None)
    valid_to_date: str | None = field(name="validToDate", default=None)
    evse_kind: EvseKindEnumType | None = field(name="evseKind", default=None)
    payment_brand: Annotated[str | None, Text(20)] = field(name="paymentBrand", default=None)
    payment_recognition: Annotated[str | None, Text(20)] = field(name="paymentRecognition", default=None)


class TariffConditionsType(V2Type, kw_only=True):
    start_time_of_day: str | None = field(name="startTimeOfDay", default=None)
    end_time_of_day: str | None = field(name="endTimeOfDay", default=None)
    day_of_week: Annotated[list[DayOfWeekEnumType] | None, Items(1, 7)] = field(name="dayOfWeek", default=None)
    valid_from_date: str | None = field(name="validFromDate", default=None)
    valid_to_date: str | None = field(name="validToDate", default=None)
    evse_kind: EvseKindEnumType | None = field(name="evseKind", default=None)
    min_energy_Wh: float | None = field(name="minEnergy", default=None)
    max_energy_Wh: float | None = field(name="maxEnergy", default=None)
    min_current_A: float | None = field(name="minCurrent", default=None)
    max_current_A: float | None = field(name="maxCurrent", default=None)
    min_power_W: float | None = field(name="minPower", default=None)
    max_power_W: float | None = field(name="maxPower", default=None)
    min_time_s: int | None = field(name="minTime", default=None)
    max_time_s: int | None = field(name="maxTime", default=None)
    min_charging_time_s: int | None = field(name="minChargingTime", default=None)
    max_charging_time_s: int | None = field(name="maxChargingTime", default=None)
    min_idle_time_s: int | None = field(name="minIdleTime", default=None)
    max_idle_time_s: int | None = field(name="maxIdleTime", default=None)


class TariffEnergyPriceType(V2Type, kw_only=True):
    price_kwh: float = field(name="priceKwh")
    conditions: TariffConditionsType | None = None


class TariffEnergyType(V2Type, kw_only=True):
    prices: Annotated[list[TariffEnergyPriceType], Items(1)]
    tax_rates: Annotated[list[TaxRateType] | None, Items(1, 5)] = field(name="taxRates", default=None)


class TariffFixedPriceType(V2Type, kw_only=True):
    price_fixed: float = field(name="priceFixed")
    conditions: TariffConditionsFixedType | None = None


class TariffFixedType(V2Type, kw_only=True):
    prices: Annotated[list[TariffFixedPriceType], Items(1)]
    tax_rates: Annotated[list[TaxRateType] | None, Items(1, 5)] = field(name="taxRates", default=None)


class TariffTimePriceType(V2Type, kw_only=True):
    price_minute: float = field(name="priceMinute")
    conditions: TariffConditionsType | None = None


class TariffTimeType(V2Type, kw_only=True):
    prices: Annotated[list[TariffTimePriceType], Items(1)]
    tax_rates: Annotated[list[TaxRateType] | None, Items(1, 5)] = field(name="taxRates", default=None)


class TariffType(V2Type, kw_only=True):
    tariff_id: Annotated[str, Text(60, folded=True)] = field(name="tariffId")
    currency: Annotated[str, Text(3)]
    description: Annotated[list[MessageContentType] | None, Items(1, 10)] = None
    energy: TariffEnergyType | None = None
    valid_from: datetime | None = field(name="validFrom", default=None)
    charging_time: TariffTimeType | None = field(name="chargingTime", default=None)
    idle_time: TariffTimeType | None = field(name="idleTime", default=None)
    fixed_fee: TariffFixedType | None = field(name="fixedFee", default=None)
    reservation_time: TariffTimeType | None = field(name="reservationTime", default=None)
    reservation_fixed: TariffFixedType | None = field(name="reservationFixed", default=None)
    min_cost: PriceType | None = field(name="minCost", default=None)
    max_cost: PriceType | None = field(name="maxCost", default=None)
