"""`secc auth`: the list of tokens from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
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

    call.file = tmp_path / "list.yaml"  # type: ignore[attr-defined]
    return call


def test_a_token_is_added_shown_and_removed(auth: Any, tmp_path: Path) -> None:
    more = ["--name", "Ada", "--expires", "2027-12-31", "--connector", "1", "--connector", "2", "--parent", "FAMILY"]
    assert auth("add", "04A1B2", *more)[0] == 0
    assert auth("add", "0099", "--blocked")[0] == 0
    status, text = auth("list")
    assert status == 0 and "2 tokens" in text
    assert [line.split() for line in text.splitlines()[2:4]] == [
        ["04A1B2", "may", "charge", "Ada", "2027-12-31", "23:59Z", "FAMILY", "1", "2"],
        ["0099", "no:", "blocked"],
    ]
    assert auth("remove", "04a1b2")[0] == 0
    assert "1 token, 1 of them cannot charge today\n" in auth("list")[1]
    assert (tmp_path / "list.yaml").read_text().startswith("# Tokens that may charge here")


def test_what_cannot_be_is_said_and_nothing_is_written(auth: Any, tmp_path: Path) -> None:
    auth("add", "A")
    before = (tmp_path / "list.yaml").read_text()
    file = tmp_path / "list.yaml"
    assert auth("add", "A") == (1, f"secc auth: {file}: A is listed already, in line 3\n")
    assert auth("remove", "B") == (1, f"secc auth: {file}: B is not listed\n")
    assert "is no date or time" in auth("add", "C", "--expires", "soon")[1]
    assert "numbered from 1" in auth("add", "C", "--connector", "0")[1]
    assert "is no type of token" in auth("add", "C", "--type", "Card")[1]
    assert auth("add", "C", "--type", "iso1443")[1].endswith("(did you mean ISO14443?)\n")
    assert (tmp_path / "list.yaml").read_text() == before


def test_a_list_that_is_not_there_is_said(auth: Any, tmp_path: Path) -> None:
    status, text = auth("list")
    assert status == 1 and "there is no such list yet; `secc auth add TOKEN` begins it" in text


def test_who_cannot_charge_today_is_marked_with_the_reason(auth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 3, 10, 12, tzinfo=UTC)
    monkeypatch.setattr("chargebyte_fw.kernel.clock.utc_now", lambda: now)
    assert auth("add", "A") == (0, f"A is on the list now ({auth.file})\n")
    warning = "secc auth: warning: 2026-03-01 23:59Z has passed: B cannot charge\n"
    assert auth("add", "B", "--expires", "2026-03-01")[1].endswith(warning)
    auth("add", "C", "--expires", "2026-03-10T09:00:00Z")
    auth("add", "D", "--expires", "2026-03-10")
    auth("add", "E", "--expires", "2026-03-01", "--blocked")
    lines = auth("list")[1].splitlines()
    assert lines[0].split() == ["token", "today", "type", "name", "expires", "parent", "connectors"]
    shown = {line[0]: line[7:].partition("  ")[0] for line in lines[2:7]}
    assert {name: why.strip() for name, why in shown.items()} == {
        "A": "may charge",
        "B": "no: expired 8 days ago",
        "C": "no: expired today",
        "D": "may charge",
        "E": "no: blocked",
    }
    assert lines[-1] == "5 tokens, 3 of them cannot charge today"
    plain = json.loads(auth("list", "--json")[1])
    assert [one["may_charge"] for one in plain] == [True, False, False, True, False]
    assert plain[1]["why_not"] == "expired 8 days ago" and plain[1]["expires"].startswith("2026-03-01T23:59:59")


def test_a_message_names_the_file_that_was_given(auth: Any, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for words in (["list"], ["add", "A"], ["remove", "A"]):
        assert auth(*words, file=str(tmp_path)) == (1, f"secc auth: {tmp_path}: Is a directory\n")
        broken = str(tmp_path / "bytes")
        assert auth(*words, file=broken) == (1, f"secc auth: {broken}: not a text in UTF-8\n")
    below = str(tmp_path / "a-file/list.yaml")
    assert auth("add", "A", file=below)[1].startswith(f"secc auth: {below}: ")
    nowhere = str(tmp_path / "nowhere")
    assert auth("remove", "A", file=nowhere) == (1, f"secc auth: {nowhere}: there is no such list\n")


def test_a_broken_list_is_a_wrong_configuration(auth: Any, tmp_path: Path) -> None:
    (tmp_path / "list.yaml").write_text("tokens:\n  - {id: A, blocked: maybe}\n")
    status, text = auth("add", "B")
    assert status == 78 and "list.yaml:2: error" in text and text.endswith("[C403]\n")


def test_below_a_root_the_usual_place_is_meant(tmp_path: Path) -> None:
    assert main(["auth", "add", "A", "--root", str(tmp_path)]) == 0
    assert "id: A" in (tmp_path / "etc/everest/auth_list.yaml").read_text()


def test_a_name_that_ends_in_csv_is_a_csv(auth: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "list.csv")
    assert auth("add", "A", "--name", "Ada", file=file)[0] == 0
    assert (tmp_path / "list.csv").read_text().splitlines()[1] == "A,,Ada,,,,"
