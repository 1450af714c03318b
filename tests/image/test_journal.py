"""The journal gets fields, and nothing of a message becomes one."""

from __future__ import annotations

import logging
import socket
import struct
from pathlib import Path

from chargebyte_fw.kernel.journal import JournalHandler
from chargebyte_fw.kernel.log import LineFormatter, ModuleLog


def fields(datagram: bytes) -> dict[str, str]:
    """Read a record as journald does."""
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, equals, value = line.partition(b"=")
        if not equals:
            (length,) = struct.unpack("<Q", rest[:8])
            value, rest = rest[8 : 8 + length], rest[9 + length :]
        found[name.decode()] = value.decode()
        datagram = rest
    return found


def test_a_record_has_module_and_session_as_fields(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "journal"))
        kept: list[logging.LogRecord] = []
        other = logging.Handler()
        other.emit = kept.append  # type: ignore[method-assign,assignment]
        handler = JournalHandler(other, str(tmp_path / "journal"))
        handler.setFormatter(LineFormatter(bare=True))
        log = ModuleLog("connector")
        log.session = "0a1b2c3d-session"
        log.logger.addHandler(handler)
        log.logger.setLevel(logging.INFO)
        try:
            log.warning("first line\nPRIORITY=0")
            told = fields(journal.recv(65536))
            assert told["SECC_MODULE"] == "connector" and told["SECC_SESSION"] == "0a1b2c3d-session"
            assert told["PRIORITY"] == "4" and told["MESSAGE"].endswith("PRIORITY=0")
            (tmp_path / "journal").unlink()
            log.info("the journal is gone")
            assert [record.getMessage() for record in kept] == ["the journal is gone"]
        finally:
            log.logger.removeHandler(handler)
            handler.close()
