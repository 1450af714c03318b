"""What a serial port receives, on the event loop, until the port is gone."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable

READ_BYTES = 4096


class SerialReading:
    """Reads a port that does not block: `received` is called with bytes, `lost` with the error that ends it."""

    def __init__(self, descriptor: int, received: Callable[[bytes], None], lost: Callable[[OSError], None]) -> None:
        """Begin to read; the descriptor stays the caller's."""
        self._descriptor = descriptor
        self._received = received
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(descriptor, self._readable)

    def close(self) -> None:
        """Read no more; call before the port is closed."""
        self._loop.remove_reader(self._descriptor)

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._lost(error)
            return
        if data:
            self._received(data)
        else:
            # A pseudo-terminal whose other end has closed.
            self._lost(OSError(errno.EIO, "the port hung up"))
