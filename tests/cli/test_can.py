"""`secc can dbc` writes what a CAN tool loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import cantools.database
import pytest

from chargebyte_fw.cli.main import main


def test_the_file_loads_in_cantools(tmp_path: Path) -> None:
    path = tmp_path / "safety.dbc"
    assert main(["can", "dbc", "-o", str(path)]) == 0
    database: Any = cantools.database.load_file(path)
    assert database.get_message_by_name("ChargeState").frame_id == 7


def test_without_a_file_it_goes_to_standard_output(capfdbinary: Any) -> None:
    assert main(["can", "dbc"]) == 0
    text = capfdbinary.readouterr().out.decode("cp1252")
    database: Any = cantools.database.load_string(text)
    assert database.get_message_by_name("Pt1000State").frame_id == 8


def test_a_dump_of_the_mirror_is_read_by_cantools_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "safety.dbc"
    assert main(["can", "dbc", "--short-ids", "-o", str(path)]) == 0
    command = [sys.executable, "-m", "cantools", "decode", "--single-line", str(path)]
    dump = "  vcan0  00000007   [8]  81 0A 03 03 7A 7F 00 00\n"
    shown = subprocess.run(command, input=dump, capture_output=True, text=True, check=True).stdout
    assert ":: ChargeState(" in shown and "duty_percent: 26.6 %" in shown and "cp_state: C" in shown


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: Any) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["can", "dbc", "-o", str(tmp_path / "no" / "safety.dbc")])
    assert ended.value.code == 2 and "there is no folder" in capsys.readouterr().err
