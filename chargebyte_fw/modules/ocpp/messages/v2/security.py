"""Security (OCPP 2.x part 2, block A): certificates of the station, security events."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType


class CertificateSignedStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class CertificateSigningUseEnumType(Values):
    ChargingStationCertificate = "ChargingStationCertificate"
    V2GCertificate = "V2GCertificate"
    V2G20Certificate = "V2G20Certificate", SINCE_21


class SignCertificateRequest(V2Request, kw_only=True):
    csr: Annotated[str, Text(5500)]
    certificate_type: CertificateSigningUseEnumType | None = field(name="certificateType", default=None)
    hash_root_certificate: Annotated[CertificateHashDataType | None, SINCE_21] = field(
        name="hashRootCertificate", default=None
    )
    request_id: Annotated[int | None, SINCE_21] = field(name="requestId", default=None)


class SignCertificateResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class CertificateSignedRequest(V2Request, kw_only=True):
    certificate_chain: Annotated[str, Text(10000)] = field(name="certificateChain")
    certificate_type: CertificateSigningUseEnumType | None = field(name="certificateType", default=None)
    request_id: Annotated[int | None, SINCE_21] = field(name="requestId", default=None)


class CertificateSignedResponse(V2Response, kw_only=True):
    status: CertificateSignedStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class SecurityEventNotificationRequest(V2Request, kw_only=True):
    type: Annotated[str, Text(50)]
    timestamp: datetime
    tech_info: Annotated[str | None, Text(255)] = field(name="techInfo", default=None)


class SecurityEventNotificationResponse(V2Response, kw_only=True):
    pass
