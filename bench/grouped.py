"""Process groups: from the start to ready, memory of all processes, and the car's answers while `cloud` is killed.

What a car sees is measured as in `v2g_latency`, with `cloud` killed again and again during the charge loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.bus import mosquitto
from bench.rows import Row, at_least, at_most, favour, info, quantile
from bench.startup import STARTS, charger, cpu_s, memory_MB
from bench.v2g_latency import CHARGE_S, PACED_S, STARTING_S, TimedStage, in_a_namespace, measure

OPTION = "--grouped"
SETTLE_S = 3.0
IDLE_S = 10.0
KILL_EVERY_S = 3.0
LATEST_MS = 25.0


def groups_of(pid: int) -> dict[str, int]:
    """Return the processes of a charger by name: the manager, its starter, and the groups."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if entry.name.isdigit():
                names[int(entry.name)] = (entry / "comm").read_text().strip()
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    found = {pid}
    while more := {one for one, parent in parents.items() if parent in found} - found:
        found |= more
    return {names.get(one, ""): one for one in found}


class KillingStage(TimedStage):
    """The demo's stage with process groups, whose `cloud` is killed while the car charges."""

    kills = 0

    async def _spawn(self, name: str, command: Any, **options: Any) -> asyncio.subprocess.Process:
        grouped = [*command, OPTION] if name == "charger" else command
        process = await super()._spawn(name, grouped, **options)
        if name == "charger":
            self._tasks.append(asyncio.create_task(self._kill(process.pid)))
        return process

    async def _kill(self, pid: int) -> None:
        status = self.root / "run/everest/standing.json"
        while not (status.exists() and json.loads(status.read_bytes()).get("ready")):
            await asyncio.sleep(0.1)
        while True:
            processes = groups_of(pid)
            for one in processes.values():
                favour(one)
            if "charging" in self.word and "secc:cloud" in processes:
                os.kill(processes["secc:cloud"], signal.SIGKILL)
                type(self).kills += 1
                await asyncio.sleep(KILL_EVERY_S)
            await asyncio.sleep(0.1)

    @property
    def word(self) -> str:
        """Return `charging` once the charger has reported it in its log."""
        return "charging" if any("]: charging" in line for line in self.last_lines("charger", 400)) else ""


def rows() -> list[Row]:
    with mosquitto() as port, tempfile.TemporaryDirectory() as byte_code:
        ready_s = []
        for _ in range(STARTS + 1):
            with charger(port, byte_code, options=[OPTION]) as (_, seconds, _):
                ready_s.append(seconds)
        with charger(port, byte_code, options=[OPTION]) as (process, *_):
            time.sleep(SETTLE_S)
            pids = list(groups_of(process.pid).values())
            before, began = sum(map(cpu_s, pids)), time.monotonic()
            time.sleep(IDLE_S)
            idle = (sum(map(cpu_s, pids)) - before) / (time.monotonic() - began) * 100
            memory = sum(memory_MB(pid, "Pss") for pid in pids)
    figures = in_a_namespace("bench.grouped", limit_s=CHARGE_S + STARTING_S + 30)
    latest = max(figures["samples_ms"])
    return [
        at_most(f"grouped: start to all 18 modules ready (best of {STARTS})", min(ready_s[1:]), "s", 2.5),
        at_most(f"memory of all {len(pids)} processes (PSS)", memory, "MB", 130),
        info("idle CPU of all", idle, "%"),
        at_least("cloud killed while a car charges", figures["kills"], "times", 2),
        at_most("CurrentDemandReq to Res meanwhile, the latest", latest, "ms", LATEST_MS),
        info("the same, p99", quantile(figures["samples_ms"], 0.99), "ms"),
    ]


if __name__ == "__main__":
    found = asyncio.run(measure(PACED_S, stage_class=KillingStage))
    print(json.dumps({**found, "kills": KillingStage.kills}))
    sys.exit(0)
