"""EVerest interface `evse_board_support`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import board_support_common, evse_board_support, evse_manager
from chargebyte_fw.kernel.contract import Contract, Var


class EvseBoardSupport(
    Contract,
    interface="evse_board_support",
    one_user="error",
    errors=(
        "evse_board_support",
        "ac_rcd",
    ),
):
    """CP/PWM, contactor and board telemetry of one EVSE (AC or DC); RCD, lock, IMD, meter have own interfaces."""

    event: Var[board_support_common.BspEvent]
    """CP state changes and contactor confirmations."""
    ac_nr_of_phases_available: Var[Annotated[int, Meta(ge=1, le=3)]]
    """Phases usable right now."""
    telemetry: Var[evse_board_support.Telemetry]
    """Periodic."""
    capabilities: Var[evse_board_support.HardwareCapabilities]
    """Publish at least once at start-up, again on change (e.g. derating)."""
    ac_pp_ampacity: Var[board_support_common.ProximityPilot]
    """Sockets only; publish on change."""
    request_stop_transaction: Var[evse_manager.StopTransactionRequest]
    """E.g. stop button."""

    @abstractmethod
    async def enable(self, value: bool) -> None:
        """Port on/off. While off: no new sessions (CP X1/E/F or mechanical block), keep caching PWM/CP commands,
        apply the cached one when re-enabled.
        """

    @abstractmethod
    async def pwm_on(self, value: Annotated[float, Meta(ge=0, le=100)]) -> None:
        """Duty cycle in %, exclusive limits intended; cached while disabled."""

    @abstractmethod
    async def cp_state_X1(self) -> None:
        """Steady +12 V, PWM off; cached while disabled."""

    @abstractmethod
    async def cp_state_F(self) -> None:
        """Steady −12 V (EVSE unavailable); cached while disabled."""

    @abstractmethod
    async def cp_state_E(self) -> None:
        """CP 0 V; only if capabilities.supports_cp_state_E; cached while disabled."""

    @abstractmethod
    async def allow_power_on(self, value: evse_board_support.PowerOnOff) -> None:
        """Contactor permission with reason; false ⇒ contactors must be open."""

    @abstractmethod
    async def ac_switch_three_phases_while_charging(self, value: bool) -> None:
        """True = 3 phases, false = 1; optional, announce in capabilities; board runs its own safe CP sequence."""

    @abstractmethod
    async def ac_set_overcurrent_limit_A(self, value: float) -> None:
        """Threshold (A) for a hardware over-current trip, board adds margin; never derive PWM from it, and never
        derive the limit from PWM.
        """
