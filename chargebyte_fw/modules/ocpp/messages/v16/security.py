"""Messages of the OCPP 1.6 security whitepaper, edition 3."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Request, Response, Text, Type


class CertificateSignedRequest(Request, kw_only=True):
    certificate_chain: Annotated[str, Text(10000)] = field(name="certificateChain")


class CertificateSignedStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class CertificateSignedResponse(Response, kw_only=True):
    status: CertificateSignedStatusEnumType


class HashAlgorithmEnumType(StrEnum):
    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class CertificateHashDataType(Type, kw_only=True):
    hash_algorithm: HashAlgorithmEnumType = field(name="hashAlgorithm")
    issuer_name_hash: Annotated[str, Text(128, folded=True)] = field(name="issuerNameHash")
    issuer_key_hash: Annotated[str, Text(128)] = field(name="issuerKeyHash")
    serial_number: Annotated[str, Text(40, folded=True)] = field(name="serialNumber")


class DeleteCertificateRequest(Request, kw_only=True):
    certificate_hash_data: CertificateHashDataType = field(name="certificateHashData")


class DeleteCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"
    NotFound = "NotFound"


class DeleteCertificateResponse(Response, kw_only=True):
    status: DeleteCertificateStatusEnumType


class MessageTriggerEnumType(StrEnum):
    BootNotification = "BootNotification"
    LogStatusNotification = "LogStatusNotification"
    FirmwareStatusNotification = "FirmwareStatusNotification"
    Heartbeat = "Heartbeat"
    MeterValues = "MeterValues"
    SignChargePointCertificate = "SignChargePointCertificate"
    StatusNotification = "StatusNotification"


class ExtendedTriggerMessageRequest(Request, kw_only=True):
    requested_message: MessageTriggerEnumType = field(name="requestedMessage")
    connector_id: int | None = field(name="connectorId", default=None)


class TriggerMessageStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotImplemented = "NotImplemented"


class ExtendedTriggerMessageResponse(Response, kw_only=True):
    status: TriggerMessageStatusEnumType


class CertificateUseEnumType(StrEnum):
    CentralSystemRootCertificate = "CentralSystemRootCertificate"
    ManufacturerRootCertificate = "ManufacturerRootCertificate"


class GetInstalledCertificateIdsRequest(Request, kw_only=True):
    certificate_type: CertificateUseEnumType = field(name="certificateType")


class GetInstalledCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    NotFound = "NotFound"


class GetInstalledCertificateIdsResponse(Response, kw_only=True):
    status: GetInstalledCertificateStatusEnumType
    certificate_hash_data: Annotated[list[CertificateHashDataType] | None, Items(1)] = field(
        name="certificateHashData", default=None
    )


class LogEnumType(StrEnum):
    DiagnosticsLog = "DiagnosticsLog"
    SecurityLog = "SecurityLog"


class LogParametersType(Type, kw_only=True):
    remote_location: Annotated[str, Text(512)] = field(name="remoteLocation")
    oldest_timestamp: datetime | None = field(name="oldestTimestamp", default=None)
    latest_timestamp: datetime | None = field(name="latestTimestamp", default=None)


class GetLogRequest(Request, kw_only=True):
    log: LogParametersType
    log_type: LogEnumType = field(name="logType")
    request_id: int = field(name="requestId")
    retries: int | None = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)


class LogStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"


class GetLogResponse(Response, kw_only=True):
    status: LogStatusEnumType
    filename: Annotated[str | None, Text(255)] = None


class InstallCertificateRequest(Request, kw_only=True):
    certificate_type: CertificateUseEnumType = field(name="certificateType")
    certificate: Annotated[str, Text(5500)]


class InstallCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"
    Rejected = "Rejected"


class InstallCertificateResponse(Response, kw_only=True):
    status: InstallCertificateStatusEnumType


class UploadLogStatusEnumType(StrEnum):
    BadMessage = "BadMessage"
    Idle = "Idle"
    NotSupportedOperation = "NotSupportedOperation"
    PermissionDenied = "PermissionDenied"
    Uploaded = "Uploaded"
    UploadFailure = "UploadFailure"
    Uploading = "Uploading"


class LogStatusNotificationRequest(Request, kw_only=True):
    status: UploadLogStatusEnumType
    request_id: int | None = field(name="requestId", default=None)


class LogStatusNotificationResponse(Response, kw_only=True):
    pass


class SecurityEventNotificationRequest(Request, kw_only=True):
    type: Annotated[str, Text(50)]
    timestamp: datetime
    tech_info: Annotated[str | None, Text(255)] = field(name="techInfo", default=None)


class SecurityEventNotificationResponse(Response, kw_only=True):
    pass


class SignCertificateRequest(Request, kw_only=True):
    csr: Annotated[str, Text(5500)]


class GenericStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class SignCertificateResponse(Response, kw_only=True):
    status: GenericStatusEnumType


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


class SignedFirmwareStatusNotificationRequest(Request, kw_only=True):
    status: FirmwareStatusEnumType
    request_id: int | None = field(name="requestId", default=None)


class SignedFirmwareStatusNotificationResponse(Response, kw_only=True):
    pass


class FirmwareType(Type, kw_only=True):
    location: Annotated[str, Text(512)]
    retrieve_date_time: datetime = field(name="retrieveDateTime")
    signing_certificate: Annotated[str, Text(5500)] = field(name="signingCertificate")
    signature: Annotated[str, Text(800)]
    install_date_time: datetime | None = field(name="installDateTime", default=None)


class SignedUpdateFirmwareRequest(Request, kw_only=True):
    request_id: int = field(name="requestId")
    firmware: FirmwareType
    retries: int | None = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)


class UpdateFirmwareStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"
    InvalidCertificate = "InvalidCertificate"
    RevokedCertificate = "RevokedCertificate"


class SignedUpdateFirmwareResponse(Response, kw_only=True):
    status: UpdateFirmwareStatusEnumType
