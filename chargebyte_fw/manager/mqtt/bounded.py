"""A socket that passes MQTT packets up to a size and skips larger ones without buffering them.

MQTT 3.1.1 has no way to ask the broker for that, and the library reads whatever length a packet announces (2.2.3
allows 256 MB).
"""

from __future__ import annotations

import socket
from collections.abc import Callable

PACKET_LIMIT_BYTES = 320 * 1024
"""Above the broker's own limit for a payload (`message_size_limit` as shipped) and the longest topic together."""
SKIP_BYTES = 64 * 1024
LENGTH_LIMIT_BYTES = 4
"""Octets of the remaining length (2.2.3)."""
_MORE = 0x80


class BoundedSocket(socket.socket):
    """Takes the place of `sock`; `on_left_out(length)` is called for each packet that is too long."""

    def __init__(
        self, sock: socket.socket, on_left_out: Callable[[int], None], limit_bytes: int = PACKET_LIMIT_BYTES
    ) -> None:
        super().__init__(sock.family, sock.type, sock.proto, fileno=sock.detach())
        self.setblocking(False)
        self._on_left_out = on_left_out
        self._limit_bytes = limit_bytes
        self._header = b""
        """Fixed header that was read and not handed over."""
        self._whole = False
        """Whether the header is complete, so that it may be handed over."""
        self._body = 0
        """Octets of the packet that are still to be handed over."""
        self._skip = 0

    def recv(self, count: int, flags: int = 0, /) -> bytes:
        """Return up to `count` octets of a packet that is short enough, b"" at the end; raises BlockingIOError."""
        while not self._whole and self._body == 0:
            if not self._skipped() or not self._read_header():
                return b""
        if self._whole:
            part, self._header = self._header[:count], self._header[count:]
            self._whole = bool(self._header)
            return part
        data = super().recv(min(count, self._body))
        self._body -= len(data)
        return data

    def _skipped(self) -> bool:
        """Skip what is left out; False at the end of the stream."""
        while self._skip:
            data = super().recv(min(self._skip, SKIP_BYTES))
            if not data:
                return False
            self._skip -= len(data)
        return True

    def _read_header(self) -> bool:
        """Read one fixed header; False at the end of the stream."""
        while len(self._header) < 2 or self._header[-1] & _MORE:
            if len(self._header) > LENGTH_LIMIT_BYTES:
                raise ConnectionError("this is no MQTT: a packet's length has more than four octets")
            octet = super().recv(1)
            if not octet:
                return False
            self._header += octet
        length = sum((octet & ~_MORE) << (7 * place) for place, octet in enumerate(self._header[1:]))
        if length > self._limit_bytes:
            self._header, self._skip = b"", length
            self._on_left_out(length)
        else:
            self._whole, self._body = True, length
        return True
