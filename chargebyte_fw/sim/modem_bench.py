"""Modems at work: each one's host side is a port, an interface (AF_PACKET) or an end of a cable in memory.

In the demo the charger's modem sits on the car's end of the veth pair, and the car's modem talks to the car in memory::

    port, car_end = PacketPort("car0"), memory.wire(...)
    bench = ModemBench({"charger": port, "car": car_end}, guard)

As a program it stands between two interfaces, for peers that bring no modem of their own (pev, evse)::

    python -m chargebyte_fw.sim.modem_bench plc0 plc1
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.sim.modem import Make, Modem
from chargebyte_fw.sim.modem_line import FromHost, LineOptions, LinkIs, Power, Powerline, ToHost
from chargebyte_fw.sim.net import Port
from chargebyte_fw.sim.net_sockets import PacketPort


class ModemBench:
    """A power line with one modem for each port. `line` may be adjusted (`line.options`, `line.attenuations_dB`)."""

    def __init__(
        self,
        ports: Mapping[str, Port],
        guard: Callable[[BaseException], None],
        *,
        options: LineOptions | None = None,
        chance: random.Random | None = None,
        makes: Mapping[str, Make] | None = None,
        link: Callable[[str, bool], None] = lambda _name, _up: None,
    ) -> None:
        chance = chance or random.Random(0)
        modems = {name: Modem(chance.randbytes(16), (makes or {}).get(name, Make.QUALCOMM)) for name in ports}
        self.line = Powerline(modems, options, chance)
        self._ports = dict(ports)
        self._link = link
        """Called with a modem's name when its link comes or goes."""
        self._pump = Pump(self.line, self._act, guard)
        for name, port in ports.items():
            port.receive = partial(self._received, name)

    def link_up(self, name: str) -> bool:
        """Whether modem `name` shares its network with another one."""
        return self.line.modems[name].link_up

    def power(self, name: str, powered: bool) -> None:
        """Give a modem its power, or take it."""
        self._pump.feed(Power(name, powered))

    def close(self) -> None:
        """Let go of the ports; who opened them closes them."""
        for port in self._ports.values():
            port.receive = None
        self._pump.close()

    def _received(self, name: str, data: bytes) -> None:
        self._pump.feed(FromHost(name, data))

    def _act(self, effect: Any) -> None:
        match effect:
            case ToHost(name, data):
                self._ports[name].send(data)
            case LinkIs(name, up):
                self._link(name, up)


async def _stand_between(interfaces: Sequence[str], options: LineOptions, make: Make) -> None:
    ports = {interface: PacketPort(interface) for interface in interfaces}
    failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    bench = ModemBench(
        ports,
        failed.set_exception,
        options=options,
        chance=random.Random(),
        makes=dict.fromkeys(interfaces, make),
        link=lambda name, up: print(f"modem of {name}: link {'up' if up else 'down'}", flush=True),
    )
    print("modems are ready", flush=True)
    try:
        await failed
    finally:
        bench.close()
        for port in ports.values():
            port.close()


def main() -> int:
    """Play the modems of the hosts at the other ends of these interfaces, until interrupted."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("interface", nargs="+")
    parser.add_argument("--attenuation", type=int, default=LineOptions.attenuation_dB, help="in dB")
    parser.add_argument("--loss", type=float, default=0.0, help="share of frames lost, 0 to 1")
    parser.add_argument("--join", type=float, default=LineOptions.join_s, help="from equal keys to the link, in s")
    parser.add_argument("--make", choices=[make.name.lower() for make in Make], default="qualcomm")
    arguments = parser.parse_args()
    options = LineOptions(attenuation_dB=arguments.attenuation, loss=arguments.loss, join_s=arguments.join)
    try:
        asyncio.run(_stand_between(arguments.interface, options, Make[arguments.make.upper()]))
    except Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
