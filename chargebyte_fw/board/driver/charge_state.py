"""Questions to a CHARGE_STATE that several rules ask."""

from __future__ import annotations

from chargebyte_fw.board.link.messages.charge_som import (
    ChargeState,
    ContactorState,
    CpState,
    EstopState,
    PpState,
    SafeStateActive,
)
from chargebyte_fw.contracts.types.board_support_common import ProximityPilotAmpacity

CHARGING = (CpState.C, CpState.D)
"""States in which the car requests energy (IEC 61851-1 annex A)."""
PLUGGED_IN = (CpState.B, CpState.C, CpState.D)

AMPACITY = {
    PpState.NO_CABLE: ProximityPilotAmpacity.None_,
    PpState.A_13: ProximityPilotAmpacity.A_13,
    PpState.A_20: ProximityPilotAmpacity.A_20,
    PpState.A_32: ProximityPilotAmpacity.A_32,
    PpState.A_63_3PH_70_1PH: ProximityPilotAmpacity.A_63_3ph_70_1ph,
}
"""What a cable at a socket may carry (IEC 61851-1 annex B)."""


def is_normal(state: ChargeState) -> bool:
    """Whether the controller is not in its safe state."""
    return state.safe_state_active is SafeStateActive.NORMAL


def any_closed(state: ChargeState) -> bool:
    """Whether any contactor is closed."""
    return ContactorState.CLOSED in state.contactors


def known_contactors(state: ChargeState) -> list[ContactorState]:
    """Return the contactors that exist and whose position is known."""
    return [one for one in state.contactors if one in (ContactorState.OPEN, ContactorState.CLOSED)]


def no_contactor_configured(state: ChargeState) -> bool:
    """Whether the parameter block calls every contactor disabled."""
    return all(one is ContactorState.UNUSED for one in state.contactors)


def emergency_input_tripped(state: ChargeState | None) -> bool:
    """Whether an emergency input is tripped."""
    return state is not None and EstopState.TRIPPED in (state.estop_1, state.estop_2, state.estop_3)


def needs_reset(state: ChargeState, socket: bool) -> bool:
    """Whether the controller needs a reset before anything goes on: safe state, or a socket's cable that is unknown."""
    return not is_normal(state) or (socket and state.pp_state not in AMPACITY)
