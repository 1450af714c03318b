"""What the board can do, for EVerest's `capabilities`: limits and phases of the configuration, as far as they hold."""

from __future__ import annotations

from chargebyte_fw.board.driver.config import ConnectorType, DriverConfig
from chargebyte_fw.contracts.types.evse_board_support import HardwareCapabilities, HardwareCapabilitiesConnectorType

GRID_PHASES = {True: 3, False: 1}
"""Phases of the grid by the level of its input: active, inactive."""

_CONNECTORS = {
    ConnectorType.IEC62196Type2Cable: HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
    ConnectorType.IEC62196Type2Socket: HardwareCapabilitiesConnectorType.IEC62196Type2Socket,
    ConnectorType.cCCS2: HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
}
"""EVerest's board capabilities have cables and sockets; the plug of a DC charger is on a cable."""


def capabilities(config: DriverConfig, phases: int, *, switchable: bool = False) -> HardwareCapabilities:
    """Return the capabilities with `phases` of the grid.

    `switchable`: contactors and firmware can switch phases. Without that the least number of phases is the greatest.
    """
    switchable = switchable and config.min_phase_count == 1 and phases == GRID_PHASES[True]
    least = config.min_phase_count if switchable else phases
    return HardwareCapabilities(
        max_current_A_import=config.max_current_A,
        min_current_A_import=config.min_current_A,
        max_phase_count_import=phases,
        min_phase_count_import=least,
        max_current_A_export=config.max_current_A,
        min_current_A_export=config.min_current_A,
        max_phase_count_export=phases,
        min_phase_count_export=least,
        supports_changing_phases_during_charging=switchable,
        supports_cp_state_E=True,
        connector_type=_CONNECTORS[config.connector_type],
    )
