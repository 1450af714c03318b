"""PersistentStore: every JSON value comes back as it went in, also after a restart, also from EVerest's own rows."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.bus import run_command
from chargebyte_fw.kernel.errors import CommandError, PeerError
from chargebyte_fw.modules.system.key_value import from_row, to_row
from chargebyte_fw.modules.system.persistent_store import PersistentStore

PATH = "/var/lib/everest/everest_persistent_store.db"
VALUES: dict[str, Any] = {
    "text": "x",
    "empty": "",
    "number_as_text": "12",
    "null": None,
    "true": True,
    "zero": 0,
    "big": 2**40,
    "double": 0.1,
    "whole_double": 3.0,
    "list": [1, "a", None, {"b": [True]}],
    "object": {"a": 1, "b": {"c": "ü"}},
}
TYPES = ["std::string"] * 3 + ["nullptr_t", "bool", "int", "int", "double", "double", "Array", "Object"]


def store(assemble: Callable[..., Any]) -> Any:
    return assemble(persistent_store=(PersistentStore, {"sqlite_db_file_path": PATH}))


async def ask(world: Any, command: str, *args: Any) -> Any:
    return await run_command(world.provider("persistent_store", "main"), command, args, {})


def test_values_survive_a_restart(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = store(assemble)
        await world.start()
        for key, value in VALUES.items():
            await ask(world, "store", key, value)
        # Nothing is stopped in an orderly way: a new run opens the file beside the old one.
        again = store(assemble)
        await again.start()
        for key, value in VALUES.items():
            found = await ask(again, "load", key)
            assert (found, type(found)) == (value, type(value))
        await again.stop()
        await world.stop()

    run(main())


def test_the_rows_are_those_of_everest(run: Any, assemble: Any, tmp_path: Path) -> None:
    async def main() -> None:
        world = store(assemble)
        await world.start()
        for key, value in VALUES.items():
            await ask(world, "store", key, value)
        await world.stop()
        with sqlite3.connect(tmp_path / PATH[1:]) as other:
            rows = other.execute("SELECT KEY, TYPE FROM KVS").fetchall()
        other.close()
        assert rows == list(zip(VALUES, TYPES, strict=True))

    run(main())


def test_the_last_value_counts_a_deleted_one_is_gone_and_null_is_a_value(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = store(assemble)
        await world.start()
        assert await ask(world, "load", "k") is None
        assert await ask(world, "exists", "k") is False
        await ask(world, "store", "k", 1)
        await ask(world, "store", "k", "two")
        assert await ask(world, "load", "k") == "two"
        await ask(world, "store", "k", None)
        assert await ask(world, "exists", "k") is True
        await ask(world, "delete", "k")
        await ask(world, "delete", "k")
        assert await ask(world, "exists", "k") is False
        await world.stop()

    run(main())


@pytest.mark.parametrize("key", ["", "a b", "a/b", "ä", "a\n", "'; DROP TABLE KVS; --"])
def test_a_key_outside_the_pattern_is_refused(run: Any, assemble: Any, key: str) -> None:
    async def main() -> None:
        world = store(assemble)
        await world.start()
        for command, args in [("store", (key, 1)), ("load", (key,)), ("delete", (key,)), ("exists", (key,))]:
            with pytest.raises(CommandError, match="is no key"):
                await ask(world, command, *args)
        await world.stop()

    run(main())


@pytest.mark.parametrize("value", [object(), float("nan"), [float("inf")], {"a": {1, 2}, "b": object()}])
def test_what_json_cannot_say_is_refused(run: Any, assemble: Any, value: Any) -> None:
    async def main() -> None:
        world = store(assemble)
        await world.start()
        with pytest.raises(CommandError, match="not a JSON value"):
            await ask(world, "store", "k", value)
        assert not world.modules["persistent_store"].failed.done()
        await world.stop()

    run(main())


def test_a_damaged_file_is_kept_aside_and_told_in_one_line(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"garbage" * 1000)

    async def main() -> None:
        world = store(assemble)
        await world.start()
        await ask(world, "store", "k", 1)
        assert await ask(world, "load", "k") == 1
        await world.stop()

    run(main())
    told = [record for record in caplog.records if record.levelname == "ERROR"]
    assert ["\n" not in record.getMessage() and record.exc_info is None for record in told] == [True]
    assert [kept.read_bytes() for kept in path.parent.glob("*.damaged-*")] == [b"garbage" * 1000]


def test_a_file_that_cannot_be_opened_fails_each_command_until_it_can(
    run: Any, assemble: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / PATH[1:]
    path.mkdir(parents=True)

    async def main() -> None:
        world = store(assemble)
        await world.start()
        for _ in range(100):
            with pytest.raises(CommandError, match=r"everest_persistent_store.db: unable to open database file"):
                await ask(world, "store", "k", 1)
            await asyncio.sleep(1)
        path.rmdir()
        await ask(world, "store", "k", 2)
        assert await ask(world, "load", "k") == 2
        assert not world.modules["persistent_store"].failed.done()
        await world.stop()

    caplog.set_level("INFO")
    run(main())
    first, last = (record.getMessage() for record in caplog.records if record.name == "secc.persistent_store")
    assert "values cannot be kept for now" in first and last == "values are kept again"


@pytest.mark.parametrize(
    ("text", "type_name", "value"),
    [("true", "bool", True), ("0", "bool", False), ("3", "double", 3.0), ("null", "nullptr_t", None), ("7", "int", 7)],
)
def test_rows_written_by_everest_are_read(text: str, type_name: str, value: Any) -> None:
    found = from_row("k", text, type_name)
    assert (found, type(found)) == (value, type(value))


def test_a_row_that_says_nothing_sensible_is_the_fault_of_who_wrote_it() -> None:
    with pytest.raises(PeerError, match="k is not readable as Object"):
        from_row("k", "{", "Object")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
@settings(max_examples=150)
def test_any_json_value_comes_back(value: Any) -> None:
    assert from_row("k", *to_row(value)) == value


@pytest.mark.parametrize(
    ("text", "type_name"),
    [
        ("[" * 5000, "Array"),
        ("[" * 500 + "]" * 500, "Array"),
        ("1" * 500, "int"),
        ("1e999", "double"),
        ('"\ud800"', "int"),
        (None, "std::string"),
        (b"\xff", "std::string"),
        (7, "int"),
        (None, None),
    ],
)
def test_a_row_that_makes_no_sense_is_a_line_that_names_the_key(text: Any, type_name: Any) -> None:
    with pytest.raises(PeerError, match="the value of k"):
        from_row("k", text, type_name)


def test_a_value_that_is_nested_too_deeply_to_be_written_is_refused() -> None:
    value: Any = 1
    for _ in range(5000):
        value = [value]
    with pytest.raises(ValueError, match="not a JSON value"):
        to_row(value)
