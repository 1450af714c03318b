"""Profile FirmwareManagement of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Request, Response, Text, Uri


class DiagnosticsStatus(StrEnum):
    Idle = "Idle"
    Uploaded = "Uploaded"
    UploadFailed = "UploadFailed"
    Uploading = "Uploading"


class DiagnosticsStatusNotificationRequest(Request, kw_only=True):
    status: DiagnosticsStatus


class DiagnosticsStatusNotificationResponse(Response, kw_only=True):
    pass


class FirmwareStatus(StrEnum):
    Downloaded = "Downloaded"
    DownloadFailed = "DownloadFailed"
    Downloading = "Downloading"
    Idle = "Idle"
    InstallationFailed = "InstallationFailed"
    Installing = "Installing"
    Installed = "Installed"


class FirmwareStatusNotificationRequest(Request, kw_only=True):
    status: FirmwareStatus


class FirmwareStatusNotificationResponse(Response, kw_only=True):
    pass


class GetDiagnosticsRequest(Request, kw_only=True):
    location: Annotated[str, Uri()]
    retries: int | None = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)
    start_time: datetime | None = field(name="startTime", default=None)
    stop_time: datetime | None = field(name="stopTime", default=None)


class GetDiagnosticsResponse(Response, kw_only=True):
    file_name: Annotated[str | None, Text(255, folded=True)] = field(name="fileName", default=None)


class UpdateFirmwareRequest(Request, kw_only=True):
    location: Annotated[str, Uri()]
    retrieve_date: datetime = field(name="retrieveDate")
    retries: int | None = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)


class UpdateFirmwareResponse(Response, kw_only=True):
    pass
