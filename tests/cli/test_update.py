"""`secc update`: which bundle of a folder, and when none; RAUC is a program that tells what the files say."""

from __future__ import annotations

import itertools
import json
import os
import random
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.cli.update import age

RAUC = """#!{python}
import json, os, pathlib, sys
arguments = [os.fsencode(one) for one in sys.argv[1:]]
here = pathlib.Path({here!r})
if arguments[0] == b"status":
    print(json.dumps({{"compatible": "Board", "slots": []}}))
elif arguments[0] == b"info":
    sys.stderr.buffer.write(b"rauc-Message: " + arguments[-1] + b"\\n")
    told = json.loads(open(arguments[-1], "rb").read())
    if "error" in told:
        sys.stderr.buffer.write(told["error"].encode("latin-1") + b"\\n")
        sys.exit(1)
    print(json.dumps(told))
else:
    with (here / "installed").open("ab") as file:
        file.write(os.path.basename(arguments[-1]) + b"\\n")
    sys.stdout.buffer.write(b"installing " + arguments[-1] + b"\\nM\\xfcnchen\\n")
"""


class Board:
    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.stick, self.programs = folder / "root", folder / "stick", folder / "programs"
        for each in (self.root / "proc", self.root / "usr/share/secc", self.root / "var/lib/secc", self.root / "srv"):
            each.mkdir(parents=True)
        self.stick.mkdir()
        self.programs.mkdir()
        rauc = self.programs / "rauc"
        rauc.write_text(RAUC.format(python=sys.executable, here=str(folder)))
        rauc.chmod(rauc.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{self.programs}:{os.environ['PATH']}")
        (self.root / "proc/cmdline").write_text("rauc.slot=A\n")
        self.runs("1.0.0")

    def runs(self, version: str) -> None:
        (self.root / "usr/share/secc/VERSION").write_text(f"{version}\n")
        (self.root / "var/lib/secc/good-A").write_text(f"{version}\n")

    def bundle(self, name: str | bytes, version: str, **more: Any) -> Path:
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.stick), os.fsencode(name))))
        told = {"compatible": "Board", "version": version, "images": [{"rootfs": {"checksum": f"sum of {version}"}}]}
        path.write_text(json.dumps({**told, **more}))
        return path

    def update(self, *arguments: str) -> int:
        return main(["update", *arguments, "--root", str(self.root)])

    @property
    def installed(self) -> list[bytes]:
        path = self.root.parent / "installed"
        return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Board:
    return Board(tmp_path, monkeypatch)


ORDER = [
    "0.1.0-alpha",
    "0.1.0-alpha.1",
    "0.1.0-alpha.beta",
    "0.1.0-beta",
    "0.1.0-beta.2",
    "0.1.0-beta.11",
    "0.1.0-RC.1",
    "0.1.0-rc.2",
    "0.1.0-rc.2+5.gabc",
    "0.1.0",
    "0.1.0+3.gabc",
    "0.1.0+12.g0000001.changed",
    "0.2.0rc1",
    "0.2.0rc2",
    "0.2.0rc10",
    "0.2.0",
    "0.10.0-dev",
    "v0.10.0",
    "0.10.0.1",
    "1",
    "2.0",
]


def test_a_pre_release_is_older_than_its_release_and_build_numbers_count() -> None:
    assert all(age(older) < age(newer) for older, newer in itertools.pairwise(ORDER))
    mixed = ORDER.copy()
    random.Random(1).shuffle(mixed)
    assert sorted(mixed, key=age) == ORDER
    assert age("1.0") == age("1.0.0") == age("V1.0.0") and age("1.0.0-RC1") == age("1.0.0-rc1")
    assert age("") < age("unknown") < age("0.0.1-rc1") or age("") == age("unknown") < age("0.0.1-rc1")


