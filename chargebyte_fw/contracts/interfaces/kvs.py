"""EVerest interface `kvs`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.kernel.contract import Contract


class Kvs(Contract, interface="kvs"):
    """Key-value store."""

    @abstractmethod
    async def store(self, key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]*$")], value: Any) -> None:
        """Value may be any JSON value incl. null."""

    @abstractmethod
    async def load(self, key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]+$")]) -> Any:
        """Null when unknown."""

    @abstractmethod
    async def delete(self, key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]+$")]) -> None:
        """EVerest command `delete`."""

    @abstractmethod
    async def exists(self, key: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.]+$")]) -> bool:
        """EVerest command `exists`."""
