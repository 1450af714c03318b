"""The database that repairs itself as far as it can, and the file that is replaced as a whole."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.store import Database, write_whole

COLUMNS = {"name": "TEXT UNIQUE", "value": "TEXT"}


def put(name: str, value: str) -> Any:
    return lambda connection: connection.execute("INSERT OR REPLACE INTO things VALUES (?, ?)", (name, value))


def names(connection: sqlite3.Connection) -> list[str]:
    return [row[0] for row in connection.execute("SELECT name FROM things ORDER BY name")]


@pytest.mark.parametrize("speed", [None, 1.0])
def test_what_was_written_is_read_in_place_and_in_a_thread(tmp_path: Path, speed: float | None) -> None:
    async def main() -> None:
        database = Database(tmp_path / "deep" / "a.db", {"things": COLUMNS})
        await asyncio.gather(*(database.run(put(f"n{i}", "x")) for i in range(10)))
        assert await database.run(names) == [f"n{i}" for i in range(10)]
        await database.close()

    clock.run(main(), speed=speed)


def test_the_event_loop_goes_on_while_a_write_waits_for_the_disk(tmp_path: Path) -> None:
    """Another program holds the file for 0.4 s of real time: timers of the loop still fire."""

    async def main() -> None:
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        await database.run(put("a", "1"))
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        ticks = 0
        write = asyncio.ensure_future(database.run(put("b", "2")))
        while ticks < 8:
            await asyncio.sleep(0.05)
            ticks += 1
            assert not write.done()
        other.execute("ROLLBACK")
        other.close()
        await write
        await database.close()

    clock.run(main())


def test_a_file_locked_for_too_long_is_unavailable_and_later_it_works(run: Any, tmp_path: Path, mocker: Any) -> None:
    mocker.patch("chargebyte_fw.kernel.store.LOCK_WAIT_S", 0.05)

    async def main() -> None:
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        await database.run(put("a", "1"))
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await database.close()
        with pytest.raises(Unavailable, match=r"a.db: database is locked"):
            await database.run(put("b", "2"))
        other.execute("ROLLBACK")
        other.close()
        await database.run(put("b", "2"))
        assert await database.run(names) == ["a", "b"]
        await database.close()

    run(main())


@pytest.mark.parametrize("content", [b"this is no database, " * 50, b"SQLite format 3\x00" + b"\xff" * 4080])
def test_a_damaged_file_is_set_aside_and_a_new_one_begun(run: Any, tmp_path: Path, content: bytes) -> None:
    async def main() -> None:
        (tmp_path / "a.db").write_bytes(content)
        told: list[Path] = []
        database = Database(tmp_path / "a.db", {"things": COLUMNS}, lambda reason, kept: told.append(kept))
        await database.run(put("a", "1"))
        assert await database.run(names) == ["a"]
        assert [path.read_bytes() for path in told] == [content]
        assert told[0].name == "a.db.damaged-20260101T000000Z"
        await database.close()

    run(main())


def test_a_medium_that_damages_it_again_and_again_does_not_fill_up_with_copies(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        for number in range(6):
            (tmp_path / "a.db").write_bytes(b"this is no database, " * 50 + bytes([number]))
            database = Database(tmp_path / "a.db", {"things": COLUMNS})
            await database.run(put("a", "1"))
            await database.close()
            await asyncio.sleep(1)
        copies = sorted(tmp_path.glob("a.db.damaged-*"))
        assert [path.read_bytes()[-1] for path in copies] == [3, 4, 5], "the newest are kept"
        loop: Any = asyncio.get_running_loop()
        loop.set_wall(utc_now() - timedelta(days=2000))
        (tmp_path / "a.db").write_bytes(b"this is no database, " * 50 + bytes([6]))
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        await database.run(put("a", "1"))
        await database.close()
        left = {path.read_bytes()[-1] for path in tmp_path.glob("a.db.damaged-*")}
        assert left == {4, 5, 6}, "the latest is kept although its name is of years ago"

    run(main())


def test_a_table_of_another_program_is_set_aside(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        with sqlite3.connect(tmp_path / "a.db") as other:
            other.execute("CREATE TABLE things (unrelated TEXT)")
        other.close()
        told: list[str] = []
        database = Database(tmp_path / "a.db", {"things": COLUMNS}, lambda reason, kept: told.append(reason))
        await database.run(put("a", "1"))
        assert told == ["corrupt: table things has no column name, value"]
        await database.close()

    run(main())


def test_damage_found_while_running_does_not_stop_later_writes(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        told: list[Path] = []
        database = Database(tmp_path / "a.db", {"things": COLUMNS}, lambda reason, kept: told.append(kept))
        await database.run(put("a", "1"))
        await database.close()
        content = bytearray((tmp_path / "a.db").read_bytes())
        content[4096:] = b"\xa5" * (len(content) - 4096)
        (tmp_path / "a.db").write_bytes(content)
        await database.run(put("b", "2"))
        assert len(told) == 1
        assert await database.run(names) == ["b"]
        await database.close()

    run(main())


def test_a_full_disk_is_unavailable_in_one_line_and_nothing_half_written_stays(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        await database.run(put("a", "1"))

        def too_much(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA max_page_count = 4")
            put("b", "2")(connection)
            put("c", "x" * 100_000)(connection)

        with pytest.raises(Unavailable, match=r"a.db: database or disk is full"):
            await database.run(too_much)
        assert await database.run(names) == ["a"]
        await database.close()

    run(main())


def test_a_folder_in_the_way_is_unavailable(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        (tmp_path / "a.db").mkdir()
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        with pytest.raises(Unavailable, match="unable to open"):
            await database.run(names)

    run(main())


def test_a_file_taken_away_is_made_again(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        await database.run(put("a", "1"))
        for path in tmp_path.glob("a.db*"):
            path.unlink()
        await database.run(put("b", "2"))
        assert await database.run(names) == ["b"]
        await database.close()

    run(main())


def test_a_mistake_of_ours_is_not_hidden_as_trouble_with_the_file(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        database = Database(tmp_path / "a.db", {"things": COLUMNS})
        with pytest.raises(sqlite3.ProgrammingError):
            await database.run(lambda connection: connection.execute("INSERT INTO things VALUES (?, ?)", ("a",)))
        with pytest.raises(ZeroDivisionError):
            await database.run(lambda connection: 1 / 0)
        assert await database.run(names) == []
        await database.close()

    run(main())


WRITER = """
import sys
from pathlib import Path
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.store import Database

