"""Josev's car (PyPI `iso15118`) at the complete charger: `python -m tests.peers.josev --python VENV/bin/python`.

The charger is `secc run` with a shipped configuration in one network namespace. In the other stands our simulation with
the safety controller, both powerline modems and a car that does all but V2G: it plugs in, matches, and hangs on the
pilot what Josev's car asks for. Prints one line for each protocol, `passed` or why not; exit status 1 then. The car has
its own time-outs; where one of them ends a session it gets another one with longer ones, and the line has both.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.modules.security.test_pki import EMAID
from tests.netns import Namespace, NamespacesUnavailable, joined
from tests.peers import josev_pki

ROOT = Path(__file__).parents[2]
CAR_END = "car0"
MATCH_LIMIT_S = 60.0
SESSION_LIMIT_S = 180.0
END_LIMIT_S = 15.0
FACTORS = (1.0, 2.0, 5.0, 20.0)
"""Time-outs of the peer in multiples of its own, tried one after the other while one of them ends the session."""


@dataclass(frozen=True, slots=True)
class Case:
    """One session: what it is called, what Josev is told, and what the charger must have said."""

    name: str
    protocol: str
    mode: str
    said: tuple[str, ...]
    tls: str = ""
    """The version; empty: plain TCP."""
    contract: bool = False
    """Plug and Charge; otherwise external payment."""

    @property
    def is_iso20(self) -> bool:
        """Whether it is a session of ISO 15118-20."""
        return "_20_" in self.protocol

    @property
    def is_ac(self) -> bool:
        """Whether the charger is an AC charger."""
        return self.mode.startswith("AC")


_DC = ("waiting for authorization", "cable check", "pre-charge to", "charging, the car wants", "takes the power off")
_DC20 = ("Dynamic control", "cable check", "pre-charge to", "charging at", "takes the power off")
_CONTRACT = (f"contract {EMAID['iso2']}", "authorized by PlugAndCharge")
_AC = ("authorized", "closing the contactor", "takes the power off")
CASES = (
    Case("DIN 70121 DC", "DIN_SPEC_70121", "DC_extended", ("session in DIN70121", *_DC)),
    Case("ISO 15118-2 DC", "ISO_15118_2", "DC_extended", ("session in ISO15118-2-2013", *_DC)),
    Case(
        "ISO 15118-2 AC",
        "ISO_15118_2",
        "AC_three_phase_core",
        ("session in ISO15118-2-2013", *_AC),
    ),
    Case("ISO 15118-2 AC, TLS 1.2", "ISO_15118_2", "AC_three_phase_core", ("TLS 1.2", *_AC), "1.2"),
    Case(
        "ISO 15118-2 DC, contract, TLS 1.2",
        "ISO_15118_2",
        "DC_extended",
        ("TLS 1.2", *_CONTRACT, *_DC[1:]),
        "1.2",
        True,
    ),
    Case("ISO 15118-20 DC, TLS 1.3", "ISO_15118_20_DC", "DC_extended", ("TLS 1.3", *_DC20), "1.3"),
    Case("ISO 15118-20 AC, TLS 1.3", "ISO_15118_20_AC", "AC_three_phase_core", ("TLS 1.3", *_AC), "1.3"),
    Case(
        "ISO 15118-20 DC, contract, TLS 1.3",
        "ISO_15118_20_DC",
        "DC_extended",
        ("TLS 1.3", *_CONTRACT, *_DC20),
        "1.3",
        True,
    ),
)


class Failed(Exception):
    """The session did not go as it should; the text says where it stopped."""


class TooSlow(Failed):
    """A time-out of the peer's own ended the session."""


def attempt(name: str, run: Callable[[float], None]) -> bool:
    """Run a session with each of FACTORS until no time-out ends it; print the line, return whether it passed."""
    before = ""
    for factor in FACTORS:
        used = "its own time-outs" if factor == 1.0 else f"time-outs {factor:g} times as long"
        try:
            run(factor)
        except TooSlow as why:
            before += f"; with {used}: {why}"
            continue
        except (Failed, NamespacesUnavailable) as why:
            print(f"{name}: {why} (with {used}{before})", flush=True)
            return False
        print(f"{name}: passed, with {used}{before}", flush=True)
        return True
    print(f"{name}: too slow{before}", flush=True)
    return False


