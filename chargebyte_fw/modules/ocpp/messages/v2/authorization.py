"""Authorization and the local authorization list (OCPP 2.x part 2, blocks C and D)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In201, Items, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.certificate import OCSPRequestDataType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenInfoType, IdTokenType
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType


class AuthorizeCertificateStatusEnumType(StrEnum):
    Accepted = "Accepted"
    SignatureError = "SignatureError"
    CertificateExpired = "CertificateExpired"
    CertificateRevoked = "CertificateRevoked"
    NoCertificateAvailable = "NoCertificateAvailable"
    CertChainError = "CertChainError"
    ContractCancelled = "ContractCancelled"


class ClearCacheStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class SendLocalListStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Failed = "Failed"
    VersionMismatch = "VersionMismatch"


class UpdateEnumType(StrEnum):
    Differential = "Differential"
    Full = "Full"


class AuthorizationData(V2Type, kw_only=True):
    id_token: IdTokenType = field(name="idToken")
    id_token_info: IdTokenInfoType | None = field(name="idTokenInfo", default=None)


class AuthorizeRequest(V2Request, kw_only=True):
    id_token: IdTokenType = field(name="idToken")
    certificate: Annotated[str | None, Text(10000), In201(Text(5500))] = None
    iso15118_certificate_hash_data: Annotated[list[OCSPRequestDataType] | None, Items(1, 4)] = field(
        name="iso15118CertificateHashData", default=None
    )


class AuthorizeResponse(V2Response, kw_only=True):
    id_token_info: IdTokenInfoType = field(name="idTokenInfo")
    certificate_status: AuthorizeCertificateStatusEnumType | None = field(name="certificateStatus", default=None)
    allowed_energy_transfer: Annotated[list[EnergyTransferModeEnumType] | None, Items(1), SINCE_21] = field(
        name="allowedEnergyTransfer", default=None
    )
    tariff: Annotated[TariffType | None, SINCE_21] = None


class ClearCacheRequest(V2Request, kw_only=True):
    pass


class ClearCacheResponse(V2Response, kw_only=True):
    status: ClearCacheStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class SendLocalListRequest(V2Request, kw_only=True):
    version_number: int = field(name="versionNumber")
    update_type: UpdateEnumType = field(name="updateType")
    local_authorization_list: Annotated[list[AuthorizationData] | None, Items(1)] = field(
        name="localAuthorizationList", default=None
    )


class SendLocalListResponse(V2Response, kw_only=True):
    status: SendLocalListStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetLocalListVersionRequest(V2Request, kw_only=True):
    pass


class GetLocalListVersionResponse(V2Response, kw_only=True):
    version_number: int = field(name="versionNumber")
