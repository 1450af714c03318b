"""The file of a station: one commit an event, and what happens while it cannot be written, or is damaged."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import ClockLoop
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.ocpp.messages.v16 import core as v16
from chargebyte_fw.modules.ocpp.queue.effects import KeepTransactionId, Persist, Remove
from chargebyte_fw.modules.ocpp.queue.entries import Entry, row_of
from chargebyte_fw.modules.ocpp.queue.store_link import DAMAGED, PATIENCE_S, Store
from chargebyte_fw.modules.ocpp.station.effects import Save
from chargebyte_fw.modules.ocpp.station.events import Loaded
from tests.ocpp.charge_point import Point
from tests.ocpp.csms import Csms
from tests.ocpp.queue.disk import Disk


class Bench:
    """A store with what it confirms and reports."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.confirmed: list[int] = []
        self.trouble: list[str] = []
        self.damages: list[str] = []
        self.anew = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self.open()

    def open(self) -> None:
        def trouble(kind: str, text: str) -> None:
            (self.damages if kind == DAMAGED else self.trouble).append(text)

        self.store = Store(self.path, ModuleLog("ocpp"), self.spawn, self.confirmed.append, self.begun_anew, trouble)

    def begun_anew(self) -> None:
        self.anew += 1

    def spawn(self, work: Any, name: str) -> Any:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    def persist(self, number: int) -> None:
        entry = Entry(f"m{number}", "StopTransaction", b'{"n":1}', number, of_transaction=True)
        self.store.keep(Persist(entry.table, row_of(entry), number))

    def keys(self) -> list[str]:
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)
        try:
            return [row[0] for row in connection.execute("SELECT UNIQUE_ID FROM TRANSACTION_QUEUE ORDER BY NUMBER")]
        finally:
            connection.close()


Main = Callable[[Bench], Awaitable[None]]


@pytest.fixture
def on_bench(run: Any, tmp_path: Path) -> Callable[[Main], None]:
    def on(main: Main) -> None:
        async def work() -> None:
            bench = Bench(tmp_path / "ocpp/cp.db")
            await main(bench)

        run(work())

    return on


def test_what_is_kept_is_read_by_the_next_run(on_bench: Any) -> None:
    async def main(it: Bench) -> None:
        assert (await it.store.load()).entries == ()
        for number in (2, 1, 3):
            it.persist(number)
        it.store.keep(KeepTransactionId("s1", 7, 4))
        it.store.keep(KeepTransactionId("s2", 8, 5))
        it.store.keep(KeepTransactionId("s2", None, 6))
        it.store.keep(Save("list", "A", b"one"))
        it.store.keep(Save("list", "B", b"\x00\xff"))
        it.store.keep(Save("list", "A", b"two"))
        it.store.keep(Remove("TRANSACTION_QUEUE", "m2", 7))
        await asyncio.sleep(1)
        assert it.confirmed == [7]
        await it.store.close()
        it.open()
        found = await it.store.load()
        assert [entry.key for entry in found.entries] == ["m1", "m3"]
        assert found.transaction_ids == {"s1": 7}
        assert found.documents == {"list": {"A": b"two", "B": b"\x00\xff"}}
        it.store.keep(Save("list", "A", None))
        it.store.keep(KeepTransactionId("s1", None, 8))
        await it.store.close()
        it.open()
        found = await it.store.load()
        assert found.documents == {"list": {"B": b"\x00\xff"}} and found.transaction_ids == {}
        await it.store.close()

    on_bench(main)


