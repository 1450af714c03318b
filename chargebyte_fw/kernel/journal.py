"""systemd's journal in its own form: a record with fields, so that a module or a session can be asked for."""

from __future__ import annotations

import logging
import socket
import struct

SOCKET = "/run/systemd/journal/socket"
LONGEST = 60_000
"""Bytes of a message: a datagram must hold it."""
_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class JournalHandler(logging.Handler):
    """Sends records with SECC_MODULE and SECC_SESSION as fields; `otherwise` takes a record when nobody listens."""

    def __init__(self, otherwise: logging.Handler, path: str = SOCKET) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; a journal that is full or restarts loses none, standard error has it then."""
        try:
            self._socket.sendto(self.encode(record), self._path)
        except OSError:
            self._otherwise.handle(record)

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return a record as the journal's protocol has it."""
        fields = {
            "MESSAGE": self.format(record),
            "PRIORITY": str(_PRIORITY.get(record.levelno, 6)),
            "SYSLOG_IDENTIFIER": "secc",
            "SECC_MODULE": str(getattr(record, "module_id", record.name)),
            "SECC_SESSION": str(getattr(record, "session", "")),
            "CODE_FILE": record.pathname if record.exc_info else "",
            "CODE_LINE": str(record.lineno) if record.exc_info else "",
        }
        return b"".join(_field(name, value) for name, value in fields.items() if value)

    def close(self) -> None:
        """Let go of the socket."""
        self._socket.close()
        super().close()


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")[:LONGEST]
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    # A value of several lines goes with its length, so that no line of it can pretend to be a field.
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
