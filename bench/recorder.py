"""The recorder beside a run without it: what it costs while charging, in time and in memory.

`python -m bench.recorder SESSIONS` is the long proof: so many sessions one after the other, with the memory after each
tenth of them; exit status 1 when it grows.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

from bench.rows import Row, at_most, info
from bench.startup import cpu_s
from bench.v2g_latency import STARTING_S, TimedStage, in_a_namespace, measure
from chargebyte_fw.cli.trace_replay import play
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.trace import PIECE_BYTES, Trace
from chargebyte_fw.manager.recording import read
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

CHARGE_S = 1800
REAL_CHARGE_S = 20.0
PAUSE_S = 0.1
ROUND_S = 20
ROUNDS = 120
SESSIONS = 20
SETTLED = 0.2
"""Part of the sessions after which memory must not grow any more."""
GROWTH_BYTES = 2 * PIECE_BYTES
"""The piece of the ring that is being filled, and what its buffer takes in advance."""


class Figures:
    """What one long session gave."""

    recorder_us = 0.0
    """What the recorder takes of the processor in a second."""
    lean_ratio = 0.0
    """The same beside a charger without sockets, broker and serial port."""
    entries = 0
    bytes_held = 0
    saved_s = 0.0


def charging(figures: Figures, saved: Path) -> None:
    """Charge for long; in turns with and without the recorder, so that both see the same of this machine's moods."""

    async def main() -> None:
        with tempfile.TemporaryDirectory() as state:
            async with Plant(Path(state), Model("iso2"), contracts=True) as plant:
                await plant.charging()
                spent: dict[bool, list[float]] = {True: [], False: []}
                trace = plant.ground.trace
                for number in range(2 * ROUNDS):
                    trace.on = number % 2 == 0
                    began_s = time.process_time()
                    await asyncio.sleep(ROUND_S)
                    spent[trace.on].append(time.process_time() - began_s)
                # The fastest rounds are those that nobody else on this machine disturbed.
                few = ROUNDS // 4
                with_it, without = (sum(sorted(spent[on])[:few]) for on in (True, False))
                figures.recorder_us = 1e6 * (with_it - without) / (few * ROUND_S)
                figures.lean_ratio = with_it / without

    clock.run(main(), speed=None)

    async def record() -> None:
        with tempfile.TemporaryDirectory() as state:
            async with Plant(Path(state), Model("iso2"), contracts=True) as plant:
                await plant.charging()
                await asyncio.sleep(CHARGE_S)
                plant.world.car.replace("unplug")
                await asyncio.sleep(20)
                figures.entries, figures.bytes_held = len(plant.ground.trace), plant.ground.trace.bytes_held
                began_s = time.perf_counter()
                plant.ground.trace.save(saved)
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


def growth(sessions: int, tell: bool = False) -> int:
    """Return by how many bytes memory grew over the later sessions, the ring being full from the beginning."""
    held: list[int] = []

    async def main() -> None:
        with tempfile.TemporaryDirectory() as state:
            plant = Plant(
                Path(state), Model("iso2", battery_kWh=1.0, soc_percent=70, target_soc_percent=71), contracts=True
            )
            plant.ground.trace = Trace(8 * PIECE_BYTES)
            async with plant:
                for number in range(sessions):
                    plant.world.car.battery.soc_percent = 70.0
                    await plant.session()
                    plant.reports.clear()
                    plant.records.clear()
                    if (number + 1) % max(1, sessions // 10) == 0:
                        gc.collect()
                        held.append(_held_by_the_recorder())
                        if tell:
                            print(f"{number + 1} sessions: {held[-1]} bytes of the recorder", flush=True)

    tracemalloc.start()
    try:
        clock.run(main(), speed=None)
    finally:
        tracemalloc.stop()
    settled = held[int(len(held) * SETTLED) :]
    return max(settled[-1] - settled[0], 0)


def _held_by_the_recorder() -> int:
    from chargebyte_fw.kernel import trace

    snapshot = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, trace.__file__)])
    return sum(statistic.size for statistic in snapshot.statistics("filename"))


def rows() -> list[Row]:
    """Measure all."""
    logging.getLogger("secc").setLevel(logging.ERROR)
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "t.cbor"
        charging(figures, saved)
        began_s = time.perf_counter()
        outcomes = play(read(saved).entries)
        replay_s = time.perf_counter() - began_s
    same = bool(outcomes) and not any(outcome.difference or outcome.remark for outcome in outcomes)
    charger_us = 1e6 * float(in_a_namespace("bench.recorder", "charger", limit_s=REAL_CHARGE_S + STARTING_S + 30))
    lean = f"{100 * (figures.lean_ratio - 1):.2g} % of a charger without sockets, broker and serial port"
    return [
        at_most("recorder: more CPU while charging", 100 * figures.recorder_us / charger_us, "%", 3.0, lean),
        info("recorder: CPU in a second of charging", figures.recorder_us, "us", f"the charger: {charger_us:.0f} us"),
        info("recorder: one entry", per_entry_us(), "us"),
        info("recorder: entries of a 30-minute session", figures.entries, ""),
        info("recorder: memory of a 30-minute session", figures.bytes_held / 2**20, "MiB"),
        info("recorder: saving it", figures.saved_s, "s"),
        at_most(f"recorder: growth over {SESSIONS} sessions", growth(SESSIONS), "B", GROWTH_BYTES),
        at_most("replay of a 30-minute session", replay_s, "s", 10.0),
        Row("replay differs", float(not same), "", 0.0, same),
    ]


if __name__ == "__main__":
    logging.getLogger("secc").setLevel(logging.ERROR)
    if sys.argv[1:] == ["charger"]:
        print(taken_while_charging())
        sys.exit()
    grown = growth(int(sys.argv[1]) if len(sys.argv) > 1 else SESSIONS, tell=True)
    print(f"growth after the first fifth: {grown} bytes")
    sys.exit(grown > GROWTH_BYTES)