def test_what_was_asked_for_in_one_turn_is_one_commit(on_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main(it: Bench) -> None:
        await it.store.load()
        disk.statements.clear()
        for number in range(1, 6):
            it.persist(number)
        it.store.keep(Save("progress", "done", b"5"))
        await asyncio.sleep(1)
        assert disk.statements.count("COMMIT") == 1
        await it.store.close()

    on_bench(main)


def test_a_row_that_is_removed_while_it_is_being_written(on_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main(it: Bench) -> None:
        await it.store.load()
        disk.delay_s = 1.0
        it.persist(1)
        await asyncio.sleep(0.5)
        it.store.keep(Remove("TRANSACTION_QUEUE", "m1", 2))
        await asyncio.sleep(5)
        assert it.keys() == [] and it.confirmed == [1, 2]
        await it.store.close()

    on_bench(main)


@pytest.mark.parametrize(
    "trouble", ["database or disk is full", "attempt to write a readonly database", "disk I/O error"]
)
def test_a_disk_that_takes_nothing_stops_nothing(
    on_bench: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    disk = Disk(monkeypatch)
    caplog.set_level(logging.INFO)

    async def main(it: Bench) -> None:
        await it.store.load()
        it.persist(1)
        await asyncio.sleep(1)
        disk.trouble = trouble
        caplog.clear()
        for number in range(2, 30):
            it.persist(number)
            await asyncio.sleep(0.1)
            assert it.confirmed[-1] == number
        it.store.keep(Remove("TRANSACTION_QUEUE", "m1", 30))
        it.store.keep(Remove("TRANSACTION_QUEUE", "m2", 31))
        await asyncio.sleep(600)
        assert [record.levelno for record in caplog.records] == [logging.ERROR]
        assert trouble in caplog.text and len(it.trouble) == 1
        disk.trouble = ""
        await asyncio.sleep(120)
        assert it.keys() == [f"m{number}" for number in range(3, 30)]
        assert it.trouble[-1] == "" and "written again" in caplog.records[-1].message
        it.persist(40)
        await asyncio.sleep(1)
        assert it.keys()[-1] == "m40"
        await it.store.close()

    on_bench(main)


def test_a_medium_that_does_not_answer_holds_up_no_message(on_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main(it: Bench) -> None:
        await it.store.load()
        disk.delay_s = 60.0
        it.persist(1)
        await asyncio.sleep(PATIENCE_S - 1)
        assert it.confirmed == []
        await asyncio.sleep(2)
        assert it.confirmed == [1] and it.trouble
        it.persist(2)
        await asyncio.sleep(0.1)
        assert it.confirmed == [1, 2]
        disk.delay_s = 0.0
        await asyncio.sleep(120)
        assert it.keys() == ["m1", "m2"] and it.trouble[-1] == ""
        await it.store.close()

    on_bench(main)


def test_a_file_on_a_disk_that_cannot_be_written_is_read(on_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main(it: Bench) -> None:
        await it.store.load()
        it.persist(1)
        it.store.keep(Save("list", "A", b"one"))
        await it.store.close()
        disk = Disk(monkeypatch)
        disk.trouble = "attempt to write a readonly database"
        it.open()
        found = await it.store.load()
        assert [entry.key for entry in found.entries] == ["m1"] and found.documents == {"list": {"A": b"one"}}
        it.store.keep(Remove("TRANSACTION_QUEUE", "m1", 1))
        disk.trouble = ""
        await asyncio.sleep(120)
        assert it.keys() == [], "what was sent meanwhile is not sent again by the next run"
        await it.store.close()

    on_bench(main)


def test_without_a_file_and_without_a_folder_it_goes_on(on_bench: Any, tmp_path: Path) -> None:
    async def main(it: Bench) -> None:
        (tmp_path / "ocpp").write_text("a file where the folder should be")
        assert (await it.store.load()).entries == ()
        it.persist(1)
        await asyncio.sleep(1)
        assert it.confirmed == [1] and len(it.trouble) == 1
        await it.store.close()

    on_bench(main)


def test_a_file_that_is_damaged_at_the_start_is_set_aside(on_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main(it: Bench) -> None:
        it.path.parent.mkdir()
        it.path.write_bytes(b"no database at all" * 1000)
        assert (await it.store.load()).entries == ()
        assert list(it.path.parent.glob("cp.db.damaged-*")) and "damaged" in caplog.text
        it.persist(1)
        await asyncio.sleep(1)
        assert it.keys() == ["m1"] and it.anew == 0
        assert len(it.damages) == 1 and it.trouble == []
        await it.store.close()

    on_bench(main)


def test_a_file_that_is_damaged_in_operation_is_written_anew(on_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)

    async def main(it: Bench) -> None:
        await it.store.load()
        it.store.keep(Save("list", "A", b"one"))
        it.persist(1)
        await asyncio.sleep(1)
        disk.trouble = "database disk image is malformed"
        asyncio.get_running_loop().call_later(0.5, setattr, disk, "trouble", "")
        disk.delay_s = 0.3
        it.persist(2)
        await asyncio.sleep(600)
        assert it.anew == 1
        assert it.keys() == ["m2"], "the queue is asked for what else it has"
        connection = sqlite3.connect(it.path)
        assert connection.execute("SELECT NAME, DOCUMENT FROM DOCUMENTS").fetchall() == [("A", b"one")]
        connection.close()
        await it.store.close()

    on_bench(main)


def test_a_row_that_is_no_message_is_removed_and_named(on_bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main(it: Bench) -> None:
        await it.store.load()
        it.persist(1)
        await it.store.close()
        connection = sqlite3.connect(it.path)
        connection.execute("INSERT INTO TRANSACTION_QUEUE VALUES ('m2', '[2,', 'StopTransaction', 0, '', 2, NULL)")
        connection.execute("INSERT INTO TRANSACTION_QUEUE VALUES ('m3', 7, x'00', 'x', '', NULL, NULL)")
        connection.execute("INSERT INTO TRANSACTION_IDS VALUES ('s1', 'no number')")
        connection.execute("INSERT INTO DOCUMENTS VALUES ('a/b', 'a', 'b', 7)")
        connection.commit()
        connection.close()
        it.open()
        found = await it.store.load()
        assert [entry.key for entry in found.entries] == ["m1"]
        assert caplog.text.count("a message of an earlier run is lost") == 2
        await it.store.close()
        assert it.keys() == ["m1"]

    on_bench(main)


def test_a_message_is_on_the_disk_before_it_is_sent(
    run: Any, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    found: list[list[str]] = []

    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        path = point.runner._store.database.path

        def look(payload: dict[str, Any]) -> dict[str, Any]:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            found.append([row[0] for row in connection.execute("SELECT MESSAGE_TYPE FROM TRANSACTION_QUEUE")])
            connection.close()
            return {}

        csms.answers["StopTransaction"] = look
        await point.start()
        await csms.received("BootNotification")
        disk.delay_s = 2.0
        point.send(v16.StopTransactionRequest(transaction_id=1, meter_stop_Wh=1, timestamp=point.station.utc))
        await csms.received("StopTransaction")
        await asyncio.sleep(10)
        assert found == [["StopTransaction"]]
        look({})
        assert found[1:] == [[]]
        await point.stop()

    run(main())


@pytest.mark.parametrize("at", [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)])
def test_a_clock_that_jumps_changes_no_order(runtime: Runtime, at: datetime) -> None:
    async def main() -> None:
        csms = Csms("1.6")
        csms.plug(runtime.wires)
        point = Point(runtime, csms.url)
        await point.start()
        await csms.received("BootNotification")
        await asyncio.sleep(1)
        await csms.disconnect()
        csms.select = lambda offered: None
        stop = v16.StopTransactionRequest(transaction_id=1, meter_stop_Wh=1, timestamp=point.station.utc)
        point.send(stop)
        loop = asyncio.get_running_loop()
        assert isinstance(loop, ClockLoop)
        loop.set_wall(at)
        point.runner.clock_set()
        for number in (2, 3):
            point.send(v16.StopTransactionRequest(transaction_id=number, meter_stop_Wh=1, timestamp=stop.timestamp))
        await asyncio.sleep(1)
        point.cut_power()
        again = Point(runtime, csms.url)
        csms.select = lambda offered: offered[0]
        loop.set_wall(datetime(2026, 1, 1, tzinfo=UTC))
        await again.start()
        await csms.until(lambda: len(csms.requests("StopTransaction")) == 3)
        assert [request["transactionId"] for request in csms.requests("StopTransaction")] == [1, 2, 3]
        assert again.recorder.of(Loaded)
        await again.stop()

    clock.run(main(), speed=None)


def test_many_changes_by_the_thread_of_the_file(tmp_path: Path) -> None:
    async def main() -> None:
        it = Bench(tmp_path / "ocpp/cp.db")
        await it.store.load()
        for number in range(1, 301):
            it.persist(2 * number)
            if number > 5:
                it.store.keep(Remove("TRANSACTION_QUEUE", f"m{2 * (number - 5)}", 2 * number + 1))
            if number % 3 == 0:
                await asyncio.sleep(0)
        async with asyncio.timeout(10):
            while not it.confirmed or it.confirmed[-1] < 601:
                await asyncio.sleep(0.01)
        assert it.keys() == [f"m{2 * number}" for number in range(296, 301)]
        assert it.confirmed == sorted(it.confirmed)
        await it.store.close()

    clock.run(main(), speed=1.0)
