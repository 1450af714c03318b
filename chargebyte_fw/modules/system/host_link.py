"""The machine around us: its clock, its reboot, the end of this process."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.modules.system.bus_link import Refused, SystemBus

TIMEDATE = "org.freedesktop.timedate1"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNDER_WAY = ("in progress", "not finished")


class HostLink:
    """`reboot_command` empty: this is no machine of ours (a checkout, a test); ending the process must do."""

    def __init__(self, bus: SystemBus, reboot_command: Sequence[str]) -> None:
        self._bus = bus
        self._reboot_command = tuple(reboot_command)

    async def reboot(self) -> None:
        """Start the machine again; raises Unavailable when the command fails."""
        if not self._reboot_command:
            self.end_process()
            return
        try:
            process = await asyncio.create_subprocess_exec(
                *self._reboot_command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            raise Unavailable(f"{self._reboot_command[0]}: {error.strerror or error}") from error
        _, output = await process.communicate()
        if process.returncode:
            raise Unavailable(f"{self._reboot_command[0]}: {output.decode(errors='replace').strip()[:200]}")

    def end_process(self) -> None:
        """Ask this process to end, safe state first; the service manager starts it again."""
        os.kill(os.getpid(), signal.SIGTERM)

    async def set_clock(self, at: datetime) -> None:
        """Set the system's clock (timedated); raises PeerError when it refuses, Unavailable when it is not there."""
        since_epoch_us = (at - EPOCH) // timedelta(microseconds=1)
        path = "/org/freedesktop/timedate1"
        try:
            await self._bus.call(TIMEDATE, path, TIMEDATE, "SetTime", "xbb", since_epoch_us, False, False)
        except Refused as error:
            if any(words in str(error) for words in _UNDER_WAY):
                # Another setting is being carried out; both mean the same clock.
                return
            raise PeerError("org.freedesktop.timedate1", str(error)) from error
