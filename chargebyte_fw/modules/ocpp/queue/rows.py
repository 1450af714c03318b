"""The tables of the file, and how what is to be kept becomes statements."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

import msgspec
import msgspec.structs

from chargebyte_fw.modules.ocpp.queue.entries import (
    NORMAL_QUEUE,
    TRANSACTION_IDS,
    TRANSACTION_QUEUE,
    Entry,
    Row,
    entry_of,
)

_ROW = {
    "UNIQUE_ID": "TEXT PRIMARY KEY",
    "MESSAGE": "TEXT",
    "MESSAGE_TYPE": "TEXT",
    "MESSAGE_ATTEMPTS": "INTEGER",
    "MESSAGE_TIMESTAMP": "TEXT",
    "NUMBER": "INTEGER",
    "SESSION_ID": "TEXT",
}
DOCUMENTS = "DOCUMENTS"
TABLES: Mapping[str, Mapping[str, str]] = {
    TRANSACTION_QUEUE: _ROW,
    NORMAL_QUEUE: _ROW,
    TRANSACTION_IDS: {"SESSION_ID": "TEXT PRIMARY KEY", "TRANSACTION_ID": "INTEGER"},
    DOCUMENTS: {"ID": "TEXT PRIMARY KEY", "PLACE": "TEXT", "NAME": "TEXT", "DOCUMENT": "BLOB"},
}

Key = tuple[str, str, str]
"""The table, and what a row is found by: its id, or place and name of a document."""
Value = Row | int | bytes | None
"""What is to be in the file under a key; None: nothing."""


class Contents(msgspec.Struct, frozen=True):
    """Everything that a file has."""

    entries: tuple[Entry, ...] = ()
    transaction_ids: dict[str, int] = {}
    documents: dict[str, dict[str, bytes]] = {}
    unreadable: tuple[str, ...] = ()
    """Rows that no message can be made of, a text each."""


def read(connection: sqlite3.Connection) -> Contents:
    """Return what is in the file. A row that cannot be read is removed, where the file can be written to."""
    entries: list[Entry] = []
    unreadable: list[str] = []
    for table in (TRANSACTION_QUEUE, NORMAL_QUEUE):
        names = ", ".join(_ROW)
        for values in connection.execute(f"SELECT {names} FROM {table} ORDER BY NUMBER").fetchall():
            try:
                row = msgspec.convert(dict(zip(_ROW, values, strict=True)), Row)
                entries.append(entry_of(row, of_transaction=table == TRANSACTION_QUEUE))
            except (ValueError, msgspec.ValidationError) as error:
                unreadable.append(f"{table}: {error}")
                connection.execute(f"DELETE FROM {table} WHERE UNIQUE_ID IS ?", (values[0],))
    ids = {
        str(session_id): transaction_id
        for session_id, transaction_id in connection.execute(f"SELECT * FROM {TRANSACTION_IDS}")
        if isinstance(transaction_id, int)
    }
    documents: dict[str, dict[str, bytes]] = {}
    for place, name, document in connection.execute(f"SELECT PLACE, NAME, DOCUMENT FROM {DOCUMENTS}"):
        if isinstance(document, bytes):
            documents.setdefault(str(place), {})[str(name)] = document
    return Contents(tuple(entries), ids, documents, tuple(unreadable))


def write(connection: sqlite3.Connection, changes: Mapping[Key, Value]) -> None:
    """Make the file have these values, in order; writing the same again changes nothing."""
    for (table, place, name), value in changes.items():
        connection.execute(*_statement(table, place, name, value))


def _statement(table: str, place: str, name: str, value: Value) -> tuple[str, tuple[Any, ...]]:
    match value:
        case Row():
            places = ", ".join("?" * len(_ROW))
            return f"INSERT OR REPLACE INTO {table} VALUES ({places})", msgspec.structs.astuple(value)
        case int():
            return f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (place, value)
        case bytes():
            return f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?)", (f"{place}/{name}", place, name, value)
    if table == DOCUMENTS:
        return f"DELETE FROM {table} WHERE ID = ?", (f"{place}/{name}",)
    column = "SESSION_ID" if table == TRANSACTION_IDS else "UNIQUE_ID"
    return f"DELETE FROM {table} WHERE {column} = ?", (place,)
