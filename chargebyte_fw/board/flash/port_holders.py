"""Who holds a UART, and how to make them let go when a person asked for that."""

from __future__ import annotations

import os
import re
import signal
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.text import text_lines

_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")
STACK_STOP_S = 10.0
"""How long a stack may take to lead the board to its safe state and end."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has the UART."""

    pid: int
    command: str
    unit: str = ""
    """The systemd unit that it belongs to."""

    def __str__(self) -> str:
        unit = f", {self.unit}" if self.unit else ""
        return f"process {self.pid} ({self.command}{unit})"


class Busy(Unavailable):
    """Another process has the UART: it holds its lock, or reads from it beside us (`shared`)."""

    def __init__(self, path: Path, holders: list[Holder], *, shared: bool = False) -> None:
        self.holders = holders
        who = " and ".join(str(holder) for holder in holders) or "a process that cannot be seen from here"
        how = f"also open in {who}, which would take answers away" if shared else f"held by {who}"
        super().__init__(f"{path} is {how}; stop it first, or let this command do it with --stop-stack")


def holders(device: Path, proc: Path = Path("/proc")) -> list[Holder]:
    """Return the processes that lock `device`; where none is found, those that have it open. Never ourselves."""
    try:
        there = device.stat()
    except OSError:
        return []
    place = f"{os.major(there.st_dev):02x}:{os.minor(there.st_dev):02x}:{there.st_ino}"
    pids = _lockers(proc, place) or _openers(proc, there)
    return [describe(pid, proc) for pid in sorted(pids - {os.getpid()})]


def readers(device: Path, proc: Path = Path("/proc")) -> list[Holder]:
    """Return the processes beside this one that have `device` open, with a lock or without."""
    try:
        there = device.stat()
    except OSError:
        return []
    return [describe(pid, proc) for pid in sorted(_openers(proc, there) - {os.getpid()})]


def _lockers(proc: Path, place: str) -> set[int]:
    try:
        lines = text_lines((proc / "locks").read_text())
    except OSError:
        return set()
    words = [line.split() for line in lines]
    return {int(row[4]) for row in words if len(row) > 5 and row[1] == "FLOCK" and row[5] == place and int(row[4]) > 0}


def _openers(proc: Path, there: os.stat_result) -> set[int]:
    found = set()
    for process in proc.glob("[0-9]*"):
        try:
            files = [(process / "fd" / name).stat() for name in os.listdir(process / "fd")]
        except OSError:
            continue  # it has ended, or it is not ours to look into
        if any(_is_same(one, there) for one in files) and not (_is_slave(there) and any(map(_is_master, files))):
            found.add(int(process.name))
    return found


def _is_slave(device: os.stat_result) -> bool:
    """Whether it is a pseudo-terminal (Unix98, Documentation/admin-guide/devices.txt) and not a UART."""
    return stat.S_ISCHR(device.st_mode) and 136 <= os.major(device.st_rdev) <= 143


def _is_master(file: os.stat_result) -> bool:
    """Whether it is the far end of a pseudo-terminal: the simulator keeps both ends open, and reads its own only."""
    return stat.S_ISCHR(file.st_mode) and file.st_rdev == os.makedev(5, 2)


def _is_same(one: os.stat_result, other: os.stat_result) -> bool:
    """Whether two files are one, or two names of one device."""
    if stat.S_ISCHR(one.st_mode) and stat.S_ISCHR(other.st_mode):
        return one.st_rdev == other.st_rdev
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def describe(pid: int, proc: Path = Path("/proc")) -> Holder:
    """Return what is known of a process."""

    def read(name: str) -> str:
        try:
            return (proc / str(pid) / name).read_text(errors="replace")
        except OSError:
            return ""

    command = " ".join(read("cmdline").replace("\0", " ").split()) or read("comm").strip() or "?"
    unit = _UNIT.search(read("cgroup"))
    return Holder(pid, command if len(command) <= 60 else command[:57] + "...", unit.group(1) if unit else "")


def has_systemd() -> bool:
    """Whether systemd runs this machine."""
    return Path("/run/systemd/system").is_dir()


def stop(holder: Holder) -> str:
    """Ask a holder to end; returns the unit that was stopped, "" for a process.

    Raises ProcessLookupError when it has ended by itself (nothing was stopped then), OSError when that is refused.
    """
    if holder.unit and has_systemd():
        # A unit may start its process again; one that is not active was not stopped by us, nor is it ours to start.
        if not _exists(holder.pid) and not _is_active(holder.unit):
            raise ProcessLookupError(f"{holder} has ended")
        _systemctl("stop", holder.unit)
        return holder.unit
    os.kill(holder.pid, signal.SIGTERM)
    return ""


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _is_active(unit: str) -> bool:
    done = subprocess.run(["systemctl", "is-active", "--quiet", unit], check=False)
    return done.returncode == 0


def start(unit: str) -> None:
    """Start a unit again that `stop` stopped; raises OSError when it does not start."""
    _systemctl("start", unit)


def _systemctl(verb: str, unit: str) -> None:
    done = subprocess.run(["systemctl", verb, unit], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"systemctl {verb} {unit}: {done.stderr.strip() or f'exit status {done.returncode}'}")
