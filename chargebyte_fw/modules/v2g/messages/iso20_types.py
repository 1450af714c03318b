"""ISO 15118-20: the types that every schema set of it has (namespace CommonTypes, clause 8.3)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages import xmldsig
from chargebyte_fw.modules.v2g.messages.model import (
    Coding,
    Occurs,
    Reference,
    Type,
    xs_boolean,
    xs_byte,
    xs_short,
    xs_unsignedInt,
    xs_unsignedLong,
    xs_unsignedShort,
)

NAMESPACE = "urn:iso:std:iso:15118:-20:CommonTypes"
COMMON_MESSAGES = "urn:iso:std:iso:15118:-20:CommonMessages"


class _Common(Type):
    namespace = NAMESPACE


class CommonMessagesType(Type):
    """Base of what the namespace of the common messages declares."""

    namespace = COMMON_MESSAGES


class evseNotificationType(StrEnum):
    Pause = "Pause"
    ExitStandby = "ExitStandby"
    Terminate = "Terminate"
    ScheduleRenegotiation = "ScheduleRenegotiation"
    ServiceRenegotiation = "ServiceRenegotiation"
    MeteringConfirmation = "MeteringConfirmation"


class processingType(StrEnum):
    Finished = "Finished"
    Ongoing = "Ongoing"
    Ongoing_WaitingForCustomerInteraction = "Ongoing_WaitingForCustomerInteraction"


class responseCodeType(StrEnum):
    OK = "OK"
    OK_CertificateExpiresSoon = "OK_CertificateExpiresSoon"
    OK_NewSessionEstablished = "OK_NewSessionEstablished"
    OK_OldSessionJoined = "OK_OldSessionJoined"
    OK_PowerToleranceConfirmed = "OK_PowerToleranceConfirmed"
    WARNING_AuthorizationSelectionInvalid = "WARNING_AuthorizationSelectionInvalid"
    WARNING_CertificateExpired = "WARNING_CertificateExpired"
    WARNING_CertificateNotYetValid = "WARNING_CertificateNotYetValid"
    WARNING_CertificateRevoked = "WARNING_CertificateRevoked"
    WARNING_CertificateValidationError = "WARNING_CertificateValidationError"
    WARNING_ChallengeInvalid = "WARNING_ChallengeInvalid"
    WARNING_EIMAuthorizationFailure = "WARNING_EIMAuthorizationFailure"
    WARNING_eMSPUnknown = "WARNING_eMSPUnknown"
    WARNING_EVPowerProfileViolation = "WARNING_EVPowerProfileViolation"
    WARNING_GeneralPnCAuthorizationError = "WARNING_GeneralPnCAuthorizationError"
    WARNING_NoCertificateAvailable = "WARNING_NoCertificateAvailable"
    WARNING_NoContractMatchingPCIDFound = "WARNING_NoContractMatchingPCIDFound"
    WARNING_PowerToleranceNotConfirmed = "WARNING_PowerToleranceNotConfirmed"
    WARNING_ScheduleRenegotiationFailed = "WARNING_ScheduleRenegotiationFailed"
    WARNING_StandbyNotAllowed = "WARNING_StandbyNotAllowed"
    WARNING_WPT = "WARNING_WPT"
    FAILED = "FAILED"
    FAILED_AssociationError = "FAILED_AssociationError"
    FAILED_ContactorError = "FAILED_ContactorError"
    FAILED_EVPowerProfileInvalid = "FAILED_EVPowerProfileInvalid"
    FAILED_EVPowerProfileViolation = "FAILED_EVPowerProfileViolation"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_NoEnergyTransferServiceSelected = "FAILED_NoEnergyTransferServiceSelected"
    FAILED_NoServiceRenegotiationSupported = "FAILED_NoServiceRenegotiationSupported"
    FAILED_PauseNotAllowed = "FAILED_PauseNotAllowed"
    FAILED_PowerDeliveryNotApplied = "FAILED_PowerDeliveryNotApplied"
    FAILED_PowerToleranceNotConfirmed = "FAILED_PowerToleranceNotConfirmed"
    FAILED_ScheduleRenegotiation = "FAILED_ScheduleRenegotiation"
    FAILED_ScheduleSelectionInvalid = "FAILED_ScheduleSelectionInvalid"
    FAILED_SequenceError = "FAILED_SequenceError"
    FAILED_ServiceIDInvalid = "FAILED_ServiceIDInvalid"
    FAILED_ServiceSelectionInvalid = "FAILED_ServiceSelectionInvalid"
    FAILED_SignatureError = "FAILED_SignatureError"
    FAILED_UnknownSession = "FAILED_UnknownSession"
    FAILED_WrongChargeParameter = "FAILED_WrongChargeParameter"


descriptionType = Annotated[str, Coding("string", longest=160)]
identifierType = Annotated[str, Coding("string", longest=255)]
meterIDType = Annotated[str, Coding("string", longest=32)]
meterSignatureType = Annotated[bytes, Coding("bin", longest=64)]
nameType = Annotated[str, Coding("string", longest=80)]
numericIDType = Annotated[int, Coding("uint", low=1, high=4294967295)]
percentValueType = Annotated[int, Coding("nbit", 7, low=0, high=100)]
shownPercentType = Annotated[int, Coding("nbit", 7, low=0, high=127)]
"""percentValueType in DisplayParameters: cars have sent 101, and what is only shown ends no session."""
sessionIDType = Annotated[bytes, Coding("bin", shortest=8, longest=8, text="hex")]


class RationalNumberType(_Common, kw_only=True):
    Exponent: xs_byte
    Value: xs_short


class MessageHeaderType(_Common, kw_only=True):
    SessionID: sessionIDType
    TimeStamp: xs_unsignedLong
    Signature: Annotated[xmldsig.SignatureType, Reference(xmldsig.NAMESPACE)] | None = None


class V2GMessageType(_Common, kw_only=True):
    """Abstract."""

    Header: MessageHeaderType


class V2GRequestType(V2GMessageType):
    """Abstract."""


class V2GResponseType(V2GMessageType, kw_only=True):
    """Abstract."""

    ResponseCode: responseCodeType


class EVSEStatusType(_Common, kw_only=True):
    NotificationMaxDelay: xs_unsignedShort
    EVSENotification: evseNotificationType


class MeterInfoType(_Common, kw_only=True):
    MeterID: meterIDType
    ChargedEnergyReadingWh: xs_unsignedLong
    BPT_DischargedEnergyReadingWh: xs_unsignedLong | None = None
    CapacitiveEnergyReadingVARh: xs_unsignedLong | None = None
    BPT_InductiveEnergyReadingVARh: xs_unsignedLong | None = None
    MeterSignature: meterSignatureType | None = None
    MeterStatus: xs_short | None = None
    MeterTimestamp: xs_unsignedLong | None = None


class DetailedCostType(_Common, kw_only=True):
    Amount: RationalNumberType
    CostPerUnit: RationalNumberType


class DetailedTaxType(_Common, kw_only=True):
    TaxRuleID: numericIDType
    Amount: RationalNumberType


class ReceiptType(_Common, kw_only=True):
    TimeAnchor: xs_unsignedLong
    EnergyCosts: DetailedCostType | None = None
    OccupancyCosts: DetailedCostType | None = None
    AdditionalServicesCosts: DetailedCostType | None = None
    OverstayCosts: DetailedCostType | None = None
    TaxCosts: Annotated[list[DetailedTaxType], Occurs(0, 10)] = []


class DisplayParametersType(_Common, kw_only=True):
    PresentSOC: shownPercentType | None = None
    MinimumSOC: shownPercentType | None = None
    TargetSOC: shownPercentType | None = None
    MaximumSOC: shownPercentType | None = None
    RemainingTimeToMinimumSOC: xs_unsignedInt | None = None
    RemainingTimeToTargetSOC: xs_unsignedInt | None = None
    RemainingTimeToMaximumSOC: xs_unsignedInt | None = None
    ChargingComplete: xs_boolean | None = None
    BatteryEnergyCapacity: RationalNumberType | None = None
    InletHot: xs_boolean | None = None


class ListOfRootCertificateIDsType(_Common, kw_only=True):
    RootCertificateID: Annotated[list[xmldsig.X509IssuerSerialType], Occurs(1, 20)]


class ChargeParameterDiscoveryReqType(V2GRequestType):
    """Abstract."""


class ChargeParameterDiscoveryResType(V2GResponseType):
    """Abstract."""


class ChargeLoopReqType(V2GRequestType, kw_only=True):
    """Abstract."""

    DisplayParameters: DisplayParametersType | None = None
    MeterInfoRequested: xs_boolean


class ChargeLoopResType(V2GResponseType, kw_only=True):
    """Abstract."""

    EVSEStatus: EVSEStatusType | None = None
    MeterInfo: MeterInfoType | None = None
    Receipt: ReceiptType | None = None


class CLReqControlModeType(_Common):
    """Abstract."""


class Scheduled_CLReqControlModeType(CLReqControlModeType, kw_only=True):
    """Abstract."""

    EVTargetEnergyRequest: RationalNumberType | None = None
    EVMaximumEnergyRequest: RationalNumberType | None = None
    EVMinimumEnergyRequest: RationalNumberType | None = None


class Dynamic_CLReqControlModeType(CLReqControlModeType, kw_only=True):
    """Abstract."""

    DepartureTime: xs_unsignedInt | None = None
    EVTargetEnergyRequest: RationalNumberType
    EVMaximumEnergyRequest: RationalNumberType
    EVMinimumEnergyRequest: RationalNumberType


class CLResControlModeType(_Common):
    """Abstract."""


class Scheduled_CLResControlModeType(CLResControlModeType):
    """Abstract."""


class Dynamic_CLResControlModeType(CLResControlModeType, kw_only=True):
    """Abstract."""

    DepartureTime: xs_unsignedInt | None = None
    MinimumSOC: percentValueType | None = None
    TargetSOC: percentValueType | None = None
    AckMaxDelay: xs_unsignedShort | None = None


ELEMENTS = {"CLReqControlMode": None, "CLResControlMode": None}
"""Global elements; every set of ISO 15118-20 has them."""

TYPES = (
    RationalNumberType,
    MessageHeaderType,
    V2GMessageType,
    V2GRequestType,
    V2GResponseType,
    EVSEStatusType,
    MeterInfoType,
    DetailedCostType,
    DetailedTaxType,
    ReceiptType,
    DisplayParametersType,
    ListOfRootCertificateIDsType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    ChargeLoopReqType,
    ChargeLoopResType,
    CLReqControlModeType,
    Scheduled_CLReqControlModeType,
    Dynamic_CLReqControlModeType,
    CLResControlModeType,
    Scheduled_CLResControlModeType,
    Dynamic_CLResControlModeType,
)
"""Every type of the namespace: their elements count in the fragment grammar of each set."""
