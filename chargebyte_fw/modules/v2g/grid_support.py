"""The commands of `grid_support`: the grid's directives for cars that give energy back."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.types import grid_support
from chargebyte_fw.modules.v2g.iso15118_charger import Owner

THREE_PHASES = 3


class GridSupportImpl(GridSupport):
    """Directives of the grid operator: curves hold from the next session on, set points at once."""

    module: Owner

    def publish_capability(self) -> None:
        """Publish what the charger can do: cars may be under the grid's rules from now on."""
        from chargebyte_fw.modules.v2g.secc.iso20.ac_limits import SINGLE_PHASE, ac_limits, is_three_phase
        from chargebyte_fw.modules.v2g.secc.iso20.der_capability import capability

        facts = self.module.engine.facts
        connector = THREE_PHASES if is_three_phase(facts) else SINGLE_PHASE
        self.capability.publish(capability(facts, connector, ac_limits(facts, connector)))

    async def set_active_directives(
        self, directives: grid_support.ActiveDirectiveSet
    ) -> grid_support.SetDirectivesResponse:
        """Replace every directive; where one cannot be obeyed, none is taken and the reason names it."""
        # Only a grid operator brings its codes in.
        from chargebyte_fw.modules.v2g.secc.iso20.grid_codes import fault_of

        if faults := [f"{one.id}: {why}" for one in directives.directives if (why := fault_of(one))]:
            return grid_support.SetDirectivesResponse(accepted=False, reason="; ".join(faults))
        facts = self.module.engine.facts.iso20
        facts.directives, facts.grid_evse_id = list(directives.directives), directives.evse_id
        return grid_support.SetDirectivesResponse(accepted=True)
