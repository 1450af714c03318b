"""Stored configurations of EVerest's manager: slots in an SQLite file (framework: 3.7, schema version 4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.answers import WHOLE_MODULE, Answers

SCHEMA_VERSION = 4
FIRST = 0
"""The slot that is made first, and from which the first start is."""
DATATYPES = ("unknown", "string", "number", "integer", "bool")
DATATYPE_NAMES = ("unknown", "string", "decimal", "integer", "boolean")
MUTABILITIES = ("ReadOnly", "ReadWrite", "WriteOnly")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS MUTABILITY (ID INTEGER PRIMARY KEY, NAME TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS DATATYPE (ID INTEGER PRIMARY KEY, NAME TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS CONFIG (ID INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS CONFIG_META (
  ID INTEGER PRIMARY KEY REFERENCES CONFIG ON DELETE CASCADE,
  LAST_UPDATED TEXT NOT NULL, CONFIG_DUMP TEXT, CONFIG_FILE_PATH TEXT, DESCRIPTION TEXT);
CREATE TABLE IF NOT EXISTS BOOT_CONFIG (ID INTEGER PRIMARY KEY CHECK (ID = 0), NEXT_BOOT_SLOT_ID INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS MODULE (
  CONFIG_ID INTEGER NOT NULL REFERENCES CONFIG ON DELETE CASCADE,
  ID TEXT NOT NULL, NAME TEXT NOT NULL, STANDALONE INTEGER NOT NULL, CAPABILITIES TEXT,
  PRIMARY KEY (CONFIG_ID, ID));
CREATE TABLE IF NOT EXISTS MODULE_FULFILLMENT (
  CONFIG_ID INTEGER NOT NULL, MODULE_ID TEXT NOT NULL, REQUIREMENT_NAME TEXT NOT NULL,
  REQUIREMENT_INDEX INTEGER NOT NULL, IMPLEMENTATION_ID TEXT NOT NULL, IMPLEMENTATION_MODULE_ID TEXT NOT NULL,
  PRIMARY KEY (CONFIG_ID, MODULE_ID, REQUIREMENT_NAME, REQUIREMENT_INDEX),
  FOREIGN KEY (CONFIG_ID, MODULE_ID) REFERENCES MODULE ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS MODULE_TIER_MAPPING (
  CONFIG_ID INTEGER NOT NULL, MODULE_ID TEXT NOT NULL, IMPLEMENTATION_ID TEXT NOT NULL,
  EVSE_ID INTEGER, CONNECTOR_ID INTEGER,
  PRIMARY KEY (CONFIG_ID, MODULE_ID, IMPLEMENTATION_ID),
  FOREIGN KEY (CONFIG_ID, MODULE_ID) REFERENCES MODULE ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS CONFIGURATION (
  CONFIG_ID INTEGER NOT NULL, PARAMETER_NAME TEXT NOT NULL, MODULE_ID TEXT NOT NULL,
  MODULE_IMPLEMENTATION_ID TEXT NOT NULL, VALUE TEXT NOT NULL,
  MUTABILITY_ID INTEGER NOT NULL REFERENCES MUTABILITY, DATATYPE_ID INTEGER NOT NULL REFERENCES DATATYPE,
  UNIT TEXT, SOURCE TEXT,
  PRIMARY KEY (CONFIG_ID, MODULE_ID, MODULE_IMPLEMENTATION_ID, PARAMETER_NAME),
  FOREIGN KEY (CONFIG_ID, MODULE_ID) REFERENCES MODULE ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS CONFIG_ACCESS (
  CONFIG_ID INTEGER NOT NULL, MODULE_ID TEXT NOT NULL, ALLOW_GLOBAL_READ INTEGER NOT NULL,
  ALLOW_GLOBAL_WRITE INTEGER NOT NULL, ALLOW_SET_READ_ONLY INTEGER NOT NULL,
  PRIMARY KEY (CONFIG_ID, MODULE_ID), FOREIGN KEY (CONFIG_ID, MODULE_ID) REFERENCES MODULE ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS MODULE_CONFIG_ACCESS (
  CONFIG_ID INTEGER NOT NULL, MODULE_ID TEXT NOT NULL, OTHER_MODULE_ID TEXT NOT NULL, ALLOW_READ INTEGER NOT NULL,
  ALLOW_WRITE INTEGER NOT NULL, ALLOW_SET_READ_ONLY INTEGER NOT NULL,
  PRIMARY KEY (CONFIG_ID, MODULE_ID, OTHER_MODULE_ID),
  FOREIGN KEY (CONFIG_ID, MODULE_ID) REFERENCES MODULE ON DELETE CASCADE);
"""


