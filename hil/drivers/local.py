"""A charger on this machine: its real processes in a network namespace, in front of a world in another one.

Board and car are one process (`far_world.py`), the broker is mosquitto, the charger is `secc run` with a shipped
configuration; between them a pseudo-terminal, reset lines, a virtual network cable and MQTT. The rig stands outside of
all: it reads the wire, the log, /proc and what the world measures, and gives commands as a person would.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import yaml
from msgspec import Meta

from chargebyte_fw.cli import demo_broker
from chargebyte_fw.cli.demo_charger import CAN_BUS
from chargebyte_fw.cli.demo_stage import LONGEST_TEMPORARY
from chargebyte_fw.kernel.clock import loop_speed, real_seconds
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.embedded import HOST
from chargebyte_fw.sim.net_cable import CAR_END
from chargebyte_fw.sim.script import ScriptError
from hil.configurations import configuration
from hil.drivers import Driver, Resource, Stage, active
from hil.drivers.mqtt import Broker
from hil.drivers.processes import Namespace, Process, cpu_seconds, lacking, module, resident_MiB
from hil.drivers.sim import commit_of
from hil.protocols import Identity
from hil.recorder import SIGNALS

START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 10.0
RESTART_S = 2.0
"""What a service manager waits before it starts the charger again."""
FOLDERS = ("etc/everest", "usr/share/secc")
"""What the charger's root is given of ours."""
SETS = frozenset(name for name, kind in SIGNALS.items() if kind == "set")


