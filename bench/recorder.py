"""The recorder beside a run without it: what it costs while charging, in time and in memory.

`python -m bench.recorder SESSIONS` is the long proof: so many sessions one after the other, with the memory of recorder
and process after each tenth of them; exit status 1 when something grows with them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.rows import Row, at_most, info
from bench.startup import cpu_s
from bench.v2g_latency import STARTING_S, TimedStage, in_a_namespace, measure
from chargebyte_fw.cli.trace_replay import play
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.trace import BLOCK_BYTES, RING_BYTES, Trace
from chargebyte_fw.manager.recording import read
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

CHARGE_S = 1800
REAL_CHARGE_S = 20.0
PAUSE_S = 0.1
"""From an answer to the car's next request, for the charger among sockets and for the one without."""
ROUND_S = 5
ROUNDS = 400
UNDISTURBED = 0.1
"""The part of all rounds that is counted: the fastest, the least disturbed by other programs."""
SESSIONS = 20
SETTLED = 0.2
"""Part of the sessions after which memory must not grow any more."""
SECTIONS = 10
GROWTH_BYTES = BLOCK_BYTES
"""The piece of the ring that is being filled, and what the others differ by."""
GROWTH_OBJECTS = 2000
"""What a moment differs from another by: objects that wait, caches of the interpreter."""
GROWTH_RSS = 2 << 20
"""What the heap's last pages come and go by. Pieces of the ring that are allocated anew, and a folder of session logs
that each session lists as a whole, took 3.6 MiB more in 10,000 sessions while the number of objects stayed."""
SMALL_RING_BYTES = 8 * BLOCK_BYTES
FILLING_SESSIONS = 1000
"""With fewer, the ring is a small one, so that it is full from the beginning."""


class Figures:
    """What one long session gave."""

    recorder_us = 0.0
    """What the recorder takes of the processor in a second."""
    lean_ratio = 0.0
    """The same beside a charger without sockets, broker and serial port."""
    entries = 0
    bytes_held = 0
    saved_s = 0.0


def lean(figures: Figures) -> None:
    """Charge for long; in turns with and without the recorder, so that both see the same of this machine's moods."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as state:
            async with Plant(Path(state), Model("iso2", demand_pause_s=PAUSE_S), contracts=True) as plant:
                await plant.charging()
                await asyncio.sleep(10 * ROUND_S)
                spent: dict[bool, list[float]] = {True: [], False: []}
                trace = plant.runtime.trace
                for number in range(2 * ROUNDS):
                    trace.on = number % 4 in (0, 3)
                    began_s = time.process_time()
                    await asyncio.sleep(ROUND_S)
                    spent[trace.on].append(time.process_time() - began_s)
                few = round(ROUNDS * UNDISTURBED)
                with_it, without = (sum(sorted(spent[on])[:few]) for on in (True, False))
                figures.recorder_us = 1e6 * (with_it - without) / (few * ROUND_S)
                figures.lean_ratio = with_it / without

    clock.run(main(), speed=None)


def half_hour(figures: Figures, saved: Path) -> None:
    """Charge for half an hour and save what the recorder has of it."""

    async def record() -> None:
        with tempfile.TemporaryDirectory() as state:
            async with Plant(Path(state), Model("iso2"), contracts=True) as plant:
                await plant.charging()
                await asyncio.sleep(CHARGE_S)
                plant.world.car.replace("unplug")
                await asyncio.sleep(20)
                figures.entries, figures.bytes_held = len(plant.runtime.trace), plant.runtime.trace.bytes_held
                began_s = time.perf_counter()
                plant.runtime.trace.save(saved)
                figures.saved_s = time.perf_counter() - began_s

    clock.run(record(), speed=None)


class MeteredStage(TimedStage):
    """The stage of the real processes; notes what the charger has taken of the processor, and when."""

    car_role = "car"

    async def start(self) -> None:
        await super().start()
        charger = next(process for name, process in self._processes if name == "charger")
        self._metering = asyncio.create_task(self._meter(charger.pid))

    async def stop(self) -> None:
        self._metering.cancel()
        await super().stop()

    async def _meter(self, pid: int) -> None:
        while True:
            readings.append((time.monotonic(), cpu_s(pid)))
            await asyncio.sleep(0.2)


readings: list[tuple[float, float]] = []


def taken_while_charging() -> float:
    """Return the CPU seconds that the charger takes in a second of charging a car over the virtual cable."""
    begin_s, end_s = asyncio.run(measure(PAUSE_S, REAL_CHARGE_S, MeteredStage))["charging_s"]
    inside = [reading for reading in readings if begin_s < reading[0] < end_s]
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def per_entry_us() -> float:
    """Return what one entry costs: a telegram with fifteen values."""
    data = {f"value_{number}": float(number) for number in range(15)}

    async def main() -> float:
        trace = Trace()
        began_s = time.perf_counter()
        for _ in range(50_000):
            trace.record("var", "connector.evse.powermeter", data)
        return (time.perf_counter() - began_s) / 50_000 * 1e6

    return clock.run(main(), speed=None)


class Held(NamedTuple):
    """What is held in memory at one moment."""

    recorder_bytes: int
    objects: int
    """Blocks of Python's allocator in the whole process: charger, car and simulated hardware."""
    rss_bytes: int


