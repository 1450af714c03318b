"""Stored configurations of EVerest's manager: slots in an SQLite file (framework: 3.7, schema version 4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.everest.slot_tables import (
    DATATYPE_NAMES,
    MUTABILITIES,
    SCHEMA,
    as_text,
    read_modules,
    write_module,
)
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.answers import Answers

SCHEMA_VERSION = 4
FIRST = 0
"""The slot that is made first, and from which the first start is."""
_REMEDIES = {
    sqlite3.SQLITE_NOTADB: "; name another file, or take this one away",
    sqlite3.SQLITE_CANTOPEN: "; name a file in a folder that is there and can be written",
    sqlite3.SQLITE_READONLY: "; make file and folder writable",
    sqlite3.SQLITE_BUSY: "; another program changes them: try again",
}
"""What to do, by SQLite's primary result code."""


class SlotRefused(Exception):
    """A slot is not there, or must stay; the text names slot and file, and what there is."""


class StoredSlot(msgspec.Struct, frozen=True):
    """What is known of a slot without reading its modules."""

    slot: int
    next_boot: bool
    """Whether the next start is from it."""
    modules: int
    last_updated: str
    file: str
    """The configuration that it was made of; empty where that is not known, as the text below."""
    description: str


class Slots:
    """The slots of one file. Every method raises Unavailable where SQLite fails."""

    def __init__(self, path: Path, *, makes_file: bool = True) -> None:
        """Open the file; where there is none it is made, unless not `makes_file`."""
        self.path = path
        if not makes_file and not path.exists():
            raise Unavailable(f"there is no file {path}; `secc configs add` and `secc manager --db` make it")
        with self._open("rwc" if makes_file else "rw") as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if tables and "CONFIG" not in tables:
                raise Unavailable(f"{path} is the database of something else than configurations; name another file")
            if version not in (0, SCHEMA_VERSION):
                raise Unavailable(
                    f"{path} is of schema version {version}, this product has {SCHEMA_VERSION}; "
                    "name another file and add the configurations to it"
                )
            if version == 0:
                _make_tables(database)

    @contextmanager
    def _open(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(f"file:{quote(str(self.path.absolute()))}?mode={mode}", uri=True)
            try:
                database.execute("PRAGMA foreign_keys = ON")
                with database:
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            remedy = _REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, "")
            raise Unavailable(f"the configurations in {self.path} cannot be used: {error}{remedy}") from error

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Open for what is looked up and changed in one step."""
        with self._open() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database

    def next_boot(self) -> int:
        """Return the slot of the next start."""
        with self._open() as database:
            return _next_boot(database)

    def exists(self, slot: int) -> bool:
        """Return whether there is such a slot."""
        with self._open() as database:
            return slot in _numbers(database)

    def stored(self) -> list[StoredSlot]:
        """Return every slot, by number."""
        query = (
            "SELECT ID, (SELECT COUNT(*) FROM MODULE WHERE CONFIG_ID = CONFIG.ID), "
            "COALESCE(LAST_UPDATED, ''), COALESCE(CONFIG_FILE_PATH, ''), COALESCE(DESCRIPTION, '') "
            "FROM CONFIG LEFT JOIN CONFIG_META USING (ID) ORDER BY ID"
        )
        with self._open() as database:
            chosen = _next_boot(database)
            return [StoredSlot(row[0], row[0] == chosen, *row[1:]) for row in database.execute(query)]

    def add(self, plans: list[ModulePlan], source: str) -> int:
        """Store a sound configuration as `fill` does, in a slot of its own; return its number."""
        with self._change() as database:
            slot = max(_numbers(database), default=FIRST - 1) + 1
            _fill(database, slot, plans, source)
        return slot

    def fill(self, slot: int, plans: list[ModulePlan], source: str) -> None:
        """Write a slot anew from a sound configuration, complete with every default; `source` is the file's path."""
        with self._change() as database:
            database.execute("DELETE FROM CONFIG WHERE ID = ?", (slot,))
            _fill(database, slot, plans, source)

    def choose(self, slot: int) -> None:
        """Make a slot the one of the next start; raises SlotRefused where it is not there."""
        with self._change() as database:
            self._require(database, slot)
            database.execute("INSERT OR REPLACE INTO BOOT_CONFIG VALUES (0, ?)", (slot,))

    def delete(self, slot: int) -> None:
        """Delete a slot; raises SlotRefused where it is not there, or the next start is from it."""
        with self._change() as database:
            self._require(database, slot)
            if slot == _next_boot(database):
                raise SlotRefused(f"the next start is from slot {slot} of {self.path}; choose another one for it first")
            database.execute("DELETE FROM CONFIG WHERE ID = ?", (slot,))

    def _require(self, database: sqlite3.Connection, slot: int) -> None:
        numbers = _numbers(database)
        if slot not in numbers:
            there = f"there are {', '.join(map(str, numbers))}" if numbers else "it has none"
            raise SlotRefused(f"{self.path} has no slot {slot}; {there}")

    def read(self, slot: int) -> dict[str, Any]:
        """Return the modules of a slot as `active_modules` of a configuration."""
        with self._open() as database:
            database.row_factory = sqlite3.Row
            try:
                return read_modules(database, slot)
            except (KeyError, ValueError, msgspec.DecodeError) as error:
                raise Unavailable(
                    f"slot {slot} of {self.path} has what no manager writes ({error}); fill it again from a file"
                ) from error

    def keep(self, slot: int, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Write the value of a parameter for the next start; raises SlotRefused where the slot has none such."""
        with self._open() as database:
            changed = database.execute(
                "UPDATE CONFIGURATION SET VALUE = ? WHERE CONFIG_ID = ? AND MODULE_ID = ? AND "
                "MODULE_IMPLEMENTATION_ID = ? AND PARAMETER_NAME = ?",
                (as_text(value), slot, module_id, implementation_id, name),
            )
            if not changed.rowcount:
                raise SlotRefused(f"slot {slot} of {self.path} has no {name} of {module_id}; was it deleted?")
            database.execute("UPDATE CONFIG_META SET LAST_UPDATED = ? WHERE ID = ?", (rfc3339(utc_now()), slot))


class SlotKeeper:
    """Keeps what programs change in the configuration in a slot, where `Overlay` keeps it in the user's file."""

    def __init__(self, slots: Slots, slot: int) -> None:
        self._slots = slots
        self._slot = slot

    def keep(self, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Write a value for the next start; raises OSError."""
        try:
            self._slots.keep(self._slot, module_id, implementation_id, name, value)
        except (Unavailable, SlotRefused) as error:
            raise OSError(str(error)) from error


def _make_tables(database: sqlite3.Connection) -> None:
    database.executescript(SCHEMA)
    for table, names in (("MUTABILITY", MUTABILITIES), ("DATATYPE", DATATYPE_NAMES)):
        database.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", list(enumerate(names)))
    # Last: a file that was left half made is completed by the next start.
    database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _next_boot(database: sqlite3.Connection) -> int:
    row = database.execute("SELECT NEXT_BOOT_SLOT_ID FROM BOOT_CONFIG").fetchone()
    return FIRST if row is None else int(row[0])


def _numbers(database: sqlite3.Connection) -> list[int]:
    return [number for (number,) in database.execute("SELECT ID FROM CONFIG ORDER BY ID")]


def _fill(database: sqlite3.Connection, slot: int, plans: list[ModulePlan], source: str) -> None:
    """Write a slot that is not there; the first one of a file is that of the next start."""
    answers = Answers({plan.id: plan for plan in plans})
    database.execute("INSERT INTO CONFIG VALUES (?)", (slot,))
    meta = (slot, rfc3339(utc_now()), None, source, None)
    database.execute("INSERT OR REPLACE INTO CONFIG_META VALUES (?, ?, ?, ?, ?)", meta)
    database.execute("INSERT OR IGNORE INTO BOOT_CONFIG VALUES (0, ?)", (slot,))
    for plan in plans:
        write_module(database, slot, plan, answers.parameters(plan))
