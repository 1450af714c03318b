"""ErrorHistory: every fault of every module, in an SQLite file, with the state it came to."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Mapping
from logging import ERROR
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.error_history import ErrorHistory as ErrorHistoryContract
from chargebyte_fw.contracts.types.error_history import ErrorObject, FilterArguments, State
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.paths import normal
from chargebyte_fw.kernel.store import Database
from chargebyte_fw.modules.system import error_rows

RETRY_S = 30.0
"""How long after trouble with the file the errors that wait are tried again."""
WAITING_LIMIT = 1000
"""So many errors wait while the file cannot be written; beyond that the oldest is given up."""


class HistoryConfig(ModuleConfig):
    """Where the history is."""

    database_path: Annotated[str, Meta(min_length=1, description="Path of the SQLite file.")]


class History(ErrorHistoryContract):
    """The history."""

    module: ErrorHistory
    config: HistoryConfig

    async def get_errors(self, filters: FilterArguments) -> list[ErrorObject]:
        """Return the errors that satisfy all filters, oldest first."""
        return await self.module.find(filters)


class ErrorHistory(Module):
    """Remembers every error that any module raised, beyond a restart."""

    enable_global_errors = True
    group = "cloud"
    error_history = provides(History, config=HistoryConfig, description="The history.")

    database: Database

    @classmethod
    def claims(cls, config: Any, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The file."""
        path = implementations["error_history"].database_path
        yield Claim("database file", normal(path), "database_path")

    async def init(self) -> None:
        """Open the file, close what the last run left open, and listen to every module."""
        self._waiting: deque[Fault] = deque()
        self._lock = asyncio.Lock()
        self._begun = False
        self._trouble = LastingCondition(self.log, ERROR)
        self._given_up = 0
        self._writer: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None
        path = self.runtime.root.write(self.error_history.config.database_path)
        self.database = Database(path, {"errors": error_rows.COLUMNS}, self._on_set_aside)
        await self._write()
        self._stops = [book.subscribe(self._on_change, self._on_change) for book in self.runtime.all_faults]

    async def stop(self) -> None:
        """Write what waits, let go of the file."""
        for stop in self._stops:
            stop()
        if self._waiting:
            await self._write()
        if self._retry is not None:
            self._retry.cancel()
        self._trouble.close()
        await self.database.close()

    async def find(self, filters: FilterArguments) -> list[ErrorObject]:
        """Return matching errors; raises Unavailable when the file cannot be read, ValueError for a bad filter.

        What is active is known without the file, so that a full disk hides no fault.
        """
        where, values = error_rows.condition(filters)
        if filters.state_filter is State.Active:
            faults = [fault for book in self.runtime.all_faults for fault in book.active]
            found = [entry for fault in faults if (entry := error_rows.from_memory(fault, filters)) is not None]
            return sorted(found, key=lambda entry: entry.timestamp)
        if self._waiting:
            await self._write()
        return await self.database.run(lambda connection: error_rows.read(connection, where, values))

    def _on_change(self, fault: Fault) -> None:
        self._waiting.append(fault)
        if len(self._waiting) > WAITING_LIMIT:
            self._waiting.popleft()
            self._given_up += 1
        self._write_soon()

    def _write_soon(self) -> None:
        # While the file makes trouble the retry writes; otherwise one task at a time takes all that waits.
        if not self._trouble.active and (self._writer is None or self._writer.done()):
            self._writer = self.spawn(self._write_all(), "write")

    async def _write_all(self) -> None:
        while self._waiting and await self._write():
            pass

    async def _write(self) -> bool:
        """Write all errors that wait, in one transaction; while the file cannot be written they stay."""
        async with self._lock:
            batch = list(self._waiting)
            active = [] if self._begun else [fault.uuid for book in self.runtime.all_faults for fault in book.active]
            try:
                left_open = await self.database.run(lambda connection: self._enter(connection, batch, active))
            except Unavailable as error:
                self._on_trouble(str(error))
                return False
            for fault in batch:
                # Some may have been given up while the thread wrote.
                if self._waiting and self._waiting[0] is fault:
                    self._waiting.popleft()
        self._begun = True
        if left_open:
            self.log.info("%d errors of the last run ended with the restart", left_open)
        lost = f"; {self._given_up} changes from before are lost" if self._given_up else ""
        self._given_up = 0
        self._trouble.end(f"errors are recorded again{lost}")
        return True

    def _enter(self, connection: sqlite3.Connection, batch: list[Fault], active: list[str]) -> int:
        left_open = 0 if self._begun else error_rows.begin(connection, active)
        for fault in batch:
            error_rows.write(connection, fault)
        return left_open

    def _on_trouble(self, trouble: str) -> None:
        self._trouble.begin(f"errors cannot be recorded for now: {trouble}")
        if self._retry is None:
            self._retry = self.after(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        self.spawn(self._write(), "write again")

    def _on_set_aside(self, reason: str, kept: Path) -> None:
        self.log.error("the error history was damaged (%s): kept as %s, begun anew", reason, kept)
        # The new file knows nothing of the errors that are there now.
        for book in self.runtime.all_faults:
            self._waiting.extend(book.active)
        if self._waiting:
            self._write_soon()
