"""Status lines of EVerest's `manager` for whoever reads the FIFO that it was given (framework: 3.6)."""

from __future__ import annotations

import os
from pathlib import Path

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog


class StatusFifo:
    """Writes lines to a FIFO that a reader has open; the first line that cannot be written is the last one."""

    def __init__(self, path: Path | None) -> None:
        """Open the FIFO, None for no lines at all; raises Unavailable without it or without a reader."""
        self._descriptor: int | None = None
        if path is not None:
            try:
                self._descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                raise Unavailable(f"the status FIFO {path} cannot be opened: {error.strerror}") from error

    def write(self, line: str) -> None:
        """Write a line."""
        if self._descriptor is None:
            return
        try:
            os.write(self._descriptor, line.encode() + b"\n")
        except OSError as error:
            ModuleLog("manager").warning("no more status lines are written: %s", error.strerror)
            self.close()

    def close(self) -> None:
        """Close the FIFO."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
