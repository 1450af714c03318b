"""Prices of energy: read from their provider, and cut to the time of a schedule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chargebyte_fw.contracts.types.energy_price_information import EnergyPriceSchedule
from chargebyte_fw.modules.v2g.secc.facts import Price


def read_prices(schedule: EnergyPriceSchedule) -> list[Price]:
    """Return the prices of energy from the grid; one whose time cannot be read is left out (UTC without a zone)."""
    prices = []
    for one in schedule.schedule_import:
        try:
            at = datetime.fromisoformat(one.timestamp)
        except ValueError:
            continue
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        prices.append(Price(int(at.timestamp()), one.value, one.currency))
    return prices


def prices_within(prices: Sequence[Price], anchor_s: int, duration_s: int, most: int) -> list[tuple[int, Price]]:
    """Return (duration, price) from `anchor_s` on; the last price holds to the end, as nothing later is known."""
    end_s = anchor_s + duration_s
    known = sorted({one.from_s: one for one in prices}.values(), key=lambda one: one.from_s)
    in_force = [one for one in known if one.from_s <= anchor_s][-1:]
    ahead = [one for one in known if anchor_s < one.from_s < end_s]
    chosen = ((in_force or ahead[:1]) + (ahead if in_force else ahead[1:]))[:most]
    starts_s = [anchor_s, *(one.from_s for one in chosen[1:]), end_s]
    return [(after - before, one) for one, before, after in zip(chosen, starts_s, starts_s[1:])]


def price_at(prices: Sequence[Price], now_s: int) -> Price | None:
    """Return the price that holds at `now_s`, None where none is known yet."""
    return max((one for one in prices if one.from_s <= now_s), key=lambda one: one.from_s, default=None)
