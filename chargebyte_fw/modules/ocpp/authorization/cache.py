"""The authorization cache: what the CSMS answered about tokens, for when it cannot or need not be asked (use case C10).

Documents of table `AUTH_CACHE`, by the key of the token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import msgspec

from chargebyte_fw.modules.ocpp.authorization.known import Known, folded

TABLE = "AUTH_CACHE"
CLEAN_INTERVAL_S = 900.0
"""How often entries that are over are removed."""
MAX_ENTRIES = 10_000
"""Bound where the device model sets none."""

Save = Callable[[str, str, "CacheEntry | None"], None]


class CacheEntry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One token of the cache."""

    known: Known
    used_at: datetime
    """When the entry was written or last answered a request: the entry used least recently goes first."""


def key_of(token: str, kind: str = "") -> str:
    """Return the key of a token: it reveals nothing of it to whoever reads the file."""
    return hashlib.sha256(f"{kind}{folded(token)}".encode()).hexdigest()


class AuthorizationCache:
    """Tokens by key; every change is saved."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._entries: dict[str, CacheEntry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_B(self) -> int:
        """The bytes that the entries take as they are stored (`AuthCacheCtrlr.Storage`)."""
        return sum(_size_B(key, entry) for key, entry in self._entries.items())

    def load(self, documents: Mapping[str, bytes]) -> list[str]:
        """Take the documents of the last run; returns the keys of those that cannot be read, which are dropped."""
        damaged = []
        for key, data in list(documents.items()):
            try:
                self._entries[key] = msgspec.json.decode(data, type=CacheEntry)
            except msgspec.DecodeError:
                damaged.append(key)
                self._save(TABLE, key, None)
        return damaged

    def find(self, key: str, utc: datetime) -> Known | None:
        """Return what is known of a token; an entry that is over is removed (C10)."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if not entry.known.holds(utc):
            self._remove(key)
            return None
        self._write(key, CacheEntry(entry.known, utc))
        return entry.known

    def put(self, key: str, known: Known, utc: datetime, *, lifetime_s: float | None = None) -> None:
        """Keep an answer; `lifetime_s` bounds it where the CSMS gave no date (C10)."""
        if known.expires_at is None and lifetime_s is not None:
            known = msgspec.structs.replace(known, expires_at=utc + timedelta(seconds=lifetime_s))
        self._write(key, CacheEntry(known, utc))
        self.bound(MAX_ENTRIES)

    def forget(self, key: str) -> None:
        """Remove a token; one that is not there is left alone."""
        if key in self._entries:
            self._remove(key)

    def clear(self) -> None:
        """Remove every entry."""
        for key in list(self._entries):
            self._remove(key)

    def clean(self, utc: datetime) -> None:
        """Remove what is over."""
        for key, entry in list(self._entries.items()):
            if not entry.known.holds(utc):
                self._remove(key)

    def bound(self, entries: int | None = None, *, size_B: int | None = None) -> None:
        """Remove the entries used least recently until the rest fits (C10)."""
        excess = 0 if entries is None else len(self._entries) - entries
        excess_B = 0 if size_B is None else self.size_B - size_B
        if excess <= 0 and excess_B <= 0:
            return
        for key, entry in sorted(self._entries.items(), key=lambda item: item[1].used_at):
            if excess <= 0 and excess_B <= 0:
                return
            excess -= 1
            excess_B -= _size_B(key, entry)
            self._remove(key)

    def _write(self, key: str, entry: CacheEntry) -> None:
        self._entries[key] = entry
        self._save(TABLE, key, entry)

    def _remove(self, key: str) -> None:
        del self._entries[key]
        self._save(TABLE, key, None)


def _size_B(key: str, entry: CacheEntry) -> int:
    return len(key) + len(msgspec.json.encode(entry))
