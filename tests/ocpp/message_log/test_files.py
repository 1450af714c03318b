"""Message logs: what a frame is in them, their files, and a station that writes them (`MessageLogPath`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargebyte_fw.modules.ocpp.message_log.lines import LONGEST_FRAME, Shown
from chargebyte_fw.modules.ocpp.message_log.link import MOST_WAITING, LogFile, Rotation

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def shown(frame: object, actions: dict[str, str] | None = None, *, from_csms: bool = False) -> Shown:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return Shown(AT, text, from_csms=from_csms, actions={} if actions is None else actions)


def test_an_answer_has_the_action_of_its_request() -> None:
    actions: dict[str, str] = {}
    call = shown([2, "1", "Heartbeat", {}], actions)
    answer = shown([3, "1", {"currentTime": "<now>"}], actions, from_csms=True)
    assert call.line() == ('2026-01-02T03:04:05.000Z [ChargingStation>CSMS Call Heartbeat] [2, "1", "Heartbeat", {}]\n')
    assert answer.short == "CSMS>ChargingStation CallResult Heartbeat" and actions == {}
    assert "&lt;now&gt;" in answer.row() and "<now>" not in answer.row()


@pytest.mark.parametrize(
    "payload",
    [
        {"idTag": "SECRET"},
        {"idToken": {"idToken": "SECRET", "type": "ISO14443"}},
        {"key": "AuthorizationKey", "value": "SECRET"},
        {"connectionData": {"basicAuthPassword": "SECRET"}},
    ],
)
def test_tokens_and_passwords_are_hidden_in_every_log(payload: object) -> None:
    one = shown([2, "1", "Any", payload])
    assert "SECRET" not in one.line() + one.row() + one.raw_line()


@pytest.mark.parametrize("text", ["", "{", "null", "[2]", "[" * 5000, "x" * (LONGEST_FRAME + 1), "[null,null,null]"])
def test_what_is_no_frame_is_a_short_line(text: str) -> None:
    assert len(shown(text).line()) < 200 and shown(text).row()


def test_a_file_is_rotated_and_old_ones_go(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", Rotation(bytes=100, files=2), "head\n")
    for number in range(40):
        file.write(f"line {number:02}, twenty\n")
        file.flush(AT)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.log", "a.log.1", "a.log.2"]
    assert all(one.stat().st_size <= 100 and one.read_text().startswith("head\n") for one in tmp_path.iterdir())
    assert "line 39" in (tmp_path / "a.log").read_text()
    file.close()


def test_files_with_dates(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "a.log", Rotation(bytes=10, files=2, date_suffix=True))
    for number in range(5):
        file.write("0123456789\n")
        file.flush(AT.replace(second=number))
    names = sorted(one.name for one in tmp_path.iterdir())
    assert names == ["a.log", "a.log.20260102T030403000000", "a.log.20260102T030404000000"]


def test_lines_that_cannot_be_written_are_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = LogFile(tmp_path / "file/a.log", Rotation())
    for number in range(MOST_WAITING + 10):
        file.write(f"{number}\n")
    assert len(file._lines) == MOST_WAITING
    with pytest.raises(OSError, match=r"exists|Not a directory"):
        file.flush(AT)
    (tmp_path / "file").unlink()
    file.write("again\n")
    file.flush(AT)
    assert (tmp_path / "file/a.log").read_text() == "again\n"
