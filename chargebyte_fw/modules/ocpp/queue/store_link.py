"""The file of a station: its queue, and the documents of its blocks. What cannot be written is kept and written later.

Everything that was asked for in one turn of the event loop is one commit, and commits are in order. So the file has at
any time a state that the station was in between two events.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Coroutine
from logging import ERROR
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.backoff import Backoff, doubling
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.store import Database
from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import TRANSACTION_IDS
from chargebyte_fw.modules.ocpp.queue.rows import DOCUMENTS, TABLES, Contents, Key, Value, read, write
from chargebyte_fw.modules.ocpp.station.effects import Save

UNWRITABLE, DAMAGED = "unwritable", "damaged"
PATIENCE_S = 10.0
"""A message waits no longer for a medium that does not answer."""
RETRIES_S = doubling(2.0, 60.0)


class Store:
    """The file at `path`. `written(ticket)` is called when everything up to a ticket is on the disk, or may not wait.

    `begun_anew()` is called after a damaged file was set aside in operation: the queue is to be written again, the
    store itself writes the documents. `trouble(text)` is called when the file cannot be used, and with "" when it can.
    """

    def __init__(
        self,
        path: Path,
        log: ModuleLog,
        spawn: Callable[[Coroutine[Any, Any, Any], str], Any],
        written: Callable[[int], None],
        begun_anew: Callable[[], None] = lambda: None,
        trouble: Callable[[str, str], None] = lambda kind, text: None,
    ) -> None:
        self.database = Database(path, TABLES, self._on_set_aside)
        self._log = log
        self._spawn = spawn
        self._written = written
        self._begun_anew = begun_anew
        self._report = trouble
        self._condition = LastingCondition(log, ERROR)
        self._changes: dict[Key, Value] = {}
        self._writing: dict[Key, Value] = {}
        self._on_disk: set[Key] = set()
        self._documents: dict[Key, bytes] = {}
        self._ticket = 0
        self._confirmed = 0
        self._busy = False
        self._scheduled = False
        self._was_damaged = False
        self._backoff = Backoff(RETRIES_S)
        self._retry: asyncio.TimerHandle | None = None

    async def load(self) -> Contents:
        """Return what the last run left; where the file cannot be opened for writing, from a copy of it."""
        try:
            found = await self.database.run(read)
        except Unavailable as error:
            self._failed(str(error))
            found = self._read_copy()
        for text in found.unreadable:
            self._log.error("a message of an earlier run is lost: %s", text)
        self._documents = {
            (DOCUMENTS, place, name): document
            for place, named in found.documents.items()
            for name, document in named.items()
        }
        self._on_disk = {(entry.table, entry.key, "") for entry in found.entries}
        self._on_disk |= {(TRANSACTION_IDS, session_id, "") for session_id in found.transaction_ids}
        self._on_disk |= set(self._documents)
        self._was_damaged = False
        return found

    def _read_copy(self) -> Contents:
        """Read a file that cannot be written to: SQLite needs to write beside one whose log was not closed."""
        try:
            with tempfile.TemporaryDirectory() as folder:
                for suffix in ("", "-wal"):
                    source = self.database.path.with_name(self.database.path.name + suffix)
                    if source.exists():
                        shutil.copyfile(source, Path(folder) / f"copy{suffix}")
                connection = sqlite3.connect(Path(folder) / "copy", isolation_level=None)
                try:
                    return read(connection)
                finally:
                    connection.close()
        except (OSError, sqlite3.Error) as error:
            self._log.error("messages of an earlier run cannot be read: %s", error)
            return Contents()

    def keep(self, effect: Persist | Remove | KeepTransactionId | Save) -> None:
        """Write a change, in one commit with all others of this turn of the event loop."""
        match effect:
            case Persist(table, row, ticket):
                self._change((table, row.UNIQUE_ID, ""), row, ticket)
            case Remove(table, key, ticket):
                self._change((table, key, ""), None, ticket)
            case KeepTransactionId(session_id, transaction_id, ticket):
                self._change((TRANSACTION_IDS, session_id, ""), transaction_id, ticket)
            case Save(table, name, value):
                place = (DOCUMENTS, table, name)
                if value is None:
                    self._documents.pop(place, None)
                else:
                    self._documents[place] = value
                self._change(place, value, 0)

    def _change(self, key: Key, value: Value, ticket: int) -> None:
        self._ticket = max(self._ticket, ticket)
        self._changes.pop(key, None)
        if value is not None or key in self._on_disk or key in self._writing:
            self._changes[key] = value
        if not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._turn_is_over)

    def _turn_is_over(self) -> None:
        self._scheduled = False
        if self._condition.active:
            self._confirm(self._ticket)  # from memory; the file is tried again by a timer
        elif not self._busy:
            self._busy = True
            self._spawn(self._work(), "store")

    async def _work(self) -> None:
        """Write until nothing has changed meanwhile."""
        loop = asyncio.get_running_loop()
        try:
            while self._changes or self._ticket > self._confirmed:
                changes, ticket = dict(self._changes), self._ticket
                self._writing = changes
                late = loop.call_later(PATIENCE_S, self._late, ticket)
                try:
                    await self.database.run(lambda connection, changes=changes: write(connection, changes))  # type: ignore[misc]
                except Unavailable as error:
                    self._failed(str(error))
                    self._confirm(self._ticket)
                    return
                finally:
                    late.cancel()
                self._done(changes)
                self._confirm(ticket)
        finally:
            self._busy = False
        if self._was_damaged:
            self._was_damaged = False
            self._write_everything()

    def _done(self, changes: dict[Key, Value]) -> None:
        self._writing = {}
        for key, value in changes.items():
            if value is None:
                self._on_disk.discard(key)
            else:
                self._on_disk.add(key)
            if self._changes.get(key, self) is value:
                del self._changes[key]
        self._backoff.reset()
        if self._condition.end(f"{self.database.path.name} is written again"):
            self._report(UNWRITABLE, "")

    def _confirm(self, ticket: int) -> None:
        if ticket > self._confirmed:
            self._confirmed = ticket
            self._written(ticket)

    def _late(self, ticket: int) -> None:
        self._failed(f"{self.database.path}: not written within {PATIENCE_S:g} s")
        self._confirm(ticket)

    def _failed(self, reason: str) -> None:
        text = f"messages and settings of OCPP are kept in memory only: {reason}"
        if self._condition.begin(text):
            self._report(UNWRITABLE, text)
        if self._retry is None:
            self._retry = asyncio.get_running_loop().call_later(self._backoff.fail(), self._try_again)

    def _try_again(self) -> None:
        self._retry = None
        if not self._busy:
            self._busy = True
            self._spawn(self._work_again(), "store")

    async def _work_again(self) -> None:
        try:
            await self.database.run(lambda connection: connection.execute("SELECT 1"))
        except Unavailable as error:
            self._busy = False
            self._failed(str(error))
            return
        if not self._changes:
            self._done({})
        await self._work()

    def _on_set_aside(self, reason: str, kept: Path) -> None:
        text = f"the file of OCPP was damaged ({reason}): kept as {kept}, begun anew"
        self._log.error("%s", text)
        self._report(DAMAGED, text)
        self._was_damaged = True

    def _write_everything(self) -> None:
        """The file is a new one: what it had is written again, as far as it is known."""
        self._on_disk = set()
        for key, document in self._documents.items():
            self._change(key, document, 0)
        self._begun_anew()

    async def close(self) -> None:
        """Write what is left, and close the file."""
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        self._condition.close()
        if self._changes:
            changes = dict(self._changes)
            try:
                await self.database.run(lambda connection: write(connection, changes))
            except Unavailable as error:
                self._log.error("messages and settings of OCPP are lost with this stop: %s", error)
        await self.database.close()
