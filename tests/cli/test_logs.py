"""`secc logs`: sessions and their stories, modules, levels, times, out of a file and out of the journal."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargebyte_fw.cli.log_lines import Line, from_journal, from_text
from chargebyte_fw.cli.log_source import moment
from chargebyte_fw.cli.log_story import sessions, story
from chargebyte_fw.cli.main import main

LOG = """\
2026-03-01T12:00:00.000Z INFO    manager: ready in 0.30 s: 18 modules
2026-03-01T12:00:00.500Z INFO    other: EV plugged in
2026-03-01T12:00:01.000Z INFO    connector: EV plugged in
2026-03-01T12:00:01.010Z INFO    connector [4a5804fc]: session begins: EVConnected
2026-03-01T12:00:01.900Z INFO    slac: EV 02:00:00:00:00:02 asks to match
2026-03-01T12:00:02.000Z INFO    other [77aa0011]: session begins: EVConnected
2026-03-01T12:00:03.000Z WARNING connector [4a5804fc]: insulation is 90 kOhm, which is less than the charger wants
2026-03-01T12:00:04.000Z ERROR   api: failed
    Traceback (most recent call last):
      File "x.py", line 1
    ValueError: no number
2026-03-01T12:00:05.000Z INFO    connector [4a5804fc]: transaction is over: EVDisconnected, 7 Wh on the meter
2026-03-01T12:00:05.100Z INFO    connector [4a5804fc]: session is over
2026-03-01T12:00:09.000Z INFO    manager: stopping (SIGTERM): safe state first
"""


@pytest.fixture
def log(tmp_path: Path) -> str:
    (tmp_path / "charger.log").write_text(LOG)
    return str(tmp_path / "charger.log")


def test_a_traceback_belongs_to_the_line_above_it() -> None:
    lines = list(from_text(LOG.splitlines(keepends=True)))
    assert len(lines) == 11
    failed = next(line for line in lines if line.module == "api")
    assert (failed.level, failed.session) == ("error", "")
    assert failed.text.split("\n")[0] == "failed" and failed.text.endswith("ValueError: no number")


def test_lines_as_a_service_writes_them_have_their_level() -> None:
    assert list(from_text(["<4>connector [4a5804fc]: odd\n", "<6>manager: ready\n", "Killed\n"])) == [
        Line("odd", None, "warning", "connector", "4a5804fc"),
        Line("ready", None, "info", "manager"),
        Line("Killed"),
    ]


def test_the_journal_has_the_fields_and_odd_entries_are_left_out() -> None:
    entry = {
        "MESSAGE": "connector [4a5804fc]: charging",
        "PRIORITY": "6",
        "SECC_MODULE": "connector",
        "SECC_SESSION": "4a5804fc-0000-4000-8000-000000000000",
        "__REALTIME_TIMESTAMP": "1772366400000000",
    }
    octets = {"MESSAGE": [72, 105, 255], "PRIORITY": "x", "__REALTIME_TIMESTAMP": "9" * 30}
    found = list(from_journal([json.dumps(entry), "no entry", "[1]", json.dumps(octets), json.dumps({})]))
    assert found[0] == Line(
        "charging",
        datetime(2026, 3, 1, 12, tzinfo=UTC),
        "info",
        "connector",
        "4a5804fc-0000-4000-8000-000000000000",
    )
    assert found[1:] == [Line("Hi\ufffd"), Line("")]


def test_sessions_have_begin_end_and_how_they_ended() -> None:
    first, second = sessions(from_text(LOG.splitlines()))
    assert (first.id, first.module, first.lasted_s, first.warnings, first.errors) == (
        "4a5804fc",
        "connector",
        4.09,
        1,
        0,
    )
    assert first.last == "transaction is over: EVDisconnected, 7 Wh on the meter"
    assert second.id == "77aa0011" and second.ended is None and second.lasted_s is None


def test_the_story_has_the_plug_in_and_what_other_modules_logged_meanwhile_but_no_other_session() -> None:
    lines = list(from_text(LOG.splitlines()))
    texts = [line.text.partition("\n")[0] for line in story(lines, "4a5804fc-0000-4000-8000-000000000000")]
    assert texts == [
        "EV plugged in",
        "session begins: EVConnected",
        "EV 02:00:00:00:00:02 asks to match",
        "insulation is 90 kOhm, which is less than the charger wants",
        "failed",
        "transaction is over: EVDisconnected, 7 Wh on the meter",
        "session is over",
    ]
    assert story(lines, "ffffffff") == []


def test_the_story_of_the_newest_session_counts_from_its_begin(
    log: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    assert main(["logs", "--file", log, "--session", "4a58"]) == 0
    assert capsys.readouterr().out == (
        "session 4a5804fc at connector: began 2026-03-01 12:00:01 UTC, lasted 4.1 s; 1 warning\n"
        "    -0.01s   connector  EV plugged in\n"
        "    +0.00s   connector  session begins: EVConnected\n"
        "    +0.89s   slac       EV 02:00:00:00:00:02 asks to match\n"
        "    +1.99s ! connector  insulation is 90 kOhm, which is less\n"
        "                        than the charger wants\n"
        "    +2.99s E api        failed\n"
        "                        Traceback (most recent call last):\n"
        '                          File "x.py", line 1\n'
        "                        ValueError: no number\n"
        "    +3.99s   connector  transaction is over: EVDisconnected,\n"
        "                        7 Wh on the meter\n"
        "    +4.09s   connector  session is over\n"
    )
    assert main(["logs", "--file", log, "--session", "last", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["session"] == "77aa0011"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(
    log: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    for options in ([], ["--sessions"], ["--session", "4a5804fc"]):
        assert main(["logs", "--file", log, *options]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert len(shown) > 2 and max(map(len, shown)) <= columns + (options[:1] == ["--session"]) * 40


def test_modules_levels_times_and_the_last_lines_are_chosen(log: str, capsys: pytest.CaptureFixture[str]) -> None:
    def texts(*options: str) -> list[str]:
        assert main(["logs", "--file", log, "--json", *options]) == 0
        return [json.loads(line)["text"].partition("\n")[0] for line in capsys.readouterr().out.splitlines()]

    assert texts("--module", "slac", "--module", "api") == ["EV 02:00:00:00:00:02 asks to match", "failed"]
    assert texts("--level", "error") == ["failed"]
    assert texts("--since", "2026-03-01T12:00:04", "--until", "2026-03-01T12:00:05") == [
        "failed",
        "transaction is over: EVDisconnected, 7 Wh on the meter",
    ]
    assert texts("--last", "1") == ["stopping (SIGTERM): safe state first"]


@pytest.mark.parametrize(
    ("options", "status", "line"),
    [
        (["--module", "slca"], 1, "secc logs: no line is of a module 'slca' (did you mean slac?)"),
        (["--session", "zz"], 1, "secc logs: no session of 'zz' in the log (4a5804fc, 77aa0011)"),
        (
            ["--since", "yesterday"],
            2,
            "secc logs: --since yesterday: write 15m (ago), 2h, 1d, 13:45 or ",
        ),
        (["--since", "2036-01-01"], 1, "charger.log has no line of this charger in this time"),
        (["--follow"], 2, "secc logs: --follow reads the journal; for a file: tail -f FILE | secc logs --file -"),
    ],
)
def test_what_is_not_there_is_one_line(
    log: str, options: list[str], status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["logs", "--file", log, *options]) == status
    shown = capsys.readouterr()
    assert shown.out == "" and line in shown.err and shown.err.count("\n") == 1


def test_points_in_time_are_read_as_people_write_them() -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert moment("15m", now) == now - timedelta(minutes=15)
    assert moment("1.5 h", now) == now - timedelta(minutes=90)
    assert moment("13:45", now) == datetime(2026, 3, 1, 13, 45, tzinfo=UTC)
    assert moment("2026-02-28T01:00+01:00", now) == datetime(2026, 2, 28, tzinfo=UTC)
    with pytest.raises(ValueError, match="write 15m"):
        moment("99999999999d", now)


def test_control_characters_of_a_log_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "odd.log").write_bytes(b"<4>slac: \x1b[2J\x07 \xff\x00\n")
    assert main(["logs", "--file", str(tmp_path / "odd.log")]) == 0
    assert capsys.readouterr().out.endswith("\\x1b[2J\\x07 \ufffd\\x00\n")


def test_the_journal_of_another_machine_is_read_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "journal").write_text('{"MESSAGE": "slac: data link is up", "SECC_MODULE": "slac", "PRIORITY": "6"}\n')
    assert main(["logs", "--file", str(tmp_path / "journal")]) == 0
    assert "slac " in (shown := capsys.readouterr().out) and shown.endswith("data link is up\n")


@pytest.fixture
def journalctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a journalctl first on the path that prints its arguments and one entry."""
    program = tmp_path / "bin/journalctl"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >{tmp_path}/arguments\n'
        """echo '{"MESSAGE": "connector: EV plugged in", "SECC_MODULE": "connector", "PRIORITY": "6"}'\n"""
        f"[ ! -f {tmp_path}/fails ] || {{ echo 'no access' >&2; exit 1; }}\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return tmp_path


def test_the_journal_is_asked_for_the_chargers_entries(journalctl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["logs"]) == 0
    assert capsys.readouterr().out.endswith("EV plugged in\n")
    asked = (journalctl / "arguments").read_text().strip()
    assert asked == "--output=json --quiet --identifier=secc --no-pager --lines=200"
    assert main(["logs", "--since", "2026-03-01", "--session", "last"]) == 1
    assert "--since=@1772323200.000000" in (journalctl / "arguments").read_text()
    capsys.readouterr()
    assert main(["logs", "--follow", "--level", "info", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["module"] == "connector"
    assert "--follow --lines=10" in (journalctl / "arguments").read_text()


def test_a_journal_that_may_not_be_read_is_one_line(journalctl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (journalctl / "fails").touch()
    assert main(["logs"]) == 1
    assert capsys.readouterr().err.startswith("secc: journalctl failed: no access; on a desk: ")
