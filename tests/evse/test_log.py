"""The session's log: files, contents, and a disk that is full."""

from __future__ import annotations

import asyncio
import csv
import errno
import logging
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.iso15118 import V2gMessageId, V2gMessages
from chargebyte_fw.modules.evse.session_log import SessionLog, folder_name
from tests.evse.world import Assemble, Run, World

XML = "<CurrentDemandReq/>"


async def session(w: World) -> None:
    await w.to_charging()
    w.hlc.say("v2g_messages", V2gMessages(id=V2gMessageId.CurrentDemandReq, xml=XML, exi="80"))
    w.hlc.say("v2g_messages", V2gMessages(id=V2gMessageId.CurrentDemandRes, xml="<R/>", exi="81"))
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
        (request,) = [line for line in lines if line[2] == "CurrentDemandReq"]
        assert (request[1], request[3]) == ("CAR", XML if xml else "")
        page = (folder / "eventlog.html").read_text()
        assert ("&lt;CurrentDemandReq/&gt;" in page) is xml
        assert "CurrentDemandRes" in page and page.endswith("</html>\n")

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


@pytest.mark.parametrize("suffix", ["../etc", "a/b", "", "..", "a\\b"])
def test_suffix_must_be_a_plain_name(suffix: str) -> None:
    from datetime import UTC, datetime

    with pytest.raises(ValueError, match="plain name"):
        folder_name(datetime(2026, 1, 1, tzinfo=UTC), suffix)


@pytest.mark.parametrize("text", ['say "hello", twice', "two\nlines", "<b>&amp;</b>"])
def test_any_text_comes_back_from_the_table(tmp_path: Path, text: str) -> None:
    from datetime import UTC, datetime

    log = SessionLog(tmp_path / "log", "/log")
    log.record(datetime(2026, 1, 1, tzinfo=UTC), "EVSE", "CAR", text, xml=text)
    log.close()
    with (tmp_path / "log/eventlog.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["2026-01-01T00:00:00.000Z", "EVSE", text, text]]
    assert "<b>" not in (tmp_path / "log/eventlog.html").read_text()
