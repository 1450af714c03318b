"""The session's log: files, contents, and a disk that is full."""

from __future__ import annotations

import asyncio
import csv
import errno
import logging
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.iso15118 import V2gMessageId, V2gMessages
from chargebyte_fw.modules.evse.logs.retention import FILES, RECOUNT_SESSIONS, LogRetention, make_room
from chargebyte_fw.modules.evse.logs.session_log import FULL, RESERVE_BYTES, SessionLog, folder_name
from chargebyte_fw.modules.evse.logs.session_logger import FLUSH_S
from tests.evse.test_integrators import Recorder
from tests.evse.world import Assemble, Run, World

XML = "<CurrentDemandReq/>"


async def session(w: World) -> None:
    await w.to_charging()
    w.hlc.publish("v2g_messages", V2gMessages(id=V2gMessageId.CurrentDemandReq, xml=XML, exi="80"))
    w.hlc.publish("v2g_messages", V2gMessages(id=V2gMessageId.CurrentDemandRes, xml="<R/>", exi="81"))
    await asyncio.sleep(3.0)
    await w.ev_stops()
    await w.unplug()


@pytest.mark.parametrize("xml", [True, False])
def test_log_of_a_session(assemble: Assemble, run: Run, tmp_path: Path, xml: bool) -> None:
    async def story() -> None:
        w = await World(
            assemble, dc=True, session_logging=True, session_logging_path="/tmp/logs", session_logging_xml=xml
        ).start()
        await session(w)
        started = w.events[1].session_started
        assert started is not None and started.logging_path is not None
        assert started.logging_path.startswith("/tmp/logs/2026-01-01T00:00:0")
        assert started.logging_path.endswith(w.events[1].uuid)
        folder = tmp_path / started.logging_path.lstrip("/")
        assert sorted(file.name for file in folder.iterdir()) == ["eventlog.csv", "eventlog.html"]
        with (folder / "eventlog.csv").open(newline="") as file:
            lines = list(csv.reader(file))
        assert all(len(line) == 4 for line in lines)
        assert {line[1] for line in lines} == {"EVSE", "CAR", "SYS"}
        assert (lines[0][2], lines[-1][2]) == ("Session logging started.", "Session logging stopped.")
        (request,) = [line for line in lines if line[2] == "V2G CurrentDemandReq"]
        assert (request[1], request[3]) == ("CAR", XML if xml else "")
        page = (folder / "eventlog.html").read_text()
        assert ("&lt;CurrentDemandReq/&gt;" in page) is xml
        assert "CurrentDemandRes" in page and page.endswith("</html>\n")

    run(story())


def test_the_log_names_the_meters_reading_at_both_ends_of_the_transaction(
    assemble: Assemble, run: Run, tmp_path: Path
) -> None:
    async def story() -> None:
        w = await World(assemble, session_logging=True, session_logging_path="/logs").start()
        w.meter.read(22.0)
        await w.to_preparation()
        w.bsp.cp("C")
        await w.until_state("Charging")
        w.meter.read(5022.0)
        await asyncio.sleep(1.0)
        await w.unplug()
        await w.until_state("Idle")
        started = w.events[1].session_started
        assert started is not None and started.logging_path is not None
        with (tmp_path / started.logging_path.lstrip("/") / "eventlog.csv").open(newline="") as file:
            texts = [line[2] for line in csv.reader(file)]
        assert [text for text in texts if text.startswith(("Session S", "Session F", "Transaction"))] == [
            "Session Started: EVConnected",
            "Transaction Started (0.022 kWh)",
            "Transaction Finished: EVDisconnected (5.022 kWh)",
            "Session Finished",
        ]

    run(story())


def test_no_log_without_being_asked(assemble: Assemble, run: Run) -> None:
    async def story() -> None:
        w = await World(assemble, dc=True).start()
        await session(w)
        assert w.events[1].session_started is not None and w.events[1].session_started.logging_path is None

    run(story())


def test_folder_that_cannot_be_made(assemble: Assemble, run: Run, tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "logs").write_text("a file in the way")
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        await session(w)
        assert w.names[-1] == "SessionFinished"
        assert w.events[1].session_started is not None and w.events[1].session_started.logging_path is None

    run(story())


