"""The safety controller's cycle under load: when ChargeControl frames arrive at the other end of a pseudo-terminal.

The controller is a process of its own and takes the times, so that only what comes out of the port is measured. The
load is on our event loop: a thousand callbacks a second and, in all time that is left, EXI streams with
flipped bits.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from bench.rows import Row, at_most, info
from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.board.framing import FRAME_BYTES
from chargebyte_fw.board.messages import ChargeControl
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.ground import Ground
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.v2g.exi.codec import Codec
from chargebyte_fw.modules.v2g.exi.errors import ExiError
from chargebyte_fw.modules.v2g.messages import iso2
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnPty
from chargebyte_fw.sim.pilot import Pilot

SECONDS = 30.0
CALLBACKS_PER_S = 1000
CYCLE_MS = 100.0
TOLERANCE_MS = 15.0
EXI = bytes.fromhex("8098021050908c0c0c0c0c51e00050")

Load = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


async def callbacks(ended: asyncio.Event) -> None:
    """Keep a thousand callbacks a second on the loop."""
    loop, count = asyncio.get_running_loop(), 0

    def one() -> None:
        nonlocal count
        count += 1

    while not ended.is_set():
        for _ in range(CALLBACKS_PER_S // 100):
            loop.call_soon(one)
        await asyncio.sleep(0.01)


async def exi_fuzz(ended: asyncio.Event) -> None:
    """Decode broken streams in all the time that is left."""
    codec: Codec[Any] = Codec(iso2.SCHEMA)
    codec.prepare()
    chance = random.Random(1)
    while not ended.is_set():
        for _ in range(20):
            stream = bytearray(EXI)
            stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
            try:
                codec.decode(bytes(stream))
            except ExiError:
                continue
        await asyncio.sleep(0)


def intervals_ms(seconds: float = SECONDS, loads: tuple[Load, ...] = (callbacks, exi_fuzz)) -> list[float]:
    """Run the link under `loads`; returns the time from each ChargeControl frame to the next, in ms."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        command = [sys.executable, "-m", "bench.mcu_cycle", "controller", str(root)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as controller:
            assert controller.stdout is not None
            controller.stdout.readline()
            clock.run(_drive(root, seconds, loads))
            told, _ = controller.communicate(b"end\n")
    return [float(one) for one in json.loads(told)]


async def _drive(root: Path, seconds: float, loads: tuple[Load, ...]) -> None:
    assembly = Assembly(Ground(root=Root(root, root)))
    assembly.build([ModulePlan("bsp", CbChargeSOMDriver, CbChargeSOMDriver.Config(), {}, {})])
    await assembly.start()
    driver: Any = assembly.modules["bsp"]
    await driver.evse_board_support.enable(True)
    await driver.evse_board_support.event.wait_for()
    ended = asyncio.Event()
    working = [asyncio.ensure_future(load(ended)) for load in loads]
    await asyncio.sleep(seconds)
    ended.set()
    await asyncio.gather(*working)
    await assembly.stop()


def _controller(root: Path) -> None:
    """Be the other end: the virtual controller, and a clock beside its port; ends with its standard input."""
    with contextlib.suppress(PermissionError):  # a clock that other programs' load does not delay
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))

    async def main() -> None:
        port = McuOnPty(VirtualMcu(Pilot(), speed=1.0), root / "dev/ttyLP2")
        line = SimulatedLine(root, "nSAFETY_RESET_INT", port.reset_line)
        came: list[float] = []
        receive = port._received

        def note(data: bytes) -> None:
            now = time.monotonic()
            came.extend(now for at in range(1, len(data), FRAME_BYTES) if data[at] == ChargeControl.com_id)
            receive(data)

        port._received = note  # type: ignore[method-assign]
        print("ready", flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
        line.close()
        port.close()
        # Orders at the beginning and at the end go out at once, beside the cycle.
        steady = came[20:-5]
        print(json.dumps([1000 * (after - before) for before, after in zip(steady, steady[1:], strict=False)]))

    clock.run(main())


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that `share` of all values do not pass."""
    return sorted(values)[max(0, min(len(values) - 1, -int(-share * len(values) // 1) - 1))]


def rows() -> list[Row]:
    """Measure once."""
    logging.getLogger("secc").setLevel(logging.ERROR)
    measured = intervals_ms()
    off = [abs(one - CYCLE_MS) for one in measured]
    return [
        at_most("MCU cycle under load, p99.9 off 100 ms", quantile(off, 0.999), "ms", TOLERANCE_MS),
        info("MCU cycle under load, p50 off 100 ms", quantile(off, 0.5), "ms"),
        info("frames of that measurement", len(measured), ""),
    ]


if __name__ == "__main__":
    _controller(Path(sys.argv[2]))
