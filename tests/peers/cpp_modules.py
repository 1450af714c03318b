"""Modules of EVerest in C++ in the place of ours: `python -m tests.peers.cpp_modules PREFIX [--dialect 2026.02]`.

Each program below `PREFIX/libexec/everest/modules/` whose module a shipped configuration names is started as a process
of its own, in the place of the module of this product. With it a car in memory is plugged in, charges over ISO 15118-2
in real time, and leaves; then all of them together serve a session. Prints one line for each, `passed` or why not;
exit status 1 then. The programs are built from EVerest's source; nothing of it is part of this product.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import Collection, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import discover
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import External, MqttClient
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.dialect import Dialect
from chargebyte_fw.manager.wire.publisher import Publisher
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.world import MemoryWorld
from tests.manager.broker import Mosquitto
from tests.peers.josev import Failed
from tests.session.plant import CONFIGURATIONS, REPOSITORY

READY_LIMIT_S, POWER_LIMIT_S, LEAVE_LIMIT_S = 60.0, 120.0, 60.0
CAR = Model("iso2", battery_kWh=2.0, soc_percent=79.0, target_soc_percent=80.0)
"""Charges for some seconds: 0.02 kWh."""
MONITOR = """\
  ovm:
    module: OVMSimulator
"""


@dataclass
class Outcome:
    """What a session with the programs was."""

    seconds: float
    energy_Wh: float


class Lines(logging.Handler):
    """The warnings and errors of a run, for the reason of a failure."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(record.getMessage())


def configuration(names: Collection[str]) -> str:
    """Return the shipped configuration, with an over-voltage monitor where one is to be tried."""
    text = (REPOSITORY / "etc/everest" / CONFIGURATIONS[CAR.protocol]).read_text()
    if "OVMSimulator" not in names:
        return text
    imd = "      imd:\n        - module_id: imd\n"
    monitor = "      over_voltage_monitor:\n        - module_id: ovm\n          implementation_id: main\n"
    return text.replace(imd, monitor + imd) + MONITOR


def named(text: str) -> set[str]:
    """The modules that a configuration names."""
    return {line.split(":", 1)[1].strip() for line in text.splitlines() if line.strip().startswith("module:")}


