"""What labgrid knows to switch: outlets, relays and consoles of a bench, behind our protocols.

labgrid blocks and is an extra (`chargebyte-fw[rig]`): its drivers run in one thread of their own, imported when a rig
is activated and not before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from importlib.util import find_spec
from typing import Annotated, Any, TypeVar

from msgspec import Meta

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import ModuleConfig
from hil.drivers import Driver, Resource, Stage, active

T = TypeVar("T")
CONSOLE_READ_S = 0.2
LINE_LIMIT = 4096


class Labgrid(Resource):
    """A labgrid target, written in the rig file as labgrid writes it."""

    class Options(ModuleConfig):
        """labgrid's own words."""

        resources: Annotated[list[dict[str, Any]], Meta(description="As in a labgrid environment.")] = []
        drivers: Annotated[list[dict[str, Any]], Meta(description="As in a labgrid environment.")] = []

    def lacking(self) -> list[str]:
        """Return that labgrid is not installed, if it is not."""
        return [] if find_spec("labgrid") else ["labgrid is not installed: pip install 'chargebyte-fw[rig]'"]

    async def activate(self, stage: Stage) -> None:
        """Build the target; raises Unavailable without labgrid, or when it refuses."""
        self._thread = ThreadPoolExecutor(1, f"labgrid {self.name}")
        self._target = await self.call(self._build)
        await super().activate(stage)

    def _build(self) -> Any:
        try:
            from labgrid import driver, resource  # noqa: F401  (their classes register themselves)
            from labgrid.factory import target_factory
        except ImportError as error:
            raise Unavailable(f"{error}: pip install 'chargebyte-fw[rig]'") from error
        # labgrid takes its configuration apart while it reads it.
        wanted = deepcopy({"resources": self.options.resources, "drivers": self.options.drivers})
        try:
            return target_factory.make_target(self.name, wanted)
        except Exception as error:  # labgrid has no common base for what can be wrong with an environment
            raise Unavailable(f"labgrid refuses {self.name}: {error}") from error

    async def deactivate(self) -> None:
        """Let labgrid let go."""
        if self.stage is not None:
            await self.call(self._target.cleanup)
            self._thread.shutdown(wait=False)
        await super().deactivate()

    async def call(self, work: Callable[[], T]) -> T:
        """Do something blocking in labgrid's thread; raises Unavailable for what fails there."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except (Unavailable, asyncio.CancelledError):
            raise
        except Exception as error:  # relays, outlets and serial ports fail each in their own way
            raise Unavailable(f"{self.name}: {type(error).__name__}: {error}") from error

    async def driver(self, protocol: str, name: str) -> Any:
        """Return one of labgrid's drivers, active; an empty name takes the only one there is."""
        return await self.call(lambda: self._target.get_driver(protocol, name=name or None))

    async def set(self, output: str, on: bool) -> None:
        """Set a digital output by its name."""
        driver = await self.driver("DigitalOutputProtocol", output)
        await self.call(lambda: driver.set(on))


class LabgridDriver(Driver):
    """A driver that asks labgrid."""

    bindings = {"labgrid": "Labgrid"}

    class Options(ModuleConfig):
        """Which of labgrid's drivers."""

        driver: Annotated[str, Meta(description="Its name in the target; empty takes the only one.")] = ""

    @property
    def labgrid(self) -> Labgrid:
        """The target."""
        target: Labgrid = self.bound["labgrid"]
        return target


class LabgridPower(LabgridDriver):
    """The board's supply at a switched outlet."""

    protocol = "Power"

    @active
    async def switch(self, on: bool) -> None:
        """Switch the outlet."""
        driver = await self.labgrid.driver("PowerProtocol", self.options.driver)
        await self.labgrid.call(driver.on if on else driver.off)


class LabgridMains(LabgridDriver):
    """The grid in front of the power stage at a switched outlet or contactor."""

    protocol = "Mains"

    @active
    async def switch(self, on: bool) -> None:
        """Switch the grid."""
        driver = await self.labgrid.driver("PowerProtocol", self.options.driver)
        await self.labgrid.call(driver.on if on else driver.off)

    async def rest(self) -> None:
        """Let the grid be there."""
        await self.switch(True)

    @active
    async def fault(self, error: str, present: bool) -> None:
        """Raise Unavailable: a real power stage cannot be made to fail."""
        if present:
            raise Unavailable(f"this rig's power stage cannot be made to report {error}")


class LabgridSafety(LabgridDriver):
    """Emergency input, sensors and contactors behind relays, each named in the rig file."""

    protocol = "Safety"

    class Options(ModuleConfig):
        """What is wired."""

        outputs: Annotated[
            dict[str, str],
            Meta(description="estop, hot_1 .. hot_4, broken_1 .. broken_4, welded, stuck: labgrid's output for each."),
        ] = {}
        hot_C: Annotated[float, Meta(description="Temperature that the resistor behind hot_N stands for, in °C.")] = 95

    async def _set(self, what: str, on: bool) -> None:
        output = self.options.outputs.get(what)
        if output is None:
            if on:
                raise Unavailable(f"{what} is not wired on this rig")
            return
        await self.labgrid.set(output, on)

    async def rest(self) -> None:
        """Switch everything off that is wired."""
        for what in self.options.outputs:
            await self._set(what, False)

    @active
    async def emergency_stop(self, pressed: bool) -> None:
        """Open or close the emergency input's loop."""
        await self._set("estop", pressed)

    @active
    async def temperature(self, channel: int, value_C: float) -> None:
        """Put the hot resistor in place of the sensor for a temperature at or above it."""
        await self._set(f"hot_{channel}", value_C >= self.options.hot_C)

    @active
    async def break_sensor(self, channel: int, broken: bool) -> None:
        """Open the sensor's wire."""
        await self._set(f"broken_{channel}", broken)

    @active
    async def weld_contactor(self, present: bool) -> None:
        """Bridge the feedback contact of the first contactor."""
        await self._set("welded", present)

    @active
    async def hold_contactor_open(self, present: bool) -> None:
        """Open the coil of the first contactor."""
        await self._set("stuck", present)


class LabgridConsole(LabgridDriver):
    """The board's console, line by line to the recorder."""

    protocol = "Console"

    async def activate(self, stage: Stage) -> None:
        """Begin to listen."""
        self.lines = 0
        self._rest = b""
        self._reader = ThreadPoolExecutor(1, "console")
        self._console = await self.labgrid.driver("ConsoleProtocol", self.options.driver)
        await super().activate(stage)
        self.spawn(self._listen())

    async def deactivate(self) -> None:
        """End listening."""
        if self.stage is not None:
            self._reader.shutdown(wait=False)
        await super().deactivate()

    def _read(self) -> bytes:
        from pexpect import TIMEOUT

        try:
            return bytes(self._console.read(size=1024, timeout=CONSOLE_READ_S))
        except TIMEOUT:
            return b""

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            *lines, self._rest = (self._rest + await loop.run_in_executor(self._reader, self._read)).split(b"\n")
            self._rest = self._rest[-LINE_LIMIT:]
            for line in lines:
                self.lines += 1
                self.recorder.mark("console", line.decode(errors="replace").strip())
            await asyncio.sleep(0)
