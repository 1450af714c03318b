"""The local authorization list: tokens that the CSMS sent, with a version (use cases D01, D02; OCPP 1.6 §3.5.2).

Documents of table `AUTH_LIST`, by the key of the token, and its version in `AUTH_LIST_VERSION`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.authorization.cache import key_of
from chargebyte_fw.modules.ocpp.authorization.known import Known

TABLE = "AUTH_LIST"
VERSION_TABLE = "AUTH_LIST_VERSION"
VERSION_KEY = "version"

Save = Callable[[str, str, Any], None]
Change = tuple[str, Known | None]
"""Key of a token and the entry of the list; None removes it."""


class LocalList:
    """Tokens by key; every change is saved, the version last: a list that was cut short is asked for again."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._entries: dict[str, Known] = {}
        self.version = 0
        """0 without a list."""

    def __len__(self) -> int:
        return len(self._entries)

    def load(self, entries: Mapping[str, bytes], version: Mapping[str, bytes]) -> list[str]:
        """Take the documents of the last run; returns the keys of those that cannot be read.

        A list with a hole would refuse, or let in, whom the CSMS did not mean: it has version 0, so that the CSMS sends
        it again.
        """
        damaged = []
        for key, data in list(entries.items()):
            try:
                self._entries[key] = msgspec.json.decode(data, type=Known)
            except msgspec.DecodeError:
                damaged.append(key)
                self._save(TABLE, key, None)
        try:
            self.version = msgspec.json.decode(version.get(VERSION_KEY, b"0"), type=int)
        except msgspec.DecodeError:
            damaged.append(VERSION_KEY)
        if damaged:
            self._set_version(0)
        return damaged

    def find(self, token: str, kind: str = "") -> Known | None:
        """Return the entry of a token, None without one."""
        return self._entries.get(key_of(token, kind))

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def replace(self, changes: Iterable[Change], version: int) -> None:
        """Take a whole list (`Full`)."""
        self._set_version(0)
        wanted = {key: known for key, known in changes if known is not None}
        for key in [key for key in self._entries if key not in wanted]:
            self._remove(key)
        for key, known in wanted.items():
            self._put(key, known)
        self._set_version(version if self._entries or version > 0 else 0)

    def change(self, changes: Iterable[Change], version: int) -> None:
        """Take changes to the list (`Differential`)."""
        self._set_version(0)
        for key, known in changes:
            if known is not None:
                self._put(key, known)
            elif key in self._entries:
                self._remove(key)
        self._set_version(version)

    def _put(self, key: str, known: Known) -> None:
        if self._entries.get(key) != known:
            self._entries[key] = known
            self._save(TABLE, key, known)

    def _remove(self, key: str) -> None:
        del self._entries[key]
        self._save(TABLE, key, None)

    def _set_version(self, version: int) -> None:
        self.version = version
        self._save(VERSION_TABLE, VERSION_KEY, version)