async def main():
    database = Database(Path(sys.argv[1]), {"things": {"name": "TEXT UNIQUE", "value": "TEXT"}})
    for number in range(100_000):
        await database.run(lambda c: c.execute("INSERT INTO things VALUES (?, ?)", (f"{number:06d}", "x" * 200)))
        print(number, flush=True)

clock.run(main())
"""


def test_a_kill_at_any_moment_loses_nothing_that_was_acknowledged(run: Any, tmp_path: Path) -> None:
    for rounds in range(3):
        path = tmp_path / f"{rounds}.db"
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(20 + 7 * rounds)]
        writer.kill()
        lines += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        acknowledged = [int(line) for line in lines if line.endswith("\n")]

        async def main(path: Path = path, acknowledged: list[int] = acknowledged) -> None:
            database = Database(path, {"things": COLUMNS})
            found = await database.run(names)
            assert found[: len(acknowledged)] == [f"{number:06d}" for number in acknowledged]
            assert len(found) <= len(acknowledged) + 1
            await database.close()

        run(main())


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key.pem"
    write_whole(path, b"old", 0o600)
    write_whole(path, b"new", 0o600)
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key.pem"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path, mocker: Any) -> None:
    path = tmp_path / "key.pem"
    write_whole(path, b"old")
    mocker.patch("os.fsync", side_effect=OSError(28, "No space left on device"))
    with pytest.raises(OSError, match="No space left"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.pem"]


def test_several_tables_share_a_file(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        first = Database(tmp_path / "a.db", {"things": COLUMNS})
        await first.run(lambda connection: connection.execute("INSERT INTO things VALUES ('a', '1')"))
        await first.close()
        both = Database(tmp_path / "a.db", {"things": COLUMNS, "others": COLUMNS})

        def work(connection: sqlite3.Connection) -> list[Any]:
            connection.execute("INSERT INTO others SELECT * FROM things")
            return connection.execute("SELECT * FROM others").fetchall()

        assert await both.run(work) == [("a", "1")]
        await both.close()

    run(main())
