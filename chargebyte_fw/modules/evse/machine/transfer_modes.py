"""What HLC may offer to an EV: energy transfer modes and AC power limits."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities
from chargebyte_fw.contracts.types.iso15118 import (
    AcEvseMaximumPower,
    AcEvseMinimumPower,
    AcParameters,
    Connector,
    DcEvseMaximumLimits,
    DcEvseMinimumLimits,
    DcEvsePresentVoltageCurrent,
    EnergyTransferMode,
)
from chargebyte_fw.contracts.types.units import Power

FREQUENCY_HZ = 50.0
AC_MODES = (
    EnergyTransferMode.AC_single_phase_core,
    EnergyTransferMode.AC_two_phase,
    EnergyTransferMode.AC_three_phase_core,
)
BIDIRECTIONAL = frozenset(mode for mode in EnergyTransferMode if mode.value.endswith("_BPT") or "_DER" in mode.value)


def can_export(hardware: HardwareCapabilities) -> bool:
    """Whether the AC side can take energy back."""
    return hardware.max_current_A_export > 0.0 and hardware.max_phase_count_export >= 1


def ac_modes(hardware: HardwareCapabilities, *, bpt: bool, der: bool) -> list[EnergyTransferMode]:
    """Return the AC modes for the phases that the hardware has."""
    low = min(max(hardware.min_phase_count_import, 1), 3)
    high = min(max(hardware.max_phase_count_import, low), 3)
    modes = list(AC_MODES[low - 1 : high])
    if bpt and can_export(hardware):
        modes.append(EnergyTransferMode.AC_BPT)
    if der and can_export(hardware):
        modes.append(EnergyTransferMode.AC_DER_IEC)
    return modes


def offered_ac_modes(hardware: HardwareCapabilities, *, bpt: bool, der: bool) -> list[EnergyTransferMode]:
    """Return the modes to offer: those of the hardware, and one phase always.

    EVerest offers no mode below the board's least phase count. An EV with one phase draws from the first one of three,
    as it does by the duty cycle alone, and can ask for no other mode.
    """
    modes = ac_modes(hardware, bpt=bpt, der=der)
    one = EnergyTransferMode.AC_single_phase_core
    return modes if one in modes else [one, *modes]


FOR_STATE_OF_CHARGE = [
    EnergyTransferMode.DC_core,
    EnergyTransferMode.DC_extended,
    EnergyTransferMode.DC_combo_core,
    EnergyTransferMode.DC_unique,
]
"""What an AC charger offers with `ac_with_soc` until it knows the state of charge."""
READING_MAXIMUM = DcEvseMaximumLimits(
    evse_maximum_current_limit=400.0, evse_maximum_power_limit=200_000.0, evse_maximum_voltage_limit=1_000.0
)
READING_MINIMUM = DcEvseMinimumLimits(
    evse_minimum_current_limit=0.0, evse_minimum_voltage_limit=0.0, evse_minimum_power_limit=0.0
)
READING_PRESENT = DcEvsePresentVoltageCurrent(evse_present_voltage=400.0, evse_present_current=0.0)


def dc_modes(*, bidirectional: bool, megawatt: bool) -> list[EnergyTransferMode]:
    """Return the DC modes for the supply and the connector."""
    if megawatt:
        return [EnergyTransferMode.MCS, EnergyTransferMode.MCS_BPT] if bidirectional else [EnergyTransferMode.MCS]
    extended = EnergyTransferMode.DC_extended
    return [extended, EnergyTransferMode.DC_BPT] if bidirectional else [extended]


def power(current_A: float, voltage_V: float, phases: int) -> Power:
    """Return the power of `phases` equal phases."""
    phase_W = current_A * voltage_V
    parts = {f"L{number}": phase_W for number in range(1, phases + 1)}
    return Power(total=phase_W * phases, **parts)


def ac_maximum(hardware: HardwareCapabilities, voltage_V: float) -> AcEvseMaximumPower:
    """Return the most power in both directions."""
    return AcEvseMaximumPower(
        charge_power=power(hardware.max_current_A_import, voltage_V, hardware.max_phase_count_import),
        discharge_power=power(hardware.max_current_A_export, voltage_V, hardware.max_phase_count_export),
    )


def ac_minimum(hardware: HardwareCapabilities, voltage_V: float) -> AcEvseMinimumPower:
    """Return the least power in both directions, with all phases."""
    return AcEvseMinimumPower(
        charge_power=power(hardware.min_current_A_import, voltage_V, hardware.max_phase_count_import),
        discharge_power=power(hardware.min_current_A_export, voltage_V, hardware.max_phase_count_export),
    )


def ac_parameters(hardware: HardwareCapabilities, voltage_V: float, reactive_VA: float) -> AcParameters:
    """Return the grid's nominal values."""
    connectors = [Connector.SinglePhase]
    if hardware.max_phase_count_import == 3:
        connectors.append(Connector.ThreePhase)
    return AcParameters(
        nominal_frequency=FREQUENCY_HZ,
        nominal_voltage=voltage_V,
        connectors=connectors,
        evse_max_reactive_power=reactive_VA if reactive_VA > 0.0 else None,
    )
