"""EVerest interface `ev_board_support`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import board_support_common, ev_board_support, evse_manager
from chargebyte_fw.kernel.contract import Contract, Var


class EvBoardSupport(Contract, interface="ev_board_support", errors=("generic",)):
    """EV-side board (simulation or test EV)."""

    bsp_event: Var[board_support_common.BspEvent]
    bsp_measurement: Var[board_support_common.BspMeasurement]
    ev_info: Var[evse_manager.EVInfo]

    @abstractmethod
    async def enable(self, value: bool) -> None:
        """Simulation on/off."""

    @abstractmethod
    async def set_cp_state(self, cp_state: ev_board_support.EvCpState) -> None:
        """EV S2 etc."""

    @abstractmethod
    async def allow_power_on(self, value: bool) -> None:
        """EVerest command `allow_power_on`."""

    @abstractmethod
    async def diode_fail(self, value: bool) -> None:
        """EVerest command `diode_fail`."""

    @abstractmethod
    async def set_ac_max_current(self, current: float) -> None:
        """A."""

    @abstractmethod
    async def set_three_phases(self, three_phases: bool) -> None:
        """EVerest command `set_three_phases`."""

    @abstractmethod
    async def set_rcd_error(self, rcd_current_mA: float) -> None:
        """MA, simulation only."""