class LocalBench(Resource):
    """Everything that is a process: the world while the rig is active, broker and charger while the board is on."""

    class Options(ModuleConfig):
        """What stands there."""

        supply: Annotated[
            Literal["simulator", "infypower"],
            Meta(description="Power supply of direct current: inside the charger, or modules behind CAN frames."),
        ] = "simulator"
        seed: Annotated[int, Meta(description="Of everything in the world that is left to chance.")] = 1

    def lacking(self) -> list[str]:
        """Return what this machine lacks, a sentence each."""
        missing = lacking()
        if demo_broker.find_mosquitto() is None:
            missing.append("the program mosquitto is missing: apt-get install mosquitto")
        return missing

    async def activate(self, stage: Stage) -> None:
        """Make namespaces and cable and start the world; raises Unavailable with what is lacking."""
        missing = self.lacking()
        if missing:
            raise Unavailable("\n".join(missing))
        await super().activate(stage)
        self.console: list[Callable[[str], None]] = []
        self._asked: dict[int, asyncio.Future[None]] = {}
        self._ready = asyncio.Event()
        self._number = 0
        self._powered = False
        self._namespace = Namespace(self._broke)
        self._world = Process("the virtual board and car", self._broke, self._on_world_line)
        self._mosquitto = Process("the MQTT broker", self._broke, lambda _line: None)
        self.charger = Process("the charger", self._broke, self._on_log_line)
        self.folder = _short_folder()
        for folder in FOLDERS:
            shutil.copytree(stage.root / folder, self.folder / folder)
        self.configuration = self._configured(stage)
        await self._namespace.open()
        await self._start_world(stage)

    async def deactivate(self) -> None:
        """End the processes, the charger first: it goes to its safe state while its board is there."""
        if self.stage is None:
            return
        await super().deactivate()
        for process in (self.charger, self._mosquitto, self._world):
            await process.stop()
        await self._namespace.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def socket(self) -> Path:
        """Where the broker listens besides the charger's own network."""
        return self.folder / "mqtt.socket"

    def _broke(self, reason: str) -> None:
        self.failure = self.failure or Unavailable(reason)
        for answer in self._asked.values():
            if not answer.done():
                answer.set_exception(self.failure)

    def _configured(self, stage: Stage) -> Path:
        """Return the shipped configuration; what differs goes into the user's overlay of it."""
        car = stage.scenario.car
        infypower = self.options.supply == "infypower" and car != "basic" and "-ac" not in car
        name, modules = configuration(car, stage.scenario.config, "infypower" if infypower else "simulator")
        if modules:
            overlay = self.folder / "etc/everest/user-config" / name
            overlay.parent.mkdir(exist_ok=True)
            overlay.write_text(yaml.safe_dump({"active_modules": modules}))
        return self.folder / "etc/everest" / name

    async def _start_world(self, stage: Stage) -> None:
        scenario, inside = stage.scenario, self._namespace.prefix
        words = ["--root", str(self.folder), "--interface", CAR_END, "--car", scenario.car]
        words += ["--soc-percent", f"{scenario.soc_percent:g}", "--seed", str(self.options.seed)]
        words += ["--speed", f"{loop_speed():g}"]
        words += ["--rcm"] if scenario.board.get("rcm") else []
        words += [] if scenario.board.get("emergency_stop", True) else ["--no-emergency-stop"]
        words += ["--power-bus", CAN_BUS] if self.options.supply == "infypower" else []
        await self._world.start([*inside, "unshare", "--net", "--", *module("hil.drivers.far_world", *words)])
        cable = Process("the cable", lambda _reason: None, lambda _line: None)
        await cable.start([*inside, *module("hil.drivers.far_cable", str(self._world.pid))])
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not self._ready.is_set():
                    if self.failure is not None:
                        raise self.failure
                    await asyncio.sleep(0.01)
        except TimeoutError:
            last_lines = "; ".join([*cable.last_lines, *self._world.last_lines])
            raise Unavailable(f"the virtual board does not begin: {last_lines or 'it says nothing'}") from None
        finally:
            await cable.stop()

    # -- the board's supply

    async def power(self, on: bool) -> None:
        """Give the board its supply, or take it: all of its processes end in the middle of what they do."""
        if on is self._powered:
            return
        self._powered = on
        if not on:
            self.charger.kill()
            self._mosquitto.kill()
            await self.call("Power", "switch", False)
            await self.charger.stop()
            await self._mosquitto.stop()
            self.socket.unlink(missing_ok=True)
            return
        await self.call("Power", "switch", True)
        inside = self._namespace.prefix
        await self._mosquitto.start([*inside, *demo_broker.command("mosquitto", self.folder)])
        await self._until_open()
        await self._start_charger()

    async def _start_charger(self) -> None:
        inside = self._namespace.prefix
        server = {"MQTT_SERVER_ADDRESS": HOST, "MQTT_SERVER_PORT": str(demo_broker.PORT)}
        words = ["run", "--config", str(self.configuration), "--root", str(self.folder), "--speed", f"{loop_speed():g}"]
        await self.charger.start([*inside, *module("chargebyte_fw.cli.main", *words)], environment=server)

    async def _until_open(self) -> None:
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not self.socket.exists() and self.failure is None:
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise Unavailable(f"the broker does not open {self.socket}") from None

    async def crash(self) -> None:
        """Kill the charger, and start it again as its service manager does."""
        self.charger.kill()
        await self.charger.stop()
        await asyncio.sleep(RESTART_S)
        await self._start_charger()

    def _on_log_line(self, line: str) -> None:
        if line.startswith("Traceback"):
            self.failure = self.failure or Unavailable("the charger wrote a traceback: the log has it")
        for call in self.console:
            call(line)

    # -- the world beyond

    async def call(self, driver: str, name: str, *arguments: Any) -> None:
        """Let the world do something; raises what it raises there, Unavailable when it does not answer."""
        if self.failure is not None:
            raise self.failure
        self._number = number = self._number + 1
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        asked = {"id": number, "driver": driver, "call": name, "arguments": arguments}
        self._world.tell(msgspec.json.encode(asked))
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                await answer
        except TimeoutError:
            raise Unavailable(f"the virtual board does not answer {driver}.{name}") from None
        finally:
            del self._asked[number]

    def _on_world_line(self, line: str) -> None:
        if not line.startswith("{"):
            return
        report: dict[str, Any] = msgspec.json.decode(line)
        if "ready" in report:
            self._ready.set()
        elif "id" in report:
            self._answered(report)
        elif self.stage is not None:
            self._seen(self.stage, report)

    def _answered(self, report: dict[str, Any]) -> None:
        answer = self._asked.get(report["id"])
        if answer is None or answer.done():
            return
        if "error" in report:
            kind = ScriptError if report["kind"] == "ScriptError" else Unavailable
            answer.set_exception(kind(report["error"]))
        else:
            answer.set_result(None)

    def _seen(self, stage: Stage, report: dict[str, Any]) -> None:
        """Take a sample for the moment at which it was seen there: both clocks are this machine's."""
        recorder = stage.recorder
        at_s = max(0.0, recorder.at_s - (real_seconds() - report["at"]) * (loop_speed() or 1.0))
        if "mark" in report:
            kind, text = report["mark"]
            recorder.mark(kind, text, at_s)
            return
        values = {name: frozenset(value) if name in SETS else value for name, value in report["put"].items()}
        recorder.put_at(at_s, values)


