"""A TariffType, checked and ready to count with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2.types import tariff as wire
from chargebyte_fw.modules.ocpp.tariffs.amounts import CONTEXT, exact, tax_factor
from chargebyte_fw.modules.ocpp.tariffs.conditions import Bound, Changes, Conditions, Quantity

LARGEST = 1_000_000_000.0
"""Largest price, percentage and threshold that is taken: nothing that can be charged at comes near it."""
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_DATE = re.compile(r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}", re.ASCII)
DAYS = {day: index for index, day in enumerate(wire.DayOfWeekEnumType)}
NO_CONDITIONS = Conditions()


class Refusal(StrEnum):
    """Why a tariff is not taken: words of TariffSetStatusEnumType and TariffChangeStatusEnumType."""

    REJECTED = "Rejected"
    TOO_MANY_ELEMENTS = "TooManyElements"
    CONDITION_NOT_SUPPORTED = "ConditionNotSupported"


class TariffRefused(Exception):
    """A tariff that cannot be used, with the reason in words."""

    def __init__(self, status: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Field(StrEnum):
    """The fields of a tariff that have prices, by their names in TotalCostType."""

    FIXED = "fixed"
    ENERGY = "energy"
    CHARGING_TIME = "charging_time"
    IDLE_TIME = "idle_time"
    RESERVATION_TIME = "reservation_time"
    RESERVATION_FIXED = "reservation_fixed"


USED = (Field.ENERGY, Field.CHARGING_TIME, Field.IDLE_TIME)
"""Fields whose prices apply while a transaction runs: a change of any of them begins a charging period."""


class Price(msgspec.Struct, frozen=True):
    """One element: a price without tax, and when it applies."""

    amount: Decimal
    conditions: Conditions = NO_CONDITIONS


class Prices(msgspec.Struct, frozen=True):
    """The elements of a field, in order: the first that applies is the one."""

    elements: tuple[Price, ...]
    tax_rates: list[wire.TaxRateType]


class Limit(msgspec.Struct, frozen=True):
    """`minCost` or `maxCost`; what is absent does not limit."""

    excl_tax: Decimal | None
    incl_tax: Decimal | None
    tax_rates: list[wire.TaxRateType]


class Tariff:
    """A tariff that was checked. Raises TariffRefused for one that cannot be used."""

    def __init__(self, source: wire.TariffType, *, most_elements: int = 1000, conditions: bool = True) -> None:
        self.source = source
        self.tariff_id = source.tariff_id
        self.currency = source.currency
        fields = {
            Field.FIXED: source.fixed_fee,
            Field.ENERGY: source.energy,
            Field.CHARGING_TIME: source.charging_time,
            Field.IDLE_TIME: source.idle_time,
            Field.RESERVATION_TIME: source.reservation_time,
            Field.RESERVATION_FIXED: source.reservation_fixed,
        }
        self.prices: dict[Field, Prices] = {}
        for field, found in fields.items():
            if found is None:
                continue
            if len(found.prices) > most_elements:
                reason = f"{field} has {len(found.prices)} prices, {most_elements} are possible"
                raise TariffRefused(Refusal.TOO_MANY_ELEMENTS, reason)
            if not conditions and any(_has_conditions(one.conditions) for one in found.prices):
                raise TariffRefused(Refusal.CONDITION_NOT_SUPPORTED, f"{field}: conditions are not supported")
            self.prices[field] = _prices(field, found)
        if not self.prices:
            raise TariffRefused(Refusal.REJECTED, "the tariff has no price")
        self.min_cost = _limit("minCost", source.min_cost)
        self.max_cost = _limit("maxCost", source.max_cost)
        self.changes = Changes(self._conditions(USED))
        self.reservation_changes = Changes(self._conditions((Field.RESERVATION_TIME,)))

    def _conditions(self, fields: Iterable[Field]) -> Iterable[Conditions]:
        for field in fields:
            for price in self.prices[field].elements if field in self.prices else ():
                yield price.conditions


def _has_conditions(conditions: Any) -> bool:
    return conditions is not None and conditions != type(conditions)()


def _prices(field: Field, found: Any) -> Prices:
    elements = []
    for index, price in enumerate(found.prices):
        where = f"{field}.prices[{index}]"
        number = getattr(price, "price_kwh", None)
        number = getattr(price, "price_minute", number)
        number = getattr(price, "price_fixed", number)
        conditions = NO_CONDITIONS if price.conditions is None else _conditions(where, price.conditions)
        elements.append(Price(_number(where, number), conditions))
    rates = found.tax_rates or []
    _check_rates(str(field), rates)
    return Prices(tuple(elements), rates)


def _refused(reason: str) -> TariffRefused:
    return TariffRefused(Refusal.REJECTED, reason)


def _number(where: str, value: Any) -> Decimal:
    if value is None or not -LARGEST <= value <= LARGEST:
        raise _refused(f"{where}: {value} is no amount")
    return exact(value)


def _check_rates(where: str, rates: list[wire.TaxRateType]) -> None:
    for rate in rates:
        if not 0 <= rate.tax_percent <= 1000:
            raise _refused(f"{where}: a tax of {rate.tax_percent} % is not possible")


def _limit(where: str, price: wire.PriceType | None) -> Limit | None:
    """Return a limit; the half that is absent follows from the taxes of the limit, where it has some."""
    if price is None:
        return None
    if price.excl_tax is None and price.incl_tax is None:
        raise _refused(f"{where} has neither exclTax nor inclTax")
    rates = price.tax_rates or []
    _check_rates(where, rates)
    excl = None if price.excl_tax is None else _number(where, price.excl_tax)
    incl = None if price.incl_tax is None else _number(where, price.incl_tax)
    if rates and excl is not None and incl is None:
        incl = CONTEXT.multiply(excl, tax_factor(rates))
    elif rates and incl is not None and excl is None:
        excl = CONTEXT.divide(incl, tax_factor(rates))
    return Limit(excl, incl, rates)


def _minute(where: str, text: str | None) -> int | None:
    if text is None:
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise _refused(f"{where}: {text[:20]!r} is no time of day, hh:mm")
    return int(found[1]) * 60 + int(found[2])


def _day(where: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # the 31st of June
    raise _refused(f"{where}: {text[:20]!r} is no date, yyyy-mm-dd")


_BOUNDS = (
    (Quantity.ENERGY, "min_energy_Wh", "max_energy_Wh", 1000),
    (Quantity.CURRENT, "min_current_A", "max_current_A", 1000),
    (Quantity.POWER, "min_power_W", "max_power_W", 1000),
    (Quantity.TIME, "min_time_s", "max_time_s", 1_000_000),
    (Quantity.CHARGING_TIME, "min_charging_time_s", "max_charging_time_s", 1_000_000),
    (Quantity.IDLE_TIME, "min_idle_time_s", "max_idle_time_s", 1_000_000),
)


def _conditions(where: str, found: Any) -> Conditions:
    bounds = []
    for quantity, low, high, scale in _BOUNDS:
        ends = [getattr(found, name, None) for name in (low, high)]
        if ends != [None, None]:
            bounds.append(Bound(quantity, *(None if end is None else int(_number(where, end) * scale) for end in ends)))
    return Conditions(
        start_minute=_minute(where, found.start_time_of_day),
        end_minute=_minute(where, found.end_time_of_day),
        days=frozenset(DAYS[day] for day in found.day_of_week or ()),
        from_day=_day(where, found.valid_from_date),
        to_day=_day(where, found.valid_to_date),
        evse_kind="" if found.evse_kind is None else str(found.evse_kind),
        payment_brand=getattr(found, "payment_brand", None) or "",
        payment_recognition=getattr(found, "payment_recognition", None) or "",
        bounds=tuple(bounds),
    )