@pytest.mark.parametrize(
    ("running", "offered", "taken"),
    [
        ("1.0.0", "1.0.1", True),
        ("1.0.0", "1.0.0+1.gabc", True),
        ("1.0.0-rc.1", "1.0.0", True),
        ("1.0.0", "1.0.0-rc.2", False),
        ("1.0.0", "0.9.9", False),
        ("1.10.0", "1.9.0", False),
        ("1.0.0+3.gabc", "1.0.0", False),
        ("unknown", "0.1.0", True),
    ],
)
def test_an_older_version_is_refused_unless_that_was_asked_for(
    board: Board, capsys: Any, running: str, offered: str, taken: bool
) -> None:
    board.runs(running)
    if running == "unknown":
        (board.root / "usr/share/secc/VERSION").unlink()
    bundle = board.bundle("offered.image", offered)
    assert board.update(str(bundle)) == (0 if taken else 1)
    said = capsys.readouterr()
    if not taken:
        assert f"offered.image ({offered}) is older than what runs here ({running})" in said.err
        assert "--allow-older" in said.err and board.installed == []
        assert board.update(str(bundle), "--allow-older") == 0
    assert board.installed == [b"offered.image"]


def test_an_older_version_on_a_stick_is_left_alone(board: Board, capsys: Any) -> None:
    board.runs("2.0.0")
    board.bundle("a.image", "1.0.0")
    board.bundle("b.image", "2.0.0-rc.9")
    assert board.update(str(board.stick)) == 0
    assert "b.image (2.0.0-rc.9) is older than what runs here (2.0.0): left alone" in capsys.readouterr().out
    assert board.installed == []
    assert board.update(str(board.stick), "--allow-older") == 0
    assert board.installed == [b"b.image"]


def test_of_a_release_and_its_pre_release_the_release_is_taken(board: Board) -> None:
    board.bundle("a.image", "2.0.0-rc.1")
    board.bundle("b.image", "2.0.0")
    board.bundle("c.image", "2.0.0-rc.2")
    assert board.update(str(board.stick)) == 0
    assert board.installed == [b"b.image"]


@pytest.mark.parametrize("name", ["UPDATE.IMAGE", "Update.Image", "UPDATE.RAUCB", "update.rauCB"])
def test_the_case_of_a_name_does_not_count(board: Board, name: str) -> None:
    board.bundle(name, "2.0.0")
    assert board.update(str(board.stick)) == 0
    assert board.installed == [name.encode()]


def test_a_name_that_is_not_utf_8_is_refused_in_words(board: Board, capsys: Any) -> None:
    bundle = board.bundle(b"M\xfcnchen.image", "3.0.0")
    assert board.update(str(board.stick)) == 1
    said = capsys.readouterr()
    assert "M?nchen.image is refused: its name is not UTF-8 text: rename the file" in said.out
    assert board.update(str(bundle)) == 1
    assert "M?nchen.image: its name is not UTF-8 text: rename the file" in capsys.readouterr().err
    assert board.installed == []
    board.bundle("München-2.image", "2.0.0")
    assert board.update(str(board.stick)) == 0
    assert board.installed == ["München-2.image".encode()]


def test_a_folder_whose_name_is_not_utf_8_is_refused_in_words(board: Board, capsys: Any) -> None:
    board.stick = Path(os.fsdecode(os.fsencode(board.root.parent) + b"/sti\xfck"))
    board.stick.mkdir()
    board.bundle("good.image", "2.0.0")
    assert board.update(str(board.stick)) == 1
    assert "good.image is refused: its name is not UTF-8 text" in capsys.readouterr().out


def test_words_of_rauc_that_are_not_utf_8_are_shown_as_far_as_they_go(board: Board, capsys: Any) -> None:
    board.bundle("bad.image", "2.0.0", error="gr\u00fcn")
    assert board.update(str(board.stick)) == 1
    assert "bad.image is refused: gr" in capsys.readouterr().out


def test_the_journal_shows_a_strange_name_by_its_letters(board: Board, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "1:1")
    board.bundle(b"\xff\xfe.image", "3.0.0")
    assert board.update(str(board.stick)) == 1
    assert capsys.readouterr().out.startswith("<3>??.image is refused")
