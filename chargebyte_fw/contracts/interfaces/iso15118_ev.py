"""EVerest interface `ISO15118_ev`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.contract import Contract, Var


class Iso15118Ev(Contract, interface="ISO15118_ev"):
    """EVCC."""

    v2g_session_finished: Var[None]
    ev_power_ready: Var[bool]
    ac_evse_max_current: Var[Annotated[float, Meta(ge=0, le=400)]]
    """A."""
    ac_evse_target_power: Var[iso15118.AcTargetPower]
    dc_power_on: Var[None]
    stop_from_charger: Var[None]
    pause_from_charger: Var[None]

    @abstractmethod
    async def start_charging(
        self,
        EnergyTransferMode: iso15118.EnergyTransferMode,
        SelectedPaymentOption: iso15118.SelectedPaymentOption,
        DepartureTime: float,
        EAmount: float,
    ) -> bool:
        """DepartureTime in s, EAmount in kWh."""

    @abstractmethod
    async def stop_charging(self) -> None:
        """EVerest command `stop_charging`."""

    @abstractmethod
    async def pause_charging(self) -> None:
        """EVerest command `pause_charging`."""

    @abstractmethod
    async def set_fault(self) -> None:
        """EVerest command `set_fault`."""

    @abstractmethod
    async def set_dc_params(self, EvParameters: iso15118.DcEvParameters) -> None:
        """EVerest command `set_dc_params`."""

    @abstractmethod
    async def set_bpt_dc_params(self, EvBPTParameters: iso15118.DcEvBPTParameters) -> None:
        """EVerest command `set_bpt_dc_params`."""

    @abstractmethod
    async def enable_sae_j2847_v2g_v2h(self) -> None:
        """EVerest command `enable_sae_j2847_v2g_v2h`."""

    @abstractmethod
    async def update_soc(self, SoC: Annotated[float, Meta(ge=0)]) -> None:
        """%."""
