"""What is wired to the virtual safety controller, its disturbed UART, and the computer at the other end of that."""

from __future__ import annotations

import asyncio

from chargebyte_fw.board.link.messages.charge_som import EstopState
from chargebyte_fw.sim.mcu_hardware import Hardware
from hil.drivers import active
from hil.drivers.sim import SimDriver


class SimSafety(SimDriver):
    """Emergency input, sensors and contactors."""

    protocol = "Safety"

    @property
    def _hardware(self) -> Hardware:
        return self.plant.world.mcu.mcu.hardware

    async def rest(self) -> None:
        """Nothing is pressed, hot, broken, welded or stuck."""
        calm = Hardware()
        hardware = self._hardware
        hardware.temperatures[:] = calm.temperatures
        await self.weld_contactor(False)
        await self.hold_contactor_open(False)
        if hardware.estops[0] is EstopState.TRIPPED:
            await self.emergency_stop(False)

    @active
    async def emergency_stop(self, pressed: bool) -> None:
        """Press or release the first emergency stop."""
        self._hardware.estops[0] = EstopState.TRIPPED if pressed else EstopState.NOT_TRIPPED
        self.plant.world.mcu.inputs_changed()

    @active
    async def temperature(self, channel: int, value_C: float) -> None:
        """Let a sensor show a temperature."""
        self._hardware.temperatures[channel - 1].value_C = value_C
        self.plant.world.mcu.inputs_changed()

    @active
    async def break_sensor(self, channel: int, broken: bool) -> None:
        """Break a sensor's wire, or join it."""
        self._hardware.temperatures[channel - 1].broken = broken
        self.plant.world.mcu.inputs_changed()

    @active
    async def weld_contactor(self, present: bool) -> None:
        """Let the first contactor stay closed once it is."""
        self._hardware.contactors[0].welded = present

    @active
    async def hold_contactor_open(self, present: bool) -> None:
        """Let the first contactor refuse to close."""
        self._hardware.contactors[0].stuck_open = present


class SimUart(SimDriver):
    """The line between safety controller and host."""

    protocol = "Uart"

    async def rest(self) -> None:
        """Everything passes, whole and at once."""
        self.plant.line.close()
        self.plant.line.mend()
        await self.noise(0.0)
        await self.late(0.0)

    @active
    async def cut(self, duration_s: float) -> None:
        """Let nothing pass for a while."""
        self.plant.line.cut(duration_s)

    @active
    async def noise(self, share: float) -> None:
        """Flip a bit in this share of all frames."""
        self.plant.line.noise_share = share

    @active
    async def late(self, delay_s: float) -> None:
        """Delay the safety controller's frames."""
        self.plant.line.delay_s = delay_s


class SimHost(SimDriver):
    """The charger's computer: what it does meanwhile has no effect outside."""

    protocol = "Host"
    _thaw: asyncio.TimerHandle | None = None

    async def rest(self) -> None:
        """It runs."""
        if self._thaw is not None:
            self._thaw.cancel()
            self._thaw = None
            self.plant.isolate(False)

    @active
    async def freeze(self, duration_s: float) -> None:
        """Cut the charger off the board for a while."""
        self.plant.isolate(True)
        self._thaw = asyncio.get_running_loop().call_later(duration_s, self.plant.isolate, False)

    @active
    async def crash(self) -> None:
        """End it unheard, and start it again."""
        await self.plant.crash()
