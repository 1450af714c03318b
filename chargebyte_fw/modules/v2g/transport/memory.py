"""A connection in memory."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.kernel.memory import StreamEnd
from chargebyte_fw.modules.v2g.security import PLAIN
from chargebyte_fw.modules.v2g.transport import nothing


class MemoryTransport:
    """One end of a stream in memory."""

    security = PLAIN

    def __init__(self, end: StreamEnd, peer: str) -> None:
        self.on_data: Callable[[bytes], None] = nothing
        self.on_closed: Callable[[str], None] = nothing
        self.peer = peer
        self.peer_port = end.peer_port
        self._end = end
        end.receive = lambda data: self.on_data(data)
        end.closed = self._closed

    def _closed(self) -> None:
        closed, self.on_data, self.on_closed = self.on_closed, nothing, nothing
        closed("")

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._end.send(data)

    def shut_down(self) -> None:
        """Close: a connection in memory has no half."""
        self._end.close()

    def abort(self) -> None:
        """Close."""
        self._end.close()
