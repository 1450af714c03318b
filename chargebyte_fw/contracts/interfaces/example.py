"""EVerest interface `example`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.kernel.contract import Contract, Var


class Example(Contract, interface="example"):
    """Interface of EVerest's example modules."""

    max_current: Var[float]
    """A."""

    @abstractmethod
    async def uses_something(self, key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]+$")]) -> bool:
        """Return whether a value is stored under the key."""
