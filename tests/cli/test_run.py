"""A real `secc run` in a process of its own: ready line, signals, brokers, exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from tests.manager.broker import Mosquitto, free_port

CONFIG = """\
settings:
  mqtt_broker_host: 127.0.0.1
  mqtt_broker_port: {port}
active_modules:
  supply:
    module: DCSupplySimulator
  imd:
    module: IMDSimulator
"""
LIMIT_S = 30.0


class Run:
    """A running `secc run`; `lines` holds what it said so far."""

    def __init__(self, root: Path, *options: str) -> None:
        command = [sys.executable, "-m", "chargebyte_fw.cli.main", "run", "--root", str(root), *options]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.output = root / "output"
        with self.output.open("wb") as file:
            self.process = subprocess.Popen(command, stderr=file, stdout=file, env=environment)

    def text(self) -> str:
        return self.output.read_text()

    def wait_for(self, words: str) -> None:
        give_up = time.monotonic() + LIMIT_S
        while words not in self.text():
            if time.monotonic() > give_up or (self.process.poll() is not None and words not in self.text()):
                pytest.fail(f"{words!r} did not come:\n{self.text()}")
            time.sleep(0.01)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(*options: str, port: int = 1) -> Run:
        (tmp_path / "etc/everest").mkdir(parents=True, exist_ok=True)
        (tmp_path / "etc/everest/config.yaml").write_text(CONFIG.format(port=port))
        runs.append(Run(tmp_path, *options))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_the_safe_state_with_exit_status_0(start: Callable[..., Run], number: int) -> None:
    run = start("--broker", "none")
    run.wait_for("ready in ")
    assert run.end(number) == 0
    lines = [line.split(" ", 2)[2].strip() for line in run.text().splitlines()]
    assert lines[-2:] == [
        f"manager: stopping ({signal.Signals(number).name}): safe state first",
        "manager: stopped",
    ]
    assert "Traceback" not in run.text()


def test_who_was_told_to_outlive_its_terminal_does(tmp_path: Path, start: Callable[..., Run]) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run = start("--broker", "none")
    finally:
        signal.signal(signal.SIGHUP, before)
    run.wait_for("ready in ")
    run.process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert run.process.poll() is None
    assert run.end(signal.SIGTERM) == 0


def test_a_second_charger_of_the_same_root_does_not_start_and_takes_nothing_from_the_first(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    run = start("--broker", "none")
    run.wait_for("ready in ")
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "run", "--root", str(tmp_path), "--broker", "none"]
    # COLUMNS, which readline exports in a test run, would have the line folded.
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    second = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=environment)
    assert second.returncode == 1
    last = second.stderr.splitlines()[-1]
    assert last.startswith(f"secc: another charger runs here (process {run.process.pid}): "), second.stderr
    assert "Traceback" not in second.stderr
    assert (tmp_path / "run/secc/control").is_socket() and (tmp_path / "run/everest/standing.json").is_file()
    assert run.end(signal.SIGKILL) == -signal.SIGKILL
    third = start("--broker", "none")
    third.wait_for("ready in ")
    assert third.end(signal.SIGTERM) == 0


def test_without_a_broker_in_reach_it_is_ready_all_the_same_and_says_so_once(start: Callable[..., Run]) -> None:
    run = start(port=free_port())
    run.wait_for("ready in ")
    run.wait_for("is away (Connection refused); charging goes on without it")
    time.sleep(1.2)
    assert run.end(signal.SIGTERM) == 0
    assert run.text().count("is away") == 1


def test_tools_of_others_see_it_through_the_configured_broker(start: Callable[..., Run], mosquitto: Mosquitto) -> None:
    listen = ["mosquitto_sub", "-p", str(mosquitto.port), "-t", "everest/modules/supply/impl/main/#", "-C", "1", "-v"]
    with subprocess.Popen(listen, stdout=subprocess.PIPE, text=True) as listener:
        run = start("--wire-commands-from", "tool", port=mosquitto.port)
        run.wait_for("is there")
        answer = "everest/modules/supply/impl/main/cmd/setMode/response/tool"
        call = {"id": "7", "origin": "tool", "args": {"mode": "Off", "phase": "Other"}}
        ask = ["mosquitto_rr", "-p", str(mosquitto.port), "-t", answer.partition("/response")[0], "-e", answer]
        message = json.dumps({"msg_type": "Cmd", "data": call})
        done = subprocess.run([*ask, "-m", message, "-W", "10"], capture_output=True, text=True, timeout=30, check=True)
        assert json.loads(done.stdout)["data"]["data"] == {"id": "7", "origin": "supply", "retval": None}
        listener.wait(LIMIT_S)
        assert listener.stdout is not None and listener.stdout.read().startswith("everest/modules/supply/impl/main/")
    assert run.end(signal.SIGTERM) == 0


def test_commands_are_taken_from_declared_origins_only_and_facts_are_shown_to_all(
    start: Callable[..., Run], mosquitto: Mosquitto
) -> None:
    run = start(port=mosquitto.port)
    run.wait_for("is there")
    topic = "everest/modules/supply/impl/main/cmd/setMode"
    answer = f"{topic}/response/tool"
    call = {"id": "7", "origin": "tool", "args": {"mode": "Export", "phase": "Charging"}}
    message = json.dumps({"msg_type": "Cmd", "data": call})
    ask = ["mosquitto_rr", "-p", str(mosquitto.port), "-t", topic, "-e", answer, "-m", message, "-W", "10"]
    for _ in range(3):
        done = subprocess.run(ask, capture_output=True, text=True, timeout=30, check=True)
        assert json.loads(done.stdout)["data"]["data"]["error"] == {
            "__everest__error_type": "HandlerException",
            "__everest__error_msg": "commands over MQTT are not taken from tool",
        }
    assert run.end(signal.SIGTERM) == 0
    lines = [line for line in run.text().splitlines() if "may not command here" in line]
    assert len(lines) == 1 and f"{topic}: tool may not command here (--wire-commands-from tool)" in lines[0]


def test_without_a_word_about_the_broker_the_socket_of_the_shipped_one_is_used(
    tmp_path: Path, start: Callable[..., Run]
) -> None:
    """There the charging stack may do what port 1883 does not allow; who names a broker gets that one."""
    (tmp_path / "run/mosquitto").mkdir(parents=True)
    broker = Mosquitto(tmp_path)
    broker.config.write_text(
        broker.config.read_text().replace(str(broker.socket_path), f"{tmp_path}/run/mosquitto/everest.socket")
    )
    broker.start()
    try:
        run = start(port=broker.port)
        run.wait_for(f"broker 127.0.0.1:{broker.port} is there")
        assert run.end(signal.SIGTERM) == 0
        config = tmp_path / "etc/everest/config.yaml"
        config.write_text(config.read_text()[config.read_text().index("active_modules") :])
        again = Run(tmp_path)
        again.wait_for(f"broker unix://{tmp_path}/run/mosquitto/everest.socket is there")
        assert again.end(signal.SIGTERM) == 0
    finally:
        broker.kill()


def test_a_broker_that_starts_later_is_found_at_its_socket(tmp_path: Path, start: Callable[..., Run]) -> None:
    (tmp_path / "run/mosquitto").mkdir(parents=True)
    start(port=1).end(signal.SIGTERM)
    config = tmp_path / "etc/everest/config.yaml"
    config.write_text(config.read_text()[config.read_text().index("active_modules") :])
    run = Run(tmp_path)
    run.wait_for("ready in ")
    broker = Mosquitto(tmp_path)
    socket_path = f"{tmp_path}/run/mosquitto/everest.socket"
    broker.config.write_text(broker.config.read_text().replace(str(broker.socket_path), socket_path))
    broker.start()
    try:
        run.wait_for(f"broker unix://{socket_path} is ")
        assert run.end(signal.SIGTERM) == 0
    finally:
        broker.kill()


def test_the_wire_can_be_switched_off(start: Callable[..., Run], mosquitto: Mosquitto) -> None:
    run = start("--wire", "off", port=mosquitto.port)
    run.wait_for("is there")
    listen = ["mosquitto_sub", "-p", str(mosquitto.port), "-t", "everest/#", "-C", "1", "-W", "2"]
    assert subprocess.run(listen, capture_output=True, timeout=30, check=False).stdout == b""
    assert run.end(signal.SIGTERM) == 0


def test_it_brings_a_broker_when_asked_to_and_takes_it_away(start: Callable[..., Run]) -> None:
    port = free_port()
    run = start("--broker", "embedded", port=port)
    run.wait_for(f"broker 127.0.0.1:{port} is there")
    assert run.end(signal.SIGTERM) == 0
    listen = ["mosquitto_sub", "-p", str(port), "-t", "x", "-C", "1", "-W", "1"]
    assert b"refused" in subprocess.run(listen, capture_output=True, timeout=30, check=False).stderr


def test_its_broker_ends_with_it_even_when_it_is_killed(start: Callable[..., Run]) -> None:
    port = free_port()
    run = start("--broker", "embedded", port=port)
    run.wait_for("is there")
    run.end(signal.SIGKILL)
    give_up = time.monotonic() + LIMIT_S
    listen = ["mosquitto_sub", "-p", str(port), "-t", "x", "-C", "1", "-W", "1"]
    while b"refused" not in subprocess.run(listen, capture_output=True, timeout=30, check=False).stderr:
        assert time.monotonic() < give_up, "the broker outlives us"


def test_a_log_level_for_one_module(start: Callable[..., Run]) -> None:
    run = start("--broker", "none", "--log-level", "WARNING", "--log-level", "manager=INFO")
    run.wait_for("ready in ")
    assert run.end(signal.SIGTERM) == 0
    assert all(" manager: " in line for line in run.text().splitlines())


def test_a_trace_on_request(start: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = start("--broker", "none")
    run.wait_for("ready in ")
    run.process.send_signal(signal.SIGUSR1)
    run.wait_for("-request.cbor")
    assert run.end(signal.SIGTERM) == 0
    assert main(["trace", "show", "--root", str(tmp_path), "--kind", "var", "--source", "supply.main.mode"]) == 0
    assert capsys.readouterr().out.split()[1:] == ["var", "supply.main.mode", "Off"]
    assert main(["trace", "list", "--root", str(tmp_path)]) == 0
    assert "-request.cbor" in capsys.readouterr().out


def test_secc_trace_save_asks_the_running_charger(
    start: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = start("--broker", "none")
    run.wait_for("ready in ")
    assert main(["trace", "save", "--root", str(tmp_path), "--why", "a look"]) == 0
    told = capsys.readouterr().out.strip()
    assert told.startswith("trace of ") and told.endswith("-a-look.cbor")
    assert Path(told.rpartition(" ")[2]).is_file()
    assert run.end(signal.SIGTERM) == 0
    assert main(["trace", "save", "--root", str(tmp_path)]) == 1
    assert "no charger runs here" in capsys.readouterr().err


ROOT = Path(__file__).parents[2]


def test_the_shipped_configuration_comes_up_and_goes_down_without_board_cable_and_broker(tmp_path: Path) -> None:
    """Eighteen modules on a bare desk: each says once what it misses, none fails, and all of them stop."""
    shutil.copytree(ROOT / "etc", tmp_path / "etc", symlinks=True)
    shutil.copytree(ROOT / "usr", tmp_path / "usr")
    run = Run(tmp_path)
    try:
        run.wait_for("18 modules")
        assert run.end(signal.SIGTERM) == 0
    finally:
        if run.process.poll() is None:
            run.process.kill()
            run.process.wait()
    assert "Traceback" not in run.text() and "failed" not in run.text()
    assert run.text().splitlines()[-1].endswith("manager: stopped")


def test_what_a_module_finds_wrong_ends_it_with_78(start: Callable[..., Run], tmp_path: Path) -> None:
    run = start("--broker", "none", "--config", str(tmp_path / "wrong.yaml"))
    run.process.wait(LIMIT_S)
    assert run.process.returncode == 78 and "there is no such file" in run.text()


def test_process_groups_run_without_a_broker_and_save_their_traces(
    start: Callable[..., Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is between car and contactor does not wait for it."""
    run = start("--grouped")
    run.wait_for("ready in ")
    assert "charging goes on without it" in run.text()
    assert main(["trace", "save", "--root", str(tmp_path), "--why", "a look"]) == 0
    assert Path(capsys.readouterr().out.strip().rpartition(" ")[2]).is_file()
    assert run.end(signal.SIGTERM) == 0
    assert run.text().splitlines()[-1].endswith("manager: stopped") and "Traceback" not in run.text()


def test_process_groups_need_what_joins_them_and_a_file_that_is_one(start: Callable[..., Run], tmp_path: Path) -> None:
    for options, words in (
        (("--grouped", "--broker", "none"), "process groups need a broker of their own"),
        (("--grouped", str(tmp_path / "none.yaml")), "the groups file cannot be read"),
    ):
        run = start(*options)
        assert run.process.wait(LIMIT_S) == 78 and words in run.text()
