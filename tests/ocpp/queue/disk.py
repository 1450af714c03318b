"""A disk under SQLite on which the power fails before a chosen statement, or on which nothing can be written."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.store import Database


class PowerCut(BaseException):
    """The power is off. No `except Exception` stops it."""


class Disk:
    """Counts SQL statements; the one with the number `last` is not done any more, nor any after it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.statements: list[str] = []
        self.last: int | None = None
        self.trouble = ""
        """An error of SQLite that every writing statement fails with, such as "database or disk is full"."""
        self.cut = False
        self.messages: list[str] = []
        """Rows of messages of transactions that were committed, as they are sent."""
        self.traced: list[str] = []
        """Every statement by SQLite's own account."""
        self._begun: list[str] = []
        disk, real = self, sqlite3.connect

        class Watched(sqlite3.Connection):
            def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
                disk._before(statement)
                found = super().execute(statement, *values)
                disk._after(statement, *values)
                return found

        def connected(*args: Any, **how: Any) -> sqlite3.Connection:
            connection = real(*args, **{**how, "factory": Watched})
            connection.set_trace_callback(disk.traced.append)
            return connection

        self.delay_s = 0.0
        """How long each commit takes, in seconds of the loop's clock."""
        run = Database.run

        async def slow(database: Database, work: Any) -> Any:
            await asyncio.sleep(disk.delay_s)
            return await run(database, work)

        monkeypatch.setattr(Database, "run", slow)
        monkeypatch.setattr(sqlite3, "connect", connected)

    def _before(self, statement: str) -> None:
        if self.cut or (self.last is not None and len(self.statements) >= self.last):
            self.cut = True
            raise PowerCut
        self.statements.append(statement)
        if self.trouble and statement.startswith(("BEGIN", "INSERT", "DELETE")):
            raise sqlite3.OperationalError(self.trouble)

    def _after(self, statement: str, *values: Any) -> None:
        if statement.startswith("BEGIN"):
            self._begun = []
        elif "INTO TRANSACTION_QUEUE" in statement:
            self._begun.append(values[0][1])
        elif statement == "COMMIT":
            self.messages += self._begun
            self._begun = []

    def restart(self, path: Path, to: Path) -> Path:
        """Return a copy of the file as a power cut leaves it: what was committed, and a part that was not."""
        self.cut, self.last, self.statements = False, None, []
        to.mkdir()
        for suffix in ("", "-wal"):
            source = path.with_name(path.name + suffix)
            if source.exists():
                shutil.copyfile(source, to / (path.name + suffix))
        return to / path.name
