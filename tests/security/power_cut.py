"""A power cut at a chosen file operation: from then on nothing happens on the disk any more, cleaning up included."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

OPERATIONS = ("open", "fsync", "replace", "rename", "unlink", "remove", "mkdir", "rmdir", "symlink", "chmod")
"""What changes a disk, or orders its changes; `open` counts when it may write."""
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class PowerCut(BaseException):
    """The power is off. No `except Exception` stops it."""


class Disk:
    """Counts file operations; the one with the number `last` is not done any more."""

    def __init__(self, last: int | None, *, lose_half: bool = False) -> None:
        self.names: list[str] = []
        self.last = last
        self._lose_half = lose_half
        self._real = {name: getattr(os, name) for name in OPERATIONS}

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Watch the operations of this process."""
        for name in OPERATIONS:
            setattr(os, name, self._counted(name, self._real[name]))
        try:
            yield
        finally:
            for name in OPERATIONS:
                setattr(os, name, self._real[name])

    def _counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def operation(*args: Any, **how: Any) -> Any:
            if name == "open" and not args[1] & WRITING:
                return real(*args, **how)
            number = len(self.names)
            self.names.append(name)
            if self.last is not None and number >= self.last:
                if name == "fsync" and number == self.last and self._lose_half:
                    # What was not synchronised need not be there.
                    with contextlib.suppress(OSError):
                        os.ftruncate(args[0], os.fstat(args[0]).st_size // 2)
                raise PowerCut
            return real(*args, **how)

        return operation


def cuts_of(work: Callable[[], object]) -> list[tuple[int, bool]]:
    """Do some work; return where it can be cut: before which operation, and whether half of the file is lost."""
    disk = Disk(None)
    with disk.running():
        work()
    cuts = [(number, False) for number in range(len(disk.names))]
    return cuts + [(number, True) for number, name in enumerate(disk.names) if name == "fsync"]


def cut_at(number: int, work: Callable[[], object], *, lose_half: bool) -> None:
    """Do some work until the power is cut before the operation with this number (from 0)."""
    with Disk(number, lose_half=lose_half).running(), contextlib.suppress(PowerCut):
        work()
