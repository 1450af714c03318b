"""Store: a key-value store in memory; what it keeps is gone with the process."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.modules.system.key_value import checked, to_row

MOST = 10_000
"""Keys that are kept."""


class MemoryValues(Kvs):
    """The values."""

    module: Store

    async def store(self, key: str, value: Any) -> None:
        """Keep `value` under `key`; raises ValueError for what is no key or no JSON value, or for too many keys."""
        to_row(value)
        values = self.module.values
        if checked(key) not in values and len(values) >= MOST:
            raise ValueError(f"there are {MOST} keys already")
        values[key] = value

    async def load(self, key: str) -> Any:
        """Return the value under `key`, None when there is none."""
        return self.module.values.get(checked(key))

    async def delete(self, key: str) -> None:
        """Forget `key`; an unknown one is no error."""
        self.module.values.pop(checked(key), None)

    async def exists(self, key: str) -> bool:
        """Return whether there is a value (also null) under `key`."""
        return checked(key) in self.module.values


class Store(Module):
    """Keeps values by key in memory."""

    group = "cloud"
    main = provides(MemoryValues, description="The values.")

    async def init(self) -> None:
        """Begin with what an instance before has kept."""
        self.values: dict[str, Any] = self.kept.setdefault("values", {})
