"""`secc demo` as people run it: namespaces, a veth cable, a pseudo-terminal, a real broker; nothing is left behind."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tarfile
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.recording import read
from chargebyte_fw.sim.net_cable import way_into_a_namespace

COMMAND = [sys.executable, "-m", "chargebyte_fw.cli.main", "demo", "--plain"]
LIMIT_S = 90


@pytest.fixture(scope="module", autouse=True)
def namespaces() -> None:
    try:
        way_into_a_namespace()
    except Unavailable as error:
        pytest.skip(str(error))


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder for temporary files, short enough for the name of a socket."""
    with tempfile.TemporaryDirectory(prefix="d", dir="/tmp") as folder:
        yield Path(folder)


@pytest.fixture
def environment(place: Path) -> Iterator[dict[str, str]]:
    """An environment whose temporary files are looked at afterwards: the demo may leave none, and no process."""
    yield {**os.environ, "TMPDIR": str(place)}
    give_up_at = time.monotonic() + 10
    while left := processes_with(str(place)):
        assert time.monotonic() < give_up_at, f"left running: {left}"
        time.sleep(0.05)


def processes_with(word: str) -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue  # it ended while we looked
        text = b" ".join(words).decode(errors="replace")
        if word in text and path.parent.name != str(os.getpid()) and "pytest" not in text:
            found.append(text)
    return found


def leftovers(place: Path) -> list[str]:
    return [path.name for path in place.glob("secc-demo-*")]


