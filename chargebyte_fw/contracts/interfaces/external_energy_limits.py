"""EVerest interface `external_energy_limits`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.contract import Contract, Var


class ExternalEnergyLimits(Contract, interface="external_energy_limits"):
    """Inject limits into an energy node (OCPP, EMS, GPIO …)."""

    capabilities: Var[energy.CapabilityLimits]
    """Rated limits of the node; at least once at start-up."""

    @abstractmethod
    async def set_external_limits(self, value: energy.ExternalLimits) -> None:
        """EVerest command `set_external_limits`."""
