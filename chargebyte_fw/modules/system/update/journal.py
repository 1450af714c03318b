"""What is kept of an update over a restart: our own note, and EVerest's marker for the firmware that comes after us."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from logging import ERROR
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest
from chargebyte_fw.kernel.clock import loop_speed
from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.errors import PeerError, Unavailable, in_words
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.modules.system.update.messages import Update, UpdateState


class Journal:
    """Two files. The bundle's hooks copy both into the new slot while RAUC installs, so they are there after the boot.

    The marker (`.ocpp_fw_installed`: slot, request id) exists only while an installation or its reboot is under way;
    it is what other firmware of this board writes and reads.
    """

    def __init__(self, note: Path, marker: Path, log: ModuleLog | None = None) -> None:
        self.note = note
        self.marker = marker
        self._thread: ThreadPoolExecutor | None = None
        self._last: Future[None] | None = None
        self._not_kept = None if log is None else LastingCondition(log, ERROR)
        self._loop: asyncio.AbstractEventLoop | None = None

    def load(self) -> Update | None:
        """Return the update that is under way, None when there is none; raises PeerError for a damaged note."""
        try:
            return decode_json(self.note.read_bytes(), Update)
        except FileNotFoundError:
            return self._from_marker()
        except (OSError, msgspec.DecodeError) as error:
            marked = self._from_marker()
            if marked is None:
                raise PeerError(
                    str(self.note), f"the update that was under way is not readable: {in_words(error, of_file=False)}"
                ) from error
            return marked

    def _from_marker(self) -> Update | None:
        try:
            lines = text_lines(self.marker.read_text())
            slot, request_id = lines[0].strip(), int(lines[1])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, IndexError) as error:
            raise PeerError(
                str(self.marker), f"not a slot and a request id: {in_words(error, of_file=False)}"
            ) from error
        request = FirmwareUpdateRequest(request_id=request_id, location="")
        # Who wrote it rebooted on purpose; which boot that was from is not known, so only the slot decides.
        return Update(request=request, state=UpdateState.REBOOTING, target_slot=slot, boot_id="unknown")

    def keep(self, update: Update | None) -> None:
        """Write the update (None: forget it); `settled` returns when it is on the disk."""
        marked = update is not None and bool(update.target_slot)
        note = None if update is None else msgspec.json.encode(update)
        marker = f"{update.target_slot}\n{update.request.request_id}\n" if update is not None and marked else None
        self._loop = asyncio.get_running_loop()
        if loop_speed() is None:
            self._write(note, marker)
            return
        if self._thread is None:
            # One thread keeps the order; a slow flash chip does not hold up the loop.
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._last = self._thread.submit(self._write, note, marker)

    async def settled(self) -> None:
        """Wait until everything that was kept is on the disk; raises Unavailable when it could not be written."""
        if self._last is not None:
            await asyncio.wrap_future(self._last)

    def close(self) -> None:
        """Finish writing."""
        if self._thread is not None:
            self._thread.shutdown(wait=True)
            self._thread = None

    def _write(self, note: bytes | None, marker: str | None) -> None:
        try:
            # The request may hold a password: no other user reads the note.
            if note is not None:
                write_whole(self.note, note, mode=0o600)
            if marker is not None:
                write_whole(self.marker, marker.encode())
            if marker is None:
                self.marker.unlink(missing_ok=True)
            if note is None:
                self.note.unlink(missing_ok=True)
        except OSError as error:
            what = f"{self.note}: {error.strerror or error}"
            self._report(True, f"{what}; the update that is under way would not survive a restart")
            raise Unavailable(what) from error
        self._report(False, f"{self.note} is written again")

    def _report(self, active: bool, text: str) -> None:
        """Log on the loop, from the thread that writes."""
        if self._not_kept is None or self._loop is None:
            return
        try:
            self._loop.call_soon_threadsafe(self._not_kept.set, active, text)
        except RuntimeError:
            # The process ends: the loop is closed already.
            return
