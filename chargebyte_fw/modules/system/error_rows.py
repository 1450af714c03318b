"""Faults as rows of the table `errors`, and filters as conditions on it; no value ever becomes part of a statement."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime

from chargebyte_fw.contracts.types import error_history
from chargebyte_fw.contracts.types.error_history import ErrorObject, FilterArguments, ImplementationIdentifier
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.kernel.faults import Fault

COLUMNS = {
    "uuid": "TEXT PRIMARY KEY",
    "type": "TEXT NOT NULL",
    "description": "TEXT NOT NULL",
    "message": "TEXT NOT NULL",
    "origin_module": "TEXT NOT NULL",
    "origin_implementation": "TEXT NOT NULL",
    "timestamp": "TEXT NOT NULL",
    "severity": "TEXT NOT NULL",
    "state": "TEXT NOT NULL",
    "sub_type": "TEXT NOT NULL",
    "vendor_id": "TEXT NOT NULL",
}
KEPT_ROWS = 20_000
"""The history forgets the oldest cleared errors beyond this many, so that it cannot fill the disk."""

_INSERT = f"INSERT OR REPLACE INTO errors ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
_AT_LEAST = {"HIGH_GE": ["High"], "MEDIUM_GE": ["High", "Medium"], "LOW_GE": ["High", "Medium", "Low"]}

_SEVERITIES = frozenset(severity.value for severity in error_history.Severity)
_STATES = frozenset(state.value for state in error_history.State)


def write(connection: sqlite3.Connection, fault: Fault) -> None:
    """Enter a fault, or the new state of one that is there."""
    connection.execute(
        _INSERT,
        (
            fault.uuid,
            fault.type,
            fault.description,
            fault.message,
            fault.origin.module_id,
            fault.origin.implementation_id,
            fault.timestamp,
            fault.severity.value,
            fault.state.value,
            fault.sub_type,
            fault.vendor_id,
        ),
    )


def begin(connection: sqlite3.Connection, active: Sequence[str] = ()) -> int:
    """Close what a run before left open, forget the oldest; returns how many were left open.

    `active` are the uuids of what is active now: there are some when this module alone is started again.
    The oldest are those that changed first: their times may be of a clock that was years ahead.
    """
    but = f"AND uuid NOT IN ({', '.join('?' * len(active))})" if active else ""
    closed = connection.execute(
        f"UPDATE errors SET state = 'ClearedByReboot' WHERE state = 'Active' {but}", active
    ).rowcount
    connection.execute(
        "DELETE FROM errors WHERE state <> 'Active' AND rowid NOT IN "
        "(SELECT rowid FROM errors ORDER BY rowid DESC LIMIT ?)",
        (KEPT_ROWS,),
    )
    return closed


def condition(filters: FilterArguments) -> tuple[str, list[str]]:
    """Return the WHERE clause and its values; raises ValueError for a time that is none."""
    clauses: list[str] = []
    values: list[str] = []

    def add(clause: str, *more: str) -> None:
        clauses.append(clause)
        values.extend(more)

    if filters.state_filter is not None:
        add("state = ?", filters.state_filter.value)
    if filters.origin_filter is not None:
        origin = filters.origin_filter
        add("origin_module = ? AND origin_implementation = ?", origin.module_id, origin.implementation_id)
    if filters.type_filter is not None:
        add("type = ?", filters.type_filter)
    if filters.severity_filter is not None:
        names = _AT_LEAST[filters.severity_filter.value]
        add(f"severity IN ({', '.join('?' * len(names))})", *names)
    if filters.timeperiod_filter is not None:
        period = filters.timeperiod_filter
        add("timestamp BETWEEN ? AND ?", _normal(period.timestamp_from), _normal(period.timestamp_to))
    if filters.handle_filter is not None:
        add("uuid = ?", filters.handle_filter)
    return " AND ".join(clauses) or "1", values


def from_memory(fault: Fault, filters: FilterArguments) -> ErrorObject | None:
    """Return a fault as an entry of the history, None when it does not satisfy the filters (checked by `condition`)."""
    origin = ImplementationIdentifier(
        module_id=fault.origin.module_id, implementation_id=fault.origin.implementation_id
    )
    fits = [
        filters.state_filter is None or filters.state_filter.value == fault.state.value,
        filters.origin_filter is None or filters.origin_filter == origin,
        filters.type_filter is None or filters.type_filter == fault.type,
        filters.severity_filter is None or fault.severity.value in _AT_LEAST[filters.severity_filter.value],
        filters.handle_filter is None or filters.handle_filter == fault.uuid,
    ]
    if (period := filters.timeperiod_filter) is not None:
        # As the table compares it: as text, which a fault of another process may have written in another form.
        fits.append(_normal(period.timestamp_from) <= fault.timestamp <= _normal(period.timestamp_to))
    if not all(fits):
        return None
    return ErrorObject(
        uuid=fault.uuid,
        type=fault.type,
        description=fault.description,
        message=fault.message,
        origin=origin,
        timestamp=fault.timestamp,
        severity=error_history.Severity(fault.severity.value),
        state=error_history.State(fault.state.value),
        sub_type=fault.sub_type,
    )


def read(connection: sqlite3.Connection, where: str, values: list[str]) -> list[ErrorObject]:
    """Return the errors that satisfy the condition, oldest first; rows with words of other programs are left out."""
    rows = connection.execute(
        "SELECT uuid, type, description, message, origin_module, origin_implementation, timestamp, severity, state, "
        f"sub_type FROM errors WHERE {where} ORDER BY timestamp, rowid",
        values,
    )
    return [_from_row(row) for row in rows if row[7] in _SEVERITIES and row[8] in _STATES]


def _from_row(row: tuple[str, ...]) -> ErrorObject:
    uuid, type_, description, message, module_id, implementation_id, timestamp, severity, state, sub_type = row
    return ErrorObject(
        uuid=uuid,
        type=type_,
        description=description,
        message=message,
        origin=ImplementationIdentifier(module_id=module_id, implementation_id=implementation_id),
        timestamp=timestamp,
        severity=error_history.Severity(severity),
        state=error_history.State(state),
        sub_type=sub_type,
    )


def _normal(timestamp: str) -> str:
    """Write any RFC 3339 time in the one form of the table, where order of text is order of time."""
    try:
        at = datetime.fromisoformat(timestamp)
    except ValueError as error:
        raise ValueError(f"{timestamp!r} is no time (RFC 3339)") from error
    return rfc3339(at if at.tzinfo is not None else at.replace(tzinfo=UTC))
