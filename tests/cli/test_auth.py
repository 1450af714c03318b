"""`secc auth`: the list of tokens from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main


@pytest.fixture
def auth(tmp_path: Path, capsys: Any) -> Any:
    def call(*words: str, file: str = str(tmp_path / "list.yaml")) -> tuple[int, str]:
        status = main(["auth", *words, "--file", file])
        said = capsys.readouterr()
        return status, said.out + said.err

    return call


def test_a_token_is_added_shown_and_removed(auth: Any, tmp_path: Path) -> None:
    more = ["--name", "Ada", "--expires", "2027-12-31", "--connector", "1", "--connector", "2", "--parent", "FAMILY"]
    assert auth("add", "04A1B2", *more)[0] == 0
    assert auth("add", "0099", "--blocked")[0] == 0
    status, text = auth("list")
    assert status == 0 and "2 tokens" in text
    assert [line.split() for line in text.splitlines()[2:4]] == [
        ["04A1B2", "Ada", "2027-12-31", "23:59Z", "FAMILY", "1", "2"],
        ["0099", "blocked"],
    ]
    assert auth("remove", "04a1b2")[0] == 0
    assert "1 token\n" in auth("list")[1]
    assert (tmp_path / "list.yaml").read_text().startswith("# Tokens that may charge here")


def test_what_cannot_be_is_said_and_nothing_is_written(auth: Any, tmp_path: Path) -> None:
    auth("add", "A")
    before = (tmp_path / "list.yaml").read_text()
    assert auth("add", "A") == (1, "secc: A is listed already, in line 3\n")
    assert auth("remove", "B") == (1, "secc: B is not listed\n")
    assert "is no date or time" in auth("add", "C", "--expires", "soon")[1]
    assert "numbered from 1" in auth("add", "C", "--connector", "0")[1]
    assert "is no type of token" in auth("add", "C", "--type", "Card")[1]
    assert (tmp_path / "list.yaml").read_text() == before


def test_a_list_that_is_not_there_is_said(auth: Any, tmp_path: Path) -> None:
    status, text = auth("list")
    assert status == 1 and "there is no such list yet; `secc auth add TOKEN` begins it" in text


def test_a_broken_list_is_a_wrong_configuration(auth: Any, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("tokens:\n  - {id: A, blocked: maybe}\n")
    status, text = auth("add", "B")
    assert status == 78 and "list.yaml:2: error" in text


def test_below_a_root_the_usual_place_is_meant(tmp_path: Path) -> None:
    assert main(["auth", "add", "A", "--root", str(tmp_path)]) == 0
    assert "id: A" in (tmp_path / "etc/everest/auth_list.yaml").read_text()


def test_a_name_that_ends_in_csv_is_a_csv(auth: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "list.csv")
    assert auth("add", "A", "--name", "Ada", file=file)[0] == 0
    assert (tmp_path / "list.csv").read_text().splitlines()[1] == "A,,Ada,,,,"
