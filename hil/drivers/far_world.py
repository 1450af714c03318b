"""`python -m hil.drivers.far_world`: safety controller, modems and car of a local bench, as a process of their own.

It stands at the far ends of a pseudo-terminal, of two reset lines and of a network cable, and has no part in the
charger. Takes calls of our protocols as JSON lines on standard input (`{"id": 1, "driver": "Pilot", "call": "short",
"arguments": [true]}`), answers them, and sends every sample with the moment at which it was seen. The drivers are those
of the rig without hardware. Ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.board.link.messages.charge_som import EstopState, RcmState
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.power.infypower.messages import ALARMS
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.infypower import InfypowerKeeper
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.mcu_port import McuOnPty
from chargebyte_fw.sim.net_cable import CAR_END, bring_up
from chargebyte_fw.sim.net_sockets import PacketPort, SocketNet
from chargebyte_fw.sim.pilot import Pilot
from chargebyte_fw.sim.script import ScriptError
from chargebyte_fw.sim.world import PLC_RESET_LINE, RESET_LINE, SERIAL_PORT, World
from hil.drivers import Driver, Stage
from hil.drivers.plant import BATTERY_KWH, SAMPLE_S
from hil.drivers.sim import MAINS_LOST, SimCar, SimMeter, SimPilot, SimPlcLink, SimProximity
from hil.drivers.sim_board import SimSafety, SimUart
from hil.drivers.sim_line import Disturbance
from hil.drivers.sim_net import LineNet
from hil.recorder import Recorder
from hil.scenario import Scenario

DRIVERS: tuple[type[Driver], ...] = (SimPilot, SimProximity, SimPlcLink, SimCar, SimMeter, SimSafety, SimUart)


class Teller(Recorder):
    """A recorder that keeps nothing and sends everything, stamped with the machine's monotonic clock."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._send = send

    def put_at(self, _at_s: float, values: dict[str, Any]) -> None:
        """Send what has changed."""
        changed = {name: value for name, value in values.items() if value != self.now[name]}
        if changed:
            self.now.update(changed)
            self._send({"at": clock.real_seconds(), "put": changed})

    def mark(self, kind: str, text: str, _at_s: float | None = None) -> None:
        """Send the mark."""
        self._send({"at": clock.real_seconds(), "mark": [kind, text]})


class FarLine(Disturbance):
    """The UART of a safety controller on a pseudo-terminal."""

    def __init__(self, mcu: DisturbedPty, chance: random.Random) -> None:
        super().__init__(chance)
        self._mcu = mcu

    def cut(self, duration_s: float) -> None:
        """Let nothing pass for a while."""
        self._mcu.cut(duration_s)

    def mend(self) -> None:
        """Let everything pass again."""
        self._mcu.mend()

    def close(self) -> None:
        """Nothing is open here."""


class DisturbedPty(McuOnPty):
    """A safety controller whose line can be noisy and late."""

    trouble: Disturbance | None = None

    def _transmit(self, data: bytes) -> None:
        if self.trouble is None:
            super()._transmit(data)
        else:
            self.trouble.pass_on(self.trouble.touched(data), super()._transmit)

    def _received(self, data: bytes) -> None:
        super()._received(data if self.trouble is None else self.trouble.touched(data))


class FarWorld(World):
    """What `sim.world.RealWorld` is, on a board that can lose its supply and whose UART can be disturbed."""

    def __init__(self, options: argparse.Namespace, report: Callable[[dict[str, Any]], None]) -> None:
        pilot, hardware = Pilot(), Hardware()
        if options.rcm:
            hardware.rcm = RcmState.MONITORING
        if not options.no_emergency_stop:
            hardware.estops[0] = EstopState.NOT_TRIPPED
        self._port = PacketPort(options.interface)
        self.net = LineNet(SocketNet(options.interface))
        mcu = DisturbedPty(VirtualMcu(pilot, hardware, clock.loop_speed()), options.root / SERIAL_PORT.lstrip("/"))
        mcu.trouble = self.line = FarLine(mcu, random.Random(options.seed))
        model = Model(options.car, battery_kWh=BATTERY_KWH, soc_percent=options.soc_percent, target_soc_percent=100.0)
        super().__init__(model, pilot, mcu, self._port, self.net, report, options.seed)
        self.powered = False
        self._power_bus = InfypowerKeeper(self.power_modules, options.power_bus) if options.power_bus else None
        self._lines = [
            SimulatedLine(options.root, RESET_LINE, self._reset_line),
            SimulatedLine(options.root, PLC_RESET_LINE, self._plc_line),
        ]
        self.switch(False)

    def switch(self, on: bool) -> None:
        """Give the board its supply, or take it: the safety controller is dark at once, and its contactors fall."""
        self.powered = on
        self.mcu.reset_line(on)
        self.modems.power("charger", on)

    def _reset_line(self, high: bool) -> None:
        if self.powered:
            self.mcu.reset_line(high)

    def _plc_line(self, high: bool) -> None:
        if self.powered:
            self.plc_reset_line(high)

    def close(self) -> None:
        """Take everything away."""
        super().close()
        if self._power_bus is not None:
            self._power_bus.close()
        for line in self._lines:
            line.close()
        self.net.end()
        self._port.close()


