"""A whole plant without hardware: the charger of a shipped configuration, every module real, in the simulated world."""

from __future__ import annotations

import asyncio
import logging
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import yaml
from msgspec import Meta

from chargebyte_fw.board.link.messages.charge_som import EstopState, RcmState
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.net import Net
from chargebyte_fw.sim.world import RESET_LINE, SERIAL_PORT, MemoryWorld
from hil.configurations import configuration
from hil.drivers import Resource, Stage
from hil.drivers.sim_line import DisturbedLine
from hil.drivers.sim_net import LineNet

SAMPLE_S = 0.05
BATTERY_KWH = 20.0
FOR_EVER_S = 1e6


class Mailbox:
    """A broker's stand-in: an operator's commands go to the charger's API; what it publishes is not looked at."""

    def __init__(self) -> None:
        self.takers: dict[str, Callable[[str, str], None]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Drop it."""

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        """Keep who takes a command."""
        self.takers[topic] = callback
        return lambda: None


class VirtualPlant(Resource):
    """World and charger on one event loop; `power` builds and destroys the charger, the world stays."""

    class Options(ModuleConfig):
        """What chance does."""

        seed: Annotated[int, Meta(description="Of everything that is left to chance.")] = 1

    world: MemoryWorld
    line: DisturbedLine
    net: LineNet
    configuration: Path

    async def activate(self, stage: Stage) -> None:
        """Build the world: board without power, modems, and the scenario's car at a distance."""
        await super().activate(stage)
        asyncio.get_running_loop().set_exception_handler(self._broke)
        scenario, recorder = stage.scenario, stage.recorder
        self.on_assembly: list[Callable[[Assembly], None]] = []
        self.reports: list[Callable[[dict[str, Any]], None]] = []
        self.mailbox = Mailbox()
        self.assembly: Assembly | None = None
        self._folder = Path(tempfile.mkdtemp(prefix="secc-hil-"))
        self._wires = Wires()
        hardware = Hardware()
        if scenario.board.get("rcm"):
            hardware.rcm = RcmState.MONITORING
        if scenario.board.get("emergency_stop", True):
            hardware.estops[0] = EstopState.NOT_TRIPPED
        model = Model(scenario.car, battery_kWh=BATTERY_KWH, soc_percent=scenario.soc_percent, target_soc_percent=100.0)
        self.world = MemoryWorld(
            self._wires,
            model,
            report=self._reported,
            seed=self.options.seed,
            hardware=hardware,
            over=self._over,
        )
        self.line = DisturbedLine(self._wires.find(f"serial:{SERIAL_PORT}"), random.Random(self.options.seed))
        self._wires.plug(f"serial:{SERIAL_PORT}", self.line.charger_end)
        self._reset_line: Callable[[bool], None] = self._wires.find(f"gpio:{RESET_LINE}") or (lambda _high: None)
        self._wires.plug(f"gpio:{RESET_LINE}", self._drive_reset_line)
        self._wires.plug("websocket:8080", lambda _serve: None)
        self.powered = self._isolated = self._reset_missed = False
        self._reset_high = True
        self._reset_line(False)
        self.world.modems.power("charger", False)
        self.configuration = self._configured(stage)
        self.spawn(self._sample())
        recorder.look()

    def _broke(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """The first uncaught error in the charger or the simulation: no reaction counts after it."""
        loop.default_exception_handler(context)
        self.failure = self.failure or context.get("exception") or RuntimeError(context.get("message", "unknown"))

    def _over(self, net: Net) -> Net:
        self.net = LineNet(net)
        return self.net

    def _configured(self, stage: Stage) -> Path:
        """Return the shipped configuration; the scenario's changes go into the user's overlay of it."""
        name, modules = configuration(stage.scenario.car, stage.scenario.config)
        if modules:
            overlay = self._folder / "etc/everest/user-config" / name
            overlay.parent.mkdir(parents=True)
            overlay.write_text(yaml.safe_dump({"active_modules": modules}))
        return stage.root / "etc/everest" / name

    async def deactivate(self) -> None:
        """Take everything away; raises what broke in the simulation itself."""
        if self.stage is None:
            return
        await super().deactivate()
        asyncio.get_running_loop().set_exception_handler(None)
        if self.assembly is not None:
            await self.power(False)
        self.world.close()
        self.line.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        if self.world.failure is not None:
            raise self.world.failure

    async def power(self, on: bool) -> None:
        """Give the board its supply, or take it: the safety controller is dark at once, and its contactors fall."""
        if on is self.powered:
            return
        self.powered = on
        if not on:
            self._reset_line(False)
            self.world.modems.power("charger", False)
            assembly, self.assembly = self.assembly, None
            if assembly is not None:
                await assembly.stop()
            return
        self.world.modems.power("charger", True)
        self._reset_line(True)
        await self._start_charger()

    async def _start_charger(self) -> None:
        stage = self.stage
        assert stage is not None
        self.mailbox.takers.clear()
        runtime = Runtime(
            root=Root(stage.root, self._folder),
            wires=self._wires,
            mqtt=self.mailbox,
            random=random.Random(self.options.seed),
        )
        runtime.trace.contracts = False
        configuration = load(self.configuration, runtime.root, environment={})
        if configuration.errors:
            raise ConfigError(configuration.findings)
        self.assembly = Assembly(runtime)
        self.assembly.build(configuration.plans)
        for call in self.on_assembly:
            call(self.assembly)
        await self.assembly.start()

    def isolate(self, isolated: bool) -> None:
        """Let nothing reach the board that the charger does: it does not know that it stands still."""
        self._isolated = isolated
        if isolated:
            self.line.cut(FOR_EVER_S)
        elif self.powered:
            self.line.close()
            self.line.mend()
            if self._reset_missed:
                self._reset_line(False)  # a reset that was ordered meanwhile comes now
            self._reset_line(self._reset_high)
        self._reset_missed = False

    async def crash(self) -> None:
        """End the charger unheard, and start another one over the same files."""
        assembly, self.assembly = self.assembly, None
        if assembly is None:
            return
        self.isolate(True)
        await assembly.stop()
        self._reset_high = True  # the line is not driven: it is pulled up
        self.isolate(False)
        await self._start_charger()

    def _drive_reset_line(self, high: bool) -> None:
        self._reset_high = high
        if self._isolated:
            self._reset_missed = self._reset_missed or not high
        elif self.powered:
            self._reset_line(high)

    def _reported(self, report: dict[str, Any]) -> None:
        for call in tuple(self.reports):
            call(report)

    async def _sample(self) -> None:
        """Let slow signals be looked at; the fast ones (the pilot's) report their changes."""
        assert self.stage is not None
        while True:
            for call in self.samplers:
                call()
            self.stage.recorder.look()
            await asyncio.sleep(SAMPLE_S)

    @property
    def samplers(self) -> list[Callable[[], None]]:
        """Called every SAMPLE_S; each puts samples to the recorder."""
        if not hasattr(self, "_samplers"):
            self._samplers: list[Callable[[], None]] = []
        return self._samplers

    def logger(self) -> logging.Logger:
        """Return the root of the charger's log."""
        return logging.getLogger("secc")
