"""EVerest interface `dc_external_derate`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import dc_external_derate
from chargebyte_fw.kernel.contract import Contract, Var


class DcExternalDerate(Contract, interface="dc_external_derate"):
    """External DC derating."""

    plug_temperature_C: Var[float]
    """°C."""

    @abstractmethod
    async def set_external_derating(self, derate: dc_external_derate.ExternalDerating) -> None:
        """Minimum of internal and external values applies."""
