"""`secc update`: what a USB stick brings is installed once, if it is ours and for this board. With real RAUC."""

from __future__ import annotations

import itertools
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.update import age
from tests.image.conftest import ROOT, SITE, Image
from tests.image.plant import IMAGE_SIZE, SBIN, Plant, needs_loop_devices, plant, write_program

__all__ = ["plant"]

UNIT = ROOT / "usr/lib/systemd/system/chargebyte-usb-update@.service"


@dataclass
class Board:
    """A board with version 1.0.0 in slot A, good, and a stick."""

    plant: Plant
    image: Image
    key: Path

    @property
    def stick(self) -> Path:
        """What is on the stick; it becomes a file system of its own when it is plugged in."""
        return self.plant.folder / "stick"

    def bundle(self, name: str, version: str, *, key: Path | None = None, **options: Any) -> Path:
        """Put a bundle on the stick."""
        return self.plant.bundle(name, key or self.key, folder=self.stick, version=version, **options)

    def update(self, *arguments: str, booted: str = "A") -> str:
        """Run the command beside RAUC."""
        (self.image.root / "proc/cmdline").write_text(f"rauc.slot={booted} quiet\n")
        script = f"secc update {' '.join(arguments)} --root {self.image.root}; echo status=$?"
        return self.plant.with_rauc(self.key / "ca.pem", script, booted=booted)

    def plug_in(self, booted: str = "A") -> str:
        """Let the stick be mounted as its unit does, and looked through."""
        device, place = self.plant.folder / "stick.ext4", self.plant.folder / "mounted"
        place.mkdir(exist_ok=True)
        device.unlink(missing_ok=True)
        size = 4 * IMAGE_SIZE + sum(path.stat().st_size for path in self.stick.iterdir())
        with device.open("wb") as file:
            file.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-d", str(self.stick), str(device)], check=True, env=SBIN)
        before = device.read_bytes()
        options = re.findall(r"--options=(\S+)", UNIT.read_text())[0]
        (self.image.root / "proc/cmdline").write_text(f"rauc.slot={booted} quiet\n")
        script = (
            f"mount -o loop,{options} {device} {place} || exit 1\n"
            f"secc update {place} --reboot --root {self.image.root}; echo status=$?\numount {place}"
        )
        said = self.plant.with_rauc(self.key / "ca.pem", script, booted=booted)
        assert device.read_bytes() == before, "something was written to the stick"
        return said

    def runs(self, slot: str, version: str) -> None:
        """Let a slot's system be the one that runs and that has passed its self check."""
        (self.image.root / "usr/share/secc/VERSION").write_text(f"{version}\n")
        (self.image.root / f"var/lib/secc/good-{slot}").write_text(f"{version}\n")

    @property
    def restarts(self) -> int:
        """How often a restart was asked for."""
        calls = self.plant.folder / "systemctl.calls"
        return calls.read_text().splitlines().count("reboot") if calls.exists() else 0


@pytest.fixture
def board(plant: Plant, baked: Image) -> Board:
    needs_loop_devices()
    made = Board(plant, baked, plant.key("key"))
    for folder in (made.stick, baked.root / "proc", baked.root / "var/lib/secc", baked.root / "srv"):
        folder.mkdir(parents=True)
    made.runs("A", "1.0.0")
    command = f"PYTHONPATH={baked.root}{SITE} exec {baked.python} -P {baked.root}/usr/bin/secc"
    write_program(plant.programs / "secc", f'#!/bin/sh\n{command} "$@"\n')
    write_program(plant.programs / "systemctl", f'#!/bin/sh\necho "$@" >>{plant.folder}/systemctl.calls\n')
    return made


def test_the_newest_bundle_on_a_stick_is_installed_once_and_started(board: Board) -> None:
    board.bundle("older", "1.5.0")
    board.bundle("newer", "2.0.0")
    (board.stick / "holiday.jpg").write_bytes(b"x")
    said = board.plug_in()
    assert "installing newer.image (2.0.0)" in said and "status=0" in said, said
    assert board.restarts == 1 and board.plant.boot() == "B"
    # The stick is still in when the new system starts.
    board.runs("B", "2.0.0")
    said = board.plug_in("B")
    assert "left alone" in said and "status=0" in said and "installing" not in said, said
    assert board.restarts == 1 and board.plant.boot() == "B"


def test_a_system_that_was_left_again_does_not_come_back_by_the_same_stick(board: Board) -> None:
    board.bundle("new", "2.0.0")
    assert "installed new.image" in board.plug_in()
    # The new system failed its self check; the old one runs again, and the stick is still in.
    said = board.plug_in("A")
    assert "new.image (2.0.0) is installed already, or was" in said and board.restarts == 1, said


