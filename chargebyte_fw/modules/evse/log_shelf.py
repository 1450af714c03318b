"""Room for session logs: the oldest go before they fill the file system, which on a board is often in memory."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

SHARE = 0.05
"""Part of the file system that session logs may take, all together and each alone."""
FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z-")
"""How the name of a session's folder begins; nothing else is touched."""
FILES = ("eventlog.csv", "eventlog.html", "incomplete-eventlog.csv", "incomplete-eventlog.html")


def allowance_bytes(folder: Path) -> int:
    """Return how much the logs in `folder` may take. Raises OSError."""
    system = os.statvfs(folder)
    return int(system.f_blocks * system.f_frsize * SHARE)


def make_room(folder: Path, allowance: int) -> int:
    """Remove the oldest sessions' logs until all take `allowance` bytes at most; returns how many went.

    A folder that holds more than a log keeps what else is in it. Raises OSError when the folder cannot be read.
    """
    sessions = sorted((path for path in folder.iterdir() if FOLDER.match(path.name)), key=lambda path: path.name)
    sizes = {path: _size(path) for path in sessions}
    total, removed = sum(sizes.values()), 0
    for path in sessions:
        if total <= allowance:
            break
        with contextlib.suppress(OSError):
            for name in FILES:
                (path / name).unlink(missing_ok=True)
            total -= sizes[path]
            removed += 1
            path.rmdir()
    return removed


def _size(session: Path) -> int:
    size = 0
    for name in FILES:
        with contextlib.suppress(OSError):
            size += (session / name).stat().st_size
    return size
