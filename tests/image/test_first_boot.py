"""The first boot of a unit, with a power cut anywhere and with full or read-only partitions; the self check."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.image.conftest import ROOT

SBIN = {**os.environ, "PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
SCRIPTS = ROOT / "usr/libexec/chargebyte"


def write_program(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def run(name: str, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{tmp_path / 'bin'}:/usr/sbin:/sbin:{os.environ['PATH']}"
    return subprocess.run(
        [SCRIPTS / name], env={"PATH": path, **environment}, capture_output=True, text=True, timeout=60
    )


# --- identity


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """A root whose boot loader's memory holds a serial number."""
    (tmp_path / "etc/everest").mkdir(parents=True)
    (tmp_path / "etc/everest/charger_info.yaml").write_text("vendor: chargebyte\nmodel: Charge SOM\n")
    (tmp_path / "etc/baptism-data.config").write_text("/dev/mmcblk0boot0 0x1E0000 0x20000\n")
    write_program(tmp_path / "bin", "fw_printenv", "echo 'CSOM-0042'")
    return tmp_path


def info(unit: Path) -> str:
    return (unit / "etc/everest/charger_info.yaml").read_text()


def test_the_serial_number_comes_from_the_unit(unit: Path) -> None:
    done = run("first-boot", unit, CHARGEBYTE_ROOT=str(unit))
    assert done.returncode == 0 and "CSOM-0042" in done.stdout
    assert info(unit) == 'vendor: chargebyte\nmodel: Charge SOM\nchargepoint_serial: "CSOM-0042"\n'


def test_it_may_run_at_every_start(unit: Path) -> None:
    for _ in range(3):
        assert run("first-boot", unit, CHARGEBYTE_ROOT=str(unit)).returncode == 0
    assert info(unit).count("chargepoint_serial") == 1


def test_a_power_cut_leaves_the_old_file_or_the_new_one(unit: Path) -> None:
    leftover = unit / "etc/everest/charger_info.yaml.new.7"
    leftover.write_text("vendor: char")
    assert run("first-boot", unit, CHARGEBYTE_ROOT=str(unit)).returncode == 0
    assert info(unit).count("chargepoint_serial") == 1 and not leftover.exists()


@pytest.mark.parametrize("program", ["fw_printenv", "grep", "cat", "sync", "mv"])
def test_the_power_may_go_at_any_step_of_the_first_boot(unit: Path, program: str) -> None:
    before = info(unit)
    whole = (unit / "bin/fw_printenv").read_text()
    write_program(unit / "bin", program, "kill -9 $PPID")
    assert run("first-boot", unit, CHARGEBYTE_ROOT=str(unit)).returncode != 0
    assert info(unit) == before
    (unit / "bin" / program).unlink()
    write_program(unit / "bin", "fw_printenv", whole.partition("\n")[2])
    assert run("first-boot", unit, CHARGEBYTE_ROOT=str(unit)).returncode == 0
    assert info(unit) == before + 'chargepoint_serial: "CSOM-0042"\n'
    assert [path.name for path in (unit / "etc/everest").iterdir()] == ["charger_info.yaml"]


def test_what_production_wrote_does_not_become_yaml(unit: Path) -> None:
    write_program(unit / "bin", "fw_printenv", "printf 'A\"\\nmodel: stolen\\n'")
    run("first-boot", unit, CHARGEBYTE_ROOT=str(unit))
    assert info(unit).endswith('chargepoint_serial: "Amodel:stolen"\n') and "model: stolen" not in info(unit)


def test_a_unit_without_a_serial_number_starts(unit: Path) -> None:
    write_program(unit / "bin", "fw_printenv", "exit 1")
    done = run("first-boot", unit, CHARGEBYTE_ROOT=str(unit))
    assert done.returncode == 0 and "no serial number" in done.stdout
    assert "chargepoint_serial" not in info(unit)


@pytest.mark.parametrize("program", ["mv", "sync"])
def test_a_full_or_read_only_file_system_keeps_nobody_from_charging(unit: Path, program: str) -> None:
    write_program(unit / "bin", program, "exit 1")
    done = run("first-boot", unit, CHARGEBYTE_ROOT=str(unit))
    assert done.returncode == 0 and "cannot be written" in done.stdout
    assert info(unit) == "vendor: chargebyte\nmodel: Charge SOM\n"
    assert list((unit / "etc/everest").iterdir()) == [unit / "etc/everest/charger_info.yaml"]


