"""The charger's real processes on this machine before a virtual board and car: the same scenarios, from outside."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.kernel.errors import Unavailable
from hil import rig
from hil.drivers import processes
from hil.drivers.local import LocalBench

BENCH = LocalBench("bench", LocalBench.Options(), {})

ROW_OF_FAULTS = """title: A noisy line, a failing grid, an emergency stop and a board without supply
car: iso2
start: charging
steps:
  - event: uart noise 0.05
    keep:
      - {that: contactors is closed, for_s: 1, clause: "safety protocol, a disturbed frame is dropped"}
    pause_s: 1
  - event: uart noise 0
  - event: mains off
    expect:
      - {that: faults has power_supply_DC/UnderVoltageAC, within_s: 2, clause: "InfypowerDCSupply, POLL_S 0.125 s"}
      - {that: supply_A below 1, within_s: 2, clause: "EvseManager, the DC supply goes off"}
      - {that: contactors is open, within_s: 2, clause: "EvseManager, no permission for the contactors"}
  - event: estop on
    expect:
      - {that: cp is F, within_s: 0.5, clause: "safety protocol, reason 16"}
      - {that: faults has evse_board_support/MREC8EmergencyStop, within_s: 2, clause: "driver, CYCLE_S 0.1 s"}
  - event: power off
    expect:
      - {that: cp is E, within_s: 0.5, clause: "IEC 61851-1, state E without a supply"}
"""


@pytest.fixture
def desk() -> None:
    """Skip where namespaces or mosquitto are missing, with the sentence that the command would say."""
    missing = BENCH.lacking()
    if missing:
        pytest.skip("; ".join(missing))


def left_over() -> list[str]:
    """The programs of a desk that still run, by their command lines."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid() and ("hil.drivers" in line or "secc-hil-" in line):
            found.append(line)
    return found


@pytest.mark.usefixtures("desk")
def test_a_shipped_scenario_runs_against_the_real_processes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "desk.html"
    assert main(["hil", "run", "basic-car-pauses", "--rig", "desk", "--report", str(page)]) == 0
    assert "rig desk: 1 passed" in capsys.readouterr().out
    text = page.read_text("utf-8")
    assert "MiB resident" in text and "bsp-only-ac.yaml" in text and "ChargingStarted" in text
    measured = [float(found) for found in re.findall(r"contactors is open</td><td class=num>([0-9.]+) s", text)]
    assert measured and all(0.015 <= one <= 0.1 for one in measured), measured
    assert left_over() == []


@pytest.mark.usefixtures("desk")
def test_faults_beyond_every_wire_are_seen_and_timed_from_outside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An ISO 15118-2 session over pseudo-terminal, cable, CAN frames and broker; then one trouble upon another.

    Twice as fast as real time, so the deadlines are generous: a busy machine is not what is judged here.
    """
    mine = tmp_path / "row-of-faults.yaml"
    mine.write_text(ROW_OF_FAULTS)
    assert main(["hil", "run", str(mine), "--rig", "desk-infypower", "--speed", "2"]) == 0
    assert "1 passed" in capsys.readouterr().out and left_over() == []


def test_a_machine_that_lacks_something_is_told_what_and_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused() -> list[str]:
        raise Unavailable("a network namespace of our own is not allowed here")

    monkeypatch.setattr(processes, "way_into_a_namespace", refused)
    monkeypatch.setattr("hil.drivers.local.demo_broker.find_mosquitto", lambda: None)
    assert main(["hil", "run", "basic-session", "--rig", "desk"]) == 1
    said = capsys.readouterr()
    assert "rig desk cannot be used here" in said.err and "namespace of our own is not allowed" in said.err
    assert "apt-get install mosquitto" in said.err and said.out == ""
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert main(["hil", "run", "basic-session", "--rig", "desk"]) == 1
    assert "the program nsenter is missing: apt-get install util-linux" in capsys.readouterr().err


def test_what_a_desk_cannot_do_is_skipped_with_its_reason(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Nothing ran: nothing was proven, and the exit status says so."""
    out = tmp_path / "report.html"
    assert main(["hil", "run", "iso2-mains-lost", "--rig", "desk", "--report", str(out)]) == 1
    assert "skipped" in capsys.readouterr().out and "the rig has no Mains" in out.read_text("utf-8")


def test_both_desks_have_what_the_simulated_rig_has() -> None:
    """Only the grid in front of a power supply inside the charger is out of reach."""
    sim = rig.load(rig.rig_file("sim")).features
    assert sim - rig.load(rig.rig_file("desk")).features == {"Mains"}
    assert sim - rig.load(rig.rig_file("desk-infypower")).features == set()
