"""EVerest type file `evse_security`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType


class EncodingFormat(StrEnum):
    """EVerest enumeration `EncodingFormat`."""

    DER = "DER"
    PEM = "PEM"


class CaCertificateType(StrEnum):
    """EVerest enumeration `CaCertificateType`."""

    V2G = "V2G"
    MO = "MO"
    CSMS = "CSMS"
    MF = "MF"


class LeafCertificateType(StrEnum):
    """EVerest enumeration `LeafCertificateType`."""

    CSMS = "CSMS"
    V2G = "V2G"
    MF = "MF"
    MO = "MO"


class CertificateType(StrEnum):
    """EVerest enumeration `CertificateType`."""

    V2GRootCertificate = "V2GRootCertificate"
    MORootCertificate = "MORootCertificate"
    CSMSRootCertificate = "CSMSRootCertificate"
    V2GCertificateChain = "V2GCertificateChain"
    MFRootCertificate = "MFRootCertificate"


class HashAlgorithm(StrEnum):
    """EVerest enumeration `HashAlgorithm`."""

    SHA256 = "SHA256"
    SHA384 = "SHA384"
    SHA512 = "SHA512"


class InstallCertificateResult(StrEnum):
    """EVerest enumeration `InstallCertificateResult`."""

    InvalidSignature = "InvalidSignature"
    InvalidCertificateChain = "InvalidCertificateChain"
    InvalidFormat = "InvalidFormat"
    InvalidCommonName = "InvalidCommonName"
    NoRootCertificateInstalled = "NoRootCertificateInstalled"
    Expired = "Expired"
    CertificateStoreMaxLengthExceeded = "CertificateStoreMaxLengthExceeded"
    WriteError = "WriteError"
    Accepted = "Accepted"


class CertificateValidationResult(StrEnum):
    """EVerest enumeration `CertificateValidationResult`."""

    Valid = "Valid"
    Expired = "Expired"
    InvalidSignature = "InvalidSignature"
    IssuerNotFound = "IssuerNotFound"
    InvalidLeafSignature = "InvalidLeafSignature"
    InvalidChain = "InvalidChain"
    Unknown = "Unknown"


class DeleteCertificateResult(StrEnum):
    """EVerest enumeration `DeleteCertificateResult`."""

    Accepted = "Accepted"
    Failed = "Failed"
    NotFound = "NotFound"


class GetInstalledCertificatesStatus(StrEnum):
    """EVerest enumeration `GetInstalledCertificatesStatus`."""

    Accepted = "Accepted"
    NotFound = "NotFound"


class GetCertificateSignRequestStatus(StrEnum):
    """EVerest enumeration `GetCertificateSignRequestStatus`."""

    Accepted = "Accepted"
    InvalidRequestedType = "InvalidRequestedType"
    KeyGenError = "KeyGenError"
    GenerationError = "GenerationError"


class GetCertificateInfoStatus(StrEnum):
    """NotFoundValid = certificate exists but none is currently valid."""

    Accepted = "Accepted"
    Rejected = "Rejected"
    NotFound = "NotFound"
    NotFoundValid = "NotFoundValid"
    PrivateKeyNotFound = "PrivateKeyNotFound"


class CertificateStoreUpdateOperation(StrEnum):
    """EVerest enumeration `CertificateStoreUpdateOperation`."""

    Installed = "Installed"
    Deleted = "Deleted"


class CertificateHashData(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.CertificateHashData`."""

    hash_algorithm: HashAlgorithm
    issuer_name_hash: Annotated[str, Meta(max_length=128)]
    """Hex over DER issuer DN."""
    issuer_key_hash: Annotated[str, Meta(max_length=128)]
    """Hex over issuer public key."""
    serial_number: Annotated[str, Meta(max_length=40)]
    """Hex without 0x and without leading zeros."""


class CertificateHashDataChain(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.CertificateHashDataChain`."""

    certificate_type: CertificateType
    certificate_hash_data: CertificateHashData
    child_certificate_hash_data: list[CertificateHashData] | None = None


class GetInstalledCertificatesResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.GetInstalledCertificatesResult`."""

    status: GetInstalledCertificatesStatus
    certificate_hash_data_chain: list[CertificateHashDataChain]


class OCSPRequestData(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.OCSPRequestData`."""

    certificate_hash_data: CertificateHashData | None = None
    responder_url: Annotated[str, Meta(max_length=512)] | None = None
    """OCSP responder."""


class OCSPRequestDataList(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.OCSPRequestDataList`."""

    ocsp_request_data_list: list[OCSPRequestData]


class CertificateOCSP(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.CertificateOCSP`."""

    hash: CertificateHashData
    ocsp_path: str | None = None
    """File holding the OCSP response."""


class GetCertificateSignRequestResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.GetCertificateSignRequestResult`."""

    status: GetCertificateSignRequestStatus
    csr: str | None = None
    """PEM."""


class CertificateInfo(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.CertificateInfo`."""

    key: str
    """Path of private key."""
    certificate_count: int
    """Certificates in chain."""
    certificate_root: str | None = None
    """PEM text of issuing root."""
    certificate: str | None = None
    """Path of chain file."""
    certificate_single: str | None = None
    """Path of leaf-only file."""
    password: str | None = None
    """Key password."""
    ocsp: list[CertificateOCSP] | None = None
    """Only if requested."""


class GetCertificateInfoResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.GetCertificateInfoResult`."""

    status: GetCertificateInfoStatus
    info: CertificateInfo | None = None


class GetCertificateFullInfoResult(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `evse_security.GetCertificateFullInfoResult`."""

    status: GetCertificateInfoStatus
    info: list[CertificateInfo]


class CertificateStoreUpdate(OpenType, kw_only=True, omit_defaults=True):
    """Exactly one of the two type fields is set."""

    operation: CertificateStoreUpdateOperation
    leaf_certificate_type: LeafCertificateType | None = None
    ca_certificate_type: CaCertificateType | None = None
