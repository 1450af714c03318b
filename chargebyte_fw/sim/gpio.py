"""A simulated GPIO line: a Unix datagram socket `<state root>/run/secc/gpio/<line>` that gets `0` or `1`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

from chargebyte_fw.kernel.paths import socket_path

LINES = "run/secc/gpio"


class SimulatedLine:
    """Binds the line and calls `level(high)` for each level that is sent. Raises OSError if it cannot be bound."""

    def __init__(self, state_root: Path, name: str, level: Callable[[bool], None]) -> None:
        self.path = state_root / LINES / name
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._level = level
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        with socket_path(self.path) as name_in_folder:
            self._socket.bind(name_in_folder)
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    def _read(self) -> None:
        while True:
            try:
                level = self._socket.recv(16)
            except BlockingIOError:
                return
            self._level(level.strip() != b"0")

    def close(self) -> None:
        """Give the line back."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()
        self.path.unlink(missing_ok=True)
