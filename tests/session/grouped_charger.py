"""A charger in process groups as the service starts it, beside a board and a car that the test plays with."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnPty
from chargebyte_fw.sim.pilot import Pilot
from tests.manager.broker import Mosquitto

ROOT = Path(__file__).parents[2]
SECC = str(Path(sys.executable).parent / "secc")
LOOK_S = 0.005
MODULES = "/libexec/everest/modules/"
NICE = -9
"""`CPUWeight=800` of everest.service beside programs without one, as a nice value; where the system allows it."""


class GroupedCharger:
    """One charger below `root`, with its broker; processes are found by the names that they have in `/proc`."""

    def __init__(self, root: Path, configuration: str, *options: str, grouped: bool = True) -> None:
        self.root = root
        self.options = ("--grouped", *options) if grouped else options
        for folder in ("etc", "usr"):
            shutil.copytree(ROOT / folder, root / folder, symlinks=True)
        (root / "dev").mkdir()
        self.configuration = configuration
        self.broker = Mosquitto(root)
        self.pilot = Pilot()
        self.log = root / "charger.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.opened_s: list[float] = []
        """When the contactors opened (monotonic)."""
        self._closed = False
        self._nice = os.getpriority(os.PRIO_PROCESS, 0)

    def configure(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the modules of the configuration, before the start."""
        place = self.root / f"etc/everest/{self.configuration}.yaml"
        configuration = yaml.safe_load(place.read_text())
        change(configuration["active_modules"])
        place.write_text(yaml.safe_dump(configuration))

    def point_to(self, port: int) -> None:
        """Have the station connect to a CSMS at this port of the machine, before the start."""
        for path in self.root.rglob("*.json"):
            if "localhost:9000" in (text := path.read_text()):
                path.write_text(text.replace("localhost:9000", f"localhost:{port}"))

    async def start(self) -> None:
        """Start board, broker and charger."""
        # The board and the car are in this process: they wait for no other program.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, NICE - 1)
        self.mcu = McuOnPty(VirtualMcu(self.pilot, None, 1.0), self.root / "dev/ttyLP2")
        self.line = SimulatedLine(self.root, "nSAFETY_RESET_INT", self.mcu.reset_line)
        self.pilot.on_change.append(self._note)
        self.broker.start()
        self.start_charger()
        await self.until(lambda: self.status().get("ready") is True, 20)

    def _note(self) -> None:
        if self._closed and not self.pilot.contactors_closed:
            self.opened_s.append(time.monotonic())
        self._closed = self.pilot.contactors_closed

    def start_charger(self) -> None:
        """Start the charger alone, as systemd does when it has ended."""
        command = [SECC, "run", "--root", str(self.root), "--config", self.configuration, *self.options]
        environment = {**os.environ, "MQTT_SERVER_ADDRESS": "127.0.0.1", "MQTT_SERVER_PORT": str(self.broker.port)}
        with self.log.open("ab") as file:
            self.process = subprocess.Popen(
                command, stdout=file, stderr=file, env=environment, preexec_fn=_with_the_weight_of_the_service
            )

    async def stop_charger(self) -> None:
        """End the charger alone, as systemd does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                await asyncio.to_thread(self.process.wait, 15)
            self.process.kill()
        await self.until(lambda: not self.processes(), 10)

    async def stop(self) -> None:
        """End everything."""
        await self.stop_charger()
        self.broker.kill()
        self.line.close()
        self.mcu.unplug()
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, self._nice)

    def processes(self) -> dict[str, int]:
        """Return the processes of this charger: `manager`, `starter`, the groups; by the programs' paths the others."""
        found = {}
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                words = path.read_bytes().decode(errors="replace").split("\0")
                if self._is_ours(path.parent, words):
                    name = (path.parent / "comm").read_text().strip()
                    pid = int(path.parent.name)
                    state = (path.parent / "stat").read_text().rpartition(")")[2].split()[0]
                    if state != "Z":
                        found[name.removeprefix("secc:") if name.startswith("secc:") else _name(words)] = pid
        return found

    def _is_ours(self, process: Path, words: list[str]) -> bool:
        if any(word.endswith("/module.py") for word in words):
            return str(self.root).encode() in (process / "environ").read_bytes()
        return str(self.root) in " ".join(words) and "mosquitto" not in words[0]

    def status(self) -> dict[str, Any]:
        """Return the content of the status file, nothing without one."""
        try:
            found: dict[str, Any] = json.loads((self.root / "run/everest/standing.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return found

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to one of the processes; returns its id."""
        pid = self.processes()[name]
        os.kill(pid, number)
        return pid

    def runs(self, *names: str) -> bool:
        """Whether these groups run."""
        groups = self.status().get("groups", {})
        return all(str(groups.get(name, "")).startswith("running") for name in names)

    async def until(self, condition: Callable[[], Any], limit_s: float) -> float:
        """Wait for a condition; returns the seconds that it took."""
        began_s = time.monotonic()
        while not condition():
            passed_s = time.monotonic() - began_s
            assert passed_s < limit_s, f"not within {limit_s:g} s; {self.status()}\n{self.log.read_text()[-6000:]}"
            await asyncio.sleep(LOOK_S if limit_s < 5 else 0.05)
        return time.monotonic() - began_s

    async def charge(self, limit_s: float = 10.0) -> float:
        """Have the car ask for energy, and wait for the contactors."""
        self.pilot.pp_code = 3
        self.pilot.car_state = "C"
        return await self.until(lambda: self.pilot.contactors_closed, limit_s)


def _with_the_weight_of_the_service() -> None:
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)


def _name(words: list[str]) -> str:
    """Return the name of a process without one of ours: a program's folder."""
    program = next((word for word in words if word.endswith("/module.py") or MODULES in word), "")
    return Path(program).parent.name if program else "manager"
