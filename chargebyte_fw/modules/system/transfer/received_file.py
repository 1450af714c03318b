"""The file that a download grows into: a part beside it, with a note of where it came from, until it is complete."""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from pathlib import Path
from typing import BinaryIO

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.store import write_whole
from chargebyte_fw.modules.system.transfer.messages import Failure, TransferError
from chargebyte_fw.modules.system.transfer.threads import Progress
from chargebyte_fw.modules.system.transfer.timing import ROOM_LEFT_BYTES


class Origin(msgspec.Struct, kw_only=True):
    """What a part belongs to; the address only as a hash, because it may hold a password."""

    address: str
    version: str = ""
    """The server's mark of this state of the file (HTTP entity tag, size and time of change); empty: it gives none."""
    size: int | None = None


class ReceivedFile:
    """Takes the bytes of one file, not more than `limit` of them. Used from one thread at a time."""

    def __init__(self, target: Path, location: str, limit: int) -> None:
        self.target = target
        self.part = target.with_name(target.name + ".part")
        self.note = target.with_name(target.name + ".origin")
        self.limit = limit
        self.received = 0
        """Bytes that this try brought."""
        self.pulse = Progress()
        self._lock = threading.Lock()
        self._abandoned = False
        self._address = hashlib.sha256(location.encode()).hexdigest()
        self._file: BinaryIO | None = None
        self.origin = self._read_note()
        self.offset = self._size_of(self.part) if self.origin.size is not None or self.origin.version else 0

    @property
    def complete(self) -> bool:
        """Whether the whole file is there already, from an earlier try."""
        return self.origin.size is not None and self._size_of(self.target) == self.origin.size

    def begin(self, offset: int, size: int | None, version: str = "") -> None:
        """Expect bytes from `offset` (0: from the beginning) of a file of `size`; raises TransferError (size)."""
        if size is not None and size > self.limit:
            raise TransferError(Failure.SIZE, f"{size} bytes are more than {self.limit}", final=True)
        with self._lock:
            self._refuse_late_writer()
            self._begin(offset, size, version)
        self.pulse.beat()

    def _begin(self, offset: int, size: int | None, version: str) -> None:
        try:
            room = shutil.disk_usage(self.part.parent).free - ROOM_LEFT_BYTES
            if size is not None and size - offset > room:
                raise TransferError(Failure.SIZE, f"there is no room for {size - offset} bytes", final=True)
            self._close()
            # A result of the past must not pass for this one.
            self.target.unlink(missing_ok=True)
            self.origin = Origin(address=self._address, version=version, size=size)
            self._file = self.part.open("r+b" if offset else "wb")
            self._file.truncate(offset)
            self._file.seek(offset)
            write_whole(self.note, msgspec.json.encode(self.origin))
        except OSError as error:
            raise _disk(error) from error
        self.offset = offset

    def write(self, data: bytes) -> None:
        """Take the next bytes; raises TransferError when they are too many or cannot be written."""
        with self._lock:
            self._refuse_late_writer()
            self._write(data)
        self.pulse.beat()

    def _write(self, data: bytes) -> None:
        if self._file is None:
            raise AssertionError("bytes before `begin`")
        if self.offset + len(data) > (self.limit if self.origin.size is None else self.origin.size):
            self._close()
            raise TransferError(Failure.SIZE, "the server sends more than it announced or than is allowed", final=True)
        try:
            self._file.write(data)
        except OSError as error:
            raise _disk(error) from error
        self.offset += len(data)
        self.received += len(data)

    def finish(self) -> None:
        """Make the part the file; raises TransferError (broken) when something is missing. Blocks for the disk."""
        if self._file is None:
            raise AssertionError("the end before `begin`")
        if self.origin.size is not None and self.offset != self.origin.size:
            raise TransferError(Failure.BROKEN, f"the server ended after {self.offset} of {self.origin.size} bytes")
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._close()
            self.origin.size = self.offset
            write_whole(self.note, msgspec.json.encode(self.origin))
            os.replace(self.part, self.target)
        except OSError as error:
            raise _disk(error) from error

    def close(self) -> None:
        """Let go of the part, for good; it stays for the next try."""
        with self._lock:
            self._abandoned = True
            self._close()

    def _refuse_late_writer(self) -> None:
        # A thread that could not be broken off in time (a name server that does not answer) must not come back and
        # write into the file that the next try makes.
        if self._abandoned:
            raise TransferError(Failure.BROKEN, "broken off")

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as error:
                raise _disk(error) from error

    def _read_note(self) -> Origin:
        fresh = Origin(address=self._address)
        try:
            origin = decode_json(self.note.read_bytes(), Origin)
        except (OSError, msgspec.DecodeError):
            # No note, or what a power cut left of one: begin anew.
            return fresh
        return origin if origin.address == self._address else fresh

    def _size_of(self, path: Path) -> int:
        try:
            return path.stat().st_size
        except OSError:
            return 0


def forget(target: Path) -> None:
    """Remove the file and all that belongs to it."""
    for suffix in ("", ".part", ".origin"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)


def _disk(error: OSError) -> TransferError:
    # No room (ENOSPC, EDQUOT) does not get better by trying again at once, a read-only or lost disk does not either.
    return TransferError(Failure.SIZE, f"the file cannot be written: {error.strerror or error}", final=True)
