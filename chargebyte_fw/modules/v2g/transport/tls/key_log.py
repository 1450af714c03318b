"""TLS session keys for analysis: lines of a key log in a file, and each as a datagram on the link of the car."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chargebyte_fw.kernel.log import ModuleLog

FILE = "tls_session_keys.log"


class KeyLogWriter:
    """Writes each line where analysts of EVerest look for it: file `tls_session_keys.log`, and datagrams.

    `send(data, port)` sends a datagram to every node of the link; the port is the car's TCP port, so that a capture of
    the link has keys and connection together.
    """

    def __init__(self, folder: Path, send: Callable[[bytes, int], None], log: ModuleLog) -> None:
        self._path = folder / FILE
        self._send = send
        self._log = log
        self._failed = False
        log.warning("TLS session keys are written to %s and sent over the link: for analysis only", self._path)

    def __call__(self, line: bytes, port: int) -> None:
        """Write one line and send it; a failure is logged once."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("ab") as file:
                file.write(line.rstrip(b"\n") + b"\n")
            self._send(line, port)
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._log.warning("a TLS session key is not logged: %s", error)
            self._failed = True
