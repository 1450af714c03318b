"""Room for session logs: the oldest go before they fill the file system, which on a board is often in memory."""

from __future__ import annotations

import contextlib
import heapq
import os
import re
from collections.abc import Iterator
from pathlib import Path

SHARE = 0.05
"""Part of the file system that session logs may take, all together and each alone."""
FOLDER = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z-")
"""How the name of a session's folder begins; nothing else is touched."""
FILES = ("eventlog.csv", "eventlog.html", "incomplete-eventlog.csv", "incomplete-eventlog.html")
BATCH = 64
"""How many names of old sessions are kept in memory at a time while they are removed."""
RECOUNT_SESSIONS = 100
"""The folder is read again after so many sessions: other EVSEs and people write into it and remove from it too."""
SPARE = 8
"""Whoever makes room frees one part in so many more than is needed, so that not every session has to make room."""


class LogRetention:
    """How much the logs in the folder of this EVSE take: counted once, then kept account of.

    A session must not read the whole folder, which holds one entry a session: time and memory would grow with it.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._bytes = 0
        self._sessions = 0
        self._newest: Path | None = None

    def make_room(self, folder: Path, allowance: int) -> int:
        """Remove the oldest sessions' logs when all take more than `allowance` bytes; returns how many went.

        Raises OSError when the folder cannot be read.
        """
        self._sessions += 1
        if folder != self._folder or self._sessions >= RECOUNT_SESSIONS:
            self._bytes = sum(_size(entry.path) for entry in _sessions(folder))
            self._folder, self._sessions = folder, 0
        elif self._newest is not None:
            self._bytes += _size(os.fspath(self._newest))
        self._newest = None
        if self._bytes <= allowance:
            return 0
        self._folder = None  # counted anew: what could not be removed still takes its room
        return make_room(folder, allowance - allowance // SPARE)

    def begun(self, session: Path) -> None:
        """Note the folder of the session that begins; it is counted when the next one does."""
        self._newest = session


def allowance_bytes(folder: Path) -> int:
    """Return how much the logs in `folder` may take. Raises OSError."""
    system = os.statvfs(folder)
    return int(system.f_blocks * system.f_frsize * SHARE)


def make_room(folder: Path, allowance: int) -> int:
    """Remove the oldest sessions' logs until all take `allowance` bytes at most; returns how many went.

    A folder that holds more than a log keeps what else is in it. Raises OSError when the folder cannot be read.
    """
    total, removed, newest = sum(_size(entry.path) for entry in _sessions(folder)), 0, ""
    while total > allowance:
        names = (entry.name for entry in _sessions(folder) if entry.name > newest)
        oldest = heapq.nsmallest(BATCH, names)
        if not oldest:
            break
        for newest in oldest:
            if total <= allowance:
                break
            session = folder / newest
            size = _size(os.fspath(session))
            with contextlib.suppress(OSError):
                for name in FILES:
                    (session / name).unlink(missing_ok=True)
                total -= size
                removed += 1
                session.rmdir()
    return removed


def _sessions(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if FOLDER.match(entry.name):
                yield entry


def _size(session: str) -> int:
    size = 0
    for name in FILES:
        with contextlib.suppress(OSError):
            size += os.stat(f"{session}/{name}").st_size
    return size
