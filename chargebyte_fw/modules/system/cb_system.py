"""CbSystem: firmware updates with RAUC, log upload, reset, clock and boot reason of a chargebyte board."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import network, system
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides, requires_optional
from chargebyte_fw.modules.system.boot_reason import BootReasons
from chargebyte_fw.modules.system.bus_link import SystemBus
from chargebyte_fw.modules.system.host_link import HostLink
from chargebyte_fw.modules.system.logs.archive import Span, name_of
from chargebyte_fw.modules.system.logs.uploader import NO_REQUEST, Order, Uploader
from chargebyte_fw.modules.system.transfer.timing import FIRMWARE_LIMIT_BYTES
from chargebyte_fw.modules.system.transfer.transfer import FileTransfer
from chargebyte_fw.modules.system.update import messages, signature
from chargebyte_fw.modules.system.update.journal import Journal
from chargebyte_fw.modules.system.update.machine import UpdateMachine, time_of
from chargebyte_fw.modules.system.update.rauc_link import RaucLink
from chargebyte_fw.modules.system.update.updater import Installer, Tools, Updater

IMAGE = "/srv/firmware-update.image"
NOTE = "/var/lib/everest/firmware-update.json"
MARKER = "/var/lib/everest/.ocpp_fw_installed"
KNOWN_HOSTS = ("/etc/ssh/ssh_known_hosts", "/var/lib/everest/ssh_known_hosts")
SCHEDULED = (messages.UpdateState.DOWNLOAD_SCHEDULED, messages.UpdateState.INSTALL_SCHEDULED)
"""An update waits for a time of the wall clock."""
LACKING = ("DataCollectorLog",)
"""Logs of OCPP 2.1 that there are not: the charger has no data collector (N01.FR.05)."""
BOOT_ID = "/proc/sys/kernel/random/boot_id"


class Main(System):
    """The board's system."""

    module: CbSystem

    async def update_firmware(
        self, firmware_update_request: system.FirmwareUpdateRequest
    ) -> system.UpdateFirmwareResponse:
        """Judge the request; an accepted one begins after the answer."""
        return await self.module.update(firmware_update_request)

    async def allow_firmware_installation(self) -> None:
        """Release an installation that waits (key `wait_for_permission`)."""
        self.module.updater.pump.feed(messages.Permitted())

    async def upload_logs(self, upload_logs_request: system.UploadLogsRequest) -> system.UploadLogsResponse:
        """Gather and send logs after the answer, in place of an upload that runs."""
        return self.module.upload(upload_logs_request)

    async def is_reset_allowed(self, type: system.ResetType) -> bool:
        """Always: an update that is under way goes on after the start."""
        return True

    async def reset(self, type: system.ResetType, scheduled: bool) -> None:
        """End the process (`Soft`) or start the machine again, `reset_delay` seconds after the answer."""
        self.module.reset(type, scheduled)

    async def set_system_time(self, timestamp: str) -> bool:
        """Set the clock unless it is right already; returns whether it is right now."""
        return await self.module.set_clock(timestamp)

    async def get_boot_reason(self) -> system.BootReason:
        """Return why this process was started."""
        return await self.module.boot_reason()

    async def configure_network(self, request: network.ConfigureNetworkRequest) -> network.ConfigureNetworkResponse:
        """Refuse: the network belongs to the image (systemd-networkd)."""
        status = network.ConfigureNetworkStatusEnum.NotSupported
        return network.ConfigureNetworkResponse(status=status)


