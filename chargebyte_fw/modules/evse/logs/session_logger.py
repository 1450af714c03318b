"""Keeps the session's log; trouble with the disk is one warning and never the session's trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types.iso15118 import V2gMessages
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.logs.retention import LogRetention, allowance_bytes
from chargebyte_fw.modules.evse.logs.session_log import SessionLog, folder_name
from chargebyte_fw.modules.evse.machine.effects import SessionLogLine

TARGETS = {"EVSE": "CAR", "CAR": "EVSE", "SYS": ""}
FLUSH_S = 1.0
SUFFIX_OF_SESSION = "session_uuid"


class SessionLogger:
    """`publish` gets each line, too (origin, target, ISO 15118, text)."""

    def __init__(
        self, config: EvseConfig, root: Root, log: ModuleLog, publish: Callable[[str, str, bool, str], None]
    ) -> None:
        self._config = config
        self._root = root
        self._log = log
        self._publish = publish
        self._file: SessionLog | None = None
        self._open = False
        self._space = LogRetention()

    def begin(self, session_id: str) -> str | None:
        """Begin the log of a session; return its folder, None without one."""
        if not self._config.session_logging:
            return None
        suffix = self._config.logfile_suffix
        try:
            name = folder_name(utc_now(), session_id if suffix == SUFFIX_OF_SESSION else suffix)
            shown = f"{self._config.session_logging_path.rstrip('/')}/{name}"
            folder = self._root.write(shown)
            folder.parent.mkdir(parents=True, exist_ok=True)
            allowance = allowance_bytes(folder.parent)
            if removed := self._space.make_room(folder.parent, allowance):
                self._log.info("logs of %d older sessions made room in %s", removed, self._config.session_logging_path)
            self._space.begun(folder)
            self._file = SessionLog(folder, shown, allowance)
        except (OSError, ValueError) as error:
            self._log.warning("no session log: %s", error)
            self._file = None
        self._open = True
        self.line("SYS", "Session logging started.")
        return self._file.shown if self._file is not None else None

    def write(self, line: SessionLogLine | None) -> None:
        """Write a line, if there is one and a session is logged."""
        if line is not None:
            self.line(line.origin, line.text, iso15118=line.iso15118)

    def line(self, origin: str, text: str, *, iso15118: bool = False, **more: str) -> None:
        """Write a line if a session is logged."""
        if not self._open:
            return
        target = TARGETS[origin]
        self._publish(origin, target, iso15118, text)
        self._try(lambda file: file.record(utc_now(), origin, target, text, **more))

    def v2g(self, message: V2gMessages) -> None:
        """Write a message of the EV or to it."""
        name = message.id.value
        text = (message.xml or message.v2g_json or "") if self._config.session_logging_xml else ""
        origin = "EVSE" if "Res" in name else "CAR"
        content = {"xml": text, "hex": message.exi or "", "base64": message.exi_base64 or ""}
        self.line(origin, f"V2G {name}", iso15118=True, **content)

    async def flush_repeatedly(self) -> None:
        """Hand what was written to the file system once a second."""
        while True:
            await asyncio.sleep(FLUSH_S)
            self.flush()

    def flush(self) -> None:
        """Hand what was written to the file system."""
        self._try(SessionLog.flush)

    def end(self) -> None:
        """Close the log."""
        self.line("SYS", "Session logging stopped.")
        self._open = False
        self._try(SessionLog.close)
        self._file = None

    def _try(self, work: Callable[[SessionLog], Any]) -> None:
        if self._file is None:
            return
        try:
            work(self._file)
        except OSError as error:
            self._log.warning("the session log ends here: %s", error)
            self._file.abandon()
            self._file = None
