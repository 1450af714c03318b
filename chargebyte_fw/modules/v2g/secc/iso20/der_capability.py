"""What a charger is to the grid operator while a car under the grid's rules is connected to it (`grid_support`)."""

from __future__ import annotations

from chargebyte_fw.contracts.types import grid_support
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts
from chargebyte_fw.modules.v2g.secc.iso20.ac_limits import SINGLE_PHASE, AcLimits
from chargebyte_fw.modules.v2g.secc.iso20.grid_codes import SUPPORTED


def capability(facts: ChargerFacts, connector: int, limits: AcLimits) -> grid_support.EVSECapability:
    """Return the capability at a connector."""
    rating = grid_support.NameplateRating(
        max_w_W=max(limits.max_power_W, limits.max_discharge_power_W),
        max_va_VA=max(limits.max_power_W, limits.max_discharge_power_W),
        v_nom_V=facts.ac_nominal_voltage_V,
        max_charge_w_W=limits.max_power_W,
        max_discharge_w_W=limits.max_discharge_power_W,
    )
    phases = 1 if connector == SINGLE_PHASE else 3
    found = grid_support.DERCapability(
        supported_types=list(SUPPORTED),
        nameplate=rating,
        ac=grid_support.ACCapability(phase_count=phases, grid_frequency_Hz=limits.frequency_Hz),
    )
    return grid_support.EVSECapability(evse_id=facts.iso20.grid_evse_id, capability=found)
