"""Who does what the protocols promise; each driver is found by its name in a rig file and imported only then."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar, ParamSpec, TypeVar

import msgspec

from chargebyte_fw.kernel.module import ModuleConfig
from hil.recorder import Recorder
from hil.scenario import Scenario

P = ParamSpec("P")
T = TypeVar("T")

DRIVERS = {
    "SimPower": "hil.drivers.sim:SimPower",
    "SimMains": "hil.drivers.sim:SimMains",
    "SimPilot": "hil.drivers.sim:SimPilot",
    "SimProximity": "hil.drivers.sim:SimProximity",
    "SimPlcLink": "hil.drivers.sim:SimPlcLink",
    "SimCar": "hil.drivers.sim:SimCar",
    "SimMeter": "hil.drivers.sim:SimMeter",
    "SimConsole": "hil.drivers.sim:SimConsole",
    "SimImage": "hil.drivers.sim:SimImage",
    "SimCharger": "hil.drivers.sim:SimCharger",
    "SimSafety": "hil.drivers.sim_board:SimSafety",
    "SimUart": "hil.drivers.sim_board:SimUart",
    "SimHost": "hil.drivers.sim_board:SimHost",
    "LabgridPower": "hil.drivers.labgrid_rig:LabgridPower",
    "LabgridMains": "hil.drivers.labgrid_rig:LabgridMains",
    "LabgridConsole": "hil.drivers.labgrid_rig:LabgridConsole",
    "LabgridSafety": "hil.drivers.labgrid_rig:LabgridSafety",
    "BenchPilot": "hil.drivers.bench:BenchPilot",
    "BenchProximity": "hil.drivers.bench:BenchProximity",
    "BenchCar": "hil.drivers.bench:BenchCar",
    "BenchPlcLink": "hil.drivers.bench:BenchPlcLink",
    "ScpiMeter": "hil.drivers.scpi:ScpiMeter",
    "MqttCharger": "hil.drivers.mqtt:MqttCharger",
    "MqttImage": "hil.drivers.mqtt:MqttImage",
    "LocalPower": "hil.drivers.local:LocalPower",
    "LocalHost": "hil.drivers.local:LocalHost",
    "LocalConsole": "hil.drivers.local:LocalConsole",
    "LocalImage": "hil.drivers.local:LocalImage",
    "WorldPilot": "hil.drivers.local_world:WorldPilot",
    "WorldProximity": "hil.drivers.local_world:WorldProximity",
    "WorldPlcLink": "hil.drivers.local_world:WorldPlcLink",
    "WorldCar": "hil.drivers.local_world:WorldCar",
    "WorldMeter": "hil.drivers.local_world:WorldMeter",
    "WorldSafety": "hil.drivers.local_world:WorldSafety",
    "WorldUart": "hil.drivers.local_world:WorldUart",
    "WorldMains": "hil.drivers.local_world:WorldMains",
}
RESOURCES = {
    "VirtualPlant": "hil.drivers.plant:VirtualPlant",
    "Labgrid": "hil.drivers.labgrid_rig:Labgrid",
    "InletBox": "hil.drivers.bench:InletBox",
    "Scpi": "hil.drivers.scpi:Scpi",
    "Broker": "hil.drivers.mqtt:Broker",
    "LocalBench": "hil.drivers.local:LocalBench",
    "LocalBroker": "hil.drivers.local:LocalBroker",
}


def find(table: dict[str, str], name: str) -> type[Any]:
    """Import a driver or resource class by its name in a rig file; raises KeyError, ImportError."""
    module, _, cls = table[name].partition(":")
    found: type[Any] = getattr(import_module(module), cls)
    return found


class Stage(msgspec.Struct):
    """What drivers and resources are activated with: one scenario (on a bench: the first one of a run)."""

    recorder: Recorder
    scenario: Scenario
    root: Path
    options: dict[str, Any] = {}


class NotActive(RuntimeError):
    """A driver was called that is not active; names driver and call."""


def active(call: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Refuse a call of a driver that is not active."""

    @wraps(call)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        driver = args[0]
        assert isinstance(driver, Driver)
        if driver.stage is None:
            raise NotActive(f"{type(driver).__name__}.{call.__name__} was called and the driver is not active")
        return await call(*args, **kwargs)

    return checked


class _Part:
    """What resources and drivers have in common."""

    class Options(ModuleConfig):
        """What a rig file may set."""

    bindings: ClassVar[dict[str, str]] = {}
    """Resources that it needs: the key in the rig file to the resource's type."""

    def __init__(self, name: str, options: Any, bound: dict[str, Any]) -> None:
        self.name = name
        self.options = options
        self.bound = bound
        self.stage: Stage | None = None
        self.failure: BaseException | None = None
        """Why something that it does in the background has ended."""
        self._tasks: list[asyncio.Task[None]] = []

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something in the background until deactivated; what it fails of fails the scenario."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                self.failure = self.failure or task.exception()

        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(ended)
        self._tasks.append(task)

    def lacking(self) -> list[str]:
        """Return what this machine lacks for it, a sentence each; asked before anything is activated."""
        return []

    async def activate(self, stage: Stage) -> None:
        """Get ready for a scenario; raises Unavailable when the thing is not there."""
        self.stage = stage

    async def rest(self) -> None:
        """Undo what a scenario may have left behind: nothing is disturbed, shorted, pressed or welded any more."""

    async def deactivate(self) -> None:
        """Let go; the thing is left safe."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.stage = None


class Resource(_Part):
    """A thing in the lab."""


class Driver(_Part):
    """Does one protocol with resources."""

    protocol: ClassVar[str] = ""

    @property
    def recorder(self) -> Recorder:
        """Where samples go; raises NotActive."""
        if self.stage is None:
            raise NotActive(f"{type(self).__name__} is not active")
        return self.stage.recorder
