"""The EVSE as a leaf of the energy tree: what it has, and what limits mean for it."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.limit_sources import is_wiring
from chargebyte_fw.contracts.types.board_support_common import ProximityPilotAmpacity
from chargebyte_fw.contracts.types.energy import EnforcedLimits, LimitsRes, NumberWithSource
from chargebyte_fw.contracts.types.evse_board_support import (
    HardwareCapabilities,
    HardwareCapabilitiesConnectorType,
)
from chargebyte_fw.contracts.types.power_supply_DC import Capabilities

NO_HARDWARE = HardwareCapabilities(
    max_current_A_import=0.0,
    min_current_A_import=0.0,
    max_phase_count_import=1,
    min_phase_count_import=1,
    max_current_A_export=0.0,
    min_current_A_export=0.0,
    max_phase_count_export=1,
    min_phase_count_export=1,
    supports_changing_phases_during_charging=False,
    supports_cp_state_E=False,
    connector_type=HardwareCapabilitiesConnectorType.IEC62196Type2Cable,
)
"""What holds until the board has reported its capabilities."""
NO_SUPPLY = Capabilities(
    bidirectional=False,
    current_regulation_tolerance_A=0.5,
    peak_current_ripple_A=0.5,
    max_export_voltage_V=60.0,
    min_export_voltage_V=0.0,
    max_export_current_A=0.0,
    min_export_current_A=0.0,
    max_export_power_W=0.0,
)
"""What holds until the power supply has reported its capabilities."""
AMPACITY_A = {
    ProximityPilotAmpacity.None_: 0.0,
    ProximityPilotAmpacity.A_13: 13.0,
    ProximityPilotAmpacity.A_20: 20.0,
    ProximityPilotAmpacity.A_32: 32.0,
    ProximityPilotAmpacity.A_63_3ph_70_1ph: 63.0,
}
"""IEC 61851-1 table B.2: rating of a cable by the resistor of its proximity pilot."""
SINGLE_PHASE_A = 70.0
"""IEC 61851-1 table B.2: the largest cable with one phase."""


class EnergyNode(msgspec.Struct, frozen=True):
    """Hardware, cable and service of the EVSE, as far as the energy management has to know them."""

    hardware: HardwareCapabilities = msgspec.field(default_factory=lambda: NO_HARDWARE)
    supply: Capabilities = msgspec.field(default_factory=lambda: NO_SUPPLY)
    """The power supply's capabilities, within the external derating."""
    supply_known: bool = False
    active_phases: int | None = None
    """Phases that are switched on; None until the board has reported its capabilities."""
    cable_A: float | None = None
    """Rating of the cable in a socket; None without a cable, and with a fixed one."""
    bidirectional: bool = False
    """The EV's service may return energy."""
    own_limits_W: tuple[float, float] | None = None
    """Limits of our own for an EV that supplies the house: (export, import)."""

    @property
    def socket(self) -> bool:
        """Whether the connector is a socket, to which the user brings a cable."""
        return self.hardware.connector_type is HardwareCapabilitiesConnectorType.IEC62196Type2Socket

    def with_hardware(self, hardware: HardwareCapabilities) -> EnergyNode:
        """Return the node with other capabilities of the board."""
        active = self.active_phases
        if active is None:
            active = hardware.max_phase_count_import
        elif active > hardware.max_phase_count_import:
            active = hardware.min_phase_count_import
        return msgspec.structs.replace(self, hardware=hardware, active_phases=active)

    def rating_A(self, ampacity: ProximityPilotAmpacity) -> float:
        """Return the rating of a cable in A, 0 without a cable."""
        limit_A = AMPACITY_A[ampacity]
        return SINGLE_PHASE_A if limit_A == 63.0 and self.hardware.max_phase_count_import == 1 else limit_A

    def phases(self, limits: LimitsRes) -> int:
        """Return the phases that carry current: the active ones, or fewer where a node on the way has fewer.

        The configuration of a node states how it is wired. A phase limit from elsewhere is a request, and where the
        board cannot follow it all active phases carry current.
        """
        active = self.active_phases or 1
        wired = limits.ac_max_phase_count
        if wired is None or wired.value < 1 or not is_wiring(wired.source):
            return active
        return min(active, wired.value)

    def ac_limit_A(self, limits: LimitsRes, voltage_V: float) -> float:
        """Return the current per phase in A: of the current limit and the power limit the one that is closer to 0."""
        current_A = limits.ac_max_current_A.value if limits.ac_max_current_A else 0.0
        if limits.total_power_W is not None:
            from_power_A = limits.total_power_W.value / (voltage_V * self.phases(limits))
            if limits.ac_max_current_A is None or abs(from_power_A) < abs(current_A):
                current_A = from_power_A
        return current_A

    def within_cable(self, limits: EnforcedLimits, source: str) -> EnforcedLimits:
        """Return the limits with a current that the cable carries; `source` names the cable's limit."""
        cable_A, limit = self.cable_A, limits.limits_root_side.ac_max_current_A
        if cable_A is None or limit is None or limit.value <= cable_A:
            return limits
        capped = NumberWithSource(value=cable_A, source=source)
        side = msgspec.structs.replace(limits.limits_root_side, ac_max_current_A=capped)
        return msgspec.structs.replace(limits, limits_root_side=side)
