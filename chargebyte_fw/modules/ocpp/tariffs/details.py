"""CostDetailsType from what was counted (I12)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from chargebyte_fw.modules.ocpp.messages.v2 import transactions as v2
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import PriceType, TaxRateType
from chargebyte_fw.modules.ocpp.tariffs.amounts import for_wire
from chargebyte_fw.modules.ocpp.tariffs.conditions import EPOCH, Quantity
from chargebyte_fw.modules.ocpp.tariffs.cost import Cost, Period
from chargebyte_fw.modules.ocpp.tariffs.tariff import Field, Limit, Tariff

Kind, Dimension = v2.TariffCostEnumType, v2.CostDimensionEnumType


def total_of(
    cost: Cost, tariff: Tariff, *, final: bool
) -> tuple[Decimal | None, Decimal | None, v2.TariffCostEnumType]:
    """Return the total without and with tax, and its kind. The minimum counts at the end alone."""
    excl, incl = cost.total()
    if cost.capped:
        return excl, incl, Kind.MaxCost
    least = tariff.min_cost
    if final and least is not None and _below(least, excl, incl):
        return least.excl_tax, least.incl_tax, Kind.MinCost
    return excl, incl, Kind.NormalCost


def _below(least: Limit, excl: Decimal, incl: Decimal) -> bool:
    if least.excl_tax is not None:
        return excl < least.excl_tax
    return least.incl_tax is not None and incl < least.incl_tax


def details_of(cost: Cost, tariff: Tariff, *, final: bool) -> v2.CostDetailsType:
    """Return cost and usage; the periods go along at the end alone ([I12.FR.02])."""
    excl, incl, kind = total_of(cost, tariff, final=final)
    total = v2.TotalPriceType(
        excl_tax=None if excl is None else for_wire(excl), incl_tax=None if incl is None else for_wire(incl)
    )
    fields: dict[str, Any]
    if kind is Kind.MinCost and tariff.min_cost is not None:
        fields = {"fixed": _price(excl, incl, tariff.min_cost.tax_rates)}
    else:
        fields = {str(field): _of_field(cost, field) for field in Field if cost.amounts.get(field)}
    spent: dict[str, Any] = {}
    if cost.reservation_us is not None:
        spent["reservation_time_s"] = cost.reservation_us // 1_000_000
    return v2.CostDetailsType(
        total_cost=v2.TotalCostType(currency=tariff.currency, type_of_cost=kind, total=total, **fields),
        total_usage=v2.TotalUsageType(
            energy=cost.energy_mWh / 1000,
            charging_time_s=cost.charging_us // 1_000_000,
            idle_time_s=cost.idle_us // 1_000_000,
            **spent,
        ),
        charging_periods=[_period(one, tariff) for one in cost.periods] or None if final else None,
        failure_to_calculate=True if cost.failure else None,
        failure_reason=cost.failure[:500] or None,
    )


def _price(excl: Decimal | None, incl: Decimal | None, rates: list[TaxRateType]) -> PriceType:
    return PriceType(
        excl_tax=None if excl is None else for_wire(excl),
        incl_tax=None if incl is None else for_wire(incl),
        tax_rates=rates or None,
    )


def _of_field(cost: Cost, field: Field) -> PriceType:
    """Return the cost of a field; with its taxes, unless they have changed in between."""
    taxed = cost.amounts[field]
    rates = taxed[0].tax_rates if len(taxed) == 1 else []
    return _price(*cost.of(field), rates)


def _period(period: Period, tariff: Tariff) -> v2.ChargingPeriodType:
    """Return a period: energy in kWh, times in minutes."""
    found = [
        (Dimension.Energy, period.energy_mWh / 1_000_000, period.energy_mWh != 0),
        (Dimension.ChargingTime, period.charging_us / 60_000_000, period.charging_us != 0),
        (Dimension.IdleTime, period.idle_us / 60_000_000, period.idle_us != 0),
    ]
    for quantity, ends, least, most in (
        (Quantity.POWER, period.power_mW, Dimension.MinPower, Dimension.MaxPower),
        (Quantity.CURRENT, period.current_mA, Dimension.MinCurrent, Dimension.MaxCurrent),
    ):
        if ends is not None and tariff.changes.measures(quantity):
            found += [(least, ends[0] / 1000, True), (most, ends[1] / 1000, True)]
    dimensions = [v2.CostDimensionType(type=kind, volume=round(volume, 6)) for kind, volume, used in found if used]
    return v2.ChargingPeriodType(
        start_period=EPOCH + timedelta(microseconds=period.at_us),
        tariff_id=period.tariff_id,
        dimensions=dimensions or None,
    )