def test_full_disk_is_one_warning_and_no_more(
    assemble: Assemble, run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(self: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def story() -> None:
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        monkeypatch.setattr(SessionLog, "flush", full)
        with caplog.at_level(logging.WARNING):
            await session(w)
        assert w.names[-1] == "SessionFinished"
        assert w.names.count("ChargingStarted") == 1
        warnings = [record for record in caplog.records if "session log" in record.getMessage()]
        assert len(warnings) == 1

    run(story())


def test_the_log_is_in_its_file_within_a_second_of_each_line(assemble: Assemble, run: Run, tmp_path: Path) -> None:
    """A loss of power takes no more of the log than its last second."""

    async def story() -> None:
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        await w.plug_and_match()
        await asyncio.sleep(FLUSH_S)
        (file,) = (tmp_path / "logs").glob("*/incomplete-eventlog.csv")
        assert "Session logging started." in file.read_text()
        w.hlc.publish("v2g_messages", V2gMessages(id=V2gMessageId.SessionSetupReq, xml=XML))
        assert "SessionSetupReq" not in file.read_text(), "it waits for the next flush"
        await asyncio.sleep(FLUSH_S + 0.1)
        assert "SessionSetupReq" in file.read_text()

    run(story())


def test_a_line_belongs_to_the_session_that_is_logged(assemble: Assemble, run: Run, runtime: Any) -> None:
    """Between two sessions nothing is written, and nothing is published as a line of the log."""
    runtime.mqtt = recorder = Recorder()

    async def story() -> None:
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        logger = w.m.session_log
        logger.line("EVSE", "before the session")
        await session(w)
        logger.line("EVSE", "after the session")
        texts = [payload["msg"] for _, topic, payload in recorder.messages if topic.endswith("/hlc_log")]
        assert (texts[0], texts[-1]) == ("Session logging started.", "Session logging stopped.")

    run(story())


def test_a_log_makes_the_folders_above_it_and_takes_one_that_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "sessions/today/log"
    for _ in range(2):
        SessionLog(folder, "/log", 1 << 20).close()
        assert sorted(file.name for file in folder.iterdir()) == ["eventlog.csv", "eventlog.html"]


@pytest.mark.parametrize("suffix", ["../etc", "a/b", "", "..", "a\\b"])
def test_suffix_must_be_a_plain_name(suffix: str) -> None:
    from datetime import UTC, datetime

    with pytest.raises(ValueError, match="plain name"):
        folder_name(datetime(2026, 1, 1, tzinfo=UTC), suffix)


@pytest.mark.parametrize("text", ['say "hello", twice', "two\nlines", "<b>&amp;</b>"])
def test_any_text_comes_back_from_the_table(tmp_path: Path, text: str) -> None:
    from datetime import UTC, datetime

    log = SessionLog(tmp_path / "log", "/log", 1 << 20)
    log.record(datetime(2026, 1, 1, tzinfo=UTC), "EVSE", "CAR", text, xml=text)
    log.close()
    with (tmp_path / "log/eventlog.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["2026-01-01T00:00:00.000Z", "EVSE", text, text]]
    assert "<b>" not in (tmp_path / "log/eventlog.html").read_text()


def test_a_log_that_is_full_still_tells_what_happens(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 1, 1, tzinfo=UTC)
    log = SessionLog(tmp_path / "log", "/log", 2000)
    for _ in range(100):
        log.record(at, "CAR", "EVSE", "CurrentDemandReq", hex="80" * 50)
        log.flush()
    log.record(at, "EVSE", "", "Emergency shutdown")
    log.close()
    with (tmp_path / "log/eventlog.csv").open(newline="") as file:
        said = [line[2] for line in csv.reader(file)]
    assert said[-2:] == [FULL, "Emergency shutdown"] and said.count(FULL) == 1
    assert sum(file.stat().st_size for file in (tmp_path / "log").iterdir()) < 4000


def test_a_log_does_not_grow_without_end_whatever_happens(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    at = datetime(2026, 1, 1, tzinfo=UTC)
    log = SessionLog(tmp_path / "log", "/log", 2000)
    for number in range(20_000):
        log.record(at, "EVSE", "CAR", f"Charger state: Charging->StoppingCharging {number}")
        if number % 100 == 0:
            log.flush()
    log.record(at, "SYS", "", "Session logging stopped.")
    log.close()
    assert sum(file.stat().st_size for file in (tmp_path / "log").iterdir()) < 2000 + 1.5 * RESERVE_BYTES
    assert "Session logging stopped." in (tmp_path / "log/eventlog.csv").read_text()


def log_of(folder: Path, name: str, size: int) -> Path:
    (folder / name).mkdir()
    (folder / name / "eventlog.csv").write_bytes(b"x" * size)
    return folder / name


def test_the_oldest_logs_make_room_and_nothing_else_is_touched(tmp_path: Path) -> None:
    old, newer, newest = (log_of(tmp_path, f"2026-01-0{day}T00:00:00.000Z-abc", 100) for day in (1, 2, 3))
    foreign = log_of(tmp_path, "photos", 10_000)
    (newer / "note.txt").write_text("somebody's own")
    assert make_room(tmp_path, 300) == 0
    assert make_room(tmp_path, 120) == 2
    assert not old.exists() and newest.exists() and foreign.exists()
    assert [path.name for path in newer.iterdir()] == ["note.txt"]


def test_a_new_session_makes_room_for_its_log(
    assemble: Assemble, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("chargebyte_fw.modules.evse.logs.session_logger.allowance_bytes", lambda folder: 12_000)
    (tmp_path / "logs").mkdir()
    older = [log_of(tmp_path / "logs", f"2025-01-0{day}T00:00:00.000Z-abc", 5000) for day in range(1, 8)]

    async def story() -> None:
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        await session(w)
        assert [path for path in older if path.exists()] == older[-2:]
        assert len(list((tmp_path / "logs").iterdir())) == 3

    run(story())


def test_no_session_reads_the_whole_folder_of_logs(
    assemble: Assemble, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One folder a session is left: what a session reads of them and keeps in memory must not grow with them."""
    (tmp_path / "logs").mkdir()
    for number in range(200):
        log_of(tmp_path / "logs", f"2025-01-01T00:00:00.{number:03d}Z-abc", 10)
    looked: list[int] = [0]
    real = os.stat

    def counted(*arguments: Any, **more: Any) -> os.stat_result:
        looked[0] += "eventlog" in str(arguments[0])
        return real(*arguments, **more)

    async def story() -> None:
        w = await World(assemble, dc=True, session_logging=True, session_logging_path="/logs").start()
        await session(w)
        looked[0] = 0
        for _ in range(3):
            await w.to_preparation()
            await w.unplug()
        assert looked[0] <= 3 * len(FILES)

    monkeypatch.setattr(os, "stat", counted)
    run(story())


def test_logs_that_others_wrote_are_counted_now_and_then(tmp_path: Path) -> None:
    space = LogRetention()
    assert space.make_room(tmp_path, 1000) == 0
    others = [log_of(tmp_path, f"2026-01-01T00:00:00.{number:03d}Z-abc", 100) for number in range(30)]
    removed = [space.make_room(tmp_path, 1000) for _ in range(RECOUNT_SESSIONS)]
    assert removed[-1] == 22 and sum(removed) == 22
    assert [path for path in others if path.exists()] == others[-8:], "one part in eight is kept free"


def test_room_is_made_for_what_this_evse_wrote(tmp_path: Path) -> None:
    space = LogRetention()
    for number in range(50):
        space.make_room(tmp_path, 1000)
        name = f"2026-01-01T00:00:00.{number:03d}Z-abc"
        space.begun(tmp_path / name)
        log_of(tmp_path, name, 100)
        assert sum(file.stat().st_size for file in tmp_path.rglob("*.csv")) <= 1100
    assert (tmp_path / "2026-01-01T00:00:00.049Z-abc").exists()


def test_memory_for_making_room_does_not_grow_with_the_number_of_logs(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        for number in range(count):
            (tmp_path / f"2026-01-01T00:00:{number % 60:02d}.{number:06d}Z-abc").mkdir(exist_ok=True)
        tracemalloc.start()
        make_room(tmp_path, 10)
        LogRetention().make_room(tmp_path, 10)
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(100)
    few = peak(100)
    assert peak(3000) < few + 20_000
