"""One process that is watched: its end, its memory, and signals to it, without being its parent."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

LOOK_S = 2.0
STOPPED_LOOK_S = 0.1
"""Period in which a process is looked at for whether a signal has stopped it."""
PROGRAM_MEMORY_MB = 256
"""What a program of another vendor may take, unless it is configured."""
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class WatchedProcess:
    """A process by its id; raises ProcessLookupError if there is none."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._descriptor = os.pidfd_open(pid)
        self._loop.add_reader(self._descriptor, self._on_end)

    def _on_end(self) -> None:
        self.ended.set()
        self.close()

    def close(self) -> None:
        """Watch no longer."""
        if self._descriptor >= 0:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def send(self, number: signal.Signals) -> None:
        """Send a signal; one that has ended gets none."""
        if self._descriptor < 0:
            return
        try:
            signal.pidfd_send_signal(self._descriptor, number)
        except ProcessLookupError:
            # It has ended, which the loop is about to see.
            return

    async def ended_within(self, limit_s: float) -> bool:
        """Wait until it has ended, `limit_s` at most."""
        try:
            async with asyncio.timeout(limit_s):
                await self.ended.wait()
        except TimeoutError:
            return False
        return True


def is_stopped(pid: int) -> bool:
    """Return whether a signal has stopped a process; one that a debugger holds is not meant."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return False
    # The name in parentheses may contain anything.
    return stat.rpartition(")")[2].split()[:1] == ["T"]


async def stopped(pid: int) -> None:
    """Wait until a signal stops a process: from then on none of its threads runs."""
    found = False
    while not found:
        await asyncio.sleep(STOPPED_LOOK_S)
        found = is_stopped(pid)


def memory_MB(pid: int) -> float:
    """Return the resident memory of a process, 0 if it has ended."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return 0.0
    return int(pages) * _PAGE_BYTES / 1e6


async def exceeds(pid: int, bound_MB: int) -> str:
    """Wait until a process takes more memory than `bound_MB`; returns that as a sentence."""
    present_MB = 0.0
    while present_MB <= bound_MB:
        await asyncio.sleep(LOOK_S)
        present_MB = memory_MB(pid)
    return f"it takes {present_MB:.0f} MB of memory, and may take {bound_MB} MB"