class CbSystem(Module):
    """Firmware updates with RAUC, log upload, reset, clock and boot reason of a chargebyte board."""

    group = "cloud"
    packages = ("aiohttp", "dbus_fast", "paramiko")

    class Config(ModuleConfig):
        """Tries, delays, and whether an installation asks first."""

        default_retries: Annotated[
            int, Meta(ge=1, description="Tries of a download or an upload when the request names none.")
        ] = 1
        default_retry_interval: Annotated[
            int, Meta(ge=0, description="Seconds between two tries when the request names none.")
        ] = 1
        reset_delay: Annotated[int, Meta(ge=0, description="Seconds between a reset's answer and the reset.")] = 3
        min_time_deviation: Annotated[
            int, Meta(ge=0, description="Milliseconds by which the clock must be wrong before it is set.")
        ] = 1000
        wait_for_permission: Annotated[
            bool,
            Meta(
                description="Whether an installation waits for `allow_firmware_installation`, that is for free EVSEs."
            ),
        ] = False

    config: Config
    main = provides(Main, description="The board's system.")
    store = requires_optional(Kvs)

    firmware_limit_bytes: int = FIRMWARE_LIMIT_BYTES
    image: str = IMAGE
    """Where a firmware file lies until it is installed."""
    reboot_command: tuple[str, ...] | None = None
    """None: `reboot` on a board, nothing (the process ends instead) where the root is not the machine's."""

    updater: Updater

    @classmethod
    def claims(cls, config: Config, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The machine: its slots, its clock, its restart."""
        yield Claim("system", "of this machine", "", hint="take one of them out")

    async def init(self) -> None:
        """Read what the last run left; nothing heavy is loaded before it is needed."""
        root = self.runtime.root
        self.bus = SystemBus()
        command = self.reboot_command
        if command is None:
            command = ("reboot",) if root.state == Path("/") else ()
        self.host = HostLink(self.bus, command)
        self.reasons = BootReasons(self.store, self.log)
        transfer = FileTransfer((root.read(KNOWN_HOSTS[0]), root.write(KNOWN_HOSTS[1])))
        journal = Journal(root.write(NOTE), root.write(MARKER), self.log)
        tools = Tools(
            journal=journal,
            rauc=self.installer(),
            transfer=transfer,
            image=root.write(self.image),
            limit=self.firmware_limit_bytes,
            publish=self.publish_update,
            reboot=self._reboot_for_update,
            spawn=self.spawn,
            crash=self.crash,
            log=self.log,
            pkcs1=self.runs_at_once,
        )
        machine = UpdateMachine(
            boot_id=self._boot_id(),
            ask_permission=self.config.wait_for_permission,
            reboots=self.reboots_after_update,
            runs_at_once=self.runs_at_once,
        )
        self.updater = Updater(machine, tools)
        self.uploader = Uploader(root, transfer, self.main.log_status.publish, self.spawn, self.log)
        self._reset_due: asyncio.TimerHandle | None = None
        self._reset_type: system.ResetType | None = None
        try:
            self._left = journal.load()
        except PeerError as error:
            self.log.error("an update of the last run is lost: %s", error)
            self._left = None
        # Another boot than the one in which it was installed; the same one means that only the process began anew.
        left = self._left
        booted = left is not None and (left.boot_id != machine.boot_id or not machine.boot_id)
        self._after_update = left is not None and booted and bool(left.target_slot)

    async def ready(self) -> None:
        """Take the boot reason out of the store and go on with an update."""
        await self.boot_reason()
        self.updater.start(self._left)
        self.on_wall_set(self._on_wall_set)

    async def stop(self) -> None:
        """Break off what can be resumed; RAUC finishes by itself what it has begun."""
        if self._reset_due is not None:
            self._reset_due.cancel()
        self.updater.close()
        self.bus.close()

    # --- what another board has in its place

    def installer(self) -> Installer:
        """Return what installs firmware."""
        return RaucLink(self.bus)

    runs_at_once = False
    """EVerest's way with what was installed: it runs before a reboot, and RSA signatures may be PKCS#1 v1.5."""

    @property
    def reboots_after_update(self) -> bool:
        """Whether what was installed runs after a reboot only."""
        return True

    def publish_update(self, status: system.FirmwareUpdateStatus) -> None:
        """Publish how far an update is."""
        self.main.firmware_update_status.publish(status)

    # --- commands

    async def update(self, request: system.FirmwareUpdateRequest) -> system.UpdateFirmwareResponse:
        """Answer `update_firmware`."""
        machine = self.updater.machine
        answer = machine.answer_to(request)
        trouble = self._request_trouble(request)
        if answer is system.UpdateFirmwareResponse.Rejected or trouble:
            self.log.warning(
                "firmware update %d is refused: %s", request.request_id, trouble or self._why_rejected(request)
            )
            return system.UpdateFirmwareResponse.Rejected
        if messages.is_signed(request):
            trouble = signature.certificate_trouble(request.signing_certificate or "", utc_now())
            if trouble:
                self.log.warning("firmware update %d is refused: its certificate is %s", request.request_id, trouble)
                return system.UpdateFirmwareResponse.InvalidCertificate
        interval_s = self.config.default_retry_interval
        if request.retry_interval_s is not None:
            interval_s = max(request.retry_interval_s, 0)
        update = messages.Update(
            request=request, tries_left=request.retries or self.config.default_retries, retry_interval_s=interval_s
        )
        self.updater.pump.feed(messages.Requested(update))
        return answer

    def upload(self, request: system.UploadLogsRequest) -> system.UploadLogsResponse:
        """Answer `upload_logs`."""
        try:
            span = Span(time_of(request.oldest_timestamp), time_of(request.latest_timestamp))
        except ValueError as error:
            self.log.warning("an upload of logs is refused: %s", error)
            return system.UploadLogsResponse(upload_logs_status=system.UploadLogsStatus.Rejected)
        if request.type in LACKING:
            self.log.warning("an upload of logs is refused: there is no %s", request.type)
            return system.UploadLogsResponse(upload_logs_status=system.UploadLogsStatus.Rejected)
        interval_s = self.config.default_retry_interval
        if request.retry_interval_s is not None:
            interval_s = max(request.retry_interval_s, 0)
        order = Order(
            location=request.location,
            name=name_of(request.type, utc_now()),
            request_id=NO_REQUEST if request.request_id is None else request.request_id,
            tries=request.retries or self.config.default_retries,
            interval_s=interval_s,
            span=span,
            # GetDiagnostics of OCPP 1.6, which has no type, names a folder.
            as_written=request.type is not None,
        )
        status = system.UploadLogsStatus.AcceptedCanceled if self.uploader.busy else system.UploadLogsStatus.Accepted
        self.uploader.begin(order)
        return system.UploadLogsResponse(upload_logs_status=status, file_name=order.name)

    def reset(self, kind: system.ResetType, scheduled: bool) -> None:
        """Start the countdown; a hard reset replaces a soft one that waits."""
        if self._reset_due is not None:
            if self._reset_type is not system.ResetType.Soft or kind is system.ResetType.Soft:
                self.log.info("a reset is due already")
                return
            self._reset_due.cancel()
        self._reset_type = kind
        self.log.info("%s reset in %d s%s", kind, self.config.reset_delay, " (scheduled)" if scheduled else "")
        reason = system.BootReason.ScheduledReset if scheduled else system.BootReason.RemoteReset

        def due() -> None:
            self.spawn(self._reset(kind, reason), "reset")

        self._reset_due = self.after(self.config.reset_delay, due)

    async def set_clock(self, timestamp: str) -> bool:
        """Answer `set_system_time`."""
        try:
            at = time_of(timestamp)
        except ValueError as error:
            self.log.warning("the clock is not set: %s", error)
            return False
        if at is None:
            return False
        off_ms = abs((at - utc_now()).total_seconds()) * 1000
        if off_ms < self.config.min_time_deviation:
            return True
        try:
            await self.host.set_clock(at)
        except (PeerError, Unavailable) as error:
            self.log.warning("the clock is not set: %s", error)
            return False
        self.log.info("the clock is set to %s, it was wrong by %.1f s", timestamp, off_ms / 1000)
        # On a machine the watch notices it, too, but a second later.
        self._on_wall_set()
        return True

    async def boot_reason(self) -> system.BootReason:
        """Answer `get_boot_reason`."""
        return await self.reasons.of_this_start(self._after_update)

    # --- helpers

    def _on_wall_set(self) -> None:
        """Look at the clock: a time that an update waits for may have come."""
        if self.updater.machine.state in SCHEDULED:
            self.updater.pump.feed(messages.ClockRead(utc_now()))

    async def _reset(self, kind: system.ResetType, reason: system.BootReason) -> None:
        await self.reasons.note(reason)
        if kind is system.ResetType.Soft:
            self.host.end_process()
            return
        try:
            await self.host.reboot()
        except Unavailable as error:
            self.log.error("the machine cannot be started again: %s", error)
            await self.reasons.forget(reason)
            self._reset_due = None

    async def _reboot_for_update(self) -> None:
        await self.reasons.note(system.BootReason.FirmwareUpdate, over=True)
        await self.host.reboot()

    def _request_trouble(self, request: system.FirmwareUpdateRequest) -> str:
        try:
            time_of(request.retrieve_timestamp)
            time_of(request.install_timestamp)
            msgspec.json.encode(request)
        except ValueError as error:
            return str(error)
        return ""

    def _why_rejected(self, request: system.FirmwareUpdateRequest) -> str:
        update = self.updater.machine.update
        signed = messages.is_signed(request)
        if update is None or (signed and not (request.signing_certificate and request.signature)):
            return "certificate or signature is missing"
        return f"update {update.request.request_id} is {update.state}"

    def _boot_id(self) -> str:
        path = self.runtime.root.read(BOOT_ID)
        try:
            return (path if path.exists() else Path(BOOT_ID)).read_text().strip()
        except OSError as error:
            self.log.warning("the kernel does not tell boots apart: %s", error.strerror or error)
            return ""
