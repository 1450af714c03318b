"""The world around a charger: its board's safety controller, both modems, and a car, all on one event loop.

`MemoryWorld` plugs everything into a `Wires` in memory: with a virtual clock a session takes no time and repeats from
its seed. `RealWorld` stands at the other ends of a pseudo-terminal and of a network interface.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chargebyte_fw.board.link.messages.charge_som import EstopState
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.sim.car import Car, CarWires
from chargebyte_fw.sim.car_commands import CutUart, Drive, EmergencyStop, read
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.infypower import InfypowerBench, InfypowerKeeper, InfypowerModules
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_hardware import Hardware
from chargebyte_fw.sim.mcu_port import McuOnPty, McuOnWire, McuPort
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.net import MemoryNet, Net, Port
from chargebyte_fw.sim.net_sockets import PacketPort, SocketNet
from chargebyte_fw.sim.pilot import Drive as PilotDrive
from chargebyte_fw.sim.pilot import Pilot

SERIAL_PORT = "/dev/ttyLP2"
RESET_LINE = "nSAFETY_RESET_INT"
PLC_RESET_LINE = "nPLC_RESET_INT"
CAN_DEVICE = "can0"
CHARGER_MAC = b"\x02\0\0\0\0\x01"
CAR_MAC = b"\x02\0\0\0\0\x02"
OTHER_CAR_MAC = b"\x02\0\0\0\0\x03"

Report = Callable[[dict[str, Any]], None]


POWER_LOOK_S = 0.1
"""How often it is looked whether the charger has found the virtual power modules."""


class World:
    """What both worlds have in common; `car`, `mcu` and `modems` may be played with directly."""

    def __init__(
        self, model: Model, pilot: Pilot, mcu: McuPort, charger_modem: Port, net: Net, report: Report, seed: int
    ) -> None:
        self.model = model
        self.pilot = pilot
        self.mcu = mcu
        self.failure: BaseException | None = None
        """What broke in the simulation itself."""
        chance = random.Random(seed)
        car_port, car_modem = memory.wire(CAR_MAC, CAR_MAC)
        self.modems = ModemBench({"charger": charger_modem, "car": car_modem}, self._broken, chance=chance)
        self.car = Car(
            CarWires(pilot, car_port, net),
            model.battery(),
            model.settings(CAR_MAC),
            report,
            self._broken,
            chance=chance,
        )
        self._report = report
        self.power_modules = InfypowerModules(battery_V=lambda: self.car.battery_at_the_inlet_V)
        """What the charger's power supply finds where it looks for modules on a CAN bus."""

    def _broken(self, error: BaseException) -> None:
        self.failure = self.failure or error
        raise error

    def plug_in(self) -> None:
        """Begin the session of the car's model."""
        self.car.run(self.model.scripts().session)

    def take(self, line: str) -> None:
        """Carry out one typed line; raises ScriptError."""
        match read(line, self.model.scripts()):
            case Drive(script, fresh=True):
                self.car.run(script)
            case Drive(script):
                self.car.replace(script)
            case CutUart(duration_s):
                self._report({"message": f"board: the UART is pulled for {duration_s:g} s"})
                self.cut_uart(duration_s)
            case EmergencyStop(pressed):
                self._report({"message": f"board: emergency stop {'pressed' if pressed else 'released'}"})
                self.press_emergency_stop(pressed)

    def plc_reset_line(self, high: bool) -> None:
        """Hold the charger's modem in reset while the line is low."""
        self.modems.power("charger", high)

    def exchange_car(self, mac: bytes = OTHER_CAR_MAC) -> None:
        """Pull the plug and bring another car, which comes with `plug_in`."""
        self.car.replace("unplug")
        self.car.become(mac)

    def cut_uart(self, duration_s: float) -> None:
        """Cut the UART for a while: nothing passes in either direction."""
        self.mcu.cut(duration_s)

    def press_emergency_stop(self, pressed: bool) -> None:
        """Press or release the first emergency stop."""
        self.mcu.mcu.hardware.estops[0] = EstopState.TRIPPED if pressed else EstopState.NOT_TRIPPED
        self.mcu.inputs_changed()

    def weld_contactor(self, welded: bool = True) -> None:
        """Let the first contactor stick where it closes the circuit, or come loose and open."""
        hardware = self.mcu.mcu.hardware
        hardware.contactors[0].welded = hardware.contactors[0].closed = welded
        self.pilot.contactors_closed = hardware.phases_connected > 0
        self.mcu.inputs_changed()

    async def charger_is_ready(self) -> None:
        """Wait until the charger puts +12 V on the pilot."""
        while self.pilot.drive is not PilotDrive.PLUS:
            changed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            def wake(changed: asyncio.Future[None] = changed) -> None:
                if not changed.done():
                    changed.set_result(None)

            self.pilot.on_change.append(wake)
            try:
                await changed
            finally:
                self.pilot.on_change.remove(wake)

    def close(self) -> None:
        """Take everything away."""
        self.car.close()
        self.modems.close()
        self.mcu.close()


