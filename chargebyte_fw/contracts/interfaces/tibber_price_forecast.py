"""EVerest interface `tibber_price_forecast`."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.contract import Contract, Var


class TibberPriceForecast(Contract, interface="tibber_price_forecast"):
    """Price forecast of the provider Tibber."""

    forecast: Var[dict[str, Any]]
    """Object of the provider's shape."""
