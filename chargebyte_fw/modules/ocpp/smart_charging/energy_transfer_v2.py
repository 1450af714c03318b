"""The modes of energy transfer of OCPP 2.x, and which of them a car is offered."""

from __future__ import annotations

from collections.abc import Iterable

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.iso15118 import EnergyTransferMode
from chargebyte_fw.kernel.effects import Call, call
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType

Transfer = EnergyTransferModeEnumType
MODES: dict[Transfer, tuple[EnergyTransferMode, ...]] = {
    Transfer.AC_single_phase: (EnergyTransferMode.AC_single_phase_core,),
    Transfer.AC_two_phase: (EnergyTransferMode.AC_two_phase,),
    Transfer.AC_three_phase: (EnergyTransferMode.AC_three_phase_core,),
    Transfer.DC: (EnergyTransferMode.DC, EnergyTransferMode.DC_extended, EnergyTransferMode.MCS),
    Transfer.AC_BPT: (EnergyTransferMode.AC_BPT,),
    Transfer.AC_BPT_DER: (EnergyTransferMode.AC_BPT_DER,),
    Transfer.AC_DER: (EnergyTransferMode.AC_DER_IEC, EnergyTransferMode.AC_DER_SAE),
    Transfer.DC_BPT: (EnergyTransferMode.DC_BPT, EnergyTransferMode.MCS_BPT),
    Transfer.DC_ACDP: (EnergyTransferMode.DC_ACDP,),
    Transfer.DC_ACDP_BPT: (EnergyTransferMode.DC_ACDP_BPT,),
    Transfer.WPT: (EnergyTransferMode.WPT,),
}
"""EVerest's modes of each mode of OCPP; megawatt charging, which OCPP has not, is DC."""
CHARGING_ONLY = {
    Transfer.AC_BPT: (Transfer.AC_single_phase, Transfer.AC_three_phase),
    Transfer.AC_BPT_DER: (Transfer.AC_single_phase, Transfer.AC_three_phase),
    Transfer.AC_DER: (Transfer.AC_single_phase, Transfer.AC_three_phase),
    Transfer.DC_BPT: (Transfer.DC,),
    Transfer.DC_ACDP_BPT: (Transfer.DC_ACDP,),
}
"""The services that only charge, by the bidirectional one."""


ONE_WAY = [mode for one, modes in MODES.items() if "BPT" not in one and "DER" not in one for mode in modes]
"""EVerest's modes that only charge."""


def modes_of(allowed: Iterable[Transfer]) -> list[EnergyTransferMode]:
    """Return EVerest's modes of what is allowed, and beside a bidirectional service those that only charge.

    A car without the former charges all the same. NotifyEVChargingNeeds has what the car has chosen, and the CSMS may
    reject it (Q01.FR.05, Q01.FR.06).
    """
    allowed = list(allowed)
    modes = [mode for one in allowed for mode in MODES[one]]
    modes += [mode for one in allowed for also in CHARGING_ONLY.get(one, ()) for mode in MODES[also]]
    return list(dict.fromkeys(modes))


def offer(allowed: Iterable[Transfer]) -> Call:
    """Offer the car what is allowed."""
    return call(EvseManager.update_allowed_energy_transfer_modes, modes_of(allowed))
