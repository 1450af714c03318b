"""A group of Infypower modules as they behave on the bus, with the car's battery at their output.

In one process, on a virtual clock::

    ours, theirs = memory.wire()
    runtime.wires.plug("can:can0", ours)
    modules = InfypowerBench(InfypowerModules(), theirs)

On a bus of python-can: `InfypowerBench(InfypowerModules(), "udp_multicast:239.74.163.2")`. As a program::

    python -m chargebyte_fw.sim.infypower udp_multicast:239.74.163.2 --modules 2
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chargebyte_fw.kernel.can_bus import CanCallbacks, CanFrame, open_port
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.power.infypower import messages as m

RISE_V_PER_S, DISCHARGE_V_PER_S, SLEW_A_PER_S = 2000.0, 1500.0, 400.0
BATTERY_OHM = 0.05
OPEN_AGAIN_S = 0.2


@dataclass
class OneModule:
    """One rectifier; `powered`, `alarms`, `refuses` and `deaf_to` may be played with while it runs."""

    address: int
    min_voltage_V: float = 150.0
    max_voltage_V: float = 1000.0
    max_current_A: float = 75.0
    max_power_W: float = 30_000.0
    powered: bool = True
    """Without power it receives and sends nothing, and loses its settings."""
    alarms: set[m.Alarm] = field(default_factory=set)
    refuses: dict[m.Item, int] = field(default_factory=dict)
    """Answers with this error code instead of doing it."""
    deaf_to: set[m.Item] = field(default_factory=set)
    on: bool = False
    direction: int = m.EXPORT
    cut_off_V: float = 0.0

    def restart(self) -> None:
        """Lose the power for a moment."""
        self.on, self.direction, self.cut_off_V = False, m.EXPORT, 0.0

    @property
    def status(self) -> int:
        """Its alarm bits."""
        bits = 0 if self.on else m.STATUS_OFF
        for alarm in self.alarms:
            bits |= alarm.mask
        return bits


@dataclass
class InfypowerModules:
    """The group: what is asked at a time in, what is answered out. `battery_V` returns the voltage at the output."""

    modules: list[OneModule] = field(default_factory=lambda: [OneModule(1), OneModule(2)])
    group: int = 0
    battery_V: Callable[[], float | None] = lambda: None
    """Open-circuit voltage of a battery that is connected; None: nothing is."""
    voltage_V: float = 0.0
    current_A: float = 0.0
    set_voltage_V: float = 0.0
    set_current_A: float = 0.0
    questions: int = 0
    watched: bool = False
    """Whether the charger has found the group and follows its current."""
    _at_s: float | None = None

    @property
    def powered(self) -> list[OneModule]:
        """The modules that are there; the first is the master."""
        return [module for module in self.modules if module.powered]

    def take(self, frame: CanFrame, now: float) -> list[CanFrame]:
        """Take a frame from the bus and return the answers to it."""
        try:
            asked = m.read(frame)
        except PeerError:
            return []
        if asked is None or asked.device != m.DEVICE_GROUP or asked.destination not in (self.group, m.BROADCAST):
            return []
        self.questions += 1
        self.advance(now)
        there = self.powered
        answers = []
        for module in there if asked.item.everyone else there[:1]:
            if asked.item in module.deaf_to:
                continue
            error = module.refuses.get(asked.item) or self._check(module, asked)
            value = asked.value if error else self._do(module, asked)
            answers.append(m.Message(asked.item, value, module.address, asked.source, error).frame())
        return answers

    def _check(self, module: OneModule, asked: m.Message) -> int:
        """Return what is wrong with a value."""
        allowed = {
            m.SET_VOLTAGE: module.min_voltage_V <= asked.value <= module.max_voltage_V,
            m.SET_CURRENT: 0 <= asked.value <= sum(one.max_current_A for one in self.powered),
            m.SWITCH: asked.value in (m.ON, m.OFF),
            m.DIRECTION: asked.value in (m.EXPORT, m.IMPORT),
        }
        return m.Outcome.NORMAL if allowed.get(asked.item, True) else m.Outcome.DATA_INVALID

    def _do(self, module: OneModule, asked: m.Message) -> float:  # noqa: C901 (one case each)
        match asked.item:
            case m.SWITCH:
                module.on = asked.value == m.ON
            case m.DIRECTION:
                module.direction = int(asked.value)
            case m.SET_CUT_OFF:
                module.cut_off_V = asked.value
            case m.SET_VOLTAGE:
                self.set_voltage_V = asked.value
            case m.SET_CURRENT:
                self.set_current_A = asked.value
            case m.VOLTAGE:
                return self.voltage_V
            case m.CURRENT:
                self.watched = True
                return self.current_A
            case m.COUNT:
                return len(self.powered)
            case m.STATUS:
                return module.status
            case m.MAX_VOLTAGE:
                return module.max_voltage_V
            case m.MIN_VOLTAGE:
                return module.min_voltage_V
            case m.MAX_CURRENT:
                return module.max_current_A
            case m.MAX_POWER:
                return module.max_power_W
        return asked.value

    def advance(self, now: float) -> None:
        """Let the output move up to `now`."""
        elapsed_s = now - self._at_s if self._at_s is not None else 0.0
        self._at_s = now
        battery_V = self.battery_V()
        working = [module for module in self.powered if module.on]
        if not working:
            self.current_A = 0.0
            at_rest_V = battery_V or 0.0
            self.voltage_V = _towards(self.voltage_V, at_rest_V, DISCHARGE_V_PER_S * elapsed_s)
            return
        if battery_V is None:
            self.current_A = 0.0
            step_V = (RISE_V_PER_S if self.set_voltage_V > self.voltage_V else DISCHARGE_V_PER_S) * elapsed_s
            self.voltage_V = _towards(self.voltage_V, self.set_voltage_V, step_V)
            return
        most_A = min(self.set_current_A, sum(one.max_current_A for one in working))
        most_A = min(most_A, sum(one.max_power_W for one in working) / battery_V)
        if working[0].direction == m.IMPORT:
            target_A = -most_A if battery_V > working[0].cut_off_V else 0.0
        else:
            target_A = min(most_A, max(0.0, (self.set_voltage_V - battery_V) / BATTERY_OHM))
        self.current_A = _towards(self.current_A, target_A, SLEW_A_PER_S * elapsed_s)
        self.voltage_V = battery_V + self.current_A * BATTERY_OHM


def _towards(value: float, target: float, step: float) -> float:
    return target if abs(target - value) <= step else value + math.copysign(step, target - value)


class InfypowerBench:
    """Modules on a bus of python-can, or at an end of a wire in memory. Raises Unavailable for a bus that is not."""

    def __init__(self, modules: InfypowerModules, bus: str | WireEnd) -> None:
        self.modules = modules
        wires, device = Wires(), bus if isinstance(bus, str) else "memory"
        if isinstance(bus, WireEnd):
            wires.plug(f"can:{device}", bus)
        self.lost: asyncio.Future[Unavailable] = asyncio.get_running_loop().create_future()
        self._port = open_port(device, wires, CanCallbacks(self._take, self.lost.set_result))

    def _take(self, frame: CanFrame) -> None:
        for answer in self.modules.take(frame, asyncio.get_running_loop().time()):
            self._port.send(answer)

    def close(self) -> None:
        """Let go of the bus."""
        self._port.close()


class InfypowerKeeper:
    """Modules on a bus of python-can that may come later, or go: it is opened again for ever."""

    def __init__(self, modules: InfypowerModules, device: str) -> None:
        self.modules = modules
        self._task = asyncio.get_running_loop().create_task(self._keep(device), name=f"modules:{device}")

    async def _keep(self, device: str) -> None:
        while True:
            try:
                bench = InfypowerBench(self.modules, device)
                try:
                    await bench.lost
                finally:
                    bench.close()
            except Unavailable:
                pass  # the network that carries the bus is still being laid
            await asyncio.sleep(OPEN_AGAIN_S)

    def close(self) -> None:
        """Let go of the bus."""
        self._task.cancel()


async def _stand(device: str, count: int) -> None:
    bench = InfypowerBench(InfypowerModules([OneModule(number + 1) for number in range(count)]), device)
    print("modules are ready", flush=True)
    try:
        raise await bench.lost
    finally:
        bench.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Play a group of modules with nothing at its output, until interrupted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("device", help="CAN interface, or INTERFACE:CHANNEL of python-can")
    parser.add_argument("--modules", type=int, default=2)
    arguments = parser.parse_args(argv)
    try:
        asyncio.run(_stand(arguments.device, arguments.modules))
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
