"""Logs and customer information (OCPP 2.x part 2, block N)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType


class CustomerInformationStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Invalid = "Invalid"


class LogEnumType(Values):
    DiagnosticsLog = "DiagnosticsLog"
    SecurityLog = "SecurityLog"
    DataCollectorLog = "DataCollectorLog", SINCE_21


class LogStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    AcceptedCanceled = "AcceptedCanceled"


class UploadLogStatusEnumType(StrEnum):
    BadMessage = "BadMessage"
    Idle = "Idle"
    NotSupportedOperation = "NotSupportedOperation"
    PermissionDenied = "PermissionDenied"
    Uploaded = "Uploaded"
    UploadFailure = "UploadFailure"
    Uploading = "Uploading"
    AcceptedCanceled = "AcceptedCanceled"


class LogParametersType(V2Type, kw_only=True):
    remote_location: Annotated[str, Text(2000), In201(Text(512))] = field(name="remoteLocation")
    oldest_timestamp: datetime | None = field(name="oldestTimestamp", default=None)
    latest_timestamp: datetime | None = field(name="latestTimestamp", default=None)


class GetLogRequest(V2Request, kw_only=True):
    log: LogParametersType
    log_type: LogEnumType = field(name="logType")
    request_id: int = field(name="requestId")
    retries: Annotated[int | None, In21(Range(0))] = None
    retry_interval_s: int | None = field(name="retryInterval", default=None)


class GetLogResponse(V2Response, kw_only=True):
    status: LogStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    filename: Annotated[str | None, Text(255)] = None


class LogStatusNotificationRequest(V2Request, kw_only=True):
    status: UploadLogStatusEnumType
    request_id: int | None = field(name="requestId", default=None)
    status_info: Annotated[StatusInfoType | None, SINCE_21] = field(name="statusInfo", default=None)


class LogStatusNotificationResponse(V2Response, kw_only=True):
    pass


class CustomerInformationRequest(V2Request, kw_only=True):
    request_id: Annotated[int, In21(Range(0))] = field(name="requestId")
    report: bool
    clear: bool
    customer_certificate: CertificateHashDataType | None = field(name="customerCertificate", default=None)
    id_token: IdTokenType | None = field(name="idToken", default=None)
    customer_identifier: Annotated[str | None, Text(64)] = field(name="customerIdentifier", default=None)


class CustomerInformationResponse(V2Response, kw_only=True):
    status: CustomerInformationStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class NotifyCustomerInformationRequest(V2Request, kw_only=True):
    data: Annotated[str, Text(512)]
    seq_no: Annotated[int, In21(Range(0))] = field(name="seqNo")
    generated_at: datetime = field(name="generatedAt")
    request_id: Annotated[int, In21(Range(0))] = field(name="requestId")
    tbc: bool = False


class NotifyCustomerInformationResponse(V2Response, kw_only=True):
    pass
