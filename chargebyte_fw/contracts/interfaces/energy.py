"""EVerest interface `energy`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.kernel.contract import Contract, Var


class Energy(Contract, interface="energy", one_user="error"):
    """Edge of the energy tree (child provides, parent requires)."""

    energy_flow_request: Var[energy.EnergyFlowRequest]
    """Request travels towards the root."""

    @abstractmethod
    async def enforce_limits(self, value: energy.EnforcedLimits) -> None:
        """Limits travel towards the leaves."""
