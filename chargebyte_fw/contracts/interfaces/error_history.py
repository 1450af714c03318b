"""EVerest interface `error_history`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import error_history
from chargebyte_fw.kernel.contract import Contract


class ErrorHistory(Contract, interface="error_history"):
    """Query persisted errors."""

    @abstractmethod
    async def get_errors(self, filters: error_history.FilterArguments) -> list[error_history.ErrorObject]:
        """EVerest command `get_errors`."""
