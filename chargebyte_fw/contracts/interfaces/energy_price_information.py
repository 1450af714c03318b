"""EVerest interface `energy_price_information`."""

from __future__ import annotations

from chargebyte_fw.contracts.types import energy_price_information
from chargebyte_fw.kernel.contract import Contract, Var


class EnergyPriceInformation(Contract, interface="energy_price_information"):
    """Price forecast."""

    energy_pricing: Var[energy_price_information.EnergyPriceSchedule]
