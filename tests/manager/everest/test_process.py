"""EVerest's manager as a process: status lines, exit statuses, programs from outside, the admin panel."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.sync.client import connect

from chargebyte_fw.cli.main import main
from tests.manager.broker import Mosquitto, free_port

LIMIT_S = 40.0
SIMULATORS = """
active_modules:
  one: {module: ManagerLifecycleSimulator}
  two: {module: ManagerLifecycleSimulator}
"""


class Running:
    """A manager and the status lines that it has written."""

    def __init__(self, process: subprocess.Popen[bytes], fifo: int) -> None:
        self.process = process
        self.lines: list[str] = []
        self._fifo = fifo
        self._rest = b""

    def wait_for(self, line: str) -> None:
        """Wait for a line that was not waited for before."""
        give_up = time.monotonic() + LIMIT_S
        while line not in self.lines:
            assert time.monotonic() < give_up, f"{line} is not among {self.lines}"
            try:
                self._rest += os.read(self._fifo, 4096)
            except BlockingIOError:
                time.sleep(0.02)
            *lines, self._rest = self._rest.split(b"\n")
            self.lines += [text.decode() for text in lines]
        del self.lines[: self.lines.index(line) + 1]


@contextmanager
def manager(folder: Path, broker: Mosquitto, *options: str, port: int = 0) -> Iterator[Running]:
    settings = f"settings: {{mqtt_broker_port: {broker.port}, mqtt_broker_host: 127.0.0.1, controller_port: {port}}}\n"
    (folder / "c.yaml").write_text(SIMULATORS + settings)
    with started(folder, {}, "--config", str(folder / "c.yaml"), *options) as running:
        yield running


@contextmanager
def started(folder: Path, more: dict[str, str], *options: str) -> Iterator[Running]:
    """Start a manager with these variables of the environment besides the usual ones."""
    fifo = folder / "status.fifo"
    os.mkfifo(fifo)
    descriptor = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "manager", "--prefix", str(folder)]
    command += ["--status-fifo", str(fifo), *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MQTT_")} | more
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield Running(process, descriptor)
    finally:
        process.kill()
        process.wait()
        os.close(descriptor)


def test_a_graceful_stop_and_a_restart_by_the_panel(mosquitto: Mosquitto, tmp_path: Path) -> None:
    port = free_port()
    with manager(tmp_path, mosquitto, "--graceful-shutdown", port=port) as running:
        running.wait_for("ALL_MODULES_STARTED")
        with connect(f"ws://127.0.0.1:{port}", subprotocols=["everest-controller"]) as panel:  # type: ignore[list-item]
            panel.send(json.dumps({"id": 1, "method": "restart_modules"}))
            assert json.loads(panel.recv(10)) == {"id": 1, "result": {"accepted": True}}
            running.wait_for("MANAGER_RESTART_REQUESTED")
            running.wait_for("ALL_MODULES_STARTED")
        running.process.send_signal(signal.SIGINT)
        running.wait_for("SIGINT_RECEIVED")
        running.wait_for("ALL_MODULES_STOPPED_CLEAN")
        assert running.process.wait(LIMIT_S) == 0


def test_its_status_is_on_the_broker(mosquitto: Mosquitto, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with manager(tmp_path, mosquitto) as running:
        running.wait_for("ALL_MODULES_STARTED")
        assert main(["status", "--broker", f"127.0.0.1:{mosquitto.port}", "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        assert status["ready"] is True and status["configuration"].endswith("c.yaml")
        assert [(one["id"], one["state"]) for one in status["modules"]] == [("one", "running"), ("two", "running")]
        assert status["processes"][0]["pid"] == running.process.pid and status["processes"][0]["memory_MB"] > 5


def test_a_program_from_outside_is_waited_for(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with manager(tmp_path, mosquitto, "--standalone", "two") as running:
        running.wait_for("WAITING_FOR_STANDALONE_MODULES")
        assert "ALL_MODULES_STARTED" not in running.lines
        running.process.send_signal(signal.SIGTERM)
        running.wait_for("MANAGER_EXITING")
        assert running.process.wait(LIMIT_S) == 0


def test_a_module_that_is_ignored_is_not_waited_for(mosquitto: Mosquitto, tmp_path: Path) -> None:
    with manager(tmp_path, mosquitto, "--ignore", "two", "three", "--retain-topics") as running:
        running.wait_for("ALL_MODULES_STARTED")
        assert "WAITING_FOR_STANDALONE_MODULES" not in running.lines


def test_a_database_alone_is_started_from_in_the_slot_that_was_chosen(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """framework: 3.7. The first slot waits for a program that never comes, the second one starts."""
    (tmp_path / "waits.yaml").write_text("active_modules: {probe: {module: ProbeModule, standalone: true}}")
    (tmp_path / "starts.yaml").write_text(SIMULATORS)
    database = str(tmp_path / "c.db")
    for name in ("waits", "starts"):
        assert main(["configs", "add", "-c", str(tmp_path / f"{name}.yaml"), "-d", database]) == 0
    assert main(["configs", "choose", "-d", database, "-s", "1"]) == 0
    broker = {"MQTT_SERVER_ADDRESS": "127.0.0.1", "MQTT_SERVER_PORT": str(mosquitto.port)}
    with started(tmp_path, broker, "--db", database) as running:
        running.wait_for("ALL_MODULES_STARTED")
        # A slot can be deleted below a running manager, but not the one of its next start.
        assert main(["configs", "delete", "-d", database, "-s", "1"]) == 1
        assert main(["configs", "delete", "-d", database, "-s", "0"]) == 0
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("options", [["--unheard-of"], ["--check", "--db", "x"], ["--config", "a", "--conf", "b"]])
def test_a_wrong_call_fails(tmp_path: Path, options: list[str]) -> None:
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "manager", "--prefix", str(tmp_path), *options]
    assert subprocess.run(command, capture_output=True, timeout=LIMIT_S, check=False).returncode != 0
