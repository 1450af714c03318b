"""The sales tariff of a session of ISO 15118-2 (clause 8.5.2.15): price levels over the time of its schedule."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.modules.v2g.secc.facts import Price
from chargebyte_fw.modules.v2g.secc.prices import prices_within

TARIFF_ID = 1
LONGEST_ENTRY_S = 86_400


def sales_tariff(
    prices: Sequence[Price], now_s: int, duration_s: int, most_entries: int
) -> iso2.SalesTariffType | None:
    """Return the tariff for `duration_s` from `now_s` (seconds since 1970) on.

    Level 1 is the cheapest ([V2G2-407]). None where nothing changes within that time: there is nothing to plan by.
    It has no signature: that of a contract's issuer is the session's to add.
    """
    known = prices_within(prices, now_s, duration_s, len(prices))
    slices = [
        (price, sum(length_s for length_s, _ in group))
        for price, group in itertools.groupby(known, key=lambda one: one[1].per_kWh)
    ][:most_entries]
    levels = {price: level for level, price in enumerate(sorted({price for price, _ in slices}), 1)}
    if len(levels) < 2:
        return None
    starts_s = itertools.accumulate((length_s for _, length_s in slices), initial=0)
    entries = [
        iso2.SalesTariffEntryType(
            TimeInterval=iso2.RelativeTimeIntervalType(start=start_s, duration=min(length_s, LONGEST_ENTRY_S)),
            EPriceLevel=levels[price],
        )
        for start_s, (price, length_s) in zip(starts_s, slices)
    ]
    return iso2.SalesTariffType(SalesTariffID=TARIFF_ID, NumEPriceLevels=len(levels), SalesTariffEntry=entries)
