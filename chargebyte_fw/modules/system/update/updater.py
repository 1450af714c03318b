"""Carries out what the machine of an update wants, one piece of work at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from chargebyte_fw.contracts.types.system import FirmwareUpdateStatus
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.system.transfer.messages import TransferError
from chargebyte_fw.modules.system.transfer.received_file import ReceivedFile, forget
from chargebyte_fw.modules.system.transfer.threads import in_thread
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer
from chargebyte_fw.modules.system.update import messages as m
from chargebyte_fw.modules.system.update import signature
from chargebyte_fw.modules.system.update.journal import Journal
from chargebyte_fw.modules.system.update.machine import UpdateMachine
from chargebyte_fw.modules.system.update.rauc_link import BundleRefused, Progress, Slots

Work = Callable[[], Awaitable[Any]]


class Installer(Protocol):
    """What installs firmware: RAUC (`rauc_link.py`). Raises PeerError and Unavailable."""

    async def slots(self) -> Slots:
        """Return what is booted and what will be."""

    async def is_busy(self) -> bool:
        """Return whether an installation runs."""

    async def until_idle(self) -> None:
        """Wait until none runs."""

    async def examine(self, bundle: Path) -> str:
        """Return the version of a file; raises BundleRefused when it may not be installed here."""

    async def install(self, bundle: Path, on_progress: Progress) -> None:
        """Install and wait for the end."""

    async def follow(self, on_progress: Progress) -> None:
        """Wait for the end of an installation that runs already."""


@dataclass(slots=True)
class Tools:
    """What the updater works with."""

    journal: Journal
    rauc: Installer
    transfer: FileTransfer
    image: Path
    """Where the firmware file lies."""
    limit: int
    """The largest file that is fetched, in bytes."""
    publish: Callable[[FirmwareUpdateStatus], None]
    reboot: Callable[[], Awaitable[None]]
    """Notes why and starts the machine again; raises Unavailable."""
    spawn: Callable[[Any, str], asyncio.Task[Any]]
    crash: Callable[[BaseException], None]
    log: ModuleLog
    pkcs1: bool = False
    """An RSA signature may be PKCS#1 v1.5."""


