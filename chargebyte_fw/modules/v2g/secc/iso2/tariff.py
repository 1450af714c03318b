"""The sales tariff of a session of ISO 15118-2 (clause 8.5.2.15): price levels over the time of its schedule."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec

from chargebyte_fw.contracts.types.energy_price_information import PricePerkWh
from chargebyte_fw.modules.v2g.messages import iso2

TARIFF_ID = 1


class _Slice(msgspec.Struct, frozen=True):
    start_s: int
    price: float


def sales_tariff(
    prices: Sequence[PricePerkWh], now: datetime, duration_s: int, most_entries: int
) -> iso2.SalesTariffType | None:
    """Return the tariff for the next `duration_s`, from prices that hold from their time stamp to the next one's.

    Level 1 is the cheapest ([V2G2-407]). None where nothing changes within that time: there is nothing to plan by.
    It has no signature: who sets a tariff for a contract signs it, and nothing of the charger can replace that.
    """
    slices = list(_slices(prices, now, duration_s))[:most_entries]
    levels = {price: level for level, price in enumerate(sorted({one.price for one in slices}), 1)}
    if len(levels) < 2:
        return None
    ends = [one.start_s for one in slices[1:]] + [duration_s]
    entries = [
        iso2.SalesTariffEntryType(
            TimeInterval=iso2.RelativeTimeIntervalType(start=one.start_s, duration=min(end_s - one.start_s, 86_400)),
            EPriceLevel=levels[one.price],
        )
        for one, end_s in zip(slices, ends, strict=True)
    ]
    return iso2.SalesTariffType(SalesTariffID=TARIFF_ID, NumEPriceLevels=len(levels), SalesTariffEntry=entries)


def _slices(prices: Iterable[PricePerkWh], now: datetime, duration_s: int) -> Iterable[_Slice]:
    """Yield the prices of the next `duration_s` with their seconds from now, equal ones in succession as one."""
    timed = sorted((round((at - now).total_seconds()), price.value) for price in prices if (at := _time(price)))
    begun = [one for one in timed if one[0] <= 0][-1:]
    coming = [one for one in timed if 0 < one[0] < duration_s]
    if not begun:
        return  # what holds now is not known
    for price, group in itertools.groupby([(0, begun[0][1]), *coming], key=lambda one: one[1]):
        yield _Slice(next(group)[0], price)


def _time(price: PricePerkWh) -> datetime | None:
    try:
        at = datetime.fromisoformat(price.timestamp)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
