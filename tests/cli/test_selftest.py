"""`secc selftest`: looks at the files where this root keeps them; an image proves the rest (tests/image)."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout, whose state is in a folder of the user's."""
    (tmp_path / "checkout/etc/everest").mkdir(parents=True)
    (tmp_path / "checkout/setup.cfg").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "checkout"


def rows(root: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, tuple[bool, str]]:
    main(["selftest", "--root", str(root), "--json"])
    return {row["check"]: (row["passed"], row["what"]) for row in json.loads(capsys.readouterr().out)}


def test_the_state_of_a_checkout_is_looked_for_where_it_is_kept(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = rows(checkout, capsys)
    (state,) = (checkout.parent / "state/secc").iterdir()
    folder = state / "var/lib/everest"
    assert before["stores"] == (True, f"none yet; the first start makes {folder}")
    assert before["stack"] == (False, f"the charging stack does not run (no {state}/run/everest/standing.json)")
    folder.mkdir(parents=True)
    assert rows(checkout, capsys)["stores"] == (True, f"{folder} can be written")
    sqlite3.connect(folder / "one.db").close()
    assert rows(checkout, capsys)["stores"] == (True, f"1 database is whole, {folder} can be written")
    (folder / "two.db").write_bytes(b"SQLite format 3\0" + b"x" * 200)
    passed, why = rows(checkout, capsys)["stores"]
    assert not passed and why.startswith(f"{folder}/two.db: ")
    assert list((checkout / "etc").rglob("*.db")) == []


def test_on_a_charger_the_folder_of_the_stores_must_be_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rows(tmp_path, capsys)["stores"] == (False, f"{tmp_path}/var/lib/everest is not there")
