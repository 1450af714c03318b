"""EVerest interface `grid_support`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import grid_support
from chargebyte_fw.kernel.contract import Contract, Var


class GridSupport(Contract, interface="grid_support"):
    """DER directives to a grid-support device."""

    capability: Var[grid_support.EVSECapability]
    """What the device, with the car at it, can do for the grid."""
    alarm: Var[grid_support.GridAlarm]
    """The device has noticed an event of the grid, or its end."""

    @abstractmethod
    async def set_active_directives(
        self, directives: grid_support.ActiveDirectiveSet
    ) -> grid_support.SetDirectivesResponse:
        """Replace every directive that holds; an empty list clears them."""
