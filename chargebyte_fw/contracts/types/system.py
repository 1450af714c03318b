"""EVerest type file `system`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType


class UpdateFirmwareResponse(StrEnum):
    """Accepted only means the process starts; AcceptedCanceled = a running update was cancelled."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"
    InvalidCertificate = "InvalidCertificate"
    RevokedCertificate = "RevokedCertificate"


class UploadLogsStatus(StrEnum):
    """EVerest enumeration `UploadLogsStatus`."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"


class LogStatusEnum(StrEnum):
    """EVerest enumeration `LogStatusEnum`."""

    BadMessage = "BadMessage"
    Idle = "Idle"
    NotSupportedOperation = "NotSupportedOperation"
    PermissionDenied = "PermissionDenied"
    Uploaded = "Uploaded"
    UploadFailure = "UploadFailure"
    Uploading = "Uploading"
    AcceptedCanceled = "AcceptedCanceled"


class FirmwareUpdateStatusEnum(StrEnum):
    """EVerest enumeration `FirmwareUpdateStatusEnum`."""

    Downloaded = "Downloaded"
    DownloadFailed = "DownloadFailed"
    Downloading = "Downloading"
    DownloadScheduled = "DownloadScheduled"
    DownloadPaused = "DownloadPaused"
    Idle = "Idle"
    InstallationFailed = "InstallationFailed"
    Installing = "Installing"
    Installed = "Installed"
    InstallRebooting = "InstallRebooting"
    InstallScheduled = "InstallScheduled"
    InstallVerificationFailed = "InstallVerificationFailed"
    InvalidSignature = "InvalidSignature"
    SignatureVerified = "SignatureVerified"


class ResetType(StrEnum):
    """EVerest enumeration `ResetType`."""

    Soft = "Soft"
    Hard = "Hard"
    NotSpecified = "NotSpecified"


class BootReason(StrEnum):
    """EVerest enumeration `BootReason`."""

    ApplicationReset = "ApplicationReset"
    FirmwareUpdate = "FirmwareUpdate"
    LocalReset = "LocalReset"
    PowerUp = "PowerUp"
    RemoteReset = "RemoteReset"
    ScheduledReset = "ScheduledReset"
    Triggered = "Triggered"
    Unknown = "Unknown"
    Watchdog = "Watchdog"


class FirmwareUpdateRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `system.FirmwareUpdateRequest`."""

    request_id: int
    location: str
    """URI."""
    retries: Annotated[int, Meta(ge=1)] | None = None
    retry_interval_s: int | None = None
    retrieve_timestamp: str | None = None
    install_timestamp: str | None = None
    signing_certificate: str | None = None
    """PEM."""
    signature: str | None = None
    """Base64."""


class UploadLogsRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `system.UploadLogsRequest`."""

    location: str
    """URL."""
    retries: Annotated[int, Meta(ge=1)] | None = None
    retry_interval_s: int | None = None
    oldest_timestamp: str | None = None
    latest_timestamp: str | None = None
    type: str | None = None
    """E.g. SecurityLog / DiagnosticsLog."""
    request_id: int | None = None


class UploadLogsResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `system.UploadLogsResponse`."""

    upload_logs_status: UploadLogsStatus
    file_name: str | None = None


class LogStatus(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `system.LogStatus`."""

    log_status: LogStatusEnum
    request_id: int


class FirmwareUpdateMetadata(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `system.FirmwareUpdateMetadata`."""

    disable_connectors_during_install: bool | None = None


class FirmwareUpdateStatus(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `system.FirmwareUpdateStatus`."""

    firmware_update_status: FirmwareUpdateStatusEnum
    request_id: int
    """Echo of request."""
    firmware_update_metadata: FirmwareUpdateMetadata | None = None
