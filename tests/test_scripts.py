"""The scripts: help starts nothing, what is not an option is refused, and what they start ends with them."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCED = ("help.sh", "lib.sh")
SCRIPTS = sorted(path for path in (ROOT / "script").iterdir() if path.is_file() and path.name not in SOURCED)
LIMIT_S = 30
TO_PYTEST = ("everest-stations", "fuzz", "rig-test", "test")
"""What they do not know themselves is pytest's, which refuses it in an environment that has to be there."""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty home, no environment, and programs that must not be started, which leave a file when they are."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("apt-get", "pip", "npm", "git-fetch", "mosquitto", "openssl", "unshare"):
        program = programs / name
        program.write_text(f"#!/bin/sh\necho {name} >>{tmp_path}/started\n")
        program.chmod(0o755)
    return {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(tmp_path / "home"),
        "SECC_VENV": str(tmp_path / "v"),
    }


def ended(words: list[list[str]], environment: dict[str, str]) -> list[tuple[int, str]]:
    """Run commands at the same time; return the exit status and the output of each."""
    started = [
        subprocess.Popen(
            one, env=environment, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for one in words
    ]
    outputs = [process.communicate(timeout=LIMIT_S)[0].decode() for process in started]
    return [(process.returncode, output) for process, output in zip(started, outputs, strict=True)]


def command(script: Path, *options: str) -> list[str]:
    return [str(script), *options] if os.access(script, os.X_OK) else ["bash", str(script), *options]


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_shows_help_and_starts_nothing(option: str, environment: dict[str, str], tmp_path: Path) -> None:
    for script, (status, output) in zip(
        SCRIPTS, ended([command(script, option) for script in SCRIPTS], environment), strict=True
    ):
        assert (status, script.name in output) == (0, True), f"{script.name}: {output}"
        assert "usage: " in output and "Traceback" not in output, f"{script.name}: {output}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["programs"]


def test_an_option_that_there_is_not_is_refused(environment: dict[str, str], tmp_path: Path) -> None:
    scripts = [script for script in SCRIPTS if script.name not in (*TO_PYTEST, "secc")]
    for script, (status, output) in zip(
        scripts, ended([command(script, "--no-such-option") for script in scripts], environment), strict=True
    ):
        assert status == 2 and "Traceback" not in output, f"{script.name}: {output}"
        assert "usage: " in output or script.name == "activate", f"{script.name}: {output}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["programs"]


LONG = """#!/usr/bin/env bash
# Starts what takes long.
. "$(dirname "$0")/lib.sh"
at_exit "echo over >over"
sleep 1000 &
run bash -c 'sleep 1001 & sleep 1002; true'
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_what_a_script_started_ends_with_it(number: signal.Signals, tmp_path: Path) -> None:
    place = tmp_path / "script"
    place.mkdir()
    for name in SOURCED:
        shutil.copy(ROOT / "script" / name, place)
    script = place / "long"
    script.write_text(LONG if number != signal.SIGINT else LONG.replace("sleep 1000 &\n", "").replace("1001 &", "0 &"))
    script.chmod(0o755)
    mark = f"MARK={tmp_path}"
    process = subprocess.Popen(["env", mark, str(script)], start_new_session=True)
    wanted = 5 if number != signal.SIGINT else 3
    wait_for(lambda: len(marked(mark)) >= wanted)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as the terminal does
    else:
        process.send_signal(number)
    assert process.wait(timeout=LIMIT_S) == 128 + number
    assert marked(mark) == []
    assert (tmp_path / "over").exists()


def wait_for(condition: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def marked(mark: str) -> list[str]:
    """Return the names of the processes that have this in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (path / "environ").read_bytes():
                found.append((path / "comm").read_text().strip())
        except OSError:
            continue  # it ended meanwhile
    return found