def processes(names: Collection[str]) -> dict[str, int]:
    """The children of this process that run a program of these names, with their process ids."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            program = (entry / "cmdline").read_bytes().split(b"\0")[0].decode()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if parent == os.getpid() and Path(program).name in names:
            found[Path(program).name] = int(entry.name)
    return found


async def session(prefix: Path, names: Collection[str], state: Path, port: int, dialect: Dialect) -> Outcome:
    """Charge a car with these programs in the place of ours; raises Failed."""
    file = state / "c.yaml"
    file.write_text(configuration(names))
    runtime = Runtime(root=Root(REPOSITORY, state))
    runtime.wires.plug("websocket:8080", lambda serve: None)
    world = MemoryWorld(runtime.wires, CAR, report=lambda _: None, seed=1)
    # Those alone: every other module is ours.
    modules = state / "modules"
    modules.mkdir()
    for name in names:
        (modules / name).symlink_to(prefix / "libexec/everest/modules" / name)
    installed = discover([modules])
    plans = load(file, runtime.root, environment={}, installed=installed, programs=names).require_sound().plans
    client = MqttClient(BrokerAddress("127.0.0.1", port))
    runtime.mqtt = External(client)
    log_config = str(REPOSITORY / "etc/everest/default_logging.cfg")
    carrier = Carrier(
        client, "everest/", everest_root=str(prefix), logging_file=log_config, dialect=dialect, root=runtime.root
    )
    charger = Supervisor(plans, runtime, client, Publisher(carrier))
    running = asyncio.ensure_future(charger.run())
    began_s = time.monotonic()
    try:
        await _until(world.charger_is_ready(), READY_LIMIT_S, "the charger is not ready", running)
        assembly = charger.assembly
        assert assembly is not None
        started = processes(names)
        if missing := sorted(set(names) - set(started)):
            raise Failed(f"no process of {', '.join(missing)}")
        world.plug_in()
        await _until(_power(world), POWER_LIMIT_S, "the car gets no power", running)
        await _until(_left(world), LEAVE_LIMIT_S, "the car does not leave", running)
        battery = world.car.battery
        energy_Wh = (battery.soc_percent - CAR.soc_percent) / 100 * battery.capacity_Wh
        await asyncio.sleep(1)
        if charger.assembly is not assembly or processes(names) != started:
            raise Failed("a program ended during the session")
        if left := [f"{fault.origin.module_id}: {fault.type}" for book in runtime.all_faults for fault in book.active]:
            raise Failed(f"faults are left: {', '.join(left)}")
        if energy_Wh <= 0:
            raise Failed("the car left without energy")
    finally:
        charger.request_stop()
        await running
        world.close()
    return Outcome(time.monotonic() - began_s, energy_Wh)


async def _power(world: MemoryWorld) -> None:
    while world.car.inlet.power_W <= 0:
        await asyncio.sleep(0.05)


async def _left(world: MemoryWorld) -> None:
    while world.car.running:
        await asyncio.sleep(0.05)


async def _until(wanted: Coroutine[None, None, None], limit_s: float, why: str, run: asyncio.Task[int]) -> None:
    waiting = asyncio.ensure_future(wanted)
    await asyncio.wait([waiting, run], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        raise Failed("the charger has ended" if run.done() else f"{why} within {limit_s:g} s")
    waiting.result()


def attempt(prefix: Path, names: Collection[str], dialect: Dialect) -> str:
    """Return what came of a session with these programs: `passed`, with its figures, or why not."""
    lines = Lines()
    log = logging.getLogger("secc")
    log.addHandler(lines)
    with tempfile.TemporaryDirectory(prefix="secc-cpp-") as folder:
        state = Path(folder)
        broker = Mosquitto(state)
        broker.start()
        try:
            outcome = clock.run(session(prefix, names, state, broker.port, dialect), speed=1.0)
        except ConfigError as error:
            return f"failed: {error}"
        except Failed as error:
            return "; ".join([f"failed: {error}", *lines.lines[-3:]])
        finally:
            broker.kill()
            log.removeHandler(lines)
    return f"passed: {outcome.energy_Wh:.0f} Wh in a session of {outcome.seconds:.1f} s"


def _own_output(log: Path) -> TextIO:
    """Return the standard output; what the programs print goes to `log` from now on."""
    own = os.fdopen(os.dup(1), "w")
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    return own


def main() -> int:
    """Try each module alone, then all of them together."""
    parser = argparse.ArgumentParser(description="EVerest's modules in C++, each in the place of ours, in a session")
    parser.add_argument("prefix", type=Path, help="an installed EVerest, whose libexec/everest/modules is used")
    parser.add_argument("modules", nargs="*", help="these alone (default: every one that is found)")
    parser.add_argument("--dialect", choices=[each.value for each in Dialect], default=Dialect.V2026_10.value)
    parser.add_argument("--log", type=Path, default=Path(os.devnull), help="file for what the programs print")
    arguments = parser.parse_args()
    prefix = arguments.prefix.resolve()
    folder = prefix / "libexec/everest/modules"
    there = {entry.name for entry in folder.glob("*") if (entry / entry.name).is_file()}
    usable = sorted(there & (named(configuration(["OVMSimulator"]))))
    names = arguments.modules or usable
    if unknown := sorted(set(names) - set(usable)):
        print(f"{folder} has no program of {', '.join(unknown)} that a session here could use")
        return 2
    if not names:
        print(f"{folder} has no program in C++ that a session here could use")
        return 2
    dialect = Dialect(arguments.dialect)
    out = _own_output(arguments.log)
    failed = False
    for group in [[name] for name in names] + ([names] if len(names) > 1 else []):
        outcome = attempt(prefix, group, dialect)
        failed |= not outcome.startswith("passed")
        print(f"{group[0] if len(group) == 1 else 'all together'}, {dialect.value}: {outcome}", file=out, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
