"""The processes of the demo: broker, charger, virtual car and CSMS; started in order, ended on every way out."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargebyte_fw.cli import demo_broker, demo_charger
from chargebyte_fw.kernel.children import ends_with_us
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import PACKAGED
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.sim import net_cable
from chargebyte_fw.sim.csms_lines import as_text
from chargebyte_fw.sim.reporting import text_of

STOP_LIMIT_S = 10.0
CSMS_START_LIMIT_S = 30.0
TROUBLE = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|^Traceback|^\w*(Error|Exception)\b|^secc: |: error: |✗")
"""Lines of a log about what went wrong."""
STOPPING = "manager: stopping ("
"""What follows in the charger's log is the end of the demo."""
LONGEST_TEMPORARY = 48
"""The name of a Unix socket has 107 bytes; the simulated reset line's takes the rest of them."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    protocol: str
    battery_kWh: float
    soc_percent: float
    target_soc_percent: float
    speed: float
    broker: str
    script: str | None = None
    power_supply: str = "simulator"
    """`simulator`: DCSupplySimulator; `infypower`: InfypowerDCSupply and virtual modules, CAN frames between them."""
    root: Path | None = None
    """Where etc/everest is; None: the checkout that this file is in, or the folder that one is in."""
    tls: bool = False
    pnc: bool = False
    """Plug and Charge, which is over TLS."""
    control_mode: str = ""
    """ISO 15118-20: `Scheduled` or `Dynamic`; empty: what the charger names first."""
    ocpp: str = ""
    """The version of OCPP of a CSMS beside the charger; empty: there is none."""

    @property
    def has_tls(self) -> bool:
        """Whether the session is over TLS."""
        return self.tls or self.pnc


def repository(root: Path | None = None) -> Path:
    """Return the checkout, or the root that was named, with the shipped configurations; raises Unavailable."""
    usual = (Path(__file__).resolve().parents[2], PACKAGED, Path.cwd())
    for folder in (root.resolve(),) if root is not None else usual:
        if (folder / "etc/everest").is_dir():
            return folder
    if root is not None:
        raise Unavailable(f"{root} has no etc/everest")
    raise Unavailable("etc/everest is not here: run the demo from a checkout of the repository, or install the wheel")


Report = Callable[[dict[str, Any]], None]


class Stage:
    """The processes and their state root. `ended` is called with each process that ends by itself.

    `car_reports` and `csms_reports` are called with each report of the car's process and of the CSMS.
    """

    def __init__(
        self,
        wanted: Wanted,
        car_reports: Report,
        ended: Callable[[str, int], None],
        csms_reports: Report | None = None,
    ) -> None:
        self._wanted = wanted
        self._car_reports = car_reports
        self._csms_reports = csms_reports
        self._csms_listens = asyncio.Event()
        self._ended = ended
        self._processes: list[tuple[str, asyncio.subprocess.Process]] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self.root = Path()
        self.logs = Path()
        self.broker_kind = ""
        self._car: asyncio.subprocess.Process | None = None
        self._keys: Path | None = None

    async def start(self) -> None:
        """Start everything; raises Unavailable with what is missing. Ends early, between two steps, after `give_up`."""
        self.root = _make_root()
        self.logs = self.root / "logs"
        self.logs.mkdir()
        source = repository(self._wanted.root)
        for folder in ("etc", "usr"):
            if (source / folder).is_dir():
                shutil.copytree(source / folder, self.root / folder)
        if self._wanted.has_tls:
            self._keys = await asyncio.to_thread(demo_charger.make_certificates, self.root)
        self.broker_kind = demo_broker.choose(self._wanted.broker)
        environment = {"MQTT_SERVER_ADDRESS": demo_broker.HOST, "MQTT_SERVER_PORT": str(demo_broker.PORT)}
        # Both end with their standard input.
        pipe = asyncio.subprocess.PIPE
        self._car = car = await self._spawn("car", self._car_command(), stdin=pipe, reports=self._car_reports)
        if not self._stopping:
            # pyroute2 brings an event loop of its own, which does not stand another one in its thread.
            await asyncio.to_thread(net_cable.lay_cable, car.pid)
        if not self._stopping:
            await self._spawn("broker", demo_broker.command(self.broker_kind, self.root), stdin=pipe)
            await demo_broker.wait_until_open(lambda: self._stopping)
        if self._wanted.ocpp and not self._stopping:
            await self._start_csms()
        if not self._stopping:
            await self._spawn("charger", self._charger_command(source), environment=environment)

    async def _start_csms(self) -> None:
        await self._spawn("csms", self._csms_command(), reports=self._from_csms)
        try:
            async with asyncio.timeout(CSMS_START_LIMIT_S):
                await self._csms_listens.wait()
        except TimeoutError:
            raise Unavailable("\n".join(("the CSMS does not listen", *self.last_lines("csms")))) from None

    def _from_csms(self, report: dict[str, Any]) -> None:
        self._csms_listens.set()
        if self._csms_reports is not None:
            self._csms_reports(report)

    def give_up(self) -> None:
        """Go no further in `start` (asyncio does not survive the cancellation of a process that is being started)."""
        self._stopping = True
        self._csms_listens.set()

    def _charger_command(self, source: Path) -> list[str]:
        wanted = self._wanted
        name = demo_charger.shipped(wanted.protocol, wanted.power_supply, wanted.ocpp)
        over = demo_charger.overlay(
            wanted.protocol,
            tls=wanted.has_tls,
            pnc=wanted.pnc,
            power_supply=wanted.power_supply,
            ocpp=wanted.ocpp,
        )
        # An overlay lies beside the file that it changes.
        configuration = (self.root if over else source) / "etc/everest" / name
        demo_charger.write(self.root, name, over)
        options = ["--config", str(configuration), "--root", str(self.root)]
        if self._wanted.speed != 1.0:
            options += ["--speed", f"{self._wanted.speed:g}"]
        return [sys.executable, "-m", "chargebyte_fw.cli.main", "run", *options]

    def _car_command(self) -> list[str]:
        wanted = self._wanted
        options = {
            "--root": str(self.root),
            "--interface": net_cable.CAR_END,
            "--protocol": wanted.protocol,
            "--battery-kWh": f"{wanted.battery_kWh:g}",
            "--soc-percent": f"{wanted.soc_percent:g}",
            "--target-soc-percent": f"{wanted.target_soc_percent:g}",
            "--speed": f"{wanted.speed:g}",
        }
        if wanted.power_supply == "infypower":
            options["--power-bus"] = demo_charger.CAN_BUS
        if wanted.control_mode:
            options["--control-mode"] = wanted.control_mode
        if self._keys is not None:
            options |= {"--tls": "require", "--keys": str(self._keys)}
            options["--payment"] = "contract" if wanted.pnc else "external"
        if wanted.script is not None:
            options["--script"] = wanted.script
        words = [word for option in options.items() for word in option]
        return ["unshare", "--net", "--", sys.executable, "-m", "chargebyte_fw.sim", *words]

    def _csms_command(self) -> list[str]:
        options = ["--json", "--ocpp", self._wanted.ocpp, "--speed", f"{self._wanted.speed:g}"]
        return [sys.executable, "-m", "chargebyte_fw.sim.csms", *options]

    async def _spawn(
        self,
        name: str,
        command: Sequence[str],
        *,
        stdin: int = asyncio.subprocess.DEVNULL,
        reports: Report | None = None,
        environment: dict[str, str] | None = None,
    ) -> asyncio.subprocess.Process:
        with (self.logs / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=stdin,
                stdout=log if reports is None else asyncio.subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                # A session of its own: Ctrl-C reaches the demo alone, which ends its processes in the safe order.
                start_new_session=True,
                preexec_fn=ends_with_us(),
            )
        self._processes.append((name, process))
        if reports is not None:
            self._tasks.append(asyncio.create_task(self._read(name, process, reports)))
        self._tasks.append(asyncio.create_task(self._watch(name, process)))
        return process

    async def _read(self, name: str, process: asyncio.subprocess.Process, reports: Report) -> None:
        assert process.stdout is not None
        began_s = time.monotonic()
        with (self.logs / f"{name}.log").open("a", encoding="utf-8", buffering=1) as log:
            async for line in process.stdout:
                try:
                    report = json.loads(line)
                except ValueError:
                    report = line.decode(errors="replace").rstrip()  # a stray print of a library
                text = (
                    report
                    if isinstance(report, str)
                    else text_of(report) or (as_text(report) if name == "csms" else "")
                )
                if text:
                    log.write(f"{time.monotonic() - began_s:8.2f}  {text}\n")
                if isinstance(report, dict):
                    reports(report)

    async def _watch(self, name: str, process: asyncio.subprocess.Process) -> None:
        code = await process.wait()
        if not self._stopping:
            self._ended(name, code)

    def command_car(self, line: str) -> None:
        """Give the car's process one line of its command language."""
        if self._car is not None and self._car.stdin is not None and self._car.returncode is None:
            self._car.stdin.write(line.encode() + b"\n")

    def last_lines(self, name: str, count: int = 5) -> list[str]:
        """Return the end of a process' log."""
        try:
            return text_lines((self.logs / f"{name}.log").read_text(errors="replace"))[-count:]
        except OSError:
            return []

    def what_went_wrong(self, name: str, count: int = 4) -> list[str]:
        """Return the last lines of a log about what went wrong; its end where there are none."""
        lines = self.last_lines(name, 2000)
        end = next((place for place, line in enumerate(lines) if STOPPING in line), len(lines))
        return [line for line in lines[:end] if TROUBLE.search(line)][-count:] or lines[:end][-count:]

    async def stop(self) -> None:
        """End the processes, the charger first so that it goes to its safe state while its board is there."""
        self._stopping = True
        for wanted in ("charger", "car", "csms", "broker"):
            for name, process in self._processes:
                if name == wanted:
                    await _end(process)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def clear(self) -> None:
        """Remove the state root and the logs in it."""
        if self.root != Path():
            shutil.rmtree(self.root, ignore_errors=True)


def _make_root() -> Path:
    """Make the state root where temporary files go, unless its name leaves no room for those of sockets in it."""
    short = len(tempfile.gettempdir()) <= LONGEST_TEMPORARY
    return Path(tempfile.mkdtemp(prefix="secc-demo-", dir=None if short else "/tmp"))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(STOP_LIMIT_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
