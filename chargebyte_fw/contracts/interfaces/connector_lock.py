"""EVerest interface `connector_lock`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.kernel.contract import Contract


class ConnectorLock(Contract, interface="connector_lock", one_user="error", errors=("connector_lock",)):
    """Socket lock motor."""

    @abstractmethod
    async def lock(self) -> None:
        """EVerest command `lock`."""

    @abstractmethod
    async def unlock(self) -> None:
        """EVerest command `unlock`."""
