"""Certificates for ISO 15118 (OCPP 2.x part 2, block M)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In201, Items, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import CertificateHashDataType, OCSPRequestDataType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType


class CertificateActionEnumType(StrEnum):
    Install = "Install"
    Update = "Update"


class CertificateStatusEnumType(StrEnum):
    Good = "Good"
    Revoked = "Revoked"
    Unknown = "Unknown"
    Failed = "Failed"


class CertificateStatusSourceEnumType(StrEnum):
    CRL = "CRL"
    OCSP = "OCSP"


class DeleteCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"
    NotFound = "NotFound"


class GetCertificateIdUseEnumType(Values):
    V2GRootCertificate = "V2GRootCertificate"
    MORootCertificate = "MORootCertificate"
    CSMSRootCertificate = "CSMSRootCertificate"
    V2GCertificateChain = "V2GCertificateChain"
    ManufacturerRootCertificate = "ManufacturerRootCertificate"
    OEMRootCertificate = "OEMRootCertificate", SINCE_21


class GetCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"


class GetInstalledCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    NotFound = "NotFound"


class InstallCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    Failed = "Failed"


class InstallCertificateUseEnumType(Values):
    V2GRootCertificate = "V2GRootCertificate"
    MORootCertificate = "MORootCertificate"
    CSMSRootCertificate = "CSMSRootCertificate"
    ManufacturerRootCertificate = "ManufacturerRootCertificate"
    OEMRootCertificate = "OEMRootCertificate", SINCE_21


class Iso15118EVCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"


class CertificateHashDataChainType(V2Type, kw_only=True):
    certificate_hash_data: CertificateHashDataType = field(name="certificateHashData")
    certificate_type: GetCertificateIdUseEnumType = field(name="certificateType")
    child_certificate_hash_data: Annotated[list[CertificateHashDataType] | None, Items(1, 4)] = field(
        name="childCertificateHashData", default=None
    )


class CertificateStatusRequestInfoType(V2Type, kw_only=True):
    certificate_hash_data: CertificateHashDataType = field(name="certificateHashData")
    source: CertificateStatusSourceEnumType
    urls: Annotated[list[Annotated[str, Text(2000)]], Items(1, 5)]


class CertificateStatusType(V2Type, kw_only=True):
    certificate_hash_data: CertificateHashDataType = field(name="certificateHashData")
    source: CertificateStatusSourceEnumType
    status: CertificateStatusEnumType
    next_update: datetime = field(name="nextUpdate")


class Get15118EVCertificateRequest(V2Request, kw_only=True):
    iso15118_schema_version: Annotated[str, Text(50)] = field(name="iso15118SchemaVersion")
    action: CertificateActionEnumType
    exi_request: Annotated[str, Text(11000), In201(Text(5600))] = field(name="exiRequest")
    maximum_contract_certificate_chains: Annotated[int | None, Range(0), SINCE_21] = field(
        name="maximumContractCertificateChains", default=None
    )
    prioritized_emaids: Annotated[list[Annotated[str, Text(255)]] | None, Items(1, 8), SINCE_21] = field(
        name="prioritizedEMAIDs", default=None
    )


class Get15118EVCertificateResponse(V2Response, kw_only=True):
    status: Iso15118EVCertificateStatusEnumType
    exi_response: Annotated[str, Text(17000), In201(Text(7500))] = field(name="exiResponse")
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    remaining_contracts: Annotated[int | None, Range(0), SINCE_21] = field(name="remainingContracts", default=None)


class GetCertificateStatusRequest(V2Request, kw_only=True):
    ocsp_request_data: OCSPRequestDataType = field(name="ocspRequestData")


class GetCertificateStatusResponse(V2Response, kw_only=True):
    status: GetCertificateStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    ocsp_result: Annotated[str | None, Text(18000), In201(Text(5500))] = field(name="ocspResult", default=None)


class GetCertificateChainStatusRequest(V2Request, kw_only=True):
    certificate_status_requests: Annotated[list[CertificateStatusRequestInfoType], Items(1, 4)] = field(
        name="certificateStatusRequests"
    )


class GetCertificateChainStatusResponse(V2Response, kw_only=True):
    certificate_status: Annotated[list[CertificateStatusType], Items(1, 4)] = field(name="certificateStatus")


class GetInstalledCertificateIdsRequest(V2Request, kw_only=True):
    certificate_type: Annotated[list[GetCertificateIdUseEnumType] | None, Items(1)] = field(
        name="certificateType", default=None
    )


class GetInstalledCertificateIdsResponse(V2Response, kw_only=True):
    status: GetInstalledCertificateStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    certificate_hash_data_chain: Annotated[list[CertificateHashDataChainType] | None, Items(1)] = field(
        name="certificateHashDataChain", default=None
    )


class InstallCertificateRequest(V2Request, kw_only=True):
    certificate_type: InstallCertificateUseEnumType = field(name="certificateType")
    certificate: Annotated[str, Text(10000), In201(Text(5500))]


class InstallCertificateResponse(V2Response, kw_only=True):
    status: InstallCertificateStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class DeleteCertificateRequest(V2Request, kw_only=True):
    certificate_hash_data: CertificateHashDataType = field(name="certificateHashData")


class DeleteCertificateResponse(V2Response, kw_only=True):
    status: DeleteCertificateStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