# --- partitions


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Partitions as files: `disk5`, `disk6`, `disk7`."""
    for number in (5, 6, 7):
        with (tmp_path / f"disk{number}").open("wb") as part:
            part.truncate(8 << 20)
    return tmp_path / "disk"


def label(part: Path) -> str:
    done = subprocess.run(
        ["blkid", "-p", "-s", "LABEL", "-o", "value", part],
        capture_output=True,
        text=True,
        env={"PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"},
    )
    return done.stdout.strip()


def test_a_new_unit_gets_its_data_partitions_once(disk: Path) -> None:
    done = run("make-data-partitions", disk.parent, DISK=str(disk))
    assert done.returncode == 0, done.stderr
    assert [label(Path(f"{disk}{n}")) for n in (5, 6, 7)] == ["srv", "log-a", "log-b"]
    before = Path(f"{disk}5").read_bytes()
    again = run("make-data-partitions", disk.parent, DISK=str(disk))
    assert again.returncode == 0 and again.stdout == "" and Path(f"{disk}5").read_bytes() == before


def test_a_power_cut_while_a_partition_is_made_makes_it_again(disk: Path) -> None:
    # The file system is there, and its label, which is written last, is not.
    environment = {"PATH": f"/usr/sbin:/sbin:{os.environ['PATH']}"}
    subprocess.run(["mkfs.ext4", "-q", "-F", f"{disk}5"], check=True, env=environment)
    done = run("make-data-partitions", disk.parent, DISK=str(disk))
    assert done.returncode == 0 and "made" in done.stdout and label(Path(f"{disk}5")) == "srv"


@pytest.mark.parametrize("program", ["blkid", "mkfs.ext4", "sync", "e2label"])
def test_the_power_may_go_at_any_step_of_making_the_partitions(disk: Path, program: str) -> None:
    # The step is done, and then there is no power.
    real = shutil.which(program, path=f"/usr/sbin:/sbin:{os.environ['PATH']}")
    write_program(disk.parent / "bin", program, f'{real} "$@"; kill -9 $PPID')
    for _ in range(3):
        assert run("make-data-partitions", disk.parent, DISK=str(disk)).returncode != 0
    (disk.parent / "bin" / program).unlink()
    assert run("make-data-partitions", disk.parent, DISK=str(disk)).returncode == 0
    assert [label(Path(f"{disk}{n}")) for n in (5, 6, 7)] == ["srv", "log-a", "log-b"]
    for number in (5, 6, 7):
        done = subprocess.run(["e2fsck", "-fn", f"{disk}{number}"], capture_output=True, text=True, env=SBIN)
        assert done.returncode == 0, done.stdout


def test_a_partition_that_cannot_be_made_is_told_and_the_others_are(disk: Path) -> None:
    Path(f"{disk}6").unlink()
    Path(f"{disk}6").mkdir()
    done = run("make-data-partitions", disk.parent, DISK=str(disk))
    assert done.returncode == 1 and "could not be made" in done.stdout
    assert label(Path(f"{disk}5")) == "srv" and label(Path(f"{disk}7")) == "log-b"


# --- self check and slot


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    """A started system in slot B whose self check says what `verdict` holds."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cmdline").write_text("quiet rauc.slot=B console=ttyLP0\n")
    (tmp_path / "usr/share/secc").mkdir(parents=True)
    (tmp_path / "usr/share/secc/VERSION").write_text("2.0.0\n")
    (tmp_path / "var/lib/secc/previous-version").mkdir(parents=True)
    (tmp_path / "var/lib/secc/previous-version/VERSION").write_text("1.0.0\n")
    for name in ("secc", "rauc", "systemctl"):
        write_program(
            tmp_path / "bin", name, f'echo "$@" >>{tmp_path}/{name}.calls\nexit $(cat {tmp_path}/{name}.says)'
        )
        (tmp_path / f"{name}.says").write_text("0")
    return tmp_path


def mark_good(slot: Path) -> subprocess.CompletedProcess[str]:
    return run("mark-good", slot, CHARGEBYTE_ROOT=str(slot), SELFTEST_TRIES="3", SELFTEST_PAUSE_S="0")


def calls(slot: Path, name: str) -> list[str]:
    path = slot / f"{name}.calls"
    return path.read_text().splitlines() if path.exists() else []


def test_the_slot_is_good_after_the_self_check(slot: Path) -> None:
    assert mark_good(slot).returncode == 0
    assert calls(slot, "secc") == ["selftest"] and calls(slot, "rauc") == ["status mark-good"]
    assert (slot / "var/lib/secc/good-B").read_text() == "2.0.0\n"


def test_a_new_system_that_fails_its_self_check_starts_again_so_that_the_boot_loader_falls_back(slot: Path) -> None:
    (slot / "secc.says").write_text("1")
    done = mark_good(slot)
    assert done.returncode == 1 and "falls back" in done.stdout
    assert len(calls(slot, "secc")) == 3 and calls(slot, "systemctl") == ["reboot"] and calls(slot, "rauc") == []


def test_a_unit_as_it_was_flashed_has_nothing_to_fall_back_to_and_stays_up(slot: Path) -> None:
    (slot / "var/lib/secc/previous-version/VERSION").unlink()
    (slot / "secc.says").write_text("1")
    done = mark_good(slot)
    assert done.returncode == 1 and "none to fall back to" in done.stdout
    assert calls(slot, "systemctl") == [] and calls(slot, "rauc") == []


def test_a_system_that_was_good_before_stays_up(slot: Path) -> None:
    assert mark_good(slot).returncode == 0
    (slot / "secc.says").write_text("1")
    done = mark_good(slot)
    assert done.returncode == 1 and "stays up" in done.stdout and calls(slot, "systemctl") == []


def test_another_version_in_the_same_slot_has_to_prove_itself_again(slot: Path) -> None:
    assert mark_good(slot).returncode == 0
    (slot / "usr/share/secc/VERSION").write_text("2.0.1\n")
    (slot / "secc.says").write_text("1")
    mark_good(slot)
    assert calls(slot, "systemctl") == ["reboot"]