@dataclass
class Program:
    """A program in a namespace; its lines come through a queue and are kept."""

    name: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    _fresh: queue.Queue[str | None] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            self._fresh.put(line.rstrip())
        self._fresh.put(None)

    def until(self, wanted: Callable[[str], bool], limit_s: float, what: str) -> str:
        """Return the next line that is wanted; raises Failed when none comes in time."""
        give_up = time.monotonic() + limit_s
        while True:
            try:
                line = self._fresh.get(timeout=max(0.0, give_up - time.monotonic()))
            except queue.Empty:
                raise Failed(f"{self.name}: no {what} within {limit_s:g} s") from None
            if line is None:
                raise Failed(f"{self.name} ended before {what}: {' | '.join(self.lines[-3:])}")
            if wanted(line):
                return line

    def tell(self, text: str) -> None:
        """Write one line to its standard input."""
        assert self.process.stdin is not None
        try:
            os.write(self.process.stdin.fileno(), f"{text}\n".encode())
        except BrokenPipeError:
            raise Failed(f"{self.name} has ended: {' | '.join(self.lines[-3:])}") from None


def start(where: Namespace, name: str, command: list[str], **environment: str) -> Program:
    """Start a program in a namespace."""
    process = where.popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
    )
    return Program(name, process)


def configuration(case: Case, root: Path) -> Path:
    """Return the configuration: the shipped DC one, or the shipped AC one with the DC one's V2G modules beside it."""
    folder = root / "etc" / "everest"
    if not case.is_ac and not case.tls:
        return folder / "bsp-only-dc.yaml"
    dc, ac = (yaml.safe_load((folder / f"bsp-only-{kind}.yaml").read_text()) for kind in ("dc", "ac"))
    if case.is_ac:
        _add_v2g(ac["active_modules"], dc["active_modules"])
    chosen = ac if case.is_ac else dc
    modules = chosen["active_modules"]
    if case.tls:
        modules["iso15118_charger"]["config_module"] |= {
            "supported_ISO15118_20": case.is_iso20,
            "tls_security": "force",
        }
        modules["evse_security"]["config_module"] = {}
        modules["connector"]["config_module"] |= {"payment_enable_contract": case.contract}
    if case.contract:
        # Else the plug-in is authorized before the car can show its contract.
        del modules["token_provider"]
        of_car = {"module_id": "connector", "implementation_id": "token_provider"}
        modules["auth"]["connections"]["token_provider"] = [of_car]
    made = folder / "made.yaml"
    made.write_text(yaml.safe_dump(chosen, sort_keys=False))
    return made


def _add_v2g(ac: dict[str, Any], dc: dict[str, Any]) -> None:
    """Give the AC charger the V2G modules of the DC charger."""
    for name in ("slac", "iso15118_charger", "evse_security"):
        ac[name] = dc[name]
    connector = ac["connector"]
    connector["config_module"].update(ac_hlc_enabled=True, ac_hlc_use_5percent=True, ac_enforce_hlc=True)
    for requirement in ("slac", "hlc"):
        connector["connections"][requirement] = dc["connector"]["connections"][requirement]


def josev_settings(case: Case, root: Path) -> Path:
    """Write what Josev's car is told."""
    path = root / "josev.json"
    told: dict[str, Any] = {
        "supportedProtocols": [case.protocol],
        "supportedEnergyServices": ["AC" if case.is_ac else "DC"],
        "energyTransferMode": case.mode,
        "useTls": bool(case.tls),
        "enforceTls": bool(case.tls),
        "sdpRetryCycles": 3,
        "chargeLoopCycle": 20,
    }
    path.write_text(json.dumps(told))
    return path


