"""The root starts as a service manager would start it: READY, watchdog, self check, a session, an overlay set aside."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager import watchdog
from chargebyte_fw.sim.net_cable import way_into_a_namespace
from tests import netns
from tests.image.conftest import SITE, Image
from tests.image.session import CHARGED, Session, place
from tests.manager.broker import Mosquitto

__all__ = ["place"]

CONFIGURATION = """active_modules:
  bsp:
    module: CbChargeSOMDriver
  store:
    module: PersistentStore
    config_module:
      sqlite_db_file_path: /var/lib/everest/store.db
"""


class Manager:
    """systemd's side of a service: the socket that it is told on."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "notify")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.address)
        self._socket.settimeout(0.1)
        self.told: list[tuple[float, str]] = []

    def listen(self, until: str, limit_s: float) -> bool:
        """Listen until a line comes."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            try:
                lines = self._socket.recv(4096).decode().splitlines()
            except TimeoutError:
                continue
            self.told += [(time.monotonic(), line) for line in lines]
            if until in lines:
                return True
        return False

    def count(self, line: str) -> int:
        return sum(one == line for _, one in self.told)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    mosquitto = Mosquitto(tmp_path)
    mosquitto.start()
    yield mosquitto
    mosquitto.kill()


@pytest.fixture
def unit(baked: Image) -> Image:
    """A baked root with the board and one store, and a board that answers beside it."""
    (baked.root / "etc/everest/config.yaml").unlink()
    (baked.root / "etc/everest/config.yaml").write_text(CONFIGURATION)
    (baked.root / "var/lib/everest").mkdir(parents=True)
    return baked


def start(image: Image, broker: Mosquitto, **environment: str) -> subprocess.Popen[str]:
    given = {
        **os.environ,
        "PYTHONPATH": f"{image.root}{SITE}",
        "MQTT_SERVER_ADDRESS": "127.0.0.1",
        "MQTT_SERVER_PORT": str(broker.port),
        **environment,
    }
    text = (image.root / "usr/lib/systemd/system/everest.service").read_text()
    found = re.search(r"(?m)^ExecStart=(.*)$", text)
    assert found
    program, *arguments = found[1].split()
    command = [str(image.python), "-P", f"{image.root}{program}", *arguments, "--root", str(image.root)]
    return subprocess.Popen(command, env=given, stderr=subprocess.PIPE, text=True)


def simulate(image: Image) -> subprocess.Popen[bytes]:
    """The virtual board's process, at the root's UART."""
    given = {**os.environ, "PYTHONPATH": f"{image.root}{SITE}"}
    command = [str(image.python), "-P", "-m", "chargebyte_fw.sim.board", "--root", str(image.root)]
    return subprocess.Popen(
        command, env=given, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def end(process: subprocess.Popen[Any]) -> str:
    process.send_signal(signal.SIGTERM)
    try:
        return str(process.communicate(timeout=30)[1])
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise


def selftest(image: Image) -> dict[str, tuple[bool, str]]:
    done = image.secc("selftest", "--json")
    return {row["check"]: (row["passed"], row["what"]) for row in json.loads(done.stdout)}


def test_the_service_says_ready_is_watched_checked_and_stopped(unit: Image, broker: Mosquitto, tmp_path: Path) -> None:
    manager = Manager(tmp_path)
    passed, why = selftest(unit)["stack"]
    assert not passed and why.startswith("the charging stack does not run (no ")
    charger = start(unit, broker, NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="800000")
    try:
        assert manager.listen("READY=1", 30), charger.poll()
        assert manager.listen("WATCHDOG=1", 5) and manager.listen("WATCHDOG=1", 5)
        rows = selftest(unit)
        assert rows["stack"][0] and rows["stores"][0] and rows["certificates"][0], rows
        for _ in range(50):
            if selftest(unit)["broker"][0]:
                break
            time.sleep(0.1)
        assert selftest(unit)["broker"] == (True, f"127.0.0.1:{broker.port}")
        # There is no board at this UART.
        assert not rows["board"][0]
        assert unit.secc("selftest").returncode == 1
    finally:
        said = end(charger)
    assert charger.returncode == 0, said
    assert manager.listen("STOPPING=1", 2)
    assert not (unit.root / "run/everest/standing.json").exists()


def test_with_its_board_the_self_check_passes_and_the_controllers_firmware_is_told(
    unit: Image, broker: Mosquitto, tmp_path: Path
) -> None:
    manager = Manager(tmp_path)
    board = simulate(unit)
    try:
        for _ in range(100):
            if (unit.root / "dev/ttyLP2").exists():
                break
            time.sleep(0.05)
        charger = start(unit, broker, NOTIFY_SOCKET=manager.address)
        try:
            assert manager.listen("READY=1", 30)
            for _ in range(100):
                if unit.secc("selftest").returncode == 0:
                    break
                time.sleep(0.1)
            rows = selftest(unit)
            assert all(passed for passed, _ in rows.values()), rows
            told = json.loads(unit.secc("version", "--json").stdout)
            assert re.match(r"\d+\.\d+\.\d+ \(", told["safety controller"]), told
        finally:
            end(charger)
    finally:
        board.kill()
        board.wait()


def test_a_standing_loop_is_not_watched_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manager = Manager(tmp_path)
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "200000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def charge() -> None:
        task = asyncio.create_task(watchdog.feed())
        await asyncio.sleep(0.2)
        manager.listen("never", 0.1)
        before = manager.count("WATCHDOG=1")
        assert before >= 3
        time.sleep(0.4)  # the loop stands still, for twice the watchdog's interval
        manager.listen("never", 0.1)
        assert manager.count("WATCHDOG=1") <= before + 1
        task.cancel()

    asyncio.run(charge())


def test_nobody_watches_a_process_on_a_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert watchdog.interval_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog.interval_s() is None
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog.interval_s() == 20


def test_a_broken_overlay_is_set_aside_with_a_fault_and_charging_starts(
    unit: Image, broker: Mosquitto, tmp_path: Path
) -> None:
    overlay = unit.root / "etc/everest/user-config/config.yaml"
    overlay.parent.mkdir()
    overlay.write_text("active_modules:\n  bsp:\n    config_module:\n      an_option_of_the_old_release: 1\n")
    manager = Manager(tmp_path)
    charger = start(unit, broker, NOTIFY_SOCKET=manager.address)
    try:
        assert manager.listen("READY=1", 30)
        standing = json.loads((unit.root / "run/everest/standing.json").read_text())
        assert any("VendorWarning" in fault and "set aside" in fault for fault in standing["faults"]), standing
        assert "an_option_of_the_old_release" in standing["notices"][0]
    finally:
        said = end(charger)
    assert "is set aside as config.yaml.set-aside" in said
    assert not overlay.exists() and overlay.with_name("config.yaml.set-aside").is_file()


def test_a_shipped_configuration_that_is_wrong_stays_an_error_with_its_status(unit: Image, broker: Mosquitto) -> None:
    (unit.root / "etc/everest/config.yaml").write_text("active_modules:\n  bsp:\n    module: CbChargeSOMDrive\n")
    charger = start(unit, broker)
    said = charger.communicate(timeout=30)[1]
    assert charger.returncode == 78 and "CbChargeSOMDriver" in said


def test_a_store_that_is_broken_fails_the_self_check(unit: Image) -> None:
    (unit.root / "var/lib/everest/bad.db").write_bytes(b"SQLite format 3\0" + b"x" * 4096)
    passed, what = selftest(unit)["stores"]
    assert not passed and "bad.db" in what


def test_a_key_that_everybody_can_read_fails_the_self_check(unit: Image) -> None:
    folder = unit.root / "etc/everest/certs/client"
    folder.mkdir(parents=True)
    (folder / "leaf.pem").write_text("no certificate\n")
    assert "holds no certificate" in selftest(unit)["certificates"][1]
    (folder / "leaf.pem").unlink()
    (folder / "leaf.key").write_text("key")
    (folder / "leaf.key").chmod(0o644)
    assert "read by everybody" in selftest(unit)["certificates"][1]


def test_a_session_charges_in_the_baked_root(pristine: Image, tmp_path: Path) -> None:
    try:
        way_into_a_namespace()
    except Unavailable as error:
        pytest.skip(str(error))
    options = ["--plain", "--speed", "5", "--battery-kWh", "1", "--target-soc-percent", "33"]
    done = pristine.secc("demo", *options, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    missing = pristine.run(pristine.root / "usr/bin/secc", "demo", *options, "--root", tmp_path, cwd=tmp_path)
    assert missing.returncode == 1 and "has no etc/everest" in missing.stdout + missing.stderr


FULL = "mount -t tmpfs -o size=64k none $d && head -c 1M /dev/zero >$d/full 2>/dev/null"
READ_ONLY = "mount -t tmpfs none $d && mount -o remount,ro $d"


@pytest.mark.slow
@pytest.mark.parametrize("command", [FULL, READ_ONLY], ids=["full", "read-only"])
def test_full_and_read_only_partitions_at_the_first_boot_keep_nobody_from_charging(
    pristine: Image, place: Path, command: str
) -> None:
    shutil.copytree(pristine.root, place / "root", symlinks=True)
    image = Image(place / "root", pristine.python)
    (place / "work").mkdir()
    folders = [image.root / name for name in ("srv", "var/lib/everest", "var/lib/secc", "var/log")]
    for folder in folders:
        folder.mkdir(parents=True)
    mounts = f'for d in {" ".join(map(str, folders))}; do {command}; done; exec "$@"'
    with netns.require(), netns.joined("eth1", "car0") as (charger, car):
        inside = ["unshare", "--mount", "sh", "-c", mounts, "sh"]
        said = Session(image, charger, car, place / "work", inside).wait(CHARGED)
        assert "Traceback" not in said, said
        assert [path.name for path in folders[1].iterdir()] == [], "the partition was not there"
