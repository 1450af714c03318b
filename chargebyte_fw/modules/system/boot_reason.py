"""Why the charger started: what was noted before the restart, in the store or by an update."""

from __future__ import annotations

import asyncio

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog

KEY = "ocpp_boot_reason"


class BootReasons:
    """The reason is read once, at the start, and holds as long as the process lives; the note is removed then."""

    def __init__(self, store: Kvs | None, log: ModuleLog) -> None:
        self._store = store
        self._log = log
        self._known: BootReason | None = None
        self._reading = asyncio.Lock()

    async def of_this_start(self, after_update: bool) -> BootReason:
        """Return the noted reason, `FirmwareUpdate` after an update, else `PowerUp`."""
        async with self._reading:
            if self._known is None:
                noted = await self._take()
                self._known = noted or (BootReason.FirmwareUpdate if after_update else BootReason.PowerUp)
        return self._known

    async def note(self, reason: BootReason, *, over: bool = False) -> None:
        """Note the reason of the coming start; one that is noted already stays unless `over`."""
        if self._store is None:
            return
        try:
            if over or await self._store.load(KEY) is None:
                await self._store.store(KEY, reason.value)
        except CommandError as error:
            self._log.warning("the reason of the restart cannot be noted: %s", error)

    async def forget(self, reason: BootReason) -> None:
        """Take back a note: the restart that it spoke of does not come."""
        if self._store is None:
            return
        try:
            if await self._store.load(KEY) == reason.value:
                await self._store.delete(KEY)
        except CommandError as error:
            self._log.warning("the reason of a restart that does not come cannot be taken back: %s", error)

    async def _take(self) -> BootReason | None:
        if self._store is None:
            return None
        try:
            noted = await self._store.load(KEY)
            if noted is None:
                return None
            await self._store.delete(KEY)
        except CommandError as error:
            self._log.warning("the reason of the start cannot be read: %s", error)
            return None
        try:
            return BootReason(noted)
        except ValueError:
            self._log.warning("%r is no reason of a start", noted)
            return None
