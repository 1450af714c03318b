"""Firmware (OCPP 2.x part 2, block L)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType


class FirmwareStatusEnumType(StrEnum):
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


class PublishFirmwareStatusEnumType(StrEnum):
    Idle = "Idle"
    DownloadScheduled = "DownloadScheduled"
    Downloading = "Downloading"
    Downloaded = "Downloaded"
    Published = "Published"
    DownloadFailed = "DownloadFailed"
    DownloadPaused = "DownloadPaused"
    InvalidChecksum = "InvalidChecksum"
    ChecksumVerified = "ChecksumVerified"
    PublishFailed = "PublishFailed"


class UnpublishFirmwareStatusEnumType(StrEnum):
    DownloadOngoing = "DownloadOngoing"
    NoFirmware = "NoFirmware"
    Unpublished = "Unpublished"


class UpdateFirmwareStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"
    InvalidCertificate = "InvalidCertificate"
    RevokedCertificate = "RevokedCertificate"


class FirmwareType(V2Type, kw_only=True):
    location: Annotated[str, Text(2000), In201(Text(512))]
    retrieve_date_time: datetime = field(name="retrieveDateTime")
    install_date_time: datetime | None = field(name="installDateTime", default=None)
    signing_certificate: Annotated[str | None, Text(5500)] = field(name="signingCertificate", default=None)
    signature: Annotated[str | None, Text(800)] = None


class UpdateFirmwareRequest(V2Request, kw_only=True):
    request_id: int = field(name="requestId")
    firmware: FirmwareType
    retries: Annotated[int | None, In21(Range(0))] = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)


class UpdateFirmwareResponse(V2Response, kw_only=True):
    status: UpdateFirmwareStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class FirmwareStatusNotificationRequest(V2Request, kw_only=True):
    status: FirmwareStatusEnumType
    request_id: int | None = field(name="requestId", default=None)
    status_info: Annotated[StatusInfoType | None, SINCE_21] = field(name="statusInfo", default=None)


class FirmwareStatusNotificationResponse(V2Response, kw_only=True):
    pass


class PublishFirmwareRequest(V2Request, kw_only=True):
    location: Annotated[str, Text(2000), In201(Text(512))]
    checksum: Annotated[str, Text(32, folded=True)]
    request_id: Annotated[int, In21(Range(0))] = field(name="requestId")
    retries: Annotated[int | None, In21(Range(0))] = None
    retry_interval_s: Annotated[int | None, In21(Range(0))] = field(name="retryInterval", default=None)


class PublishFirmwareResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class PublishFirmwareStatusNotificationRequest(V2Request, kw_only=True):
    status: PublishFirmwareStatusEnumType
    location: Annotated[list[Annotated[str, Text(2000), In201(Text(512))]] | None, Items(1)] = None
    request_id: Annotated[int | None, In21(Range(0))] = field(name="requestId", default=None)
    status_info: Annotated[StatusInfoType | None, SINCE_21] = field(name="statusInfo", default=None)


class PublishFirmwareStatusNotificationResponse(V2Response, kw_only=True):
    pass


class UnpublishFirmwareRequest(V2Request, kw_only=True):
    checksum: Annotated[str, Text(32, folded=True)]


class UnpublishFirmwareResponse(V2Response, kw_only=True):
    status: UnpublishFirmwareStatusEnumType
