"""The safety controller's cycle under full load: when ChargeControl frames come out of the charger's port.

The shipped configuration charges a car over the virtual cable; 1,000 MQTT commands a second come in and are answered;
and the charger's event loop decodes 5,000 EXI streams with flipped bits a second, as from another connection (a real
one is refused while a car is connected). The times are those at which the link's thread has written to the port: behind
a pseudo-terminal a worker of the kernel waits for its turn among all programs, which no UART has. A timer of the same
event loop shows what a cycle without a thread would be worth.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.rows import Row, at_most, info, quantile, times_less
from bench.v2g_latency import STARTING_S, TimedStage, in_a_namespace, measure
from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.board.link.serial_carrier import _Session
from chargebyte_fw.cli import demo_broker, main
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.modules.v2g.exi import ExiError, codec

CHARGE_S = 108.0
"""A little more than 1,000 cycles; cable check and pre-charge are in it."""
SETTLING_S = 1.5
"""At the beginning and at the end of charging orders go out at once, beside the cycle."""
PACED_S = 0.02
CYCLE_S = 0.1
TOLERANCE_MS = 15.0
LEAST_CYCLES = 1000
MESSAGES_PER_S = 1000
BATCH = 10
STREAMS_PER_S = 5000
STREAM_BATCH = 50
EXI = bytes.fromhex("8098021050908c0c0c0c0c51e00050")
TOPIC = "everest/modules/connector/impl/evse/cmd/get_evse"


class LoadedStage(TimedStage):
    """The stage with a charger that has more to do, and a client that asks it."""

    favoured = ("charger",)
    car_role = "car"

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._asking: asyncio.Task[None] | None = None

    def _charger_command(self, source: Path) -> list[str]:
        _, _, _, *options = super()._charger_command(source)
        return [
            sys.executable,
            "-m",
            "bench.mcu_cycle",
            "charger",
            str(self.root),
            *options,
            "--wire-commands-from",
            "bench",
        ]

    async def start(self) -> None:
        await super().start()
        self._asking = asyncio.create_task(ask())

    async def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await super().stop()
        figures.update(json.loads((self.root / "times.json").read_text()))


figures: dict[str, list[float]] = {"answers": []}


async def ask() -> None:
    """Be another program on the broker: a thousand commands a second, whose answers are counted.

    MQTT 3.1.1 by hand, because a client of a thousand messages a second takes a third of a core from the charger.
    """
    reader, writer = await asyncio.open_connection(demo_broker.HOST, demo_broker.PORT)
    answers_to = f"{TOPIC}/response/bench"
    writer.write(_packet(0x10, _text("MQTT") + bytes((4, 2, 0, 0)) + _text("bench")))
    writer.write(_packet(0x82, bytes((0, 1)) + _text(answers_to) + bytes(1)))
    call = {"msg_type": "Cmd", "data": {"id": "1", "origin": "bench", "args": {}}}
    calls = BATCH * _packet(0x30, _text(TOPIC) + json.dumps(call).encode())

    async def count() -> None:
        while data := await reader.read(65536):
            now_s = time.monotonic()
            figures["answers"] += [now_s] * data.count(answers_to.encode())

    counting = asyncio.create_task(count())
    try:
        async for _ in every(BATCH / MESSAGES_PER_S):
            writer.write(calls)
    finally:
        counting.cancel()
        writer.close()


def _text(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def _packet(kind: int, body: bytes) -> bytes:
    """Return an MQTT packet; its length is written in groups of seven bits."""
    length, size = b"", len(body)
    while size >= 0x80:
        length, size = length + bytes((size & 0x7F | 0x80,)), size >> 7
    return bytes((kind,)) + length + bytes((size,)) + body


# -- the charger's process


async def exi_fuzz() -> None:
    """Decode broken streams, as many as come in from a peer that sends nothing else."""
    chosen, chance = codec("iso2"), random.Random(1)
    async for _ in every(STREAM_BATCH / STREAMS_PER_S):
        for _ in range(STREAM_BATCH):
            stream = bytearray(EXI)
            stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
            with contextlib.suppress(ExiError):
                chosen.decode(bytes(stream))


async def timer(came: list[float]) -> None:
    """Note the times of a cycle that a timer of the event loop keeps."""
    async for _ in every(CYCLE_S):
        came.append(time.monotonic())


async def every(period_s: float) -> AsyncIterator[None]:
    """Come round every `period_s`; what is late is made up for."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        yield
        due += period_s
        await asyncio.sleep(due - loop.time())


def charger(root: Path, options: list[str]) -> int:
    """Be `secc run` with more to do."""
    frames: list[float] = []
    ticks: list[float] = []
    run, write = Supervisor.run, _Session._write

    async def loaded(self: Supervisor) -> int:
        more = [asyncio.create_task(exi_fuzz()), asyncio.create_task(timer(ticks))]
        try:
            return await run(self)
        finally:
            for task in more:
                task.cancel()

    def noted(self: _Session, frame: bytes) -> None:
        write(self, frame)
        if frame[1] == ChargeControl.com_id:
            frames.append(time.monotonic())

    Supervisor.run, _Session._write = loaded, noted  # type: ignore[method-assign]
    try:
        return main.main(options)
    finally:
        (root / "times.json").write_text(json.dumps({"frames": frames, "timer": ticks}))


# -- the measurement


def full_load() -> dict[str, Any]:
    """Charge under load; return the times of frames, timer, answers of the wire, and what the car measured."""
    measured = asyncio.run(measure(PACED_S, CHARGE_S, LoadedStage))
    begin_s, end_s = measured["charging_s"][0] + SETTLING_S, measured["charging_s"][1] - SETTLING_S
    seen = {name: [at for at in times if begin_s < at < end_s] for name, times in figures.items()}
    return {**seen, "samples_ms": measured["samples_ms"], "seconds": end_s - begin_s}


def off_ms(times_s: list[float]) -> list[float]:
    """Return by how much each interval is off the cycle."""
    return [1000 * abs(after - before - CYCLE_S) for before, after in pairwise(times_s)]


def rows() -> list[Row]:
    """Measure once."""
    found = in_a_namespace("bench.mcu_cycle", "measure", limit_s=CHARGE_S + STARTING_S + 30)
    off, on_the_loop = off_ms(found["frames"]), off_ms(found["timer"])
    if len(off) < LEAST_CYCLES:
        raise RuntimeError(f"only {len(off)} cycles were timed")
    worst = quantile(off, 0.999)
    beside = times_less(worst, quantile(on_the_loop, 0.999), "a timer on the event loop", "ms")
    return [
        at_most("MCU cycle under full load, p99.9 off 100 ms", worst, "ms", TOLERANCE_MS, beside),
        info("the same, median", quantile(off, 0.5), "ms", f"{len(off)} cycles"),
        info("MQTT commands answered meanwhile", len(found["answers"]) / found["seconds"], "1/s"),
        info("CurrentDemandReq to Res meanwhile, p99", quantile(found["samples_ms"], 0.99), "ms"),
    ]


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["charger", root, *options]:
            sys.exit(charger(Path(root), options))
        case _:
            print(json.dumps(full_load()))
