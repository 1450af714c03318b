"""Reservations in a key-value store: EVerest's JSON array of `{evse_id?, reservation}`."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.reservation import Reservation
from chargebyte_fw.kernel.decoding import convert


def key_of(module_id: str) -> str:
    """Return the key under which a module keeps its reservations (a key has no hyphen)."""
    return "reservation_" + re.sub(r"[^A-Za-z0-9_.]", "_", module_id)


def to_store(reservations: list[Reservation]) -> list[dict[str, Any]]:
    """Return the JSON array for the store."""
    entries = []
    for each in reservations:
        entry: dict[str, Any] = {"reservation": msgspec.to_builtins(each)}
        if each.evse_id is not None:
            entry["evse_id"] = each.evse_id
        entries.append(entry)
    return entries


def from_store(value: Any) -> list[Reservation]:
    """Return the reservations of the store (None: there are none); raises ValueError for anything else in there."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError("the stored reservations are no list")
    try:
        found = []
        for entry in value:
            each = convert(entry["reservation"], Reservation)
            each.evse_id = each.evse_id if each.evse_id is not None else entry.get("evse_id")
            found.append(each)
    except (msgspec.ValidationError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a stored reservation is not readable: {error}") from error
    return found


def until_at(reservation: Reservation) -> datetime | None:
    """Return when the reservation ends, None when its expiry time is no time (RFC 3339; without a zone: UTC)."""
    try:
        at = datetime.fromisoformat(reservation.expiry_time)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
