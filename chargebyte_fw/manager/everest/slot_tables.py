"""The tables of EVerest's stored configurations and the rows of a module in them (framework: 3.7, schema version 4)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec

from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.answers import WHOLE_MODULE

DATATYPES = ("unknown", "string", "number", "integer", "bool")
DATATYPE_NAMES = ("unknown", "string", "decimal", "integer", "boolean")
MUTABILITIES = ("ReadOnly", "ReadWrite", "WriteOnly")
SCHEMA = """
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


def as_text(value: Any) -> str:
    """Return the value of a parameter as EVerest stores it."""
    value = msgspec.to_builtins(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def write_module(
    database: sqlite3.Connection, slot: int, plan: ModulePlan, parameters: Mapping[str, list[dict[str, Any]]]
) -> None:
    """Write the rows of a module; `parameters` are its declared ones with their values, by implementation."""
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
            values.append((slot, one["name"], plan.id, implementation, as_text(one["value"]), *numbers, None, None))
    database.executemany("INSERT INTO CONFIGURATION VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    if (access := plan.access) is not None:
        flags = access.allow_global_read, access.allow_global_write, access.allow_set_read_only
        database.execute("INSERT INTO CONFIG_ACCESS VALUES (?, ?, ?, ?, ?)", (slot, plan.id, *flags))
        for other, rights in access.modules.items():
            flags = rights.allow_read, rights.allow_write, rights.allow_set_read_only
            database.execute(
                "INSERT INTO MODULE_CONFIG_ACCESS VALUES (?, ?, ?, ?, ?, ?)", (slot, plan.id, other, *flags)
            )


def read_modules(database: sqlite3.Connection, slot: int) -> dict[str, Any]:
    """Return the modules of a slot as `active_modules` of a configuration."""
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
