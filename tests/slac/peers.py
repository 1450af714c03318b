"""Independent programs at the other end of the power line: `pev` (a car) and `evse` (a charger) of plc-utils-extra.

Each stands in a network namespace of its own; the virtual modems stand between. As a program::

    python -m tests.slac.peers          # prints "pev SLAC: passed" and "evse SLAC: passed", or why not; status 1 then
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.slac.evse_slac import EvseSlac, SlacConfig
from chargebyte_fw.modules.slac.machine.ev import EvOptions, EvSlac
from chargebyte_fw.modules.slac.machine.events import DlinkReady, LinkUp, MatchingFailed, Send, TriggerMatching
from chargebyte_fw.modules.slac.messages import decode
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.modem_line import LineOptions
from chargebyte_fw.sim.net_sockets import PacketPort
from tests.netns import Namespace, NamespacesUnavailable, connect, namespace

ROOT = Path(__file__).parents[2]
LIMIT_S = 40.0
PEV_PROFILE = """[default]
vehicle identifier = 0000000000000000000000000000000000
network membership key = 50D3E4933F855B7040784DF815AA8DB7
network identifier = B0F2E695666B03
attenuation threshold = 40
msound pause = 20
charge time = 1
settle time = 1
"""
EVSE_PROFILE = """[default]
station identifier = 0000000000000000000000000000000000
network membership key = B59319D7E8157BA001B018669CCEE30D
network identifier = 026BCBA5354E08
number of sounds = 10
time to sound = 6
response type = 0
settle time = 1
charge time = 1
"""


@dataclass
class Outcome:
    """How it went: `why` is empty when it passed."""

    why: str
    output: str = ""
    """What the peer printed."""
    dlink_ready: bool = False
    ev_mac: str = ""
    peer_mac: str = ""

    @property
    def passed(self) -> bool:
        return not self.why


class PeerMissing(Exception):
    """The program is not installed; the text says how to get it."""


def need(program: str) -> str:
    """Return the path of a peer; raises PeerMissing."""
    found = shutil.which(program)
    if found is None:
        raise PeerMissing(f"{program} is missing: install the package plc-utils-extra")
    return found


@contextmanager
def between(loss: float = 0.0) -> Iterator[tuple[Namespace, Namespace]]:
    """(charger, car): two namespaces with an `eth1` each; a program with both modems stands between them."""
    with namespace("eth1", "charger") as charger, namespace("eth1", "car") as car, namespace("plc0", "line") as line:
        connect(charger, "eth1", line, "plc0")
        connect(car, "eth1", line, "plc1")
        command = [sys.executable, "-m", "chargebyte_fw.sim.modem_bench", "plc0", "plc1", "--loss", str(loss)]
        modems = line.popen([*command, "--join", "0.2"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert modems.stdout is not None
        if "ready" not in modems.stdout.readline():
            raise NamespacesUnavailable("the virtual modems did not start")
        yield charger, car


def pev_against_evse_slac(config: dict[str, Any] | None = None) -> Outcome:
    """Let `pev` match with our EvseSlac over real packets."""
    program = need("pev")
    with between() as (charger, car), tempfile.TemporaryDirectory() as folder, charger.entered():
        profile = Path(folder) / "pev.ini"
        profile.write_text(PEV_PROFILE)
        command = [*car.prefix, program, "-i", "eth1", "-t", "3000", "-p", str(profile)]
        outcome = asyncio.run(_charge(command, Path(folder), SlacConfig(**(config or {}))))
        outcome.peer_mac = car.mac.upper()
        return outcome


async def _charge(command: list[str], folder: Path, config: SlacConfig) -> Outcome:
    runtime = Runtime(root=Root(folder, folder))
    assembly = Assembly(runtime)
    assembly.build([ModulePlan("slac", EvseSlac, EvseSlac.Config(), {"main": config}, {})])
    module: Any = assembly.modules["slac"]
    slac = module.main
    await assembly.start()
    try:
        async with asyncio.timeout(LIMIT_S):
            await slac.state.wait_for(lambda state: state is State.UNMATCHED)
            await slac.enter_bcd()
            peer = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
            )
            try:
                output = (await peer.communicate())[0].decode(errors="replace")
            finally:
                if peer.returncode is None:
                    peer.kill()
    except TimeoutError:
        return Outcome(f"no match within {LIMIT_S:g} s, the charger is {slac.state.value}")
    finally:
        ready, mac = slac.dlink_ready.value, slac.ev_mac_address.value
        await assembly.stop()
    why = ""
    if peer.returncode != 0:
        why = f"pev ended with status {peer.returncode}"
    elif "Charging" not in output:
        why = "pev did not get as far as charging"
    elif not ready:
        why = "the charger does not know of the match"
    return Outcome(why, output, bool(ready), mac or "")


def ev_slac_against_evse() -> Outcome:
    """Let our car match with `evse` over real packets."""
    program = need("evse")
    with (
        namespace("eth1", "charger") as charger,
        namespace("plc0", "line") as line,
        tempfile.TemporaryDirectory() as folder,
    ):
        connect(charger, "eth1", line, "plc0")
        profile = Path(folder) / "evse.ini"
        profile.write_text(EVSE_PROFILE)
        with line.entered():
            return asyncio.run(_drive([*charger.prefix, program, "-i", "eth1", "-p", str(profile)]))


async def _drive(command: list[str]) -> Outcome:
    loop = asyncio.get_running_loop()
    done: asyncio.Future[str] = loop.create_future()

    def end(why: str) -> None:
        if not done.done():
            done.set_result(why)

    port = PacketPort("plc0")
    car_end, modem_end = memory.wire(mac_a=b"\x02\0\0\0\0\x0a")
    options = LineOptions(join_s=0.2)
    bench = ModemBench({"charger": port, "car": modem_end}, lambda error: end(repr(error)), options=options)
    car = drive_car(car_end, lambda error: end(repr(error)), end, EvOptions(wait_for_link=True))
    peer = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output = ""
    try:
        assert peer.stdout is not None
        async with asyncio.timeout(LIMIT_S):
            while "Listening" not in output:
                output += (await peer.stdout.readline()).decode(errors="replace")
            car.feed(TriggerMatching())
            why = await done
            while "Connecting" not in output and (line := await peer.stdout.readline()):
                output += line.decode(errors="replace")
    except TimeoutError:
        return Outcome(f"no match within {LIMIT_S:g} s", output)
    finally:
        if peer.returncode is None:
            peer.kill()
        await peer.wait()
        car.close()
        bench.close()
        port.close()
    return Outcome(why, output, dlink_ready=not why)


def drive_car(
    end: memory.WireEnd,
    guard: Callable[[BaseException], None],
    ended: Callable[[str], None],
    options: EvOptions | None = None,
) -> Pump:
    """Put our car on a cable in memory; `ended` hears an empty text on a link, else why there is none."""

    def act(effect: Any) -> None:
        match effect:
            case Send(frame):
                end.send(frame.encode())
            case DlinkReady(True):
                ended("")
            case MatchingFailed(reason):
                ended(reason)

    pump = Pump(EvSlac(options), act, guard)
    end.receive = lambda data: pump.feed(decode(data))
    pump.feed(LinkUp(end.mac))
    return pump


def main() -> int:
    """Run both peers and say how it went."""
    status = 0
    for name, match in (("pev", pev_against_evse_slac), ("evse", ev_slac_against_evse)):
        try:
            outcome = match()
        except (PeerMissing, NamespacesUnavailable) as error:
            outcome = Outcome(str(error))
        print(f"{name} SLAC: {'passed' if outcome.passed else 'failed: ' + outcome.why}", flush=True)
        if not outcome.passed:
            status = 1
            print(outcome.output, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
