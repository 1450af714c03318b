"""The tariffs of a station: the default ones of each EVSE, and those of drivers (I07 to I10). Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType
from chargebyte_fw.modules.ocpp.tariffs.tariff import Tariff, TariffRefused

DEFAULTS, DRIVERS = "DEFAULT_TARIFFS", "DRIVER_TARIFFS"
MOST_DEFAULTS = 50
"""Default tariffs of all EVSEs together, with those of the future."""
MOST_DRIVERS = 100
"""Tariffs of drivers; those that were received first make room."""
ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
Save = Callable[[str, str, Any], None]


class _Kept(msgspec.Struct):
    """A default tariff as it is stored: once, with the EVSEs that it is installed at."""

    tariff: TariffType
    evse_ids: list[int]
    set_at: datetime


class DefaultTariffs:
    """Default tariffs, each installed at one EVSE or more."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._kept: dict[str, _Kept] = {}
        self._read: dict[str, Tariff] = {}

    def load(self, rows: dict[str, bytes]) -> None:
        """Take what was saved; what cannot be read is deleted."""
        for key, data in rows.items():
            try:
                kept = msgspec.json.decode(data, type=_Kept)
                self._read[key] = Tariff(kept.tariff)
                self._kept[key] = kept
            except (msgspec.DecodeError, TariffRefused):
                self._save(DEFAULTS, key, None)

    def __contains__(self, tariff_id: str) -> bool:
        return tariff_id.lower() in self._kept

    def is_full(self) -> bool:
        """Return whether there is no room for another tariff."""
        return len(self._kept) >= MOST_DEFAULTS

    def install(self, tariff: Tariff, evse_ids: Iterable[int], utc: datetime) -> None:
        """Install a tariff.

        At its EVSEs it takes the place of those that are valid from the same time or an earlier one, but not before
        its own time has come: until then the present one is used.
        """
        wanted = list(evse_ids)
        key = tariff.tariff_id.lower()
        valid_from = _valid_from(tariff.source)
        for other, kept in list(self._kept.items()):
            theirs = _valid_from(kept.tariff)
            replaced = theirs <= utc if tariff.source.valid_from is None else theirs <= valid_from <= utc
            if replaced or theirs == valid_from:
                self._remove(other, wanted)
        self._kept[key] = _Kept(tariff.source, wanted, utc)
        self._read[key] = tariff
        self._save(DEFAULTS, key, self._kept[key])

    def at(self, evse_id: int, utc: datetime) -> Tariff | None:
        """Return the tariff that is valid at an EVSE now. Those that it has replaced are removed."""
        found = [
            key for key, kept in self._kept.items() if evse_id in kept.evse_ids and _valid_from(kept.tariff) <= utc
        ]
        if not found:
            return None
        valid = max(found, key=lambda key: (_valid_from(self._kept[key].tariff), self._kept[key].set_at))
        for key in found:
            if key != valid:
                self._remove(key, [evse_id])
        return self._read[valid]

    def next_change(self, utc: datetime) -> datetime | None:
        """Return when the next tariff becomes valid."""
        return min((at for one in self._kept.values() if (at := _valid_from(one.tariff)) > utc), default=None)

    def installed(self, evse_id: int) -> list[tuple[Tariff, list[int]]]:
        """Return the tariffs of an EVSE (0: of all) with the EVSEs that they are installed at."""
        kept = self._kept.items()
        return [(self._read[key], one.evse_ids) for key, one in kept if evse_id in (0, *one.evse_ids)]

    def clear(self, tariff_ids: list[str] | None, evse_id: int | None) -> list[str]:
        """Remove tariffs by their ids, at one EVSE or everywhere; returns the ids of those that were removed."""
        wanted = None if tariff_ids is None else {one.lower() for one in tariff_ids}
        removed = []
        for key, kept in list(self._kept.items()):
            if (wanted is None or key in wanted) and (evse_id is None or evse_id in kept.evse_ids):
                removed.append(kept.tariff.tariff_id)
                self._remove(key, kept.evse_ids if evse_id is None else [evse_id])
        return removed

    def _remove(self, key: str, evse_ids: Iterable[int]) -> None:
        kept = self._kept[key]
        left = [one for one in kept.evse_ids if one not in set(evse_ids)]
        if left == kept.evse_ids:
            return
        kept.evse_ids = left
        if not left:
            del self._kept[key], self._read[key]
        self._save(DEFAULTS, key, kept if left else None)


def _valid_from(tariff: TariffType) -> datetime:
    return tariff.valid_from or ALWAYS


class DriverTariffs:
    """The tariffs that came with the authorization of a token, by token."""

    def __init__(self, save: Save) -> None:
        self._save = save
        self._tariffs: OrderedDict[str, Tariff] = OrderedDict()

    def load(self, rows: dict[str, bytes]) -> None:
        """Take what was saved; what cannot be read is deleted."""
        for key, data in rows.items():
            try:
                self._tariffs[key] = Tariff(msgspec.json.decode(data, type=TariffType))
            except (msgspec.DecodeError, TariffRefused):
                self._save(DRIVERS, key, None)

    def put(self, token: str, tariff: Tariff | None) -> None:
        """Keep the tariff of a token, or forget it (None)."""
        key = token.lower()
        if self._tariffs.pop(key, None) is None and tariff is None:
            return
        if tariff is None:
            self._save(DRIVERS, key, None)
            return
        while len(self._tariffs) >= MOST_DRIVERS:
            oldest, _ = self._tariffs.popitem(last=False)
            self._save(DRIVERS, oldest, None)
        self._tariffs[key] = tariff
        self._save(DRIVERS, key, tariff.source)

    def of(self, token: str) -> Tariff | None:
        """Return the tariff of a token."""
        return self._tariffs.get(token.lower())

    def tokens(self, tariff_id: str) -> list[str]:
        """Return the tokens that have a tariff, in lower case."""
        return [token for token, one in self._tariffs.items() if one.tariff_id.lower() == tariff_id.lower()]