class Updater:
    """Runs one `UpdateMachine`. `start` takes up what the last run left; `close` leaves it for the next run."""

    def __init__(self, machine: UpdateMachine, tools: Tools) -> None:
        self.machine = machine
        self.tools = tools
        self.pump = Pump(machine, self._act, tools.crash)
        self._work: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        self._received = 0
        self._shown = -1
        self._stale = False

    def start(self, left: m.Update | None) -> None:
        """Go on with the update that the last run left."""
        if left is not None:
            self.pump.feed(m.Restored(left))

    def close(self) -> None:
        """Stop; the journal has what is needed to go on."""
        self.pump.close()
        if self._work is not None:
            self._work.cancel()
        self.tools.journal.close()

    # --- effects

    def _act(self, effect: Any) -> None:
        tools = self.tools
        if isinstance(effect, m.PublishStatus):
            tools.log.info("firmware update %d: %s", effect.request_id, effect.status)
            tools.publish(FirmwareUpdateStatus(firmware_update_status=effect.status, request_id=effect.request_id))
        elif isinstance(effect, m.Log):
            (tools.log.warning if effect.trouble else tools.log.info)("%s", effect.text)
        elif isinstance(effect, m.Save):
            tools.journal.keep(effect.update)
        elif isinstance(effect, m.ReadClock):
            self.pump.feed(m.ClockRead(utc_now()))
        elif isinstance(effect, Unexpected):
            tools.log.debug("update: %s means nothing in %s", type(effect.event).__name__, effect.state)
        else:
            self._act_in_time(effect)

    def _act_in_time(self, effect: Any) -> None:
        if isinstance(effect, m.StopWork):
            self._stale = self._stale or effect.forget
            self._begin(_nothing, "stop")
        elif isinstance(effect, m.Download):
            self._begin(lambda: self._download(effect.location), "download")
        elif isinstance(effect, m.CheckSignature):
            self._begin(lambda: self._check(effect.certificate, effect.signature), "signature")
        elif isinstance(effect, m.Install):
            self._begin(lambda: self._install(effect.running), "install")
        elif isinstance(effect, m.ReadSlots):
            self._begin(self._look, "slots")
        elif isinstance(effect, m.Reboot):
            self._begin(self._reboot, "reboot")
        else:
            raise AssertionError(f"no work for {effect!r}")

    def _begin(self, work: Work, name: str) -> None:
        """Start `work` in place of what runs; it waits until that has let go of the files."""
        if self._work is not None:
            self._work.cancel()
        self._work = self.tools.spawn(self._in_turn(work), name)

    async def _in_turn(self, work: Work) -> None:
        async with self._turn:
            if self._stale:
                self._stale = False
                self._remove()
            event = await work()
            if self._work is asyncio.current_task():
                # What the event leads to must not break off the task that brings it.
                self._work = None
        if event is not None:
            self.pump.feed(event)

    # --- work

    def _remove(self) -> None:
        try:
            forget(self.tools.image)
        except OSError as error:
            self.tools.log.warning("%s cannot be removed: %s", self.tools.image, error.strerror or error)

    async def _download(self, location: str) -> Any:
        received_files: list[ReceivedFile] = []
        try:
            await self.tools.transfer.fetch(location, self.tools.image, self.tools.limit, received_files.append)
        except TransferError as error:
            reached = received_files[0].offset if received_files and received_files[0].received else 0
            return m.DownloadBroke(str(error), reached=reached, final=error.final)
        self.tools.log.debug("the firmware has %d bytes", received_files[0].offset)
        return m.DownloadEnded()

    async def _check(self, certificate: str, given: str) -> Any:
        image, pkcs1 = self.tools.image, self.tools.pkcs1
        trouble = await in_thread(
            lambda: signature.signature_trouble(image, certificate, given, pkcs1=pkcs1), lambda: None, "signature"
        )
        return m.SignatureChecked(trouble)

    async def _install(self, running: bool) -> Any:
        rauc = self.tools.rauc
        try:
            if running:
                await rauc.follow(self._on_progress)
            else:
                await rauc.until_idle()
                version = await rauc.examine(self.tools.image)
                slots = await rauc.slots()
                self.tools.log.info("installing version %s into slot %s", version or "unknown", slots.other)
                # On the disk before RAUC begins: its hooks copy the note into the new slot.
                self.pump.feed(m.TargetChosen(slots.other))
                await self.tools.journal.settled()
                await rauc.install(self.tools.image, self._on_progress)
            slots = await rauc.slots()
        except BundleRefused as error:
            return m.InstallRefused(error.what)
        except PeerError as error:
            return m.InstallFailed(error.what)
        except Unavailable as error:
            return m.InstallBroke(str(error))
        trouble = self._boot_trouble(slots)
        return m.InstallFailed(trouble) if trouble else m.InstallEnded()

    def _boot_trouble(self, slots: Slots) -> str:
        target = self.machine.update.target_slot if self.machine.update is not None else ""
        if slots.primary != target:
            return f"slot {slots.primary or 'unknown'} would be booted, not {target}"
        return f"not good: slot {', '.join(slots.bad)}" if slots.bad else ""

    def _on_progress(self, percent: int, step: str) -> None:
        if percent != self._shown:
            self._shown = percent
            self.tools.log.debug("installing: %d %%, %s", percent, step)

    async def _look(self) -> Any:
        try:
            if await self.tools.rauc.is_busy():
                return m.RaucBusy()
            slots = await self.tools.rauc.slots()
        except (PeerError, Unavailable) as error:
            return m.SlotsUnknown(str(error))
        return m.SlotsSeen(slots.booted, slots.primary, slots.primary not in slots.bad)

    async def _reboot(self) -> None:
        try:
            await self.tools.journal.settled()
            await self.tools.reboot()
        except Unavailable as error:
            self.tools.log.error("the machine cannot be started again: %s", error)


async def _nothing() -> None:
    return
