"""Configurations are stored in slots as they were read, and changes in them outlive the manager (framework: 3.7)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import PrefixRoot
from chargebyte_fw.manager.everest.options import Options
from chargebyte_fw.manager.everest.slots import Slots
from chargebyte_fw.manager.everest.source import source_of
from chargebyte_fw.manager.plan import ModulePlan

CONFIGURATION = """
active_modules:
  validator: {module: DummyTokenValidator, config_implementation: {main: {sleep: 2}}}
  provider:
    module: DummyTokenProvider
    config_implementation: {main: {token: ABC}}
    connections: {evse: [{module_id: probe, implementation_id: evse}]}
    access: {config: {allow_global_read: true, modules: {validator: {allow_read: true, allow_write: true}}}}
  grid:
    module: EnergyNode
    config_module: {fuse_limit_A: 40, phase_count: 3}
    connections: {energy_consumer: [{module_id: probe, implementation_id: load}]}
    mapping: {module: {evse: 1}, implementations: {external_limits: {evse: 1, connector: 2}}}
  probe:
    module: ProbeModule
    standalone: true
    connections: {limits: [{module_id: grid, implementation_id: external_limits}]}
settings: {mqtt_everest_prefix: mine}
"""


def options(folder: Path, *, config: bool = True, reset: bool = False) -> Options:
    path = folder / "c.yaml"
    if not path.exists():
        path.write_text(CONFIGURATION)
    return Options(prefix=folder, config=str(path) if config else None, database=folder / "c.db", reset_from_yaml=reset)


def read(wanted: Options) -> tuple[dict[str, ModulePlan], str]:
    found = source_of(wanted, PrefixRoot(wanted.prefix, wanted.prefix / "var")).read()
    assert not found.errors
    return {plan.id: plan for plan in found.plans}, found.settings.everest_prefix


def test_what_was_read_is_stored_complete(tmp_path: Path) -> None:
    seeded, prefix = read(options(tmp_path))
    assert prefix == "mine/"
    # From now on the database counts, the file for its settings alone.
    (tmp_path / "c.yaml").write_text("settings: {mqtt_everest_prefix: other}")
    stored, prefix = read(options(tmp_path))
    assert prefix == "other/"
    for name, plan in seeded.items():
        again = stored[name]
        for part in ("config", "implementation_configs"):
            assert repr(getattr(again, part)) == repr(getattr(plan, part))
        for part in ("connections", "mapping", "implementation_mappings", "access", "standalone"):
            assert getattr(again, part) == getattr(plan, part), (name, part)
    stored, prefix = read(options(tmp_path, config=False))
    assert (stored.keys(), prefix) == (seeded.keys(), "everest/")


def test_a_change_is_kept_until_the_file_is_read_again(tmp_path: Path) -> None:
    wanted = options(tmp_path)
    root = PrefixRoot(tmp_path, tmp_path / "var")
    source = source_of(wanted, root)
    source.read()
    source.keeper().keep("provider", "main", "token", "NEW")
    source.keeper().keep("grid", "!module", "fuse_limit_A", 16.0)
    plans, _ = read(wanted)
    assert plans["provider"].implementation_configs["main"].token == "NEW"  # type: ignore[attr-defined]
    assert plans["grid"].config.fuse_limit_A == 16.0  # type: ignore[attr-defined]
    plans, _ = read(options(tmp_path, reset=True))
    assert plans["grid"].config.fuse_limit_A == 40.0  # type: ignore[attr-defined]


def test_an_empty_database_is_an_empty_configuration(tmp_path: Path) -> None:
    assert read(options(tmp_path, config=False)) == ({}, "everest/")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_text("no database " * 100)
    with pytest.raises(Unavailable, match="cannot be used"):
        source_of(options(tmp_path), PrefixRoot(tmp_path, tmp_path / "var"))
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("PRAGMA user_version = 9")
    other.close()
    with pytest.raises(Unavailable, match="schema version 9"):
        Slots(tmp_path / "other.db")


def test_the_database_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "c.db")) as other:
        other.execute("CREATE TABLE TRANSACTIONS (ID)")
    before = (tmp_path / "c.db").read_bytes()
    with pytest.raises(Unavailable, match="something else than configurations; name another file"):
        Slots(tmp_path / "c.db")
    assert (tmp_path / "c.db").read_bytes() == before


def test_what_is_changed_after_the_slot_was_deleted_is_an_error(tmp_path: Path) -> None:
    wanted = options(tmp_path)
    source = source_of(wanted, PrefixRoot(tmp_path, tmp_path / "var"))
    source.read()
    slots = Slots(tmp_path / "c.db")
    other = slots.add([], "empty.yaml")
    slots.choose(other)
    slots.delete(0)
    with pytest.raises(OSError, match=r"slot 0 of .*c\.db has no token of provider; was it deleted\?"):
        source.keeper().keep("provider", "main", "token", "NEW")


def test_a_slot_that_no_manager_has_written_is_an_error_in_words(tmp_path: Path) -> None:
    read(options(tmp_path))
    with closing(sqlite3.connect(tmp_path / "c.db")) as database, database:
        database.execute("UPDATE CONFIGURATION SET VALUE = 'many' WHERE PARAMETER_NAME = 'phase_count'")
    with pytest.raises(Unavailable, match=r"slot 0 of .*c\.db has what no manager writes .*'many'"):
        Slots(tmp_path / "c.db").read(0)


def test_a_file_that_is_in_use_is_named_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slots = Slots(tmp_path / "c.db")
    open_file: Any = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: open_file(*given, timeout=0.01, **more))
    with closing(open_file(tmp_path / "c.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(Unavailable, match=r"c\.db cannot be used: database is locked; another program changes"):
            slots.add([], "c.yaml")
