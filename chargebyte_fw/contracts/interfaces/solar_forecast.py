"""EVerest interface `solar_forecast`."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.contract import Contract, Var


class SolarForecast(Contract, interface="solar_forecast"):
    """Forecast of solar power."""

    forecast: Var[dict[str, Any]]
    """Object of the provider's shape."""