@pytest.mark.parametrize(
    ("protocol", "broker", "speed"), [("iso2", "mosquitto", "4"), ("din", "embedded", "4"), ("basic", "auto", "6")]
)
def test_the_demo_charges_a_car_and_ends_with_its_summary_and_zero(
    protocol: str, broker: str, speed: str, environment: dict[str, str], place: Path
) -> None:
    picture, trace = place / "picture.svg", place / "demo.cbor"
    options = ["--protocol", protocol, "--broker", broker, "--speed", speed]
    options += ["--screenshot", str(picture), "--trace", str(trace)]
    done = subprocess.run([*COMMAND, *options], env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the car charged and left" in done.stdout
    assert "charger: Charging" in done.stdout, "the charger's own word over MQTT"
    assert leftovers(place) == []
    assert "<svg" in picture.read_text()
    kinds = {entry[1] for entry in read(trace).entries}
    assert {"uart", "state", "var"} <= kinds and ("v2g" in kinds) is (protocol != "basic")


def test_under_a_csms_the_car_is_stopped_from_there(environment: dict[str, str], place: Path) -> None:
    options = ["--ocpp", "2.0.1", "--speed", "10"]
    done = subprocess.run([*COMMAND, *options], env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    for line in (
        "station cp001 is connected",
        "station -> TransactionEvent Started",
        "csms -> RequestStopTransaction",
        "station -> TransactionEvent Ended RemoteStop",
        "the car charged, and the CSMS stopped it",
    ):
        assert line in done.stdout, done.stdout
    assert leftovers(place) == []


class Running(subprocess.Popen[str]):
    """A demo that runs; killed when the test ends before it."""

    def type(self, line: str) -> None:
        assert self.stdin is not None
        self.stdin.write(line + "\n")
        self.stdin.flush()

    def read_until(self, *words: str, limit_s: float = 40.0) -> None:
        """Read until each of the words has come, in whatever order."""
        assert self.stdout is not None
        lines: list[str] = []
        left = set(words)
        timer = threading.Timer(limit_s, self.kill)
        timer.start()
        try:
            for line in self.stdout:
                lines.append(line)
                left -= {word for word in left if word in line}
                if not left:
                    return
        finally:
            timer.cancel()
        raise AssertionError(f"{left} never came after:\n{''.join(lines)}")


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []

    def run(*options: str) -> Running:
        pipe = subprocess.PIPE
        process = Running([*COMMAND, *options], env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("moment", "number"),
    [
        ("plugged in", signal.SIGINT),
        ("SDP", signal.SIGTERM),
        ("cable check", signal.SIGINT),
        ("precharge", signal.SIGTERM),
    ],
)
def test_a_signal_at_any_time_cleans_up_everything(
    moment: str, number: signal.Signals, start: Callable[..., Running], place: Path
) -> None:
    process = start("--speed", "2")
    process.read_until(moment)
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, output + errors
    assert "Traceback" not in output + errors
    assert leftovers(place) == []


def test_ctrl_c_in_the_first_moment_cleans_up_too(start: Callable[..., Running], place: Path) -> None:
    process = start()
    give_up_at = time.monotonic() + 20
    while not leftovers(place) and time.monotonic() < give_up_at:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 130, output + errors
    assert "Traceback" not in output + errors
    assert leftovers(place) == []


def test_a_demo_that_is_killed_takes_its_processes_with_it(start: Callable[..., Running], place: Path) -> None:
    process = start("--speed", "2")
    process.read_until("SDP")
    process.kill()
    process.communicate(timeout=30)
    # The fixture checks that nothing is left running.


def test_a_broken_charger_is_a_failure_that_says_why_and_where_the_logs_are(
    start: Callable[..., Running], place: Path
) -> None:
    process = start()
    process.read_until("plugged in")
    for pid in pids_with(f"--root {place}", "chargebyte_fw.cli.main run"):
        os.kill(pid, signal.SIGKILL)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 1, output + errors
    assert "the charger ended with status -9" in output and "logs: " in output
    assert "charger.log:" in output and "car.log:" in output and "✓ plugged in" in output.partition("car.log:")[2]
    assert len(leftovers(place)) == 1


def pids_with(*words: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked
        if all(word in text for word in words):
            found.append(int(path.parent.name))
    return found


def shows_its_status(root: Path) -> None:
    """`secc status` beside the demo; its text fits 60 columns."""
    secc = [sys.executable, "-m", "chargebyte_fw.cli.main"]
    json_text = subprocess.check_output([*secc, "status", "--root", str(root), "--json"], text=True, timeout=30)
    status = json.loads(json_text)
    (evse,) = status["evses"]
    assert evse["state"] in ("Preparing", "Charging") and evse["protocol"] == "ISO15118-2-2013"
    assert evse["car"]["evcc_id"] and evse["session"]["authorized_by"] == "RFID"
    assert {link["name"]: link["state"] for link in status["links"]} == {"MCU": "up", "PLC": "up", "broker": "up"}
    assert status["ready"] and len(status["modules"]) == 18 and status["processes"][0]["memory_MB"] > 10


def gives_its_log_and_a_report(root: Path) -> None:
    """`secc logs` and `secc report` beside the demo: the story of the session, one archive with its trace."""
    secc = [sys.executable, "-m", "chargebyte_fw.cli.main"]
    log = root / "logs/charger.log"
    story = [*secc, "logs", "--file", str(log), "--session", "last"]
    headline, *lines = subprocess.check_output(story, text=True, timeout=30).splitlines()
    assert "goes on" in headline and any("EV plugged in" in line for line in lines)
    assert any("slac" in line and "data link is up" in line for line in lines)
    archive = root / "report.tar.gz"
    report = [*secc, "report", "--root", str(root), "--log", str(log), "--yes", "--out", str(archive)]
    subprocess.run(report, check=True, capture_output=True, timeout=60)
    with tarfile.open(archive) as packed:
        sizes = {one.name.partition("/")[2]: one.size for one in packed}
    assert {"versions.json", "status.json", "check.json", "log.txt"} <= set(sizes)
    assert sizes["trace.cbor"] > 10_000, "the running charger has saved its ring"


def can_be_watched(root: Path) -> None:
    """`secc watch` on a terminal of 60 by 24: keys work, and the terminal is given back as it was."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    before = termios.tcgetattr(theirs)
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "watch", "--root", str(root), "--every", "0.2"]
    watch = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env={**environment, "TERM": "vt100"})
    shown = b""

    def until(word: bytes) -> None:
        nonlocal shown
        while word not in shown:
            assert select.select([ours], [], [], 30)[0], shown
            shown += os.read(ours, 65536)

    try:
        until(b"EVSE 1 connector")
        os.write(ours, b"m")
        until(b"kvs (YamlStore)")
        os.write(ours, b"q")
        until(b"\x1b[?25h")
        assert watch.wait(30) == 0
        assert termios.tcgetattr(theirs) == before
        lines = re.sub(rb"\x1b\[[0-9;?]*[a-zA-Z]", b"\n", shown).decode().splitlines()
        assert max(map(len, lines)) <= 60
    finally:
        watch.kill()
        os.close(ours)
        os.close(theirs)


def test_a_demo_that_keeps_running_takes_commands(start: Callable[..., Running], place: Path) -> None:
    process = start("--keep-running", "--speed", "4", "--battery-kWh", "10")
    process.read_until("precharge")
    # Both sides of the link wait 0.4 real seconds at least, however fast the clock is.
    process.type("uart cut 8")
    process.read_until("faults: evse_board_support/CommunicationFault")
    process.type("unplug")
    # The car may have left by itself when its power went, before the fault was shown.
    process.read_until("charger: Unplugged", "faults: none")
    time.sleep(1)
    process.type("help")
    process.read_until("press the emergency stop")
    process.type("plug")
    process.read_until("precharge")
    (root,) = place.glob("secc-demo-*")
    shows_its_status(root)
    can_be_watched(root)
    gives_its_log_and_a_report(root)
    process.type("estop on")
    process.read_until("MREC8EmergencyStop")
    process.type("quit")
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, output + errors
    last, _, everything = output.partition("All sessions")
    assert "number 2" in last and "MREC8EmergencyStop" in last and "charged and left" not in last
    assert "0 of 2 charged and left" in everything
    assert leftovers(place) == []


def test_a_demo_that_keeps_running_goes_on_without_its_standard_input(
    start: Callable[..., Running], place: Path
) -> None:
    process = start("--keep-running", "--speed", "10", "--protocol", "basic")
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None
    process.read_until("no commands come from the standard input: Ctrl-C or SIGTERM ends")
    process.read_until("unplugged")
    time.sleep(1)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == 0, output + errors
    assert leftovers(place) == []


def test_a_script_that_is_wrong_is_refused_at_once(environment: dict[str, str], place: Path) -> None:
    options = ["--script", "sleep 1;iso_wait_slac"]
    done = subprocess.run([*COMMAND, *options], env=environment, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 2 and done.stdout == ""
    assert "Command not found: iso_wait_slac (did you mean iso_wait_slac_matched?)" in done.stderr
    assert "commands: " in done.stderr and "wait_for_soc PERCENT" in " ".join(done.stderr.split())
    assert leftovers(place) == []
