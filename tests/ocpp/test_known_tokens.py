"""Cache and local list: what is kept of answers of the CSMS, and what a restart, a date and a bound do to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types.authorization import AuthorizationStatus
from chargebyte_fw.modules.ocpp.authorization import Known
from chargebyte_fw.modules.ocpp.authorization.cache import AuthorizationCache, key_of
from chargebyte_fw.modules.ocpp.authorization.local_list import LocalList

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
GOOD = Known(AuthorizationStatus.Accepted)
BLOCKED = Known(AuthorizationStatus.Blocked)


class Disk:
    """What was saved, as the next run loads it."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, bytes]] = {}
        self.steps: list[tuple[str, str]] = []

    def save(self, table: str, key: str, value: Any) -> None:
        rows = self.tables.setdefault(table, {})
        self.steps.append((table, key))
        if value is None:
            rows.pop(key, None)
        else:
            rows[key] = msgspec.json.encode(value)

    def cache(self) -> AuthorizationCache:
        cache = AuthorizationCache(self.save)
        assert cache.load(self.tables.get("AUTH_CACHE", {})) == []
        return cache

    def list(self) -> LocalList:
        known = LocalList(self.save)
        known.load(self.tables.get("AUTH_LIST", {}), self.tables.get("AUTH_LIST_VERSION", {}))
        return known


@pytest.mark.ocpp("C10", "C01.FR.25")
def test_identifiers_ignore_case_and_the_type_is_part_of_them() -> None:
    assert key_of("DeadBeef") == key_of("DEADBEEF")
    assert key_of("DEADBEEF", "ISO14443") != key_of("DEADBEEF", "Central")


@pytest.mark.ocpp("C10", "C10.FR.08", "C10.FR.10", "C10.FR.13")
def test_an_entry_of_the_cache_ends_with_its_date_or_its_lifetime() -> None:
    cache = Disk().cache()
    dated = msgspec.structs.replace(GOOD, expires_at=NOW + timedelta(seconds=30))
    cache.put("dated", dated, NOW, lifetime_s=5)
    cache.put("undated", GOOD, NOW, lifetime_s=10)
    cache.put("for ever", GOOD, NOW)
    at = NOW + timedelta(seconds=10)
    assert cache.find("dated", at) == dated
    assert cache.find("undated", at) is None and len(cache) == 2
    cache.clean(NOW + timedelta(days=10_000))
    assert cache.find("for ever", NOW + timedelta(days=20_000)) == GOOD and len(cache) == 1


@pytest.mark.ocpp("C10", "C10.FR.07")
def test_the_entry_used_least_recently_goes_first() -> None:
    cache = Disk().cache()
    for n in range(4):
        cache.put(f"k{n}", GOOD, NOW + timedelta(seconds=n))
    cache.find("k0", NOW + timedelta(seconds=9))
    cache.bound(3)
    assert cache.find("k1", NOW) is None and cache.find("k0", NOW + timedelta(seconds=10)) == GOOD
    cache.bound(size_B=cache.size_B - 1)
    assert len(cache) == 2 and cache.find("k2", NOW) is None


@pytest.mark.ocpp("C10.FR.02", "C10.FR.12")
def test_the_cache_outlives_a_restart_without_naming_a_token() -> None:
    disk = Disk()
    disk.cache().put(key_of("DEADBEEF"), BLOCKED, NOW)
    assert b"deadbeef" not in repr(disk.tables).lower().encode()
    assert disk.cache().find(key_of("deadbeef"), NOW) == BLOCKED


@pytest.mark.ocpp("C11")
def test_a_cleared_cache_is_empty_after_a_restart_too() -> None:
    disk = Disk()
    cache = disk.cache()
    cache.put("k", GOOD, NOW)
    cache.clear()
    assert len(disk.cache()) == 0


def test_a_damaged_entry_of_the_cache_is_dropped_and_named() -> None:
    disk = Disk()
    cache = AuthorizationCache(disk.save)
    assert cache.load({"k1": b'{"known":{"status":"Nonsense"}}', "k2": b"\xff"}) == ["k1", "k2"] and len(cache) == 0


@pytest.mark.ocpp("D01", "D02", "D01.FR.10", "D01.FR.15", "D01.FR.16", "D01.FR.17")
def test_a_local_list_lives_through_full_differential_and_restart() -> None:
    disk = Disk()
    known = disk.list()
    assert known.version == 0
    known.replace([(key_of("A"), GOOD), (key_of("B"), GOOD)], 5)
    known = disk.list()
    assert (known.version, len(known)) == (5, 2)
    known.change([(key_of("b"), BLOCKED), (key_of("C"), GOOD)], 6)
    known.change([(key_of("A"), None)], 7)
    known = disk.list()
    assert known.version == 7 and known.find("a") is None
    assert known.find("B") == BLOCKED and known.find("c") == GOOD
    known.replace([], 0)
    assert (disk.list().version, len(disk.list())) == (0, 0)


def test_a_list_that_a_power_cut_left_half_written_has_version_0() -> None:
    disk = Disk()
    disk.list().replace([(key_of("A"), GOOD)], 5)
    whole = disk.list()
    cut = Disk()
    cut.tables = {table: dict(rows) for table, rows in disk.tables.items()}
    left = 3

    def save(table: str, key: str, value: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            cut.save(table, key, value)

    whole._save = save
    whole.change([(key_of(name), GOOD) for name in "BCDE"], 6)
    assert cut.list().version == 0 and len(cut.list()) == 3


def test_a_list_with_a_damaged_entry_has_version_0() -> None:
    disk = Disk()
    disk.list().replace([(key_of("A"), GOOD), (key_of("B"), GOOD)], 5)
    disk.tables["AUTH_LIST"][key_of("A")] = b"{}"
    known = disk.list()
    assert known.version == 0 and known.find("B") == GOOD
