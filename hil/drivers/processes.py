"""Processes of this machine in network namespaces of their own: started, read line by line, ended on every way out."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from chargebyte_fw.kernel.children import ends_with_us
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.sim.net_cable import way_into_a_namespace

STOP_LIMIT_S = 5.0
ENTER_LIMIT_S = 5.0
LINE_LIMIT = 1 << 20
LAST_LINES = 5
PROGRAMS = {"unshare": "util-linux", "nsenter": "util-linux", "ip": "iproute2"}


def lacking() -> list[str]:
    """Return a line for each thing that this machine lacks for namespaces; nothing: it has all of them."""
    missing = [
        f"the program {name} is missing: apt-get install {package}"
        for name, package in PROGRAMS.items()
        if shutil.which(name) is None
    ]
    if missing:
        return missing
    try:
        way_into_a_namespace()
    except Unavailable as error:
        return [str(error)]
    return []


class Process:
    """One process; `ended` is called with exit status and last lines when it ends unasked."""

    def __init__(self, name: str, ended: Callable[[str], None], on_line: Callable[[str], None]) -> None:
        self.name = name
        self._ended = ended
        self._on_line = on_line
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._wanted = False
        self.last_lines: list[str] = []

    @property
    def pid(self) -> int:
        """Its number; 0 while it does not run."""
        return 0 if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self, command: Sequence[str], *, environment: dict[str, str] | None = None) -> None:
        """Start it; standard output and error are read line by line."""
        self._wanted = True
        self._process = process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=LINE_LIMIT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            start_new_session=True,
            preexec_fn=ends_with_us(),
        )
        self._tasks = [asyncio.create_task(self._read(process), name=self.name)]

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            text = line.decode(errors="replace").rstrip()
            if not text.startswith("{"):
                self.last_lines = [*self.last_lines, text][-LAST_LINES:]
            self._on_line(text)
        status = await process.wait()
        if self._wanted:
            last_lines = "; ".join(self.last_lines)
            self._ended(f"{self.name} ended by itself with status {status}" + (f": {last_lines}" if last_lines else ""))

    def tell(self, line: bytes) -> None:
        """Write a line to its standard input."""
        if self._process is not None and self._process.stdin is not None and self._process.returncode is None:
            self._process.stdin.write(line + b"\n")

    def kill(self) -> None:
        """End it in the middle of whatever it does, as a power failure would."""
        self._wanted = False
        self.signal(signal.SIGKILL)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.pid:
            os.kill(self.pid, number)

    async def stop(self) -> None:
        """End it in order; kill it when it does not end."""
        self._wanted = False
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_LIMIT_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Namespace:
    """A network namespace that is there while its keeper runs: one idle process, gone with its standard input."""

    def __init__(self, ended: Callable[[str], None]) -> None:
        self._keeper = Process("the keeper of the charger's network namespace", ended, lambda _line: None)
        self.prefix: list[str] = []
        """In front of a command: runs it inside."""

    async def open(self) -> None:
        """Make it; raises Unavailable with what has to be allowed."""
        way = way_into_a_namespace()
        await self._keeper.start([*way, "cat"])
        give_up_at = asyncio.get_running_loop().time() + ENTER_LIMIT_S
        while _program(self._keeper.pid) != "cat":
            if asyncio.get_running_loop().time() > give_up_at or not self._keeper.pid:
                raise Unavailable(f"no network namespace: {'; '.join(self._keeper.last_lines) or way[0]}")
            await asyncio.sleep(0.01)
        user = ["--user", "--preserve-credentials"] if "--user" in way else []
        self.prefix = ["nsenter", "--target", str(self._keeper.pid), *user, "--net", "--"]

    async def close(self) -> None:
        """Let go of it; what still runs inside keeps it."""
        await self._keeper.stop()


def module(name: str, *words: str) -> list[str]:
    """Return the command that runs one of our modules as a program."""
    return [sys.executable, "-m", name, *words]


def resident_MiB(pid: int) -> float:
    """Return how much memory a process holds, from /proc; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGESIZE") / (1 << 20)


def cpu_seconds(pid: int) -> float:
    """Return how long a process has computed, from /proc; 0 when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
