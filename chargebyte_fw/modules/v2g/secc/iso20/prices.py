"""Price schedules of ISO 15118-20: what energy costs from when on, in money or in levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chargebyte_fw.modules.v2g.messages import iso20_schedules as s
from chargebyte_fw.modules.v2g.rational import rational
from chargebyte_fw.modules.v2g.secc.facts import Price
from chargebyte_fw.modules.v2g.secc.iso20.parameter_sets import LEVELS
from chargebyte_fw.modules.v2g.secc.prices import prices_within

ALGORITHM = "urn:iso:std:iso:15118:-20:PriceAlgorithm:1-Power"
"""Each price holds for the power above its PowerRangeStart."""
LANGUAGE = "en"
MOST_ENTRIES = 64
"""Entries of a price schedule; the schema allows 1,024, cars with libcbv2g take these."""
_SCHEDULE_ID = 1


def price_schedule(pricing: int, prices: Sequence[Price], anchor_s: int, duration_s: int, most: int) -> dict[str, Any]:
    """Return the field of a schedule that has its prices; none where the car selected none or none are known."""
    known = prices_within(prices, anchor_s, duration_s, min(most, MOST_ENTRIES)) if pricing else []
    if not known:
        return {}
    if pricing == LEVELS:
        return {"PriceLevelSchedule": _levels(known, anchor_s)}
    zero = rational(0)
    stacks = [
        s.PriceRuleStackType(
            Duration=duration, PriceRule=[s.PriceRuleType(EnergyFee=rational(one.per_kWh), PowerRangeStart=zero)]
        )
        for duration, one in known
    ]
    schedule = s.AbsolutePriceScheduleType(
        TimeAnchor=anchor_s,
        PriceScheduleID=_SCHEDULE_ID,
        Currency=known[0][1].currency,
        Language=LANGUAGE,
        PriceAlgorithm=ALGORITHM,
        PriceRuleStacks=s.PriceRuleStackListType(PriceRuleStack=stacks),
    )
    return {"AbsolutePriceSchedule": schedule}


def no_prices(anchor_s: int, duration_s: int) -> dict[str, Any]:
    """Return the field of a schedule without prices: a schedule has to have one ([V2G20-2176]), here of one level.

    Josev's car ends the session without it.
    """
    return {"PriceLevelSchedule": _levels([(duration_s, Price(anchor_s, 0.0, ""))], anchor_s)}


def _levels(known: list[tuple[int, Price]], anchor_s: int) -> s.PriceLevelScheduleType:
    """Return the prices as levels, 0 being the cheapest."""
    ranks = {value: level for level, value in enumerate(sorted({one.per_kWh for _, one in known}))}
    written = [
        s.PriceLevelScheduleEntryType(Duration=duration, PriceLevel=ranks[one.per_kWh]) for duration, one in known
    ]
    return s.PriceLevelScheduleType(
        TimeAnchor=anchor_s,
        PriceScheduleID=_SCHEDULE_ID,
        NumberOfPriceLevels=len(ranks),
        PriceLevelScheduleEntries=s.PriceLevelScheduleEntryListType(PriceLevelScheduleEntry=written),
    )
