"""EVerest interface `test_control`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.kernel.contract import Contract, Var


class TestControl(Contract, interface="test_control"):
    """Starts a charging session of EVerest's test modules."""

    state: Var[str]

    @abstractmethod
    async def start_charging(self, mode: Annotated[str, Meta(min_length=1, max_length=20)]) -> str:
        """Start charging in the mode of this name."""
