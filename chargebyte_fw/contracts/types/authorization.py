"""Tokens, validation results, connector selection. EVerest type file `authorization`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import iso15118, text_message


class AuthorizationStatus(StrEnum):
    """EVerest enumeration `AuthorizationStatus`."""

    Accepted = "Accepted"
    Blocked = "Blocked"
    ConcurrentTx = "ConcurrentTx"
    Expired = "Expired"
    Invalid = "Invalid"
    NoCredit = "NoCredit"
    NotAllowedTypeEVSE = "NotAllowedTypeEVSE"
    NotAtThisLocation = "NotAtThisLocation"
    NotAtThisTime = "NotAtThisTime"
    Unknown = "Unknown"
    PinRequired = "PinRequired"
    Timeout = "Timeout"


class CertificateStatus(StrEnum):
    """EVerest enumeration `CertificateStatus`."""

    Accepted = "Accepted"
    SignatureError = "SignatureError"
    CertificateExpired = "CertificateExpired"
    CertificateRevoked = "CertificateRevoked"
    NoCertificateAvailable = "NoCertificateAvailable"
    CertChainError = "CertChainError"
    ContractCancelled = "ContractCancelled"


class TokenValidationStatus(StrEnum):
    """TimedOut = valid token but no connector picked within the connection timeout; UsedToReauthorize = token
    matches a running transaction and the implementation chose not to stop it.
    """

    Processing = "Processing"
    Accepted = "Accepted"
    Rejected = "Rejected"
    TimedOut = "TimedOut"
    UsedToStart = "UsedToStart"
    UsedToStop = "UsedToStop"
    Withdrawn = "Withdrawn"
    UsedToReauthorize = "UsedToReauthorize"


class SelectionAlgorithm(StrEnum):
    """UserInput: wait for user choice; PlugEvents: oldest waiting plug-in first; PlugEventsLIFO: newest plug-in
    first; FindFirst: first available referenced EVSE.
    """

    UserInput = "UserInput"
    PlugEvents = "PlugEvents"
    PlugEventsLIFO = "PlugEventsLIFO"
    FindFirst = "FindFirst"


class AuthorizationType(StrEnum):
    """EVerest enumeration `AuthorizationType`."""

    OCPP = "OCPP"
    RFID = "RFID"
    Autocharge = "Autocharge"
    PlugAndCharge = "PlugAndCharge"
    BankCard = "BankCard"


class IdTokenType(StrEnum):
    """EVerest enumeration `IdTokenType`."""

    Central = "Central"
    eMAID = "eMAID"
    MacAddress = "MacAddress"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KeyCode = "KeyCode"
    Local = "Local"
    NoAuthorization = "NoAuthorization"


class WithdrawAuthorizationResult(StrEnum):
    """EVerest enumeration `WithdrawAuthorizationResult`."""

    Accepted = "Accepted"
    AuthorizationNotFound = "AuthorizationNotFound"
    EvseNotFound = "EvseNotFound"
    Rejected = "Rejected"


class CustomIdToken(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `authorization.CustomIdToken`."""

    value: Annotated[str, Meta(max_length=36)]
    type: Annotated[str, Meta(max_length=50)]


class IdToken(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `authorization.IdToken`."""

    value: Annotated[str, Meta(max_length=36)]
    """Printable ASCII, compared case-insensitively."""
    type: IdTokenType
    additional_info: list[CustomIdToken] | None = None
    """Extra custom tokens for the validator."""


class ProvidedIdToken(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a token provider publishes."""

    id_token: IdToken
    authorization_type: AuthorizationType
    request_id: int | None = None
    """Carries e.g. the OCPP 2.x remoteStartId."""
    parent_id_token: IdToken | None = None
    """Group token."""
    connectors: list[Annotated[int, Meta(ge=1)]] | None = None
    """Restrict to these connector ids; absent = any."""
    prevalidated: bool | None = None
    """Provider already checked it, skip validators."""
    certificate: Annotated[str, Meta(max_length=5500)] | None = None
    """PEM of the EV contract certificate (PnC)."""
    iso15118CertificateHashData: (
        Annotated[list[iso15118.CertificateHashDataInfo], Meta(min_length=1, max_length=4)] | None
    ) = None
    """OCSP data of the contract chain (PnC)."""


class TokenValidationStatusMessage(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `authorization.TokenValidationStatusMessage`."""

    token: ProvidedIdToken
    status: TokenValidationStatus
    messages: list[text_message.MessageContent] | None = None


class ValidationResult(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `authorization.ValidationResult`."""

    authorization_status: AuthorizationStatus
    tariff_messages: list[text_message.MessageContent]
    """Must be present, may be []; first entry is used as OCMF tariff text."""
    certificate_status: CertificateStatus | None = None
    expiry_time: str | None = None
    """RFC 3339 UTC."""
    parent_id_token: IdToken | None = None
    evse_ids: list[Annotated[int, Meta(ge=1)]] | None = None
    """Absent = valid for the whole station."""
    reservation_id: int | None = None
    """Reservation consumed by this token."""
    allowed_energy_transfer_modes: Annotated[list[iso15118.EnergyTransferMode], Meta(min_length=1)] | None = None
    """Limits HLC energy modes for this session."""


class WithdrawAuthorizationRequest(OpenType, kw_only=True, omit_defaults=True):
    """Both absent = withdraw everything; only evse_id = that EVSE; only id_token = every EVSE holding it; both =
    only if they match.
    """

    evse_id: int | None = None
    id_token: IdToken | None = None


class ValidationResultUpdate(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Late change of an earlier validation."""

    validation_result: ValidationResult
    connector_id: int
