"""PersistentStore: a key-value store in an SQLite file; what it acknowledged is still there after a power cut."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from logging import ERROR
from pathlib import Path
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.paths import normal
from chargebyte_fw.kernel.store import Database
from chargebyte_fw.modules.system.key_value import COLUMNS, checked, from_row, to_row

T = TypeVar("T")


class Values(Kvs):
    """The values; a command that cannot be carried out fails with one line that names the file and the reason."""

    module: PersistentStore

    async def store(self, key: str, value: Any) -> None:
        """Keep `value` under `key`; it is on the disk when this returns."""
        row = (checked(key), *to_row(value))

        def write(connection: sqlite3.Connection) -> None:
            # Not an upsert: a table that EVerest made declares KEY unique, one that a tool made may not.
            connection.execute("DELETE FROM KVS WHERE KEY = ?", row[:1])
            connection.execute("INSERT INTO KVS (KEY, VALUE, TYPE) VALUES (?, ?, ?)", row)

        await self.module.run(write)

    async def load(self, key: str) -> Any:
        """Return the value under `key`, None when there is none."""
        wanted = (checked(key),)

        def read(connection: sqlite3.Connection) -> Any:
            return connection.execute("SELECT VALUE, TYPE FROM KVS WHERE KEY = ?", wanted).fetchone()

        row = await self.module.run(read)
        return None if row is None else from_row(key, *row)

    async def delete(self, key: str) -> None:
        """Forget `key`; an unknown one is no error."""
        wanted = (checked(key),)
        await self.module.run(lambda connection: connection.execute("DELETE FROM KVS WHERE KEY = ?", wanted))

    async def exists(self, key: str) -> bool:
        """Return whether there is a value (also null) under `key`."""
        wanted = (checked(key),)

        def look(connection: sqlite3.Connection) -> bool:
            return connection.execute("SELECT 1 FROM KVS WHERE KEY = ?", wanted).fetchone() is not None

        return await self.module.run(look)


class PersistentStore(Module):
    """Keeps values by key in an SQLite file."""

    group = "cloud"

    class Config(ModuleConfig):
        """Where the file is."""

        sqlite_db_file_path: Annotated[str, Meta(min_length=1, description="Path of the SQLite file.")] = (
            "everest_persistent_store.db"
        )

    config: Config
    main = provides(Values, description="The values.")

    database: Database

    @classmethod
    def claims(cls, config: Config, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The file."""
        yield Claim("database file", normal(config.sqlite_db_file_path), "sqlite_db_file_path")

    async def init(self) -> None:
        """Open the file, so that trouble with it is known from the start; a later command tries again."""
        path = self.runtime.root.write(self.config.sqlite_db_file_path)
        self.database = Database(path, {"KVS": COLUMNS}, self._on_set_aside)
        self._trouble = LastingCondition(self.log, ERROR)
        try:
            count = await self.run(lambda connection: connection.execute("SELECT count(*) FROM KVS").fetchone())
        except Unavailable:
            # Is logged; each command tries again.
            return
        self.log.debug("%d values in %s", count[0], path)

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction; raises Unavailable, logged when it begins and when it ends."""
        try:
            result = await self.database.run(work)
        except Unavailable as error:
            self._trouble.begin(f"values cannot be kept for now: {error}")
            raise
        self._trouble.end("values are kept again")
        return result

    async def stop(self) -> None:
        """Let go of the file."""
        self._trouble.close()
        await self.database.close()

    def _on_set_aside(self, reason: str, kept: Path) -> None:
        self.log.error("the store was damaged (%s): kept as %s, begun anew", reason, kept)
