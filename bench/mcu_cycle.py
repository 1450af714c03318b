"""The safety controller's cycle under full load: when ChargeControl frames come out of the charger's port.

The shipped configuration charges a car over the virtual cable; 1,000 MQTT commands a second come in and are answered;
and in all time that is left the charger's event loop decodes EXI streams with flipped bits, as from another connection
(a real one is refused while a car is connected). A process of its own on the serial line takes the times, and a
timer of the same event loop shows what a cycle without a thread would be worth.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
import tty
from pathlib import Path
from typing import Any

from bench.rows import Row, at_most, info, quantile, times_less
from bench.v2g_latency import STARTING_S, TimedStage, in_a_namespace, measure
from chargebyte_fw.board.framing import Receiver
from chargebyte_fw.board.messages import ChargeControl
from chargebyte_fw.cli import demo_broker, main
from chargebyte_fw.manager.charger import Charger
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.sim.world import SERIAL_PORT

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
EXI = bytes.fromhex("8098021050908c0c0c0c0c51e00050")
TOPIC = "everest/modules/connector/impl/evse/cmd/get_evse"


class LoadedStage(TimedStage):
    """The stage with the tap on the serial line, a charger that has more to do, and somebody who asks it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._tap: subprocess.Popen[bytes] | None = None
        self._asking: asyncio.Task[None] | None = None

    def _charger_command(self, source: Path) -> list[str]:
        self._tap = subprocess.Popen([sys.executable, "-m", "bench.mcu_cycle", "tap", str(self.root)])
        _, _, _, *options = super()._charger_command(source)
        return [sys.executable, "-m", "bench.mcu_cycle", "charger", str(self.root), *options]

    async def start(self) -> None:
        await super().start()
        self._asking = asyncio.create_task(ask())

    async def stop(self) -> None:
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait([self._asking])
        await super().stop()
        if self._tap is not None:
            self._tap.terminate()
            self._tap.wait()
        for name in ("frames", "timer"):
            figures[name] = json.loads((self.root / f"{name}.json").read_text())


figures: dict[str, Any] = {}


async def ask() -> None:
    """Be another program on the broker: a thousand commands a second, whose answers are counted."""
    client = MqttClient(BrokerAddress(demo_broker.HOST, demo_broker.PORT))
    answers: list[float] = []
    figures["answers"] = answers
    client.subscribe(f"{TOPIC}/response/bench", lambda _topic, _payload: answers.append(time.monotonic()))
    client.start()
    loop, number = asyncio.get_running_loop(), 0
    due = loop.time()
    try:
        while True:
            for _ in range(BATCH):
                number += 1
                call = {"msg_type": "Cmd", "data": {"id": str(number), "origin": "bench", "args": {}}}
                client.publish(TOPIC, json.dumps(call).encode(), wait=False)
            due += BATCH / MESSAGES_PER_S
            await asyncio.sleep(due - loop.time())
    finally:
        await client.stop()


# -- the charger's process


async def exi_fuzz() -> None:
    """Decode broken streams in all the time that is left."""
    chosen, chance = codec("iso2"), random.Random(1)
    while True:
        for _ in range(20):
            stream = bytearray(EXI)
            stream[chance.randrange(len(stream))] ^= 1 << chance.randrange(8)
            with contextlib.suppress(ExiError):
                chosen.decode(bytes(stream))
        await asyncio.sleep(0)


async def timer(came: list[float]) -> None:
    """Note the times of a cycle that a timer of the event loop keeps."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        came.append(time.monotonic())
        due += CYCLE_S
        await asyncio.sleep(due - loop.time())


def charger(root: Path, options: list[str]) -> int:
    """Be `secc run` with more to do."""
    came: list[float] = []
    run = Charger.run

    async def loaded(self: Charger) -> int:
        more = [asyncio.create_task(exi_fuzz()), asyncio.create_task(timer(came))]
        try:
            return await run(self)
        finally:
            for task in more:
                task.cancel()

    Charger.run = loaded  # type: ignore[method-assign]
    try:
        return main.main(options)
    finally:
        (root / "timer.json").write_text(json.dumps(came))


# -- the serial line


def tap(root: Path) -> None:
    """Stand between charger and controller, pass everything on and keep the time of each ChargeControl frame."""
    with contextlib.suppress(PermissionError):  # a clock that other programs' load does not delay
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(20))
    port = root / SERIAL_PORT.lstrip("/")
    while not port.is_symlink():
        time.sleep(0.01)
    controller = os.open(port.resolve(), os.O_RDWR | os.O_NOCTTY)
    master, slave = os.openpty()
    tty.setraw(slave)
    ours = port.with_name("tapped")
    ours.symlink_to(os.ttyname(slave))
    ours.replace(port)
    came: list[float] = []
    receiver = Receiver()
    try:
        while True:
            for end in select.select([controller, master], [], [])[0]:
                data = os.read(end, 4096)
                now_s = time.monotonic()
                os.write(master if end is controller else controller, data)
                if end is master:
                    came += [now_s for frame in receiver.feed(data) if frame.com_id == ChargeControl.com_id]
    except (SystemExit, OSError):
        # Told to end, or the controller is gone first.
        (root / "frames.json").write_text(json.dumps(came))


# -- the measurement


def full_load() -> dict[str, Any]:
    """Charge under load; return the times of frames, timer, answers of the wire, and what the car measured."""
    measured = asyncio.run(measure(PACED_S, CHARGE_S, LoadedStage))
    begin_s, end_s = measured["charging_s"][0] + SETTLING_S, measured["charging_s"][1] - SETTLING_S
    seen = {name: [at for at in times if begin_s < at < end_s] for name, times in figures.items()}
    return {**seen, "samples_ms": measured["samples_ms"], "seconds": end_s - begin_s}


def off_ms(times_s: list[float]) -> list[float]:
    """Return by how much each interval is off the cycle."""
    return [1000 * abs(after - before - CYCLE_S) for before, after in zip(times_s, times_s[1:], strict=False)]


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
        case ["tap", root]:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit())
            tap(Path(root))
        case ["charger", root, *options]:
            sys.exit(charger(Path(root), options))
        case _:
            print(json.dumps(full_load()))
