"""EVerest interface `ev_slac`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import slac
from chargebyte_fw.kernel.contract import Contract, Var


class EvSlac(Contract, interface="ev_slac", errors=("generic",)):
    """ISO 15118-3 SLAC, EV side."""

    state: Var[slac.State]
    dlink_ready: Var[bool]
    ev_mac_address: Var[Annotated[str, Meta(pattern=r"^[A-F0-9]{2}(:[A-F0-9]{2}){5}$")]]

    @abstractmethod
    async def reset(self) -> None:
        """EVerest command `reset`."""

    @abstractmethod
    async def trigger_matching(self) -> bool:
        """False if state machine cannot start now."""
