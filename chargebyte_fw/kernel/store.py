"""Small facts that must survive: an SQLite file that repairs itself as far as it can, and files replaced as a whole.

A write is acknowledged when it is on the disk (write-ahead log, every commit synchronised). Calls run in one thread of
their own, so that a slow flash chip does not hold up the event loop; under a virtual clock they run in place, which
keeps a simulated session repeatable.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from chargebyte_fw.kernel.clock import loop_speed, utc_now
from chargebyte_fw.kernel.errors import Unavailable

T = TypeVar("T")
COPIES_KEPT = 3
"""Copies of a damaged file that are kept for diagnosis."""

LOCK_WAIT_S = 1.0
"""How long to wait for another program that has locked the file, in s."""
_DAMAGED = ("malformed", "not a database", "disk image", "unsupported file format", "corrupt")


class Database:
    """One SQLite file: opened when first needed, opened again after trouble.

    `tables` maps each table's columns to their declarations. A file that is damaged, or holds another table under one
    of these names, is set aside as `<name>.damaged-<time>` and a new one is begun; `on_set_aside` is called with the
    reason and its new path.
    """

    def __init__(
        self,
        path: Path,
        tables: Mapping[str, Mapping[str, str]],
        on_set_aside: Callable[[str, Path], None] = lambda reason, kept: None,
    ) -> None:
        self.path = path
        self.tables = tables
        self._on_set_aside = on_set_aside
        self._connection: sqlite3.Connection | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do `work` in one transaction; raises Unavailable (locked, read-only, disk full, damaged) in one line."""
        loop = asyncio.get_running_loop()
        notes: list[tuple[str, Path]] = []
        stamp = utc_now().strftime("%Y%m%dT%H%M%SZ")
        try:
            if loop_speed() is None:
                return self._transaction(work, stamp, notes)
            if self._thread is None:
                # sqlite3 cannot be awaited; one thread keeps the order of the calls.
                self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=self.path.name)
            return await loop.run_in_executor(self._thread, self._transaction, work, stamp, notes)
        finally:
            for reason, kept in notes:
                self._on_set_aside(reason, kept)

    async def close(self) -> None:
        """Finish what was begun and close the file, in its thread: the end of the log costs several syncs."""
        thread, self._thread = self._thread, None
        if thread is None:
            self._forget()
            return
        try:
            await asyncio.get_running_loop().run_in_executor(thread, self._forget)
        finally:
            thread.shutdown(wait=False)

    def _transaction(self, work: Callable[[sqlite3.Connection], T], stamp: str, notes: list[tuple[str, Path]]) -> T:
        for attempt in (1, 2):
            try:
                connection = self._open()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    result = work(connection)
                    connection.execute("COMMIT")
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
                return result
            except sqlite3.ProgrammingError:
                raise
            except sqlite3.DatabaseError as error:
                self._forget()
                if attempt == 1 and _is_damage(error):
                    notes.append((str(error), self._set_aside(stamp)))
                    continue
                raise Unavailable(f"{self.path}: {error}") from error
            except OSError as error:
                self._forget()
                raise Unavailable(f"{self.path}: {error.strerror or error}") from error
        raise AssertionError("two attempts end above")

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            # Writes to a file that was removed would be lost without an error.
            if self.path.exists():
                return self._connection
            self._forget()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            self.path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False, cached_statements=16
        )
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        for table, columns in self.tables.items():
            found = [row[1].upper() for row in connection.execute(f"PRAGMA table_info({table})")]
            if not found:
                declared = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                connection.execute(f"CREATE TABLE {table} ({declared})")
            elif missing := [name for name in columns if name.upper() not in found]:
                raise sqlite3.DatabaseError(f"corrupt: table {table} has no column {', '.join(missing)}")

    def _forget(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            try:
                connection.close()
            except sqlite3.Error as error:
                raise Unavailable(f"{self.path}: {error}") from error

    def _set_aside(self, stamp: str) -> Path:
        kept = self.path.with_name(f"{self.path.name}.damaged-{stamp}")
        try:
            os.replace(self.path, kept)
            for suffix in ("-wal", "-shm"):
                rest = self.path.with_name(self.path.name + suffix)
                if rest.exists():
                    os.replace(rest, kept.with_name(kept.name + suffix))
        except OSError as error:
            raise Unavailable(f"{self.path}: damaged, and it cannot be set aside: {error.strerror or error}") from error
        self._forget_old_copies(kept)
        return kept

    def _forget_old_copies(self, latest: Path) -> None:
        """Keep the newest few: a medium that fails again and again must not fill up with them.

        `latest` stays, whatever its name: the clock may have been years ahead before.
        """
        copies = [path for path in sorted(self.path.parent.glob(f"{self.path.name}.damaged-*Z")) if path != latest]
        for old in copies[: -COPIES_KEPT + 1]:
            for suffix in ("", "-wal", "-shm"):
                with contextlib.suppress(OSError):
                    old.with_name(old.name + suffix).unlink(missing_ok=True)


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    return any(word in str(error) for word in _DAMAGED)


def write_whole(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace the file as a whole: after a crash it has the old or the new content. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
