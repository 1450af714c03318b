"""EVerest interface `ISO15118_vas`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.kernel.contract import Contract, Var


class Iso15118Vas(Contract, interface="ISO15118_vas"):
    """Value-added-service provider for ISO 15118."""

    offered_vas: Var[iso15118_vas.OfferedServices]

    @abstractmethod
    async def get_service_parameters(self, service_id: int) -> list[iso15118_vas.ParameterSet]:
        """Called on ServiceDetailReq."""

    @abstractmethod
    async def selected_services(self, selected_services: list[iso15118_vas.SelectedService]) -> None:
        """Called once per ServiceSelectionReq."""