class Growth(NamedTuple):
    """What became more over the later sessions, from the first to the largest of their figures."""

    recorder_bytes: int
    objects: int
    rss_bytes: int

    @property
    def ok(self) -> bool:
        """Whether nothing grows with the number of sessions."""
        return self.recorder_bytes <= GROWTH_BYTES and self.objects <= GROWTH_OBJECTS and self.rss_bytes <= GROWTH_RSS


def growth(sessions: int, ring_bytes: int, tell: bool = False) -> Growth:
    """Return by how much memory grew over the later sessions; the ring must be full when they begin."""
    held: list[Held] = []

    async def main() -> None:
        with tempfile.TemporaryDirectory() as state:
            plant = Plant(
                Path(state), Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=71), contracts=True
            )
            plant.runtime.trace = Trace(ring_bytes)
            async with plant:
                began_s = time.perf_counter()
                for number in range(sessions):
                    plant.world.car.battery.soc_percent = 70.0
                    await plant.session()
                    # What the test's own world keeps for its assertions.
                    plant.reports.clear()
                    plant.records.clear()
                    plant.world.mcu.mcu.contactor_log.clear()
                    if (number + 1) % max(1, sessions // SECTIONS) == 0:
                        gc.collect()
                        held.append(Held(plant.runtime.trace.bytes_held, sys.getallocatedblocks(), _rss_bytes()))
                        if tell:
                            recorder, objects, rss = held[-1]
                            print(
                                f"{number + 1:6} sessions in {time.perf_counter() - began_s:5.0f} s: "
                                f"recorder {recorder / 2**20:.2f} MiB, process {objects} blocks, {rss / 2**20:.1f} MiB",
                                flush=True,
                            )

    clock.run(main(), speed=None)
    settled = held[int(len(held) * SETTLED) :]
    return Growth(*(max(figures) - figures[0] for figures in zip(*settled, strict=True)))


def _rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def rows() -> list[Row]:
    """Measure all."""
    logging.getLogger("secc").setLevel(logging.ERROR)
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "t.cbor"
        lean(figures)
        half_hour(figures, saved)
        began_s = time.perf_counter()
        outcomes = play(read(saved).entries)
        replay_s = time.perf_counter() - began_s
    same = bool(outcomes) and not any(outcome.difference or outcome.remark for outcome in outcomes)
    charger_us = 1e6 * float(in_a_namespace("bench.recorder", "charger", limit_s=REAL_CHARGE_S + STARTING_S + 30))
    beside_lean = f"{100 * (figures.lean_ratio - 1):.2g} % of a charger without sockets, broker and serial port"
    grown = growth(SESSIONS, SMALL_RING_BYTES)
    beside = f"the process: {grown.objects} blocks, {grown.rss_bytes / 1024:.0f} KiB"
    return [
        at_most("recorder: more CPU while charging", 100 * figures.recorder_us / charger_us, "%", 3.0, beside_lean),
        info("recorder: CPU in a second of charging", figures.recorder_us, "us", f"the charger: {charger_us:.0f} us"),
        info("recorder: one entry", per_entry_us(), "us"),
        info("recorder: entries of a 30-minute session", figures.entries, ""),
        info("recorder: memory of a 30-minute session", figures.bytes_held / 2**20, "MiB"),
        info("recorder: saving it", figures.saved_s, "s"),
        at_most(f"recorder: growth over {SESSIONS} sessions", grown.recorder_bytes, "B", GROWTH_BYTES, beside),
        at_most("replay of a 30-minute session", replay_s, "s", 10.0),
        Row("replay differs", float(not same), "", 0.0, same),
    ]


if __name__ == "__main__":
    logging.getLogger("secc").setLevel(logging.ERROR)
    if sys.argv[1:] == ["charger"]:
        print(taken_while_charging())
        sys.exit()
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS
    grown = growth(wanted, RING_BYTES if wanted >= FILLING_SESSIONS else SMALL_RING_BYTES, tell=True)
    print(
        f"growth after the first fifth: recorder {grown.recorder_bytes} bytes, "
        f"process {grown.objects} blocks and {grown.rss_bytes / 1024:.0f} KiB"
    )
    sys.exit(not grown.ok)
