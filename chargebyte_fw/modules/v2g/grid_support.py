"""The commands of `grid_support`: the grid's directives for cars that give energy back."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.types import grid_support


class GridSupportImpl(GridSupport):
    """Directives of the grid operator."""

    async def set_active_directives(
        self, directives: grid_support.ActiveDirectiveSet
    ) -> grid_support.SetDirectivesResponse:
        """Refuse directives: no energy service that obeys them is offered; an empty set clears nothing."""
        if not directives.directives:
            return grid_support.SetDirectivesResponse(accepted=True)
        return grid_support.SetDirectivesResponse(accepted=False, reason="AC_DER_IEC is not offered")
