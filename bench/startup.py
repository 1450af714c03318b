"""`secc run` with the shipped configuration: from the start to ready, at rest, and from SIGTERM to the exit.

A virtual safety controller answers on the serial port from a process of its own, so that its 100 ms cycle runs.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.bus import mosquitto
from bench.rows import Row, at_most, info

ROOT = Path(__file__).parents[1]
STARTS = 3
SETTLE_S = 3.0
IDLE_S = 10.0
LIMIT_S = 60.0
BEFORE_STOP_S = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


BOARD = """
import asyncio, sys
from pathlib import Path
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnPty
from chargebyte_fw.sim.pilot import Pilot

async def main():
    root = Path(sys.argv[1])
    mcu = McuOnPty(VirtualMcu(Pilot(), None, 1.0), root / "dev/ttyLP2")
    line = SimulatedLine(root, "nSAFETY_RESET_INT", mcu.reset_line)
    print("board", flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


@contextmanager
def board(root: Path) -> Iterator[None]:
    command = [sys.executable, "-c", BOARD, str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        try:
            if process.stdout is None or process.stdout.readline() != b"board\n":
                raise RuntimeError("the virtual board does not start")
            yield
        finally:
            process.kill()


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_MB(pid: int, kind: str) -> float:
    """Return the memory of a process: `Rss`, or `Pss`, which counts pages shared with others in proportion."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(re.findall(rf"{kind}:\s+(\d+)", text)[0]) / 1024


@contextmanager
def charger(
    port: int, byte_code: str, prepare: Callable[[Path], None] = lambda _: None, options: Sequence[str] = ()
) -> Iterator[tuple[subprocess.Popen[bytes], float, float]]:
    """Start on a temporary root; yields the process, the seconds and the CPU seconds until it is ready.

    Byte code is kept in the folder `byte_code`; `prepare` may change what is below the root before.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "etc", root / "etc", symlinks=True)
        shutil.copytree(ROOT / "usr", root / "usr")
        prepare(root)
        output = root / "output"
        (root / "dev").mkdir()
        command = [str(Path(sys.executable).parent / "secc"), "run", "--root", str(root), *options]
        environment = {
            **os.environ,
            "MQTT_SERVER_ADDRESS": "127.0.0.1",
            "MQTT_SERVER_PORT": str(port),
            "PYTHONPYCACHEPREFIX": byte_code,
            "PYTHONDONTWRITEBYTECODE": "",
        }
        with board(root), output.open("wb") as file:
            process = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
            yield from watched(process, output)


def watched(process: subprocess.Popen[bytes], output: Path) -> Iterator[tuple[subprocess.Popen[bytes], float, float]]:
    try:
        give_up = time.monotonic() + LIMIT_S
        while not (found := re.search(r"ready in ([0-9.]+) s: (\d+) modules", output.read_text())):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"the charger does not become ready:\n{output.read_text()}")
            time.sleep(0.005)
        yield process, float(found[1]), cpu_s(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def rows() -> list[Row]:
    """Measure a first start, then starts with byte code, as an installed package has it; let the last one idle."""
    with mosquitto() as port, tempfile.TemporaryDirectory() as byte_code:
        first_s, first_cpu_s, _ = _start(port, byte_code)
        warm = [_start(port, byte_code) for _ in range(STARTS)]
        with charger(port, byte_code) as (process, *_):
            time.sleep(SETTLE_S)
            before, began = cpu_s(process.pid), time.monotonic()
            time.sleep(IDLE_S)
            idle = (cpu_s(process.pid) - before) / (time.monotonic() - began) * 100
            resident, proportional = (memory_MB(process.pid, kind) for kind in ("Rss", "Pss"))
    ready, cpu, stop = (min(each) for each in zip(*warm, strict=True))
    first = f"the first start, which compiles all, Python's library too: {first_s:.2f} s, CPU {first_cpu_s:.2f} s"
    best = f"(best of {STARTS})"
    return [
        at_most(
            f"process start to all 18 modules ready {best}", ready, "s", 1.5, f"{beside(ready, 0.27, 's')}; {first}"
        ),
        at_most(f"CPU seconds until ready {best}", cpu, "s", 0.9, beside(cpu, 0.39, "s")),
        at_most(f"SIGTERM to exit, nothing under power {best}", stop, "s", 0.05, beside(stop, 0.025, "s")),
        at_most("resident memory of the charger, board connected", resident, "MB", 80),
        info("the same, proportional (PSS)", proportional, "MB", beside(proportional, 83, "MB in 22 processes")),
        at_most("idle CPU, board, wire and API on", idle, "%", 3, beside(idle, 5.3, "%")),
    ]


def beside(ours: float, everest: float, unit: str) -> str:
    """Write the figure of C++ EVerest: the same 18 modules, warm, measured once in one run with this product."""
    return f"C++ EVerest: {everest:g} {unit}, {everest / ours:.2g} times"


def _start(port: int, byte_code: str) -> tuple[float, float, float]:
    """Start and stop once; returns the seconds until ready, the CPU seconds until then, and those of the stop."""
    with charger(port, byte_code) as (process, ready_s, ready_cpu_s):
        time.sleep(BEFORE_STOP_S)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)
        return ready_s, ready_cpu_s, time.monotonic() - began


if __name__ == "__main__":
    for row in rows():
        print(row)
