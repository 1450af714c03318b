"""System: EVerest's module for a computer that is no board: firmware updates in appearance, logs, reset."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs, urldefrag

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.types import system
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.modules.system.cb_system import CbSystem
from chargebyte_fw.modules.system.update.rauc_link import Progress, Slots
from chargebyte_fw.modules.system.update.updater import Installer

INSTALLATION_S = 2.0
SLOT = "this system"
METADATA_BYTES = 4096
"""How much of the end of a firmware file is searched for its metadata."""
BEGIN, END = b"===== BEGIN METADATA =====", b"===== END METADATA ====="
KEEPS_CONNECTORS = "disable_connectors_during_install"
_FETCHED = (system.FirmwareUpdateStatusEnum.Downloaded, system.FirmwareUpdateStatusEnum.SignatureVerified)


class InAppearance:
    """An installer that takes every file and changes nothing."""

    async def slots(self) -> Slots:
        """Return the one place where anything runs."""
        return Slots(SLOT, SLOT, SLOT, ())

    async def is_busy(self) -> bool:
        """Return False: an installation does not outlive this process."""
        return False

    async def until_idle(self) -> None:
        """Return at once."""

    async def examine(self, bundle: Path) -> str:
        """Return no version."""
        return ""

    async def install(self, bundle: Path, on_progress: Progress) -> None:
        """Take a while."""
        await asyncio.sleep(INSTALLATION_S)
        on_progress(100, "installed in appearance")

    async def follow(self, on_progress: Progress) -> None:
        """Return at once."""


class System(CbSystem):
    """Firmware updates in appearance, log upload and reset of a computer that is no board."""

    class Config(ModuleConfig):
        """Tries, delays, and whether an update ends with a reset."""

        DefaultRetries: Annotated[
            float, Meta(ge=1, description="Tries of a download or an upload when the request names none.")
        ] = 1
        DefaultRetryInterval: Annotated[
            float, Meta(ge=0, description="Seconds between two tries when the request names none.")
        ] = 1
        ResetDelay: Annotated[int, Meta(ge=0, description="Seconds between a reset's answer and the reset.")] = 0
        ResetAfterUpdate: Annotated[
            bool, Meta(description="Whether the process ends once firmware of a signed update was installed.")
        ] = True

        min_time_deviation = 1000
        wait_for_permission = True

        @property
        def default_retries(self) -> int:
            """Tries when the request names none."""
            return int(self.DefaultRetries)

        @property
        def default_retry_interval(self) -> int:
            """Seconds between two tries when the request names none."""
            return int(self.DefaultRetryInterval)

        @property
        def reset_delay(self) -> int:
            """Seconds between a reset's answer and the reset."""
            return self.ResetDelay

    image = "/var/lib/everest/firmware-update.image"
    reboot_command = ()
    runs_at_once = True

    _metadata: system.FirmwareUpdateMetadata | None = None

    def installer(self) -> Installer:
        """Return what installs in appearance."""
        return InAppearance()

    @property
    def reboots_after_update(self) -> bool:
        """Whether the process ends once firmware of a signed update was installed."""
        config: Any = self.config
        return bool(config.ResetAfterUpdate)

    async def update(self, request: system.FirmwareUpdateRequest) -> system.UpdateFirmwareResponse:
        """Answer `update_firmware`; what the fragment of the location names is of the update, not of the file."""
        location, fragment = urldefrag(request.location)
        named = parse_qs(fragment).get(KEEPS_CONNECTORS, [""])[-1]
        answer = await super().update(msgspec.structs.replace(request, location=location))
        if answer in (system.UpdateFirmwareResponse.Accepted, system.UpdateFirmwareResponse.AcceptedCanceled):
            self._metadata = _metadata(named)
        return answer

    def publish_update(self, status: system.FirmwareUpdateStatus) -> None:
        """Publish how far an update is, with the metadata of the file once it is there."""
        if self._metadata is None and status.firmware_update_status in _FETCHED:
            self._metadata = metadata_in(self.runtime.root.write(self.image))
        super().publish_update(msgspec.structs.replace(status, firmware_update_metadata=self._metadata))


def metadata_in(image: Path) -> system.FirmwareUpdateMetadata | None:
    """Return the metadata at the end of a firmware file; None where there is none."""
    try:
        with image.open("rb") as file:
            file.seek(max(0, image.stat().st_size - METADATA_BYTES))
            tail = file.read(METADATA_BYTES)
    except OSError:
        return None
    block = tail.partition(BEGIN)[2].partition(END)[0].decode("ascii", "replace")
    lines = [line.strip().partition("=") for line in block.split("\n")]
    return _metadata({name: value for name, _, value in lines}.get(KEEPS_CONNECTORS, ""))


def _metadata(text: str) -> system.FirmwareUpdateMetadata | None:
    wanted = {"true": True, "false": False}.get(text.strip().lower())
    return None if wanted is None else system.FirmwareUpdateMetadata(disable_connectors_during_install=wanted)
