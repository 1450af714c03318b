"""`secc can dbc` writes what a CAN tool loads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cantools.database

from chargebyte_fw.cli.main import main


def test_the_file_loads_in_cantools(tmp_path: Path) -> None:
    path = tmp_path / "safety.dbc"
    assert main(["can", "dbc", "-o", str(path)]) == 0
    assert cantools.database.load_file(path).get_message_by_name("ChargeState").frame_id == 7


def test_without_a_file_it_goes_to_standard_output(capfdbinary: Any) -> None:
    assert main(["can", "dbc"]) == 0
    text = capfdbinary.readouterr().out.decode("cp1252")
    assert cantools.database.load_string(text).get_message_by_name("Pt1000State").frame_id == 8


def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, capsys: Any) -> None:
    assert main(["can", "dbc", "-o", str(tmp_path / "no" / "safety.dbc")]) == 1
    assert "No such file or directory" in capsys.readouterr().err
