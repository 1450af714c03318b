"""EVerest interface `charger_information`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import charger_information
from chargebyte_fw.kernel.contract import Contract


class ChargerInformation(Contract, interface="charger_information"):
    """Static device identity."""

    @abstractmethod
    async def get_charger_information(self) -> charger_information.ChargerInformation:
        """EVerest command `get_charger_information`."""
