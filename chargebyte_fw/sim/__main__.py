"""`python -m chargebyte_fw.sim`: board and car for a charger in another process.

Reports lines of text on a terminal, JSON lines elsewhere. Takes commands on standard input, one a line: words
(`plug`, `unplug`, `stop`, `uart cut 2`, `estop on`, `help`), a script, or JSON (`{"run": "..."}`). Ends when standard
input ends, on SIGTERM, or with `quit`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import textwrap
from pathlib import Path

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import root_at
from chargebyte_fw.modules.v2g.evcc import KeyStore
from chargebyte_fw.sim.car_commands import HELP, WORDS, check_script
from chargebyte_fw.sim.car_keys import read_keys
from chargebyte_fw.sim.car_models import PROTOCOLS, Model
from chargebyte_fw.sim.net_cable import CAR_END, bring_up
from chargebyte_fw.sim.reporting import JsonReporter, TextReporter
from chargebyte_fw.sim.script import ScriptError, commands
from chargebyte_fw.sim.world import SERIAL_PORT, RealWorld

REPORT_S = 0.2
"""Real seconds between two reports of the instruments; messages that came faster are reported the latest first."""
EXAMPLES = """examples:
  python -m chargebyte_fw.sim --root . --protocol basic    for a charger with bsp-only-ac, by the pilot alone
  python -m chargebyte_fw.sim --root . --interface car0    ISO 15118-2, over the other end of the charger's eth1
  python -m chargebyte_fw.sim --root . --wait              the board, until `plug` is typed
commands of --script:
"""


class Process:
    """The simulation as a process of its own."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        as_text = arguments.report == "text" or (arguments.report == "auto" and sys.stdout.isatty())
        self._report: JsonReporter | TextReporter = TextReporter(arguments.speed) if as_text else JsonReporter()
        self._over = asyncio.Event()
        self._unread = b""
        model = Model(
            arguments.protocol,
            arguments.battery_kWh,
            arguments.soc_percent,
            arguments.target_soc_percent,
            tls=arguments.tls,
            payment=arguments.payment,
            control_mode=arguments.control_mode,
            keys=KeyStore() if arguments.keys is None else read_keys(arguments.keys),
        )
        self.world = RealWorld(
            arguments.root, arguments.interface, model, self._report, arguments.seed, power_bus=arguments.power_bus
        )

    async def run(self) -> int:
        """Run until asked to end; exit status 1 when the simulation itself broke."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._over.set)
        reader = self._listen(loop)
        self._report({"message": f"board: safety controller at {self._arguments.root}{SERIAL_PORT}; {HELP}"})
        starting = loop.create_task(self._begin())
        try:
            while not self._over.is_set() and self.world.failure is None:
                self._report.instruments(self.world.car.numbers())
                try:
                    async with asyncio.timeout(REPORT_S * self._arguments.speed):
                        await self._over.wait()
                except TimeoutError:
                    continue
        finally:
            starting.cancel()
            if reader:
                loop.remove_reader(sys.stdin.fileno())
            self.world.close()
        if self.world.failure is not None:
            self._report({"failure": f"the simulation broke: {self.world.failure!r}"})
            return 1
        return 0

    async def _begin(self) -> None:
        if self._arguments.wait:
            return
        self._report({"message": "board: waits for a charger"})
        await self.world.charger_is_ready()
        if self._arguments.script is not None:
            self.world.car.run(self._arguments.script)
        else:
            self.world.plug_in()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> bool:
        try:
            os.set_blocking(sys.stdin.fileno(), False)
            loop.add_reader(sys.stdin.fileno(), self._typed)
        except (OSError, ValueError):
            return False  # standard input is a plain file or closed: no commands
        return True

    def _typed(self) -> None:
        try:
            data = os.read(sys.stdin.fileno(), 4096)
        except BlockingIOError:
            return
        if not data:
            self._over.set()
            return
        *lines, self._unread = (self._unread + data).split(b"\n")
        for line in lines:
            self._take(line.decode(errors="replace").strip())

    def _take(self, line: str) -> None:
        if line in ("quit", "exit"):
            self._over.set()
        elif line.split() == ["help"]:
            self._report({"help": [f"{word:<20}  {what}" for word, what in WORDS.items()]})
        elif line.split() == ["help", "script"]:
            self._report({"help": [commands()]})
        elif line:
            try:
                self.world.take(line)
            except ScriptError as error:
                self._report({"error": str(error)})


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m chargebyte_fw.sim",
        description=(__doc__ or "").split("\n\n")[1],
        epilog=EXAMPLES + textwrap.fill(commands(), 78, initial_indent="  ", subsequent_indent="  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "--root",
        type=Path,
        default=Path("/"),
        metavar="DIR",
        help="the charger's --root, as secc run has it (default: /)",
    )
    result.add_argument(
        "--interface",
        metavar="IF",
        help=f"the car's end of the cable (default: {CAR_END}; --protocol basic needs none)",
    )
    result.add_argument("--protocol", choices=tuple(PROTOCOLS), default="iso2", help="what the car speaks")
    result.add_argument("--tls", choices=("none", "offer", "require"), default="none", help="whether the car wants it")
    result.add_argument("--keys", type=Path, default=None, metavar="DIR", help="the car's certificates and keys")
    result.add_argument("--payment", choices=("auto", "external", "contract"), default="auto")
    result.add_argument("--control-mode", choices=("Scheduled", "Dynamic"), default="", help="of ISO 15118-20")
    result.add_argument("--battery-kWh", type=positive, default=60.0, metavar="E")
    result.add_argument("--soc-percent", type=percent, default=30.0, metavar="P", help="where the battery is")
    result.add_argument("--target-soc-percent", type=percent, default=80.0, metavar="P", help="where the car leaves")
    result.add_argument("--script", default=None, help="what the car does once the charger is ready")
    result.add_argument("--wait", action="store_true", help="plug in when that is typed, not at once")
    result.add_argument("--speed", type=positive, default=1.0, metavar="N", help="N times faster than real time")
    result.add_argument(
        "--report", choices=("auto", "text", "json"), default="auto", help="how (auto: text on a terminal, else json)"
    )
    result.add_argument(
        "--power-bus", metavar="BUS", help="CAN bus with virtual power modules, as udp_multicast:ff15::1 of python-can"
    )
    result.add_argument("--seed", type=int, default=None, help="of everything that is left to chance")
    return result


def positive(text: str) -> float:
    """Read a number above zero."""
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text} is not above zero")
    return value


def percent(text: str) -> float:
    """Read a number from 0 to 100."""
    value = float(text)
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not 0 to 100")
    return value


def _bring_up(interface: str) -> None:
    try:
        bring_up(interface)
    except Unavailable as error:
        raise Unavailable(
            f"{error}: --interface names the car's end of the charger's cable; --protocol basic needs none"
        ) from error


def main() -> int:
    """Run the simulation; exit status 0 when it was asked to end."""
    arguments = parser().parse_args()
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().getrandbits(32)

    async def run() -> int:
        return await Process(arguments).run()

    try:
        arguments.root = root_at(arguments.root).state
        if arguments.script is not None:
            check_script(arguments.script, arguments.protocol)
        if arguments.interface is None and arguments.protocol != "basic":
            arguments.interface = CAR_END
        if arguments.interface is not None:
            _bring_up(arguments.interface)
        return clock.run(run(), speed=arguments.speed)
    except (Unavailable, ScriptError, ValueError) as error:
        print(f"chargebyte_fw.sim: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
