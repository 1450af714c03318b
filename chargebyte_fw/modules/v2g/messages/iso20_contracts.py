"""ISO 15118-20: certificate chains, keys and signed authorization (data types of the common messages)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages.iso20_types import CommonMessagesType, identifierType, nameType
from chargebyte_fw.modules.v2g.messages.model import Attribute, Coding, Occurs, choice, seq, xs_ID


class ecdhCurveType(StrEnum):
    SECP521 = "SECP521"
    X448 = "X448"


certificateType = Annotated[bytes, Coding("bin", longest=1600)]
# The schema has 133 and 206 octets alone; the text forbids to fill a shorter value up ([V2G20-2495], [V2G20-2521]).
dhPublicKeyType = Annotated[bytes, Coding("bin", shortest=56, longest=133)]
genChallengeType = Annotated[bytes, Coding("bin", shortest=16, longest=16)]
secp521_EncryptedPrivateKeyType = Annotated[bytes, Coding("bin", shortest=94, longest=94)]
tpm_EncryptedPrivateKeyType = Annotated[bytes, Coding("bin", longest=206)]
x448_EncryptedPrivateKeyType = Annotated[bytes, Coding("bin", shortest=84, longest=84)]


class SubCertificatesType(CommonMessagesType, kw_only=True):
    Certificate: Annotated[list[certificateType], Occurs(1, 3)]


class CertificateChainType(CommonMessagesType, kw_only=True):
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class SignedCertificateChainType(CommonMessagesType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ContractCertificateChainType(CommonMessagesType, kw_only=True):
    Certificate: certificateType
    SubCertificates: SubCertificatesType


class SupportedProvidersListType(CommonMessagesType, kw_only=True):
    ProviderID: Annotated[list[nameType], Occurs(1, 128)]


class EMAIDListType(CommonMessagesType, kw_only=True):
    EMAID: Annotated[list[identifierType], Occurs(1, 8)]


class SignedInstallationDataType(CommonMessagesType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    ContractCertificateChain: ContractCertificateChainType
    ECDHCurve: ecdhCurveType
    DHPublicKey: dhPublicKeyType
    SECP521_EncryptedPrivateKey: secp521_EncryptedPrivateKeyType | None = None
    X448_EncryptedPrivateKey: x448_EncryptedPrivateKeyType | None = None
    TPM_EncryptedPrivateKey: tpm_EncryptedPrivateKeyType | None = None

    model = seq(
        "ContractCertificateChain",
        "ECDHCurve",
        "DHPublicKey",
        choice("SECP521_EncryptedPrivateKey", "X448_EncryptedPrivateKey", "TPM_EncryptedPrivateKey"),
    )


class PnC_ASResAuthorizationModeType(CommonMessagesType, kw_only=True):
    GenChallenge: genChallengeType
    SupportedProviders: SupportedProvidersListType | None = None


class EIM_ASResAuthorizationModeType(CommonMessagesType):
    pass


class PnC_AReqAuthorizationModeType(CommonMessagesType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    GenChallenge: genChallengeType
    ContractCertificateChain: ContractCertificateChainType


class EIM_AReqAuthorizationModeType(CommonMessagesType):
    pass
