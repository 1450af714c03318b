"""One charger a root: two of them would both set the modem's key and remove each other's sockets."""

from __future__ import annotations

import fcntl
import os

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.paths import Root

PLACE = "/run/secc/lock"


class InstanceLock:
    """A lock from `take` to `release` or to the end of the process."""

    def __init__(self, root: Root, log: ModuleLog) -> None:
        self._root = root
        self._log = log
        self._file: int | None = None

    def take(self) -> None:
        """Lock the root; raises Unavailable when another charger has. Where nothing can be written, that is logged."""
        path = self._root.write(PLACE)
        try:
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            self._log.warning("whether another charger runs here cannot be seen: %s", error)
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 32).decode("ascii", "replace").strip()
            os.close(file)
            who = f" (process {holder})" if holder.isdigit() else ""
            raise Unavailable(f"another charger runs here{who}: {path} is locked") from None
        except OSError as error:
            os.close(file)
            self._log.warning("whether another charger runs here cannot be seen: %s", error)
            return
        self._file = file
        try:
            os.ftruncate(file, 0)
            os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        except OSError:
            return  # a full disk: the lock holds without the process number

    def release(self) -> None:
        """Unlock the root."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