class MemoryWorld(World):
    """Everything in memory: plugged into `wires` before the charger's modules are built."""

    def __init__(
        self,
        wires: Wires,
        model: Model,
        *,
        report: Report = lambda _: None,
        seed: int = 1,
        device: str = "eth1",
        hardware: Hardware | None = None,
        over: Callable[[Net], Net] = lambda net: net,
    ) -> None:
        """`over` may put something between the car and its network."""
        pilot = Pilot()
        host_end, mcu_end = memory.wire()
        mcu = McuOnWire(VirtualMcu(pilot, hardware, loop_speed()), mcu_end)
        charger_port, charger_modem = memory.wire(CHARGER_MAC, CHARGER_MAC)
        charger_host, car_host = memory.link()
        wires.plug(f"serial:{SERIAL_PORT}", host_end)
        wires.plug(f"gpio:{RESET_LINE}", mcu.reset_line)
        wires.plug(f"ethernet:{device}", charger_port)
        wires.plug(f"ip:{device}", charger_host)
        bus_end, modules_end = memory.wire()
        wires.plug(f"can:{CAN_DEVICE}", bus_end)
        super().__init__(model, pilot, mcu, charger_modem, over(MemoryNet(car_host)), report, seed)
        self._power_bench = InfypowerBench(self.power_modules, modules_end)
        wires.plug(f"gpio:{PLC_RESET_LINE}", self.plc_reset_line)

    def close(self) -> None:
        """Take everything away."""
        super().close()
        self._power_bench.close()


class RealWorld(World):
    """A pseudo-terminal below the charger's state root, and one interface; raises Unavailable when it is refused.

    Without an interface, which a car by the pilot alone does not need, the modems have no cable.
    """

    def __init__(
        self,
        root: Path,
        interface: str | None,
        model: Model,
        report: Report,
        seed: int,
        net: Net | None = None,
        power_bus: str | None = None,
    ) -> None:
        pilot = Pilot()
        self._port: PacketPort | None = None
        charger_modem: Port
        if interface is None:
            charger_modem = memory.wire(CHARGER_MAC, CHARGER_MAC)[0]
            self._net: Net = MemoryNet(memory.link()[1])
        else:
            charger_modem = self._port = PacketPort(interface)
            self._net = net or SocketNet(interface)
        pty = McuOnPty(VirtualMcu(pilot, None, loop_speed()), root / SERIAL_PORT.lstrip("/"))
        self._line = SimulatedLine(root, RESET_LINE, pty.reset_line)
        super().__init__(model, pilot, pty, charger_modem, self._net, report, seed)
        self._power = InfypowerKeeper(self.power_modules, power_bus) if power_bus else None
        self._plc_line = SimulatedLine(root, PLC_RESET_LINE, self.plc_reset_line)

    async def charger_is_ready(self) -> None:
        """Wait for +12 V, and until the charger has found its power supply where that is beyond a CAN bus."""
        await super().charger_is_ready()
        while self._power is not None and not self.power_modules.watched:  # noqa: ASYNC110
            await asyncio.sleep(POWER_LOOK_S)

    def close(self) -> None:
        """Take everything away."""
        super().close()
        if self._power is not None:
            self._power.close()
        self._plc_line.close()
        self._line.close()
        self._net.close()
        if self._port is not None:
            self._port.close()
