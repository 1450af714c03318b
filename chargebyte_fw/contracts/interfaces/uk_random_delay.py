"""EVerest interface `uk_random_delay`."""

from __future__ import annotations

from abc import abstractmethod

from chargebyte_fw.contracts.types import uk_random_delay
from chargebyte_fw.kernel.contract import Contract, Var


class UkRandomDelay(Contract, interface="uk_random_delay"):
    """UK smart-charging random delay (off at start-up)."""

    countdown: Var[uk_random_delay.CountDown]

    @abstractmethod
    async def enable(self) -> None:
        """EVerest command `enable`."""

    @abstractmethod
    async def disable(self) -> None:
        """EVerest command `disable`."""

    @abstractmethod
    async def cancel(self) -> None:
        """As if expired now."""

    @abstractmethod
    async def set_duration_s(self, value: int) -> None:
        """Maximum, initial 600."""
