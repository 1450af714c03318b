"""EVerest interface `ocpp_data_transfer`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.kernel.contract import Contract


class OcppDataTransfer(Contract, interface="ocpp_data_transfer", both_ways=True):
    """OCPP DataTransfer both directions."""

    @abstractmethod
    async def data_transfer(self, request: ocpp.DataTransferRequest) -> ocpp.DataTransferResponse:
        """EVerest command `data_transfer`."""
