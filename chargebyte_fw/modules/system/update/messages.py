"""An update as it is kept over a restart, and the events and effects of its machine."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec

from chargebyte_fw.contracts.types.system import FirmwareUpdateRequest, FirmwareUpdateStatusEnum

UNSIGNED = -1
"""The request id of an update that has none, and no signature (OCPP 1.6 UpdateFirmware)."""


def is_signed(request: FirmwareUpdateRequest) -> bool:
    """Return whether a request has a certificate or a signature; that of OCPP 2.x need not (L02)."""
    return request.request_id != UNSIGNED and (request.signing_certificate is not None or request.signature is not None)


class UpdateState(StrEnum):
    """Where an update is; kept on the disk, so a value is never renamed."""

    IDLE = "idle"
    ACCEPTED = "accepted"
    DOWNLOAD_SCHEDULED = "download-scheduled"
    DOWNLOADING = "downloading"
    DOWNLOAD_PAUSED = "download-paused"
    VERIFYING = "verifying"
    INSTALL_SCHEDULED = "install-scheduled"
    AWAITING_PERMISSION = "awaiting-permission"
    INSTALLING = "installing"
    INSTALL_PAUSED = "install-paused"
    REBOOT_DUE = "reboot-due"
    REBOOTING = "rebooting"
    LOOKING_BACK = "looking-back"
    """After a start: which slot is booted is not known yet. Never kept."""


class Update(msgspec.Struct, kw_only=True):
    """One update: what was asked for and how far it came."""

    request: FirmwareUpdateRequest
    state: UpdateState = msgspec.field(name="phase", default=UpdateState.ACCEPTED)
    tries_left: int = 1
    """Downloads that may still be begun."""
    reached: int = 0
    """Bytes of the file that the best try so far has brought together."""
    retry_interval_s: float = 1.0
    installs: int = 0
    """Installations begun so far."""
    permitted: bool = False
    """Whether `allow_firmware_installation` was called for it."""
    target_slot: str = ""
    """The slot that RAUC writes, known when the installation begins."""
    boot_id: str = ""
    """The kernel's boot id when the installation began, or the reboot was asked for."""

    @property
    def signed(self) -> bool:
        """Whether certificate and signature belong to it."""
        return is_signed(self.request)

    @property
    def numbered(self) -> bool:
        """Whether its request has an id: whoever sent it knows all statuses, which OCPP 1.6 UpdateFirmware does not."""
        return self.request.request_id != UNSIGNED


# --- events


@dataclass(frozen=True, slots=True)
class Requested:
    """`update_firmware`, already judged (`UpdateMachine.answer_to`)."""

    update: Update


@dataclass(frozen=True, slots=True)
class Restored:
    """The process starts and finds this update on the disk."""

    update: Update


@dataclass(frozen=True, slots=True)
class ClockRead:
    """The wall time, as an answer to `ReadClock` or because the clock was set."""

    at: datetime


@dataclass(frozen=True, slots=True)
class DownloadEnded:
    """The file is complete."""


@dataclass(frozen=True, slots=True)
class DownloadBroke:
    """The download ended early; `reached`: so many bytes are there, `final`: another try cannot help."""

    reason: str
    reached: int = 0
    final: bool = False


@dataclass(frozen=True, slots=True)
class SignatureChecked:
    """The request's signature fits the file, or why not."""

    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Permitted:
    """`allow_firmware_installation`."""


@dataclass(frozen=True, slots=True)
class TargetChosen:
    """RAUC is about to write this slot."""

    slot: str


@dataclass(frozen=True, slots=True)
class InstallEnded:
    """The new slot is written and will be booted next."""


@dataclass(frozen=True, slots=True)
class InstallRefused:
    """RAUC does not accept the bundle (signature, damage, compatible); nothing was written."""

    reason: str


@dataclass(frozen=True, slots=True)
class InstallFailed:
    """RAUC gave up on the bundle."""

    reason: str


@dataclass(frozen=True, slots=True)
class InstallBroke:
    """RAUC went away in the middle, or cannot be reached."""

    reason: str


@dataclass(frozen=True, slots=True)
class SlotsSeen:
    """RAUC's view: the booted slot, the one to boot next, whether that is good."""

    booted: str
    primary: str
    good: bool


@dataclass(frozen=True, slots=True)
class RaucBusy:
    """RAUC installs; until it has ended it reports no slots."""


@dataclass(frozen=True, slots=True)
class SlotsUnknown:
    """RAUC does not answer."""

    reason: str


# --- effects


@dataclass(frozen=True, slots=True)
class PublishStatus:
    """Publish a status."""

    status: FirmwareUpdateStatusEnum
    request_id: int


@dataclass(frozen=True, slots=True)
class Log:
    """A line in the log."""

    text: str
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class Save:
    """Write the update to the disk; None: forget it."""

    update: Update | None


@dataclass(frozen=True, slots=True)
class ReadClock:
    """Answer with `ClockRead`."""


@dataclass(frozen=True, slots=True)
class Download:
    """Fetch the file (what is there of it is kept); answer with `DownloadEnded` or `DownloadBroke`."""

    location: str


@dataclass(frozen=True, slots=True)
class StopWork:
    """End a download or a check that runs; `forget`: remove what it has left."""

    forget: bool = False


@dataclass(frozen=True, slots=True)
class CheckSignature:
    """Answer with `SignatureChecked`."""

    certificate: str
    signature: str


@dataclass(frozen=True, slots=True)
class Install:
    """Let RAUC install the file, or follow the installation that runs (`running`)."""

    request_id: int
    running: bool = False


@dataclass(frozen=True, slots=True)
class ReadSlots:
    """Answer with `SlotsSeen`, `RaucBusy` or `SlotsUnknown`."""


@dataclass(frozen=True, slots=True)
class Reboot:
    """Start the machine again."""
