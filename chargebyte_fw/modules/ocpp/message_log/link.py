"""The files of the message logs: bounded, rotated, given up and taken up again with the file system."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import IO

import msgspec

LARGEST_BYTES = 10_000_000
"""Size of a file where `LogRotationMaximumFileSize` does not name a smaller one."""
MOST_FILES = 100
MOST_WAITING = 2_000
"""Lines that wait for the next flush; of more the oldest are dropped."""


class Rotation(msgspec.Struct, frozen=True):
    """When a file is complete, and how many complete ones are kept."""

    bytes: int = LARGEST_BYTES
    files: int = 1
    date_suffix: bool = False


class LogFile:
    """One log; raises OSError where the file system does."""

    def __init__(self, path: Path, rotation: Rotation, head: str = "") -> None:
        self.path = path
        self._rotation = rotation
        self._head = head
        self._lines: list[str] = []
        self._file: IO[str] | None = None

    def write(self, line: str) -> None:
        """Take a line, for the next flush."""
        self._lines.append(line)
        if len(self._lines) > MOST_WAITING:
            del self._lines[0]

    def flush(self, now: datetime) -> None:
        """Write what has waited."""
        if not self._lines:
            return
        lines, self._lines = self._lines, []
        try:
            file = self._file or self._open()
            for line in lines:
                if file.tell() + len(line) > self._rotation.bytes and file.tell() > len(self._head):
                    self.close()
                    self._set_aside(now)
                    file = self._open()
                file.write(line)
            file.flush()
        except OSError:
            self.abandon()
            raise

    def _open(self) -> IO[str]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.path.open("a", encoding="utf-8")
        if self._file.tell() == 0:
            self._file.write(self._head)
        return self._file

    def _set_aside(self, now: datetime) -> None:
        """Give the complete file another name, and remove those that are too many."""
        if self._rotation.date_suffix:
            os.replace(self.path, self.path.with_name(f"{self.path.name}.{now:%Y%m%dT%H%M%S%f}"))
            dated = sorted(self.path.parent.glob(f"{self.path.name}.*T*"))
            for old in dated[: max(0, len(dated) - self._rotation.files)]:
                old.unlink(missing_ok=True)
            return
        self._numbered(self._rotation.files).unlink(missing_ok=True)
        for number in range(self._rotation.files - 1, 0, -1):
            if self._numbered(number).exists():
                os.replace(self._numbered(number), self._numbered(number + 1))
        os.replace(self.path, self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")

    def close(self) -> None:
        """Close the file; the next line opens it again."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def abandon(self) -> None:
        """Let go of the file after the file system failed."""
        try:
            self.close()
        except OSError:
            # What could not be written is lost; the descriptor is closed all the same.
            return

    def rename(self, path: Path) -> None:
        """Give the closed file its final name."""
        self.close()
        if self.path.exists():
            os.replace(self.path, path)
