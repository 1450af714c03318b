"""Costs and texts of California Pricing as EVerest's `session_cost` has them."""

from __future__ import annotations

from chargebyte_fw.contracts.types import session_cost as cost
from chargebyte_fw.contracts.types.money import Currency, MoneyAmount, Price
from chargebyte_fw.contracts.types.text_message import MessageContent, MessageFormat
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.ocpp.messages import pricing


def texts_of(text: str | None, language: str | None, extra: list[pricing.TextExtra] | None) -> list[MessageContent]:
    """Return a text in its language, and in further ones."""
    found = [MessageContent(content=text, language=language)] if text else []
    for one in extra or []:
        form = None if one.format is None else MessageFormat(one.format.value)
        found.append(MessageContent(content=one.content, format=form, language=one.language))
    return found


def amount_of(value: float, decimals: int) -> MoneyAmount:
    """Return an amount in the smallest unit."""
    return MoneyAmount(value=round(value * 10**decimals))


def _price(value: float | None, currency: Currency) -> Price | None:
    return None if value is None else Price(currency=currency, value=amount_of(value, currency.decimals or 0))


def charging_price_of(price: pricing.ChargingPrice, currency: Currency) -> list[cost.ChargingPriceComponent]:
    """Return the parts of a price that are given."""
    parts = (
        (cost.CostCategory.Time, price.per_hour),
        (cost.CostCategory.Energy, price.per_kWh),
        (cost.CostCategory.FlatFee, price.flat_fee),
    )
    return [
        cost.ChargingPriceComponent(category=category, price=_price(value, currency))
        for category, value in parts
        if value is not None
    ]


def idle_price_of(price: pricing.IdlePrice, currency: Currency) -> cost.IdlePrice:
    """Return the price while no energy flows."""
    return cost.IdlePrice(grace_minutes=price.grace_min, hour_price=_price(price.per_hour, currency))


def cost_of_running(
    amount: float, wanted: pricing.CurrentPrices, session_id: str, currency: Currency
) -> cost.SessionCost:
    """Return the cost of a transaction that goes on, with the prices from now on."""
    idle = wanted.state is pricing.CostState.Idle
    upcoming = wanted.next_period
    chunk = cost.SessionCostChunk(
        timestamp_to=None if wanted.timestamp is None else rfc3339(wanted.timestamp),
        metervalue_to=wanted.meter_value_Wh,
        cost=amount_of(amount, currency.decimals or 0),
    )
    return cost.SessionCost(
        session_id=session_id,
        currency=currency,
        status=cost.SessionStatus.Idle if idle else cost.SessionStatus.Running,
        cost_chunks=[chunk],
        charging_price=None if wanted.charging_price is None else charging_price_of(wanted.charging_price, currency),
        idle_price=None if wanted.idle_price is None else idle_price_of(wanted.idle_price, currency),
        next_period=None
        if upcoming is None
        else cost.NextPeriodPrice(
            timestamp_from=rfc3339(upcoming.at),
            charging_price=charging_price_of(upcoming.charging_price, currency),
            idle_price=None if upcoming.idle_price is None else idle_price_of(upcoming.idle_price, currency),
        ),
    )


def cost_of_final(
    wanted: pricing.FinalCost, session_id: str, texts: list[MessageContent], decimals: int
) -> cost.SessionCost:
    """Return the cost of a transaction that has ended."""
    return cost.SessionCost(
        session_id=session_id,
        currency=Currency(decimals=decimals),
        status=cost.SessionStatus.Finished,
        cost_chunks=[cost.SessionCostChunk(cost=amount_of(wanted.cost, decimals))],
        message=texts or None,
        qr_code=wanted.qr_code_text,
    )