class FarPlant:
    """What the drivers of the rig without hardware need of a plant."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.reports: list[Callable[[dict[str, Any]], None]] = []
        self.samplers: list[Callable[[], None]] = []
        self.world = FarWorld(options, self._reported)
        self.line, self.net = self.world.line, self.world.net

    def _reported(self, report: dict[str, Any]) -> None:
        for call in tuple(self.reports):
            call(report)


class FarPower(Driver):
    """The board's supply, as far as it reaches beyond the charger's processes."""

    protocol = "Power"

    async def switch(self, on: bool) -> None:
        """Switch it."""
        self.bound["plant"].world.switch(on)


class FarMains(Driver):
    """The grid in front of the virtual rectifiers: without it, or with an error of theirs, they give nothing."""

    protocol = "Mains"

    async def switch(self, on: bool) -> None:
        """Let the grid come, or fail."""
        await self.fault(MAINS_LOST, not on)

    async def fault(self, error: str, present: bool) -> None:
        """Set or clear the alarm bit that means this error; raises Unavailable where there is none."""
        alarm = next((one for one in ALARMS if one.error == error), None)
        if alarm is None:
            raise Unavailable(f"these power modules have no alarm that means {error}")
        for module in self.bound["plant"].world.power_modules.modules:
            if present:
                module.alarms.add(alarm)
                module.on = False
            else:
                module.alarms.discard(alarm)


class Server:
    """Carries out calls, one after the other."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._encode = msgspec.json.Encoder().encode
        self.plant = FarPlant(options)
        bound = {"plant": self.plant}
        classes: tuple[type[Driver], ...] = (*DRIVERS, FarPower, FarMains)
        self.drivers = {cls.protocol: cls(cls.protocol, None, bound) for cls in classes}
        self._stage = Stage(Teller(self.send), Scenario("", "", "", options.car, "idle", ()), options.root)

    def send(self, what: dict[str, Any]) -> None:
        """Write one line."""
        try:
            os.write(sys.stdout.fileno(), self._encode(what) + b"\n")
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rig is gone, and so are we soon

    async def run(self) -> int:
        """Serve until standard input ends; exit status 1 when the simulation itself broke."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, over.set)
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        for driver in self.drivers.values():
            await driver.activate(self._stage)
        tasks = [loop.create_task(self._sample()), loop.create_task(self._serve(reader, over))]
        self.send({"ready": True})
        world = self.plant.world
        try:
            while not over.is_set() and world.failure is None and world.mcu.failure is None:
                try:
                    async with asyncio.timeout(SAMPLE_S):
                        await over.wait()
                except TimeoutError:
                    continue
        finally:
            for task in tasks:
                task.cancel()
            for driver in self.drivers.values():
                await driver.deactivate()
            world.close()
        failure = world.failure or world.mcu.failure
        if failure is not None:
            print(f"the simulation broke: {failure!r}", file=sys.stderr)
        return 0 if failure is None else 1

    async def _sample(self) -> None:
        while True:
            for call in self.plant.samplers:
                call()
            await asyncio.sleep(SAMPLE_S)

    async def _serve(self, reader: asyncio.StreamReader, over: asyncio.Event) -> None:
        while line := await reader.readline():
            asked: dict[str, Any] = msgspec.json.decode(line)
            answer: dict[str, Any] = {"id": asked["id"]}
            try:
                await getattr(self.drivers[asked["driver"]], asked["call"])(*asked["arguments"])
            except (Unavailable, ScriptError) as error:
                answer |= {"error": str(error), "kind": type(error).__name__}
            self.send(answer)
        over.set()


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(prog="python -m hil.drivers.far_world", description=(__doc__ or "").split("\n")[0])
    result.add_argument("--root", type=Path, required=True, metavar="DIR", help="state root of the charger")
    result.add_argument("--interface", default=CAR_END, help=f"the car's end of the cable (default {CAR_END})")
    result.add_argument("--car", default="iso2", help="iso2, din or basic")
    result.add_argument("--soc-percent", type=float, default=50.0, metavar="P", help="of the car's battery")
    result.add_argument("--rcm", action="store_true", help="the board has a residual current monitor")
    result.add_argument("--no-emergency-stop", action="store_true", help="the board's emergency input is not in use")
    result.add_argument("--power-bus", metavar="BUS", help="CAN bus with virtual power modules")
    result.add_argument("--seed", type=int, default=1, help="of everything that is left to chance")
    result.add_argument("--speed", type=float, default=1.0, metavar="N", help="N times faster than real time")
    return result


def main() -> int:
    """Serve; exit status 0 when asked to end."""
    options = parser().parse_args()

    async def run() -> int:
        return await Server(options).run()

    try:
        bring_up(options.interface)
        return clock.run(run(), speed=options.speed)
    except Unavailable as error:
        print(f"far_world: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
