"""EVerest interface `slac`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import slac
from chargebyte_fw.kernel.contract import Contract, Var


class Slac(Contract, interface="slac", one_user="warning", errors=("generic",)):
    """ISO 15118-3 SLAC, EVSE side."""

    state: Var[slac.State]
    dlink_ready: Var[bool]
    """True = link up, false = down."""
    request_error_routine: Var[None]
    """Ask upper layer for the SLAC retry routine."""
    ev_mac_address: Var[Annotated[str, Meta(pattern=r"^[A-F0-9]{2}(:[A-F0-9]{2}){5}$")]]
    """Upper-case MAC."""

    @abstractmethod
    async def reset(self, enable: bool) -> None:
        """True = start after reset, false = stop."""

    @abstractmethod
    async def enter_bcd(self) -> None:
        """CP went A/E/F → B/C/D."""

    @abstractmethod
    async def leave_bcd(self) -> None:
        """CP went back to A/E/F."""

    @abstractmethod
    async def dlink_terminate(self) -> None:
        """Drop link, UNMATCHED."""

    @abstractmethod
    async def dlink_error(self) -> None:
        """Drop link, restart matching."""

    @abstractmethod
    async def dlink_pause(self) -> None:
        """Power saving, stay MATCHED."""
