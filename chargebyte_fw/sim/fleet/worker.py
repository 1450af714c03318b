"""A process with some stations of a fleet: takes `Work` as JSON on standard input, writes a `Tally` a second.

It writes a first line when its stations are made, and starts them at the next line that it reads. The last line is
written when every message was answered, or `DRAIN_LIMIT_S` is over. It ends by itself when standard input ends.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import sys
from pathlib import Path

import msgspec

from chargebyte_fw.modules.ocpp.station import Block
from chargebyte_fw.sim.fleet.options import Options
from chargebyte_fw.sim.fleet.station import SimulatedStation
from chargebyte_fw.sim.fleet.tally import Tally

REPORT_S = 1.0
DRAIN_LIMIT_S = 30.0
DRAIN_LOOK_S = 0.1
OFF_S = 0.25
"""What a message has to be answered in that the end of the last transaction causes a little later."""


class Work(msgspec.Struct, frozen=True):
    """The share of one process."""

    options: Options
    numbers: tuple[int, ...]


def many_sockets() -> None:
    """Allow this process as many descriptors as the system does."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def resident_kB() -> int:
    """Return the memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024


def blocks_of(options: Options) -> tuple[type[Block], ...]:
    """Return the blocks of the version; the messages of another one are not loaded."""
    if options.version.is_2:
        from chargebyte_fw.modules.ocpp.blocks_v2 import BLOCKS as blocks
    else:
        from chargebyte_fw.modules.ocpp.blocks_v16 import BLOCKS as blocks
    return blocks


class Share:
    """The stations of this process."""

    def __init__(self, work: Work) -> None:
        self.options = work.options
        blocks = blocks_of(work.options)
        self._tally = Tally(stations=len(work.numbers))
        gc.collect()
        self._before_kB = resident_kB()
        self.stations = {number: SimulatedStation(work.options, number, blocks, self._tally) for number in work.numbers}

    async def run(self) -> None:
        """Start the stations, have their networks fail, and stop them."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number, station in self.stations.items():
            if self.options.ramp > 0:
                await asyncio.sleep(max(0.0, began_s + number / self.options.ramp - loop.time()))
            await station.start()
        # On a busy machine the ramp takes longer: the last stations have their time all the same.
        for outage in self.options.outages:
            loop.call_later(outage.at_s, self._network, False)
            loop.call_later(outage.at_s + outage.for_s, self._network, True)
        await asyncio.sleep(self.options.duration_s)
        await self._drain()

    def _network(self, up: bool) -> None:
        for station in self.stations.values():
            station.network(up)

    async def _drain(self) -> None:
        """Let the cars leave, and the last messages."""
        for station in self.stations.values():
            station.evse.close()
        await asyncio.sleep(OFF_S)
        for _ in range(round(DRAIN_LIMIT_S / DRAIN_LOOK_S)):
            if not any(len(station.machine.dispatcher.queue) for station in self.stations.values()):
                return
            await asyncio.sleep(DRAIN_LOOK_S)

    async def stop(self) -> None:
        """Close every connection."""
        await asyncio.gather(*(station.stop() for station in self.stations.values()))

    def tally(self) -> Tally:
        """Return how it stands."""
        found, stations = self._tally, self.stations.values()
        found.connected = sum(one.connected for one in stations)
        found.booted = sum(one.booted and one.connected for one in stations)
        found.charging = sum(one.evse.charging for one in stations)
        found.waiting = sum(len(one.machine.dispatcher.queue) for one in stations)
        found.were_connected = sum(one.was_connected for one in stations)
        found.were_booted = sum(one.was_booted for one in stations)
        found.have_charged = sum(one.has_charged or one.evse.has_charged for one in stations)
        found.memory_kB = max(found.memory_kB, resident_kB() - self._before_kB)
        return found


async def _main(work: Work, lines: asyncio.StreamReader) -> None:
    share = Share(work)

    def report() -> None:
        print(msgspec.json.encode(share.tally()).decode(), flush=True)

    report()
    await lines.readline()
    running = asyncio.ensure_future(share.run())
    over = asyncio.ensure_future(lines.read())
    while not running.done() and not over.done():
        await asyncio.wait((running, over), timeout=REPORT_S, return_when=asyncio.FIRST_COMPLETED)
        report()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    if not running.cancelled():
        running.result()
    await share.stop()


async def _start() -> None:
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    await _main(msgspec.json.decode(await lines.readline(), type=Work), lines)


def main() -> None:
    """Run until the work is done, or standard input ends."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    many_sockets()
    try:
        asyncio.run(_start())
    except BrokenPipeError:
        sys.exit(1)  # who reads is gone


if __name__ == "__main__":
    main()