def test_an_old_stick_does_not_undo_a_later_update(board: Board) -> None:
    board.bundle("new", "2.0.0")
    assert "installed new.image" in board.plug_in()
    # Two updates over the network came since; neither slot holds what the stick did.
    for booted, name, version in (("B", "third", "3.0.0"), ("A", "fourth", "4.0.0")):
        board.runs(booted, "2.0.0" if booted == "B" else "3.0.0")
        other = board.plant.bundle(name, board.key, version=version)
        assert "status=0" in board.update(str(other), booted=booted)
    board.runs("B", "4.0.0")
    said = board.plug_in("B")
    assert "left alone" in said and "installing" not in said, said


def test_a_person_may_install_a_named_bundle_again(board: Board) -> None:
    bundle = board.bundle("new", "2.0.0")
    for _ in range(2):
        said = board.update(str(bundle))
        assert "installed new.image (2.0.0); the next start is with it" in said and "status=0" in said, said
    assert board.restarts == 0


def test_forged_changed_and_other_boards_bundles_are_told_and_left(board: Board) -> None:
    board.bundle("forged", "3.0.0", key=board.plant.key("theirs"))
    board.bundle("other", "4.0.0", compatible="Other Board")
    changed = board.bundle("changed", "5.0.0")
    content = bytearray(changed.read_bytes())
    content[len(content) // 3] ^= 1
    changed.write_bytes(content)
    (board.stick / "noise.image").write_bytes(b"no bundle at all" * 1000)
    (board.stick / "empty.raucb").write_bytes(b"")
    said = board.plug_in()
    assert re.search(r"forged\.image is refused: .*issuer certificate", said), said
    assert "changed.image is refused" in said and "noise.image is refused" in said and "empty.raucb is refused" in said
    assert "other.image (4.0.0) is for 'Other Board', this board is 'chargebyte Charge SOM': left alone" in said
    assert "status=1" in said and board.restarts == 0 and board.plant.boot() == "A"
    assert not any(board.plant.slot("B").read_bytes()), "the other slot was written"


def test_a_good_bundle_beside_a_forged_one_is_installed(board: Board) -> None:
    board.bundle("forged", "3.0.0", key=board.plant.key("theirs"))
    board.bundle("good", "2.0.0")
    said = board.plug_in()
    assert "forged.image is refused" in said and "installed good.image" in said and "status=0" in said, said


def test_a_system_that_is_not_good_yet_keeps_the_one_to_fall_back_to(board: Board) -> None:
    board.bundle("new", "2.0.0")
    (board.image.root / "var/lib/secc/good-A").unlink()
    said = board.plug_in()
    assert "has not passed its self check yet" in said and "status=1" in said and board.plant.boot() == "A", said


def test_a_stick_without_a_bundle_is_no_failure(board: Board) -> None:
    said = board.plug_in()
    assert "no bundle" in said and "status=0" in said, said


def test_a_data_partition_that_cannot_be_written_is_told_and_the_update_installed(board: Board) -> None:
    shutil.rmtree(board.image.root / "srv")
    (board.image.root / "srv").write_text("")
    board.bundle("new", "2.0.0")
    said = board.plug_in()
    assert "cannot be written" in said and "installed new.image" in said and board.restarts == 1, said
    board.runs("B", "2.0.0")
    assert "left alone" in board.plug_in("B")


def test_the_journal_gets_priorities_and_no_control_characters(board: Board) -> None:
    (board.stick / "a\x1b[2J\n<0>b.image").write_bytes(b"noise")
    board.plant.environment.with_name("quiet").write_text("")
    (board.image.root / "proc/cmdline").write_text("rauc.slot=A\n")
    said = board.plant.with_rauc(
        board.key / "ca.pem", f"JOURNAL_STREAM=1:1 secc update {board.stick} --root {board.image.root}"
    )
    assert re.search(r"(?m)^<3>a\?\[2J\?<0>b\.image is refused", said), said


def test_versions_are_ordered_by_numbers() -> None:
    order = ["0.1.0", "0.1.0+3.gabc", "0.1.0+12.g0000001.changed", "0.2.0", "0.10.0"]
    assert all(age(older) < age(newer) for older, newer in itertools.pairwise(order))


def test_a_stick_is_mounted_so_that_nothing_on_it_is_written_or_run() -> None:
    text = UNIT.read_text()
    assert "--options=ro,nosuid,nodev,noexec" in text
    rules = (ROOT / "usr/lib/udev/rules.d/70-chargebyte-usb.rules").read_text()
    assert 'SUBSYSTEMS=="usb"' in rules and 'ENV{ID_FS_USAGE}=="filesystem"' in rules
    assert "chargebyte-usb-update@$kernel.service" in rules
