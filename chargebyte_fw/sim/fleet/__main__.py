"""`python -m chargebyte_fw.sim.fleet`: starts the processes with the stations, adds up and shows what they did."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
import msgspec.structs

from chargebyte_fw.kernel.children import ends_with_us
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.extras import require
from chargebyte_fw.sim.fleet.options import STATIONS_A_PROCESS, VERSIONS, Options, parse
from chargebyte_fw.sim.fleet.summary import summary
from chargebyte_fw.sim.fleet.tally import Tally, total
from chargebyte_fw.sim.fleet.worker import Work, many_sockets

START_LIMIT_S = 120.0
STOP_LIMIT_S = 20.0
LINE_LIMIT_BYTES = 1 << 20
NOT_STARTED = 3


class Worker:
    """One process of the fleet."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.tally = Tally()

    @classmethod
    async def start(cls, work: Work) -> Worker:
        """Start it; it waits for `begin`. Raises Unavailable where it cannot."""
        command = (sys.executable, "-m", "chargebyte_fw.sim.fleet.worker")
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, limit=LINE_LIMIT_BYTES, start_new_session=True, preexec_fn=ends_with_us()
        )
        worker = cls(process)
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(work) + b"\n")
        try:
            async with asyncio.timeout(START_LIMIT_S):
                if not await worker._take():
                    raise Unavailable("a process of the fleet ended before its stations were made")
        except TimeoutError:
            process.kill()
            raise Unavailable(f"a process of the fleet was not ready within {START_LIMIT_S:g} s") from None
        return worker

    def begin(self) -> None:
        """Let its stations connect."""
        assert self._process.stdin is not None
        self._process.stdin.write(b"begin\n")

    def end(self) -> None:
        """Let it stop before its time."""
        if self._process.stdin is not None:
            self._process.stdin.close()

    async def _take(self) -> bool:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if line:
            self.tally = msgspec.json.decode(line, type=Tally)
        return bool(line)

    async def follow(self) -> None:
        """Take its reports until it ends; raises Unavailable where it fails."""
        while await self._take():
            pass
        status = await self._process.wait()
        if status:
            raise Unavailable(f"a process of the fleet ended with status {status}")

    async def close(self) -> None:
        """End it, whatever it does."""
        self.end()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STOP_LIMIT_S):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def local_csms(options: Options) -> AsyncIterator[Options]:
    """Start the small CSMS where no URL was given; yields the options with its URL."""
    if options.url:
        yield options
        return
    name = next(name for name, version in VERSIONS.items() if version is options.version)
    words = ["--ocpp", name, "--port", "0", "--json", "--quiet", "--charging-s", "0", "--sample-s", "0"]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "chargebyte_fw.sim.csms",
        *words,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=_in_csms(),
        start_new_session=True,
    )
    assert process.stdout is not None
    try:
        line = await process.stdout.readline()
        if not line:
            raise Unavailable("the small CSMS does not start")
        url = msgspec.json.decode(line)["listening"]
        drain = asyncio.ensure_future(_read_away(process.stdout))
        yield msgspec.structs.replace(options, url=url)
        drain.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


def _in_csms() -> Callable[[], None]:
    """Return what its process does first: it ends with this one, and may have many connections."""
    ends = ends_with_us()

    def prepare() -> None:
        ends()
        many_sockets()

    return prepare


async def _read_away(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


async def run(options: Options, processes: int, show: bool) -> tuple[Tally, float]:
    """Run a fleet; returns what it has done, and in how many seconds."""
    shares = processes or -(-options.count // STATIONS_A_PROCESS)
    workers: list[Worker] = []
    loop = asyncio.get_running_loop()
    async with local_csms(options) as known:
        works = [Work(known, tuple(range(first, options.count, shares))) for first in range(shares)]
        try:
            workers += await asyncio.gather(*(Worker.start(work) for work in works if work.numbers))
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, _end, workers)
            began_s = time.monotonic()
            for worker in workers:
                worker.begin()
            following = asyncio.gather(*(worker.follow() for worker in workers))
            if show:
                await _show(known, workers, following)
            await following
            return total([worker.tally for worker in workers]), time.monotonic() - began_s
        finally:
            await asyncio.gather(*(worker.close() for worker in workers))


def _end(workers: list[Worker]) -> None:
    for worker in workers:
        worker.end()


async def _show(options: Options, workers: list[Worker], following: asyncio.Future[list[None]]) -> None:
    from rich.console import Console

    from chargebyte_fw.sim.fleet.screen import Screen

    with Screen(options, Console(stderr=False)) as screen:
        while not following.done():
            await asyncio.wait((following,), timeout=0.5)
            screen.show(total([worker.tally for worker in workers]))


def main() -> int:
    """Run the fleet of the command line; returns the exit status."""
    given, options = parse()
    try:
        require("websockets", "rich", extra="demo")
        tally, seconds = asyncio.run(run(options, given.processes, not given.json))
    except Unavailable as error:
        print(f"chargebyte_fw.sim.fleet: {error}", file=sys.stderr)
        return NOT_STARTED
    found = summary(options, tally, seconds)
    if given.json:
        print(msgspec.json.encode(found).decode())
    else:
        from rich.console import Console

        from chargebyte_fw.sim.fleet.screen import print_summary

        print_summary(Console(), found, tally)
    return 1 if found["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
