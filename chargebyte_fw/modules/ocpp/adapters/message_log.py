"""MessageLogPath: the messages with the CSMS in the logs that `LogMessagesFormat` names (ocpp.md 3.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types import ocpp
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.ocpp.message_log.lines import HEAD, Shown
from chargebyte_fw.modules.ocpp.message_log.link import LARGEST_BYTES, MOST_FILES, LogFile, Rotation
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.standard import internal

FLUSH_S = 1.0
MOST_ACTIONS = 100
"""Requests whose action is remembered for their answer."""
MOST_SESSIONS = 128


class MessageLog:
    """Writes every frame into the logs that are configured. `name` is that of the files."""

    def __init__(
        self,
        variables: Variables,
        folder: Path,
        name: str,
        log: ModuleLog,
        session_folder: Callable[[str], Path],
    ) -> None:
        get = variables.get
        self._log = log
        formats: tuple[str, ...] = get(internal.LOG_MESSAGES_FORMAT) if get(internal.LOG_MESSAGES) else ()
        self._formats = frozenset(formats)
        self._rotation = rotation_of(variables)
        self._session_folder = session_folder
        self._actions: dict[str, str] = {}
        self._failing = LastingCondition(log)
        self._sessions: dict[str, LogFile] = {}
        self._stops: list[Callable[[], None]] = []
        self._timer: asyncio.TimerHandle | None = None
        wanted = {
            "log": (".log", ""),
            "html": (".html", HEAD),
            "security": (".security.log", ""),
        }
        self._files = {
            kind: LogFile(folder / f"{name}{ending}", self._rotation, head)
            for kind, (ending, head) in wanted.items()
            if kind in self._formats
        }
        raw: bool = get(internal.LOG_MESSAGES_RAW)
        if self._formats and raw:
            self._files["raw"] = LogFile(folder / f"{name}.raw.log", self._rotation)

    def follow(self, managers: list[EvseManager]) -> None:
        """Write what belongs to a session into its folder, too."""
        if "session_logging" in self._formats:
            for manager in managers:
                self._stops.append(manager.session_event.subscribe(self._session_event))

    def _session_event(self, event: SessionEvent) -> None:
        started = event.session_started
        if event.event is SessionEventEnum.SessionStarted and started is not None and started.logging_path:
            if len(self._sessions) < MOST_SESSIONS:
                file = self._session_folder(started.logging_path) / "incomplete-ocpp.log"
                self._sessions[event.uuid] = LogFile(file, self._rotation)
        elif event.event is SessionEventEnum.SessionFinished:
            file_of = self._sessions.pop(event.uuid, None)
            if file_of is not None:
                self._guarded(file_of, partial(file_of.flush, utc_now()))
                self._guarded(file_of, partial(file_of.rename, file_of.path.with_name("ocpp.log")))

    def frame(self, text: str, from_csms: bool) -> None:
        """Take a frame."""
        if not self._formats:
            return
        shown = Shown(utc_now(), text, from_csms=from_csms, actions=self._actions)
        while len(self._actions) > MOST_ACTIONS:
            del self._actions[next(iter(self._actions))]
        if "console_detailed" in self._formats:
            self._log.info("%s", shown.line().rstrip())
        elif "console" in self._formats:
            self._log.info("%s", shown.short)
        for kind, write in (("log", shown.line), ("html", shown.row), ("raw", shown.raw_line)):
            if kind in self._files:
                self._files[kind].write(write())
        for file in self._sessions.values():
            file.write(shown.line())
        self._flush_later()

    def security(self, event: ocpp.SecurityEvent) -> None:
        """Take a security event."""
        file = self._files.get("security")
        if file is not None:
            weight = "critical" if event.critical else "not critical"
            text = " ".join((event.info or "").split())
            file.write(f"{event.timestamp} {event.type} ({weight}) {text}".rstrip() + "\n")
            self._flush_later()

    def _flush_later(self) -> None:
        if self._timer is None and (self._files or self._sessions):
            self._timer = asyncio.get_running_loop().call_later(FLUSH_S, self.flush)

    def flush(self) -> None:
        """Write what has waited."""
        self._timer = None
        now = utc_now()
        for file in self._all():
            self._guarded(file, partial(file.flush, now))

    def _all(self) -> Iterator[LogFile]:
        yield from self._files.values()
        yield from self._sessions.values()

    def _guarded(self, file: LogFile, act: Callable[[], None]) -> None:
        try:
            act()
        except OSError as error:
            self._failing.begin(f"the message log {file.path.name} is not written: {error.strerror or error}")
        else:
            self._failing.end("the message logs are written again")

    def close(self) -> None:
        """Write the rest, and close the files."""
        for stop in self._stops:
            stop()
        if self._timer is not None:
            self._timer.cancel()
        self.flush()
        for file in self._all():
            file.abandon()
        self._failing.close()


def rotation_of(variables: Variables) -> Rotation:
    """Return how files are rotated: at 10 MB at the latest, with one earlier file where rotation is off."""
    get = variables.get
    if not get(internal.LOG_ROTATION):
        return Rotation()
    size = get(internal.LOG_ROTATION_MAXIMUM_FILE_SIZE) or LARGEST_BYTES
    files = get(internal.LOG_ROTATION_MAXIMUM_FILE_COUNT) or MOST_FILES
    return Rotation(min(size, LARGEST_BYTES), min(files, MOST_FILES), get(internal.LOG_ROTATION_DATE_SUFFIX))
