"""Amounts of money in exact decimal arithmetic: prices times quantities, taxes, and the rounding for the wire.

Quantities are integers (mWh, microseconds), prices are the decimal numbers that the CSMS wrote. Nothing is rounded
before an amount leaves the station: there it has at most six decimals, half away from zero (OCPP 2.x part 2,
primitive data types: a decimal has no more than six).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Context, Decimal

from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TaxRateType

CONTEXT = Context(prec=60, rounding=ROUND_HALF_UP)
"""More digits than the products of bounded prices and quantities have."""
SCALE = 60_000_000
"""Amounts are kept times this number: a price per minute times microseconds, or per kWh times mWh, stays exact."""
PER_MICROSECOND, PER_MILLIWATTHOUR = 1, 60
WIRE_DECIMALS = Decimal("0.000001")
HUNDRED = Decimal(100)


def exact(number: float) -> Decimal:
    """Return the decimal number that a JSON number was; raises ValueError for one that is not finite."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no number")
    return Decimal(repr(number))


def tax_factor(rates: Iterable[TaxRateType]) -> Decimal:
    """Return what a price without tax is multiplied by.

    Taxes of one stack level are added on the same base; the next level has the result as its base (I12, TaxRateType).
    """
    levels: dict[int, Decimal] = {}
    for rate in rates:
        level = rate.stack or 0
        levels[level] = levels.get(level, Decimal(0)) + exact(rate.tax_percent)
    factor = Decimal(1)
    for level in sorted(levels):
        factor = CONTEXT.multiply(factor, 1 + levels[level] / HUNDRED)
    return factor


def currency(scaled: Decimal) -> Decimal:
    """Return a kept amount in units of the currency."""
    return CONTEXT.divide(scaled, Decimal(SCALE))


def for_wire(amount: Decimal) -> float:
    """Return an amount as it is sent, with at most six decimals."""
    return float(amount.quantize(WIRE_DECIMALS, context=CONTEXT)) + 0.0
