"""Sends log records to systemd's journal with fields for module and session (systemd: Native Journal Protocol)."""

from __future__ import annotations

import logging
import socket
import struct

SOCKET = "/run/systemd/journal/socket"
LONGEST = 60_000
"""Longest message in octets: it must fit into a datagram."""
_PRIORITY = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}


class JournalHandler(logging.Handler):
    """Sends records with the fields SECC_MODULE and SECC_SESSION; without a journal they go to `otherwise`."""

    def __init__(self, otherwise: logging.Handler, path: str = SOCKET) -> None:
        super().__init__()
        self._otherwise = otherwise
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record; while the journal is full or restarts it goes to standard error."""
        try:
            self._socket.sendto(self.encode(record), self._path)
        except OSError:
            self._otherwise.handle(record)

    def encode(self, record: logging.LogRecord) -> bytes:
        """Return a record in the journal's protocol."""
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
        """Close the socket."""
        self._socket.close()
        super().close()


def _field(name: str, value: str) -> bytes:
    data = value.encode("utf-8", "replace")[:LONGEST]
    if b"\n" not in data:
        return name.encode() + b"=" + data + b"\n"
    # A value of several lines is sent with its length: no line of it can be taken for a field.
    return name.encode() + b"\n" + struct.pack("<Q", len(data)) + data + b"\n"