class LocalBroker(Broker):
    """The board's broker, over its Unix socket: the rig is in another network."""

    bindings = {"bench": "LocalBench"}

    class Options(ModuleConfig):
        """As the charger is configured."""

        prefix: Annotated[str, Meta(description="`mqtt_everest_prefix` of the charger.")] = "everest/"

    async def activate(self, stage: Stage) -> None:
        """Begin to connect: the broker comes with the board's power."""
        await Resource.activate(self, stage)
        bench: LocalBench = self.bound["bench"]
        self._connect(BrokerAddress(socket_path=str(bench.socket)))


class LocalDriver(Driver):
    """A driver of the charger on this machine."""

    bindings = {"bench": "LocalBench"}

    @property
    def bench(self) -> LocalBench:
        """The processes."""
        bench: LocalBench = self.bound["bench"]
        return bench


class LocalPower(LocalDriver):
    """The board's supply: without it the safety controller is dark and every process of the board is killed."""

    protocol = "Power"

    @active
    async def switch(self, on: bool) -> None:
        """Give the board its supply, or take it."""
        await self.bench.power(on)


class LocalHost(LocalDriver):
    """The charger's process, stopped or killed by a signal."""

    protocol = "Host"
    _thaw: asyncio.TimerHandle | None = None

    async def rest(self) -> None:
        """It runs."""
        if self._thaw is not None:
            self._thaw.cancel()
            self._thaw = None
            self.bench.charger.signal(signal.SIGCONT)

    @active
    async def freeze(self, duration_s: float) -> None:
        """Stop the process for a while."""
        self.bench.charger.signal(signal.SIGSTOP)
        go_on = self.bench.charger.signal
        self._thaw = asyncio.get_running_loop().call_later(duration_s, go_on, signal.SIGCONT)

    @active
    async def crash(self) -> None:
        """Kill the process, and start it again."""
        await self.bench.crash()


class LocalConsole(LocalDriver):
    """What the charger's process writes."""

    protocol = "Console"

    async def activate(self, stage: Stage) -> None:
        """Begin to listen."""
        self.lines = 0
        await super().activate(stage)
        self.bench.console.append(self._line)

    def _line(self, line: str) -> None:
        self.lines += 1
        if self.stage is not None:
            self.recorder.mark("console", line)


class LocalImage(LocalDriver):
    """What runs: this package, as a process that /proc knows."""

    protocol = "Image"

    @active
    async def identity(self) -> Identity:
        """Return versions, and what the charger's process has used up to now."""
        from chargebyte_fw import VERSION
        from chargebyte_fw.sim.mcu_hardware import CHARGE_SOM as safety

        assert self.stage is not None
        pid = self.bench.charger.pid
        used = f"{resident_MiB(pid):.0f} MiB resident, {cpu_seconds(pid):.1f} s computed"
        return Identity(
            firmware=f"chargebyte_fw {VERSION}",
            commit=commit_of(self.stage.root),
            configuration=self.bench.configuration.name,
            safety_firmware=f"{safety.major}.{safety.minor}.{safety.build} (simulated)",
            process=f"{used} once it was {self.stage.scenario.start}" if pid else "",
        )


def _short_folder() -> Path:
    """Make a folder whose name leaves room for those of sockets in it."""
    long = len(tempfile.gettempdir()) > LONGEST_TEMPORARY
    folder = Path(tempfile.mkdtemp(prefix="secc-hil-", dir="/tmp" if long else None))
    os.chmod(folder, 0o755)
    return folder
