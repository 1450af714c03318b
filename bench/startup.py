"""`secc run` with the shipped configuration: until all modules are ready, and what it costs when nothing happens.

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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.bus import mosquitto
from bench.rows import Row, at_most, info

ROOT = Path(__file__).parents[1]
STARTS = 3
IDLE_S = 10.0
LIMIT_S = 60.0
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


def resident_MB(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


@contextmanager
def charger(port: int) -> Iterator[tuple[subprocess.Popen[bytes], float, float]]:
    """Start on a temporary root; yields the process, the seconds and the CPU seconds until it said that it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shutil.copytree(ROOT / "etc", root / "etc", symlinks=True)
        shutil.copytree(ROOT / "usr", root / "usr")
        output = root / "output"
        (root / "dev").mkdir()
        command = [str(Path(sys.executable).parent / "secc"), "run", "--root", str(root)]
        environment = {**os.environ, "MQTT_SERVER_ADDRESS": "127.0.0.1", "MQTT_SERVER_PORT": str(port)}
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
    ready, cpu = [], []
    with mosquitto() as port:
        for number in range(STARTS):
            with charger(port) as (process, ready_s, ready_cpu_s):
                ready.append(ready_s)
                cpu.append(ready_cpu_s)
                if number == STARTS - 1:
                    time.sleep(3)
                    before, began = cpu_s(process.pid), time.monotonic()
                    time.sleep(IDLE_S)
                    idle = (cpu_s(process.pid) - before) / (time.monotonic() - began) * 100
                    memory = resident_MB(process.pid)
    return [
        at_most("process start to all 18 modules ready (best of 3)", min(ready), "s", 1.5),
        info("the same, worst of 3", max(ready), "s"),
        at_most("CPU seconds until ready (best of 3)", min(cpu), "s", 0.9),
        at_most("resident memory of the charger, board connected", memory, "MB", 80),
        at_most("idle CPU, board, wire and API on", idle, "%", 3),
    ]


if __name__ == "__main__":
    for row in rows():
        print(row)