class Slots:
    """The slots of one file. Every method raises Unavailable where SQLite fails."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it."""
        self.path = path
        with self._open() as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, SCHEMA_VERSION):
                raise Unavailable(f"{path} is of schema version {version}; this manager has {SCHEMA_VERSION}")
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            for table, names in (("MUTABILITY", MUTABILITIES), ("DATATYPE", DATATYPE_NAMES)):
                database.executemany(f"INSERT OR IGNORE INTO {table} VALUES (?, ?)", list(enumerate(names)))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            database = sqlite3.connect(self.path)
            try:
                database.execute("PRAGMA foreign_keys = ON")
                with database:
                    yield database
            finally:
                database.close()
        except sqlite3.Error as error:
            raise Unavailable(f"the configurations in {self.path} cannot be used: {error}") from error

    def next_boot(self) -> int:
        """Return the slot of the next start."""
        with self._open() as database:
            row = database.execute("SELECT NEXT_BOOT_SLOT_ID FROM BOOT_CONFIG").fetchone()
        return FIRST if row is None else int(row[0])

    def exists(self, slot: int) -> bool:
        """Return whether there is such a slot."""
        with self._open() as database:
            return database.execute("SELECT 1 FROM CONFIG WHERE ID = ?", (slot,)).fetchone() is not None

    def drop(self, slot: int) -> None:
        """Delete a slot, if it is there."""
        with self._open() as database:
            database.execute("DELETE FROM CONFIG WHERE ID = ?", (slot,))

    def fill(self, slot: int, plans: list[ModulePlan], source: str) -> None:
        """Write a slot anew from a sound configuration, complete with every default; `source` is the file's path."""
        answers = Answers({plan.id: plan for plan in plans})
        with self._open() as database:
            database.execute("DELETE FROM CONFIG WHERE ID = ?", (slot,))
            database.execute("INSERT INTO CONFIG VALUES (?)", (slot,))
            meta = (slot, rfc3339(utc_now()), None, source, None)
            database.execute("INSERT OR REPLACE INTO CONFIG_META VALUES (?, ?, ?, ?, ?)", meta)
            database.execute("INSERT OR IGNORE INTO BOOT_CONFIG VALUES (0, ?)", (slot,))
            for plan in plans:
                _write_module(database, slot, plan, answers.parameters(plan))

    def read(self, slot: int) -> dict[str, Any]:
        """Return the modules of a slot as `active_modules` of a configuration."""
        with self._open() as database:
            database.row_factory = sqlite3.Row
            return _read_modules(database, slot)

    def keep(self, slot: int, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Write the value of a parameter for the next start."""
        with self._open() as database:
            database.execute(
                "UPDATE CONFIGURATION SET VALUE = ? WHERE CONFIG_ID = ? AND MODULE_ID = ? AND "
                "MODULE_IMPLEMENTATION_ID = ? AND PARAMETER_NAME = ?",
                (_text(value), slot, module_id, implementation_id, name),
            )
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
        except Unavailable as error:
            raise OSError(str(error)) from error


def _text(value: Any) -> str:
    value = msgspec.to_builtins(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _write_module(
    database: sqlite3.Connection, slot: int, plan: ModulePlan, parameters: Mapping[str, list[dict[str, Any]]]
) -> None:
    capabilities = msgspec.json.encode(plan.capabilities).decode() if plan.capabilities else None
    row = (slot, plan.id, plan.module.module_name(), plan.standalone, capabilities)
    database.execute("INSERT INTO MODULE VALUES (?, ?, ?, ?, ?)", row)
    ends = [
        (slot, plan.id, name, index, end.implementation_id, end.module_id)
        for name, connections in plan.connections.items()
        for index, end in enumerate(connections)
    ]
    database.executemany("INSERT INTO MODULE_FULFILLMENT VALUES (?, ?, ?, ?, ?, ?)", ends)
    own = {} if plan.mapping is None else {WHOLE_MODULE: plan.mapping}
    tiers = [
        (slot, plan.id, name, tier.evse, tier.connector) for name, tier in (own | plan.implementation_mappings).items()
    ]
    database.executemany("INSERT INTO MODULE_TIER_MAPPING VALUES (?, ?, ?, ?, ?)", tiers)
    values = []
    for implementation, declared in parameters.items():
        for one in declared:
            kinds = one["characteristics"]
            numbers = MUTABILITIES.index(kinds["mutability"]), DATATYPES.index(kinds["datatype"])
            values.append((slot, one["name"], plan.id, implementation, _text(one["value"]), *numbers, None, None))
    database.executemany("INSERT INTO CONFIGURATION VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    if (access := plan.access) is not None:
        flags = access.allow_global_read, access.allow_global_write, access.allow_set_read_only
        database.execute("INSERT INTO CONFIG_ACCESS VALUES (?, ?, ?, ?, ?)", (slot, plan.id, *flags))
        for other, rights in access.modules.items():
            flags = rights.allow_read, rights.allow_write, rights.allow_set_read_only
            database.execute(
                "INSERT INTO MODULE_CONFIG_ACCESS VALUES (?, ?, ?, ?, ?, ?)", (slot, plan.id, other, *flags)
            )


def _read_modules(database: sqlite3.Connection, slot: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in database.execute("SELECT * FROM MODULE WHERE CONFIG_ID = ? ORDER BY rowid", (slot,)):
        entry: dict[str, Any] = {"module": row["NAME"]}
        if row["STANDALONE"]:
            entry["standalone"] = True
        if row["CAPABILITIES"]:
            entry["capabilities"] = msgspec.json.decode(row["CAPABILITIES"])
        found[row["ID"]] = entry
    for row in database.execute("SELECT * FROM CONFIGURATION WHERE CONFIG_ID = ?", (slot,)):
        entry, of = found[row["MODULE_ID"]], row["MODULE_IMPLEMENTATION_ID"]
        section = entry.setdefault("config_module", {})
        if of != WHOLE_MODULE:
            section = entry.setdefault("config_implementation", {}).setdefault(of, {})
        section[row["PARAMETER_NAME"]] = _value(row["VALUE"], DATATYPES[row["DATATYPE_ID"]])
    query = "SELECT * FROM MODULE_FULFILLMENT WHERE CONFIG_ID = ? ORDER BY REQUIREMENT_NAME, REQUIREMENT_INDEX"
    for row in database.execute(query, (slot,)):
        end = {"module_id": row["IMPLEMENTATION_MODULE_ID"], "implementation_id": row["IMPLEMENTATION_ID"]}
        found[row["MODULE_ID"]].setdefault("connections", {}).setdefault(row["REQUIREMENT_NAME"], []).append(end)
    for row in database.execute("SELECT * FROM MODULE_TIER_MAPPING WHERE CONFIG_ID = ?", (slot,)):
        tier = {"evse": row["EVSE_ID"]}
        if row["CONNECTOR_ID"] is not None:
            tier["connector"] = row["CONNECTOR_ID"]
        mapping, of = found[row["MODULE_ID"]].setdefault("mapping", {}), row["IMPLEMENTATION_ID"]
        if of == WHOLE_MODULE:
            mapping["module"] = tier
        else:
            mapping.setdefault("implementations", {})[of] = tier
    _read_access(database, slot, found)
    return found


def _read_access(database: sqlite3.Connection, slot: int, found: dict[str, Any]) -> None:
    names = ("allow_global_read", "allow_global_write", "allow_set_read_only")
    for row in database.execute("SELECT * FROM CONFIG_ACCESS WHERE CONFIG_ID = ?", (slot,)):
        found[row["MODULE_ID"]]["access"] = {"config": {name: bool(row[name.upper()]) for name in names}}
    names = ("allow_read", "allow_write", "allow_set_read_only")
    for row in database.execute("SELECT * FROM MODULE_CONFIG_ACCESS WHERE CONFIG_ID = ?", (slot,)):
        config = found[row["MODULE_ID"]].setdefault("access", {}).setdefault("config", {})
        rights = {name: bool(row[name.upper()]) for name in names}
        config.setdefault("modules", {})[row["OTHER_MODULE_ID"]] = rights


def _value(text: str, datatype: str) -> Any:
    if datatype == "bool":
        return text in ("true", "1")
    if datatype == "integer":
        return int(text)
    return float(text) if datatype == "number" else text
