"""docs/desk.md: the charger in one terminal, board and car in another, with the commands of the page as they are."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim import __main__ as sim
from chargebyte_fw.sim.net_cable import way_into_a_namespace

ROOT = Path(__file__).parents[2]
LIMIT_S = 40


def commands(word: str) -> list[str]:
    """The words of the first command of the page that has this one."""
    page = (ROOT / "docs/desk.md").read_text("utf-8")
    line = next(line for line in re.findall(r"^\$ (.*)$", page, re.MULTILINE) if word in line)
    words = shlex.split(line)
    # The environment of the test in place of the activated one.
    programs = {"secc": [sys.executable, "-m", "chargebyte_fw.cli.main"], "python": [sys.executable]}
    return [*programs[words[0]], *words[1:]]


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": ""}


def read_until(process: subprocess.Popen[str], word: str) -> str:
    """Read the lines up to the one with this word; return them."""
    assert process.stdout is not None
    lines: list[str] = []
    timer = threading.Timer(LIMIT_S, process.kill)
    timer.start()
    try:
        for line in process.stdout:
            lines.append(line)
            if word in line:
                return "".join(lines)
    finally:
        timer.cancel()
    raise AssertionError(f"{word!r} never came after:\n{''.join(lines)}")


def test_a_charger_in_one_terminal_and_a_car_in_the_other(home: dict[str, str], tmp_path: Path) -> None:
    try:
        inside = way_into_a_namespace()
    except Unavailable as error:
        pytest.skip(str(error))
    # The broker has a port of its own only in a namespace of its own; the car by the pilot alone needs no network.
    charger = subprocess.Popen(
        [*inside, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *commands("secc run")],
        cwd=ROOT,
        env=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    car = subprocess.Popen(
        [*commands("chargebyte_fw.sim"), "--report", "text"],
        cwd=ROOT,
        env=home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        story = read_until(car, "✓ unplugged")
        assert "✓ charging" in story and "drawing 16.0 A on 3 phases" in story and "✗" not in story
        state = next(tmp_path.glob(".local/state/secc/*"))
        assert f"safety controller at {state}/dev/ttyLP2" in story
        read_until(charger, "session is over")
        assert car.stdin is not None
        car.stdin.write("help\nfly\nquit\n")
        car.stdin.flush()
        rest, _ = car.communicate(timeout=LIMIT_S)
        assert "press the emergency stop" in rest and "✗ Command not found: fly" in rest
        assert car.returncode == 0
        charger.send_signal(signal.SIGINT)
        log, _ = charger.communicate(timeout=LIMIT_S)
        assert charger.returncode == 0 and "manager: stopped" in log, log
    finally:
        for process in (charger, car):
            process.kill()
            process.communicate()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--protocol", "basic", "--script", "sleep 1;fly"], "Command not found: fly"),
        (["--protocol", "basic", "--script", "iso_wait_slac_matched"], "a car by the pilot alone (basic)"),
    ],
)
def test_what_cannot_be_is_refused_at_once(options: list[str], why: str, home: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "chargebyte_fw.sim", "--root", str(tmp_path), *options],
        env=home,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
    )
    assert done.returncode == 1 and why in done.stderr and "Traceback" not in done.stderr


def test_without_the_cable_of_the_car_it_says_what_to_name(
    mocker: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mocker.patch.object(sim, "bring_up", side_effect=Unavailable("there is no interface car0 here"))
    mocker.patch.object(sys, "argv", ["sim", "--root", str(tmp_path)])
    assert sim.main() == 1
    assert "no interface car0 here: --interface names the car's end" in capsys.readouterr().err
