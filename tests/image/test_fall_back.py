"""A new system proves itself, or the boot loader goes back: real RAUC and self check, U-Boot's counters; power cuts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.image.conftest import ROOT, SITE, Image
from tests.image.plant import ATTEMPTS, SLOT_SIZE, Plant, needs_loop_devices, plant, write_program
from tests.image.test_start import Manager, broker, end, simulate, start, unit
from tests.manager.broker import Mosquitto

__all__ = ["broker", "plant", "unit"]

MARK_GOOD = ROOT / "usr/libexec/chargebyte/mark-good"


class Updated:
    """A board that has installed a new system: the boot loader tries slot B next."""

    def __init__(self, plant: Plant, image: Image) -> None:
        self.plant, self.image = plant, image
        key = plant.key("key")
        self.keyring = key / "ca.pem"
        said = plant.install(plant.bundle("good", key), self.keyring)
        assert "installed=0" in said, said
        (image.root / "proc").mkdir()
        # As the update's carry-over leaves it.
        (image.root / "var/lib/secc/previous-version").mkdir(parents=True)
        (image.root / "var/lib/secc/previous-version/VERSION").write_text("1.0.0\n")
        (image.root / "usr/share/secc/VERSION").write_text("2.0.0\n")
        environment = f"PYTHONPATH={image.root}{SITE}"
        command = f'{image.python} -P {image.root}/usr/bin/secc "$@" --root {image.root}'
        write_program(plant.programs / "secc", f"#!/bin/sh\n{environment} exec {command}\n")
        write_program(plant.programs / "systemctl", f'#!/bin/sh\necho "$@" >>{plant.folder}/systemctl.calls\n')

    def start(self) -> str:
        """Switch on; returns the slot that is taken."""
        slot = self.plant.boot()
        (self.image.root / "proc/cmdline").write_text(f"console=ttyLP0 rauc.slot={slot}\n")
        return slot

    def mark_good(self) -> str:
        """Run the service's program in the system that was started, beside RAUC."""
        slot = (self.image.root / "proc/cmdline").read_text().strip()[-1]
        return self.plant.with_rauc(
            self.keyring,
            f"{MARK_GOOD}; echo marked=$?",
            booted=slot,
            CHARGEBYTE_ROOT=str(self.image.root),
            SELFTEST_TRIES="2",
            SELFTEST_PAUSE_S="1",
        )

    @property
    def restarts(self) -> int:
        """How often the system asked for a restart."""
        calls = self.plant.folder / "systemctl.calls"
        return calls.read_text().splitlines().count("reboot") if calls.exists() else 0


@pytest.fixture
def updated(plant: Plant, unit: Image) -> Updated:
    needs_loop_devices()
    return Updated(plant, unit)


@contextmanager
def charging(image: Image, broker: Mosquitto, folder: Path) -> Iterator[None]:
    """Let the charging stack of the root run, ready, with a safety controller that answers."""
    manager = Manager(folder)
    board = simulate(image)
    try:
        for _ in range(100):
            if (image.root / "dev/ttyLP2").exists():
                break
            time.sleep(0.05)
        charger = start(image, broker, NOTIFY_SOCKET=manager.address)
        try:
            assert manager.listen("READY=1", 30)
            yield
        finally:
            end(charger)
    finally:
        board.kill()
        board.wait()


def test_a_new_system_that_fails_its_self_check_is_left_for_the_old_one(updated: Updated) -> None:
    # The stack does not come up in the new system.
    for attempt in range(ATTEMPTS):
        assert updated.start() == "B"
        said = updated.mark_good()
        assert "FAILED  stack" in said and "falls back" in said and "marked=1" in said, said
        assert updated.restarts == attempt + 1
        assert updated.plant.memory()["BOOT_B_LEFT"] == str(ATTEMPTS - 1 - attempt)
    assert updated.start() == "A"
    assert updated.start() == "A", "and it stays there"


def test_a_full_or_broken_data_partition_takes_no_good_system_away(plant: Plant, tmp_path: Path) -> None:
    needs_loop_devices()
    key = plant.key("key")
    # RAUC's notes are on the data partition; nothing can be written where they would be.
    (plant.folder / "status").mkdir()
    plant.environment.write_text("BOOT_ORDER=B A\nBOOT_A_LEFT=3\nBOOT_B_LEFT=2\n")
    said = plant.with_rauc(key / "ca.pem", "rauc status mark-good; echo marked=$?", booted="B")
    assert "marked=0" in said and plant.memory()["BOOT_B_LEFT"] == str(ATTEMPTS), said
    said = plant.install(plant.bundle("next", key), key / "ca.pem", booted="B")
    # An installation that cannot be noted is given up; what runs stays what starts.
    assert "Error while writing status file" in said and "installed=1" in said and plant.boot() == "B", said


def test_a_new_system_that_passes_stays(updated: Updated, broker: Mosquitto, tmp_path: Path) -> None:
    assert updated.start() == "B"
    with charging(updated.image, broker, tmp_path):
        for _ in range(50):
            if updated.image.secc("selftest").returncode == 0:
                break
            time.sleep(0.1)
        said = updated.mark_good()
    assert "marked=0" in said and "system 2.0.0 in slot B is good" in said, said
    assert updated.restarts == 0 and updated.plant.memory()["BOOT_B_LEFT"] == str(ATTEMPTS)
    assert [updated.start() for _ in range(ATTEMPTS)] == ["B"] * ATTEMPTS
    # Now that it was good once, a self check that fails later is told and starts nothing again.
    assert "stays up" in updated.mark_good() and updated.restarts == 0


# RAUC changes the boot loader's memory four times: the target is out of the order, has no attempts; it has them back,
# is the first in the order.
@pytest.mark.slow
@pytest.mark.parametrize(
    "when", ["before 1", "after 1", "before 2", "after 2", "before 3", "after 4", "while carrying"]
)
def test_a_power_cut_while_installing_leaves_a_system_that_starts(plant: Plant, when: str, tmp_path: Path) -> None:
    needs_loop_devices()
    new = tmp_path / "new"
    step = new / "usr/lib/rauc/post-install.d/10-carry-over"
    cut = f"kill -9 $(cat {plant.environment}.pid); sleep 1" if when == "while carrying" else ":"
    step.parent.mkdir(parents=True)
    write_program(step, f"#!/bin/sh\necho half >$2/kept\n{cut}\necho whole >$2/kept\n")
    key = plant.key("key")
    bundle = plant.bundle("good", key, root=new)
    plant.cut(when)
    said = plant.install(bundle, key / "ca.pem")
    assert "installed=0" not in said, said
    booted = plant.boot()
    # It is the new system only where the installation was over, all but its last word.
    assert booted == ("B" if when == "after 4" else "A")
    assert plant.slot("A").read_bytes() == bytes(SLOT_SIZE), "the running slot was written"
    # Once more, with power.
    step.write_text("#!/bin/sh\necho whole >$2/kept\n")
    plant.cut("never")
    said = plant.install(plant.bundle("again", key, root=new), key / "ca.pem", booted=booted)
    assert "installed=0" in said, said
    assert plant.boot() == ("A" if booted == "B" else "B")
