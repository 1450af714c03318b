"""The world of a charger on this machine: each protocol done by the world's process, over its standard input."""

from __future__ import annotations

from chargebyte_fw.kernel.errors import Unavailable
from hil.drivers import active
from hil.drivers.local import LocalDriver


class WorldDriver(LocalDriver):
    """Hands calls on to the driver of the same protocol in the world's process."""

    rests = True
    """Whether it has something to put to rest there."""

    async def rest(self) -> None:
        """Undo what a scenario may have left behind."""
        if self.rests:
            await self._far("rest")

    async def _far(self, call: str, *arguments: bool | float | str) -> None:
        await self.bench.call(self.protocol, call, *arguments)


class WorldPilot(WorldDriver):
    """The control pilot at the car's end."""

    protocol = "Pilot"

    @active
    async def short(self, present: bool) -> None:
        """Short the line to protective earth."""
        await self._far("short", present)

    @active
    async def bridge_diode(self, present: bool) -> None:
        """Bridge the car's diode."""
        await self._far("bridge_diode", present)

    @active
    async def show(self, state: str) -> None:
        """Hang the resistor of a state on the line."""
        await self._far("show", state)


class WorldProximity(WorldDriver):
    """The proximity pilot."""

    protocol = "Proximity"

    @active
    async def code(self, word: str) -> None:
        """Show a cable."""
        await self._far("code", word)


class WorldPlcLink(WorldDriver):
    """The power line between the modems."""

    protocol = "PlcLink"

    @active
    async def lose(self, share: float) -> None:
        """Lose this share of all frames."""
        await self._far("lose", share)

    @active
    async def silence_car(self) -> None:
        """Let the car's V2G stack die without a word."""
        await self._far("silence_car")


class WorldCar(WorldDriver):
    """The virtual car."""

    protocol = "Load"

    @active
    async def run(self, script: str) -> None:
        """Begin a script; raises ScriptError."""
        await self._far("run", script)

    @active
    async def go_on(self, script: str) -> None:
        """Go on with another script; raises ScriptError."""
        await self._far("go_on", script)

    @active
    async def session(self) -> None:
        """Begin the whole session of the car."""
        await self._far("session")

    @active
    async def leak(self, current_mA: float) -> None:
        """Let a residual current flow."""
        await self._far("leak", current_mA)


class WorldMeter(WorldDriver):
    """Voltage and current at the car's inlet: the world reports them as they change."""

    protocol = "Meter"
    rests = False

    def read(self) -> tuple[float, float]:
        """Return V and A as they were reported last."""
        return self.recorder.now["voltage_V"], self.recorder.now["current_A"]


class WorldSafety(WorldDriver):
    """Emergency input, sensors and contactors."""

    protocol = "Safety"

    @active
    async def emergency_stop(self, pressed: bool) -> None:
        """Press or release the first emergency stop."""
        await self._far("emergency_stop", pressed)

    @active
    async def temperature(self, channel: int, value_C: float) -> None:
        """Let a sensor show a temperature."""
        await self._far("temperature", channel, value_C)

    @active
    async def break_sensor(self, channel: int, broken: bool) -> None:
        """Break a sensor's wire, or join it."""
        await self._far("break_sensor", channel, broken)

    @active
    async def weld_contactor(self, present: bool) -> None:
        """Let the first contactor stay closed once it is."""
        await self._far("weld_contactor", present)

    @active
    async def hold_contactor_open(self, present: bool) -> None:
        """Let the first contactor refuse to close."""
        await self._far("hold_contactor_open", present)


class WorldUart(WorldDriver):
    """The line between safety controller and host."""

    protocol = "Uart"

    @active
    async def cut(self, duration_s: float) -> None:
        """Let nothing pass for a while."""
        await self._far("cut", duration_s)

    @active
    async def noise(self, share: float) -> None:
        """Flip a bit in this share of what passes."""
        await self._far("noise", share)

    @active
    async def late(self, delay_s: float) -> None:
        """Delay the safety controller's frames."""
        await self._far("late", delay_s)


class WorldMains(WorldDriver):
    """The grid in front of the virtual rectifiers on the CAN bus; needs `supply: infypower`."""

    protocol = "Mains"

    async def rest(self) -> None:
        """The grid is there."""
        await self._far("switch", True)

    def _need(self) -> None:
        if self.bench.options.supply != "infypower":
            raise Unavailable("the grid in front of a simulator inside the charger cannot fail: supply: infypower")

    @active
    async def switch(self, on: bool) -> None:
        """Let the grid come, or fail."""
        if not on:
            self._need()
        await self._far("switch", on)

    @active
    async def fault(self, error: str, present: bool) -> None:
        """Let the modules report an error, or take it back."""
        self._need()
        await self._far("fault", error, present)