def session(case: Case, python: str, logs: Path, factor: float) -> None:
    """Run one session with `factor` times the time-outs; raises Failed."""
    with tempfile.TemporaryDirectory(prefix="secc-josev-") as folder, joined("eth1", CAR_END) as (charger, car):
        root = Path(folder)
        for name in ("etc", "usr"):
            shutil.copytree(ROOT / name, root / name)
        if case.tls:
            pki = josev_pki.make(root / "pki")
            shutil.copytree(pki.certs, root / "etc/everest/certs", dirs_exist_ok=True)
        programs: list[Program] = []
        try:
            _session(case, python, root, charger, car, programs, factor)
        finally:
            for namespace in (charger, car):
                namespace.end_processes()
            for program in programs:
                file = logs / f"{case.name.replace(' ', '-')}.{program.name}.log"
                file.write_text("\n".join(program.lines) + "\n")


def _session(
    case: Case,
    python: str,
    root: Path,
    charger: Namespace,
    car: Namespace,
    programs: list[Program],
    factor: float,
) -> None:
    world = start(
        car,
        "world",
        [sys.executable, "-m", "chargebyte_fw.sim", "--root", str(root), "--interface", CAR_END, "--wait"],
    )
    programs.append(world)
    config = str(configuration(case, root))
    run = ["run", "--config", config, "--root", str(root), "--broker", "none"]
    secc = start(charger, "secc", [sys.executable, "-m", "chargebyte_fw.cli.main", *run])
    programs.append(secc)
    secc.until(lambda line: "waiting for cars at" in line, MATCH_LIMIT_S, "open link")
    world.tell(json.dumps({"run": "sleep 3;iso_wait_slac_matched"}))
    world.until(lambda line: '"SLAC"' in line, MATCH_LIMIT_S, "SLAC match")
    josev = start(
        car,
        "josev",
        [python, str(ROOT / "tests/peers/josev_car.py"), str(josev_settings(case, root))],
        NETWORK_INTERFACE=CAR_END,
        LOG_LEVEL="INFO",
        PKI_PATH=str(root / "pki" / "josev"),
        ENABLE_TLS_1_3=str(case.tls == "1.3"),
        TIMEOUT_FACTOR=str(factor),
    )
    programs.append(josev)
    try:
        _hang_on_the_pilot(josev, world)
    except Failed as why:
        late = [line for line in josev.lines if "imeout" in line]
        if late:
            raise TooSlow(late[0].partition("|")[2] or late[0]) from why
        raise
    secc.until(lambda line: "V2G session over" in line, END_LIMIT_S, "end of the session")
    said = "\n".join(secc.lines)
    missing = [text for text in (*case.said, "V2G session over (terminate)") if text not in said]
    if missing:
        raise Failed(f"the charger did not say: {', '.join(missing)}")
    if "Traceback" in said:
        raise Failed("the charger's log has a traceback")


def _hang_on_the_pilot(josev: Program, world: Program) -> None:
    """Let the simulated car's pilot follow Josev's wishes until its session ends."""
    give_up = time.monotonic() + SESSION_LIMIT_S
    while True:
        line = josev.until(
            lambda line: line.startswith("PILOT") or "SessionStopRes received" in line or "EVCC terminated" in line,
            give_up - time.monotonic(),
            "end of its session",
        )
        if line == "PILOT C":
            world.tell(json.dumps({"replace": "iso_draw_power_regulated 16,3"}))
        elif line == "PILOT B":
            world.tell(json.dumps({"replace": "pause"}))
        elif "SessionStopRes" in line:
            return
        else:
            raise Failed(f"josev: {line}")


def main() -> int:
    """Run the sessions one after the other and say how each went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter with iso15118 in its environment")
    parser.add_argument("--logs", type=Path, default=None, help="where the logs go (default: thrown away)")
    parser.add_argument("--only", default="", help="run only cases whose name contains this")
    arguments = parser.parse_args()
    status = 0
    with tempfile.TemporaryDirectory() as thrown_away:
        logs: Path = arguments.logs or Path(thrown_away)
        logs.mkdir(parents=True, exist_ok=True)
        for case in CASES:
            if arguments.only not in case.name:
                continue
            run = functools.partial(session, case, arguments.python, logs)
            status |= not attempt(f"Josev's car, {case.name}", run)
    return status


if __name__ == "__main__":
    sys.exit(main())
