"""The file of changed keys (`UserConfigPath`), written as a whole."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from logging import ERROR
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.log import ModuleLog


class OverlayFile:
    """Writes the latest content; what cannot be written is logged, and counts until the next start."""

    def __init__(
        self, path: Path, log: ModuleLog, spawn: Callable[[Coroutine[Any, Any, None], str], asyncio.Task[None]]
    ) -> None:
        self.path = path
        self._spawn = spawn
        self._condition = LastingCondition(log, ERROR)
        self._wanted: bytes | None = None
        self._task: asyncio.Task[None] | None = None

    def keep(self, content: bytes) -> None:
        """Write this content, in place of one that still waits."""
        self._wanted = content
        if self._task is None or self._task.done():
            self._task = self._spawn(self._write(), "configuration file")

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._task is not None and not self._task.done():
            await asyncio.wait({self._task}, timeout=2.0)
        self._condition.close()

    async def _write(self) -> None:
        while self._wanted is not None:
            content, self._wanted = self._wanted, None
            try:
                if loop_speed() is None:
                    save(self.path, content)
                else:
                    await asyncio.get_running_loop().run_in_executor(None, save, self.path, content)
            except OSError as error:
                reason = error.strerror or str(error)
                self._condition.begin(f"changed keys are kept until the next start only: {self.path}: {reason}")
            else:
                self._condition.end(f"{self.path.name} is written again")


def save(path: Path, content: bytes) -> None:
    """Write a file as a whole; raises OSError where that cannot be."""
    temporary = path.with_name(f".{path.name}.new")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
