"""`secc trace` reads what the black box wrote, also when it was cut off."""

from __future__ import annotations

import json
from pathlib import Path

import cbor2
import pytest

from chargebyte_fw.cli.main import main

ENTRIES = [
    [1.0, "uart", "bsp", b"\xa5\x00"],
    [1.5, "cmd", "slac.main.reset", ["connector", [True], {}]],
    [2.0, "var", "slac.main.state", "MATCHING"],
]


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    path = tmp_path / "t.cbor"
    path.write_bytes(b"".join(cbor2.dumps(entry) for entry in ENTRIES))
    return path


def test_one_line_an_entry(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "show", str(trace)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["1.000", "uart", "bsp"],
        ["1.500", "cmd", "slac.main.reset"],
        ["2.000", "var", "slac.main.state"],
    ]
    assert lines[0].endswith("a500") and lines[2].endswith("MATCHING")


def test_filters_and_json(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "show", str(trace), "--source", "slac", "--last", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"t_s": 2.0, "kind": "var", "source": "slac.main.state", "data": "MATCHING"}
    assert main(["trace", "show", str(trace), "--kind", "uart", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["data"] == "a500"


def test_a_trace_that_was_cut_off_shows_what_is_there(trace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trace.write_bytes(trace.read_bytes()[:-3])
    assert main(["trace", "show", str(trace)]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("content", [b"hello world", b"\x01\x02", b"\xff\xff", b"\x82\x01\x02"])
def test_what_is_no_trace_is_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)
    assert main(["trace", "show", str(path)]) == 1
    assert "is no trace" in capsys.readouterr().err


def test_no_trace_at_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "show", "--root", str(tmp_path)]) == 1
    assert "no trace is saved" in capsys.readouterr().err
    assert main(["trace", "show", str(tmp_path / "nowhere")]) == 1
