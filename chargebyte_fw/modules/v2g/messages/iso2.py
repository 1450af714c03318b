"""ISO 15118-2 messages: `V2G_Message(Header=MessageHeaderType(SessionID=...), Body=CurrentDemandReq(...))`.

The body elements are those of clauses 8.4.3 (common), 8.4.4 (AC) and 8.4.5 (DC), their types those of clause 8.5.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages import xmldsig
from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Group,
    Occurs,
    Reference,
    Schema,
    Text,
    Type,
    Within,
    choice,
    xs_boolean,
    xs_byte,
    xs_ID,
    xs_int,
    xs_long,
    xs_short,
    xs_string,
    xs_unsignedByte,
    xs_unsignedInt,
    xs_unsignedLong,
    xs_unsignedShort,
)

MESSAGE = "urn:iso:15118:2:2013:MsgDef"
HEADER = "urn:iso:15118:2:2013:MsgHeader"
BODY = "urn:iso:15118:2:2013:MsgBody"
DATA = "urn:iso:15118:2:2013:MsgDataTypes"


class DC_EVErrorCodeType(StrEnum):
    NO_ERROR = "NO_ERROR"
    FAILED_RESSTemperatureInhibit = "FAILED_RESSTemperatureInhibit"
    FAILED_EVShiftPosition = "FAILED_EVShiftPosition"
    FAILED_ChargerConnectorLockFault = "FAILED_ChargerConnectorLockFault"
    FAILED_EVRESSMalfunction = "FAILED_EVRESSMalfunction"
    FAILED_ChargingCurrentdifferential = "FAILED_ChargingCurrentdifferential"
    FAILED_ChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange"
    Reserved_A = "Reserved_A"
    Reserved_B = "Reserved_B"
    Reserved_C = "Reserved_C"
    FAILED_ChargingSystemIncompatibility = "FAILED_ChargingSystemIncompatibility"
    NoData = "NoData"


class DC_EVSEStatusCodeType(StrEnum):
    EVSE_NotReady = "EVSE_NotReady"
    EVSE_Ready = "EVSE_Ready"
    EVSE_Shutdown = "EVSE_Shutdown"
    EVSE_UtilityInterruptEvent = "EVSE_UtilityInterruptEvent"
    EVSE_IsolationMonitoringActive = "EVSE_IsolationMonitoringActive"
    EVSE_EmergencyShutdown = "EVSE_EmergencyShutdown"
    EVSE_Malfunction = "EVSE_Malfunction"
    Reserved_8 = "Reserved_8"
    Reserved_9 = "Reserved_9"
    Reserved_A = "Reserved_A"
    Reserved_B = "Reserved_B"
    Reserved_C = "Reserved_C"


class EVSENotificationType(StrEnum):
    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class EVSEProcessingType(StrEnum):
    Finished = "Finished"
    Ongoing = "Ongoing"
    Ongoing_WaitingForCustomerInteraction = "Ongoing_WaitingForCustomerInteraction"


class EnergyTransferModeType(StrEnum):
    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"


class chargeProgressType(StrEnum):
    Start = "Start"
    Stop = "Stop"
    Renegotiate = "Renegotiate"


class chargingSessionType(StrEnum):
    Terminate = "Terminate"
    Pause = "Pause"


class costKindType(StrEnum):
    relativePricePercentage = "relativePricePercentage"
    RenewableGenerationPercentage = "RenewableGenerationPercentage"
    CarbonDioxideEmission = "CarbonDioxideEmission"


class faultCodeType(StrEnum):
    ParsingError = "ParsingError"
    NoTLSRootCertificatAvailable = "NoTLSRootCertificatAvailable"
    UnknownError = "UnknownError"


class isolationLevelType(StrEnum):
    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"
    No_IMD = "No_IMD"


class paymentOptionType(StrEnum):
    Contract = "Contract"
    ExternalPayment = "ExternalPayment"


class responseCodeType(StrEnum):
    OK = "OK"
    OK_NewSessionEstablished = "OK_NewSessionEstablished"
    OK_OldSessionJoined = "OK_OldSessionJoined"
    OK_CertificateExpiresSoon = "OK_CertificateExpiresSoon"
    FAILED = "FAILED"
    FAILED_SequenceError = "FAILED_SequenceError"
    FAILED_ServiceIDInvalid = "FAILED_ServiceIDInvalid"
    FAILED_UnknownSession = "FAILED_UnknownSession"
    FAILED_ServiceSelectionInvalid = "FAILED_ServiceSelectionInvalid"
    FAILED_PaymentSelectionInvalid = "FAILED_PaymentSelectionInvalid"
    FAILED_CertificateExpired = "FAILED_CertificateExpired"
    FAILED_SignatureError = "FAILED_SignatureError"
    FAILED_NoCertificateAvailable = "FAILED_NoCertificateAvailable"
    FAILED_CertChainError = "FAILED_CertChainError"
    FAILED_ChallengeInvalid = "FAILED_ChallengeInvalid"
    FAILED_ContractCanceled = "FAILED_ContractCanceled"
    FAILED_WrongChargeParameter = "FAILED_WrongChargeParameter"
    FAILED_PowerDeliveryNotApplied = "FAILED_PowerDeliveryNotApplied"
    FAILED_TariffSelectionInvalid = "FAILED_TariffSelectionInvalid"
    FAILED_ChargingProfileInvalid = "FAILED_ChargingProfileInvalid"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_NoChargeServiceSelected = "FAILED_NoChargeServiceSelected"
    FAILED_WrongEnergyTransferMode = "FAILED_WrongEnergyTransferMode"
    FAILED_ContactorError = "FAILED_ContactorError"
    FAILED_CertificateNotAllowedAtThisEVSE = "FAILED_CertificateNotAllowedAtThisEVSE"
    FAILED_CertificateRevoked = "FAILED_CertificateRevoked"


class serviceCategoryType(StrEnum):
    EVCharging = "EVCharging"
    Internet = "Internet"
    ContractCertificate = "ContractCertificate"
    OtherCustom = "OtherCustom"


class unitSymbolType(StrEnum):
    h = "h"
    m = "m"
    s = "s"
    A = "A"
    V = "V"
    W = "W"
    Wh = "Wh"


class valueType(StrEnum):
    bool = "bool"
    byte = "byte"
    short = "short"
    int = "int"
    physicalValue = "physicalValue"
    string = "string"


SAIDType = Annotated[int, Coding("nbit", 8, low=1, high=255)]
certificateType = Annotated[bytes, Coding("bin", longest=800)]
dHpublickeyType = Annotated[bytes, Coding("bin", longest=65)]
durationValue = Annotated[int, Coding("uint", low=0, high=86400)]
eMAIDType = Annotated[str, Coding("string", shortest=14, longest=15)]
evccIDType = Annotated[bytes, Coding("bin", longest=6, text="hex")]
evseIDType = Annotated[str, Coding("string", shortest=7, longest=37)]
faultMsgType = Annotated[str, Coding("string", longest=64)]
genChallengeType = Annotated[bytes, Coding("bin", shortest=16, longest=16)]
maxNumPhasesType = Annotated[int, Coding("nbit", 2, low=1, high=3)]
meterIDType = Annotated[str, Coding("string", longest=32)]
meterStatusType = Annotated[int, Coding("int", low=-32768, high=32767)]
percentValueType = Annotated[int, Coding("nbit", 7, low=0, high=100)]
privateKeyType = Annotated[bytes, Coding("bin", longest=48)]
serviceIDType = Annotated[int, Coding("uint", low=0, high=65535)]
serviceNameType = Annotated[str, Coding("string", longest=32)]
serviceScopeType = Annotated[str, Coding("string", longest=64)]
sessionIDType = Annotated[bytes, Coding("bin", longest=8, text="hex")]
sigMeterReadingType = Annotated[bytes, Coding("bin", longest=64)]
startValue = Annotated[int, Coding("uint", low=0, high=16777214)]
tariffDescriptionType = Annotated[str, Coding("string", longest=32)]
unitMultiplierType = Annotated[int, Coding("nbit", 3, low=-3, high=3)]


class _Message(Type):
    namespace = MESSAGE


class _Header(Type):
    namespace = HEADER


class _Body(Type):
    namespace = BODY


class _Data(Type):
    namespace = DATA


class BodyBaseType(_Body):
    """Base of every body element."""


class AuthorizationReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    GenChallenge: genChallengeType | None = None


class AuthorizationRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEProcessing: EVSEProcessingType


class DC_EVStatusType(_Data, kw_only=True):
    EVReady: xs_boolean
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType


class CableCheckReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType


class DC_EVSEStatusType(_Data, kw_only=True):
    NotificationMaxDelay: xs_unsignedShort
    EVSENotification: EVSENotificationType
    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType


class CableCheckRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEProcessing: EVSEProcessingType


class ListOfRootCertificateIDsType(_Data, kw_only=True):
    RootCertificateID: Annotated[list[xmldsig.X509IssuerSerialType], Occurs(1, 20)]


class CertificateInstallationReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    OEMProvisioningCert: certificateType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType


class SubCertificatesType(_Data, kw_only=True):
    Certificate: Annotated[list[certificateType], Occurs(1, 4)]


class CertificateChainType(_Data, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class ContractSignatureEncryptedPrivateKeyType(_Data, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    value: Annotated[privateKeyType, Text()]


class DiffieHellmanPublickeyType(_Data, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    value: Annotated[dHpublickeyType, Text()]


class EMAIDType(_Data, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    value: Annotated[eMAIDType, Text()]


class CertificateInstallationRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    SAProvisioningCertificateChain: CertificateChainType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKeyType
    DHpublickey: DiffieHellmanPublickeyType
    eMAID: EMAIDType


class CertificateUpdateReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    ContractSignatureCertChain: CertificateChainType
    eMAID: eMAIDType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType


class CertificateUpdateRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    SAProvisioningCertificateChain: CertificateChainType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: ContractSignatureEncryptedPrivateKeyType
    DHpublickey: DiffieHellmanPublickeyType
    eMAID: EMAIDType
    RetryCounter: xs_short | None = None


class PhysicalValueType(_Data, kw_only=True):
    Multiplier: unitMultiplierType
    Unit: unitSymbolType
    Value: xs_short


class AC_EVChargeParameterType(_Data, kw_only=True):
    DepartureTime: xs_unsignedInt | None = None
    EAmount: PhysicalValueType
    EVMaxVoltage: PhysicalValueType
    EVMaxCurrent: PhysicalValueType
    EVMinCurrent: PhysicalValueType


class DC_EVChargeParameterType(_Data, kw_only=True):
    DepartureTime: xs_unsignedInt | None = None
    DC_EVStatus: DC_EVStatusType
    EVMaximumCurrentLimit: PhysicalValueType
    EVMaximumPowerLimit: PhysicalValueType | None = None
    EVMaximumVoltageLimit: PhysicalValueType
    EVEnergyCapacity: PhysicalValueType | None = None
    EVEnergyRequest: PhysicalValueType | None = None
    FullSOC: percentValueType | None = None
    BulkSOC: percentValueType | None = None


AnyEVChargeParameter = Annotated[
    AC_EVChargeParameterType | DC_EVChargeParameterType,
    Group(
        "EVChargeParameter",
        AC_EVChargeParameter=AC_EVChargeParameterType,
        DC_EVChargeParameter=DC_EVChargeParameterType,
    ),
]


class ChargeParameterDiscoveryReq(BodyBaseType, kw_only=True):
    MaxEntriesSAScheduleTuple: xs_unsignedShort | None = None
    RequestedEnergyTransferMode: EnergyTransferModeType
    EVChargeParameter: AnyEVChargeParameter


class AC_EVSEStatusType(_Data, kw_only=True):
    NotificationMaxDelay: xs_unsignedShort
    EVSENotification: EVSENotificationType
    RCD: xs_boolean


class AC_EVSEChargeParameterType(_Data, kw_only=True):
    AC_EVSEStatus: AC_EVSEStatusType
    EVSENominalVoltage: PhysicalValueType
    EVSEMaxCurrent: PhysicalValueType


class DC_EVSEChargeParameterType(_Data, kw_only=True):
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEMaximumCurrentLimit: PhysicalValueType
    EVSEMaximumPowerLimit: PhysicalValueType
    EVSEMaximumVoltageLimit: PhysicalValueType
    EVSEMinimumCurrentLimit: PhysicalValueType
    EVSEMinimumVoltageLimit: PhysicalValueType
    EVSECurrentRegulationTolerance: PhysicalValueType | None = None
    EVSEPeakCurrentRipple: PhysicalValueType
    EVSEEnergyToBeDelivered: PhysicalValueType | None = None


class RelativeTimeIntervalType(_Data, kw_only=True):
    start: startValue
    duration: durationValue | None = None


AnyTimeInterval = Annotated[
    RelativeTimeIntervalType, Group("TimeInterval", RelativeTimeInterval=RelativeTimeIntervalType)
]


class PMaxScheduleEntryType(_Data, kw_only=True):
    TimeInterval: AnyTimeInterval
    PMax: PhysicalValueType


class PMaxScheduleType(_Data, kw_only=True):
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntryType], Occurs(1, 1024)]


class CostType(_Data, kw_only=True):
    costKind: costKindType
    amount: xs_unsignedInt
    amountMultiplier: unitMultiplierType | None = None


class ConsumptionCostType(_Data, kw_only=True):
    startValue: PhysicalValueType
    Cost: Annotated[list[CostType], Occurs(1, 3)]


class SalesTariffEntryType(_Data, kw_only=True):
    TimeInterval: AnyTimeInterval
    EPriceLevel: xs_unsignedByte | None = None
    ConsumptionCost: Annotated[list[ConsumptionCostType], Occurs(0, 3)] = []


class SalesTariffType(_Data, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: xs_unsignedByte | None = None
    SalesTariffEntry: Annotated[list[SalesTariffEntryType], Occurs(1, 1024)]


class SAScheduleTupleType(_Data, kw_only=True):
    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleListType(_Data, kw_only=True):
    SAScheduleTuple: Annotated[list[SAScheduleTupleType], Occurs(1, 3)]


AnySASchedules = Annotated[SAScheduleListType, Group("SASchedules", SAScheduleList=SAScheduleListType)]


AnyEVSEChargeParameter = Annotated[
    AC_EVSEChargeParameterType | DC_EVSEChargeParameterType,
    Group(
        "EVSEChargeParameter",
        AC_EVSEChargeParameter=AC_EVSEChargeParameterType,
        DC_EVSEChargeParameter=DC_EVSEChargeParameterType,
    ),
]


class ChargeParameterDiscoveryRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEProcessing: EVSEProcessingType
    SASchedules: AnySASchedules | None = None
    EVSEChargeParameter: AnyEVSEChargeParameter


class ChargingStatusReq(BodyBaseType, kw_only=True):
    pass


class MeterInfoType(_Data, kw_only=True):
    MeterID: meterIDType
    MeterReading: xs_unsignedLong | None = None
    SigMeterReading: sigMeterReadingType | None = None
    MeterStatus: meterStatusType | None = None
    TMeter: xs_long | None = None


class ChargingStatusRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEID: evseIDType
    SAScheduleTupleID: SAIDType
    EVSEMaxCurrent: PhysicalValueType | None = None
    MeterInfo: MeterInfoType | None = None
    ReceiptRequired: xs_boolean | None = None
    AC_EVSEStatus: AC_EVSEStatusType


class CurrentDemandReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType
    EVTargetCurrent: PhysicalValueType
    EVMaximumVoltageLimit: PhysicalValueType | None = None
    EVMaximumCurrentLimit: PhysicalValueType | None = None
    EVMaximumPowerLimit: PhysicalValueType | None = None
    BulkChargingComplete: xs_boolean | None = None
    ChargingComplete: xs_boolean
    RemainingTimeToFullSoC: PhysicalValueType | None = None
    RemainingTimeToBulkSoC: PhysicalValueType | None = None
    EVTargetVoltage: PhysicalValueType


class CurrentDemandRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType
    EVSEPresentCurrent: PhysicalValueType
    EVSECurrentLimitAchieved: xs_boolean
    EVSEVoltageLimitAchieved: xs_boolean
    EVSEPowerLimitAchieved: xs_boolean
    EVSEMaximumVoltageLimit: PhysicalValueType | None = None
    EVSEMaximumCurrentLimit: PhysicalValueType | None = None
    EVSEMaximumPowerLimit: PhysicalValueType | None = None
    EVSEID: evseIDType
    SAScheduleTupleID: SAIDType
    MeterInfo: MeterInfoType | None = None
    ReceiptRequired: xs_boolean | None = None


class MeteringReceiptReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()] | None = None
    SessionID: sessionIDType
    SAScheduleTupleID: SAIDType | None = None
    MeterInfo: MeterInfoType


AnyEVSEStatus = Annotated[
    AC_EVSEStatusType | DC_EVSEStatusType,
    Group("EVSEStatus", AC_EVSEStatus=AC_EVSEStatusType, DC_EVSEStatus=DC_EVSEStatusType),
]


class MeteringReceiptRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEStatus: AnyEVSEStatus


class PaymentDetailsReq(BodyBaseType, kw_only=True):
    eMAID: eMAIDType
    ContractSignatureCertChain: CertificateChainType


class PaymentDetailsRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    GenChallenge: genChallengeType
    EVSETimeStamp: xs_long


class SelectedServiceType(_Data, kw_only=True):
    ServiceID: serviceIDType
    ParameterSetID: xs_short | None = None


class SelectedServiceListType(_Data, kw_only=True):
    SelectedService: Annotated[list[SelectedServiceType], Occurs(1, 16)]


class PaymentServiceSelectionReq(BodyBaseType, kw_only=True):
    SelectedPaymentOption: paymentOptionType
    SelectedServiceList: SelectedServiceListType


class PaymentServiceSelectionRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType


class ProfileEntryType(_Data, kw_only=True):
    ChargingProfileEntryStart: xs_unsignedInt
    ChargingProfileEntryMaxPower: PhysicalValueType
    ChargingProfileEntryMaxNumberOfPhasesInUse: maxNumPhasesType | None = None


class ChargingProfileType(_Data, kw_only=True):
    ProfileEntry: Annotated[list[ProfileEntryType], Occurs(1, 24)]


class DC_EVPowerDeliveryParameterType(_Data, kw_only=True):
    DC_EVStatus: DC_EVStatusType
    BulkChargingComplete: xs_boolean | None = None
    ChargingComplete: xs_boolean


AnyEVPowerDeliveryParameter = Annotated[
    DC_EVPowerDeliveryParameterType,
    Group("EVPowerDeliveryParameter", DC_EVPowerDeliveryParameter=DC_EVPowerDeliveryParameterType),
]


class PowerDeliveryReq(BodyBaseType, kw_only=True):
    ChargeProgress: chargeProgressType
    SAScheduleTupleID: SAIDType
    ChargingProfile: ChargingProfileType | None = None
    EVPowerDeliveryParameter: AnyEVPowerDeliveryParameter | None = None


class PowerDeliveryRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEStatus: AnyEVSEStatus


class PreChargeReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType
    EVTargetVoltage: PhysicalValueType
    EVTargetCurrent: PhysicalValueType


class PreChargeRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType


class ServiceDetailReq(BodyBaseType, kw_only=True):
    ServiceID: serviceIDType


class ParameterType(_Data, kw_only=True):
    Name: Annotated[xs_string, Attribute()]
    boolValue: xs_boolean | None = None
    byteValue: xs_byte | None = None
    shortValue: xs_short | None = None
    intValue: xs_int | None = None
    physicalValue: PhysicalValueType | None = None
    stringValue: xs_string | None = None

    model = choice("boolValue", "byteValue", "shortValue", "intValue", "physicalValue", "stringValue")


class ParameterSetType(_Data, kw_only=True):
    ParameterSetID: xs_short
    Parameter: Annotated[list[ParameterType], Occurs(1, 16)]


class ServiceParameterListType(_Data, kw_only=True):
    ParameterSet: Annotated[list[ParameterSetType], Occurs(1, 255)]


class ServiceDetailRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    ServiceID: serviceIDType
    ServiceParameterList: ServiceParameterListType | None = None


class ServiceDiscoveryReq(BodyBaseType, kw_only=True):
    ServiceScope: serviceScopeType | None = None
    ServiceCategory: serviceCategoryType | None = None


class SupportedEnergyTransferModeType(_Data, kw_only=True):
    EnergyTransferMode: Annotated[list[EnergyTransferModeType], Occurs(1, 6)]


class ChargeServiceType(_Data, kw_only=True):
    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None
    FreeService: xs_boolean
    SupportedEnergyTransferMode: SupportedEnergyTransferModeType


class PaymentOptionListType(_Data, kw_only=True):
    PaymentOption: Annotated[list[paymentOptionType], Occurs(1, 2)]


class ServiceType(_Data, kw_only=True):
    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None
    FreeService: xs_boolean


class ServiceListType(_Data, kw_only=True):
    Service: Annotated[list[ServiceType], Occurs(1, 8)]


class ServiceDiscoveryRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    PaymentOptionList: PaymentOptionListType
    ChargeService: ChargeServiceType
    ServiceList: ServiceListType | None = None


class SessionSetupReq(BodyBaseType, kw_only=True):
    EVCCID: evccIDType


class SessionSetupRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEID: evseIDType
    EVSETimeStamp: xs_long | None = None


class SessionStopReq(BodyBaseType, kw_only=True):
    ChargingSession: chargingSessionType


class SessionStopRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType


class WeldingDetectionReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType


class WeldingDetectionRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType


BODY_ELEMENTS = (
    AuthorizationReq,
    AuthorizationRes,
    CableCheckReq,
    CableCheckRes,
    CertificateInstallationReq,
    CertificateInstallationRes,
    CertificateUpdateReq,
    CertificateUpdateRes,
    ChargeParameterDiscoveryReq,
    ChargeParameterDiscoveryRes,
    ChargingStatusReq,
    ChargingStatusRes,
    CurrentDemandReq,
    CurrentDemandRes,
    MeteringReceiptReq,
    MeteringReceiptRes,
    PaymentDetailsReq,
    PaymentDetailsRes,
    PaymentServiceSelectionReq,
    PaymentServiceSelectionRes,
    PowerDeliveryReq,
    PowerDeliveryRes,
    PreChargeReq,
    PreChargeRes,
    ServiceDetailReq,
    ServiceDetailRes,
    ServiceDiscoveryReq,
    ServiceDiscoveryRes,
    SessionSetupReq,
    SessionSetupRes,
    SessionStopReq,
    SessionStopRes,
    WeldingDetectionReq,
    WeldingDetectionRes,
)
AnyBodyElement = Annotated[BodyBaseType, Group("BodyElement", **{cls.__name__: cls for cls in BODY_ELEMENTS})]


class BodyType(_Body, kw_only=True):
    BodyElement: AnyBodyElement | None = None


class NotificationType(_Data, kw_only=True):
    FaultCode: faultCodeType
    FaultMsg: faultMsgType | None = None


class MessageHeaderType(_Header, kw_only=True):
    SessionID: sessionIDType
    Notification: NotificationType | None = None
    Signature: Annotated[xmldsig.SignatureType, Reference(xmldsig.NAMESPACE)] | None = None


class V2G_Message(_Message, kw_only=True):
    Header: MessageHeaderType
    Body: Annotated[BodyBaseType | None, Within(BodyType)] = None


SCHEMA = Schema(
    "iso2",
    {
        MESSAGE: {
            "V2G_Message": V2G_Message,
        },
        BODY: {
            **{cls.__name__: cls for cls in BODY_ELEMENTS},
            "BodyElement": None,
        },
        DATA: {
            "AC_EVChargeParameter": AC_EVChargeParameterType,
            "AC_EVSEChargeParameter": AC_EVSEChargeParameterType,
            "AC_EVSEStatus": AC_EVSEStatusType,
            "DC_EVChargeParameter": DC_EVChargeParameterType,
            "DC_EVPowerDeliveryParameter": DC_EVPowerDeliveryParameterType,
            "DC_EVSEChargeParameter": DC_EVSEChargeParameterType,
            "DC_EVSEStatus": DC_EVSEStatusType,
            "DC_EVStatus": DC_EVStatusType,
            "EVChargeParameter": None,
            "EVPowerDeliveryParameter": None,
            "EVSEChargeParameter": None,
            "EVSEStatus": None,
            "EVStatus": None,
            "Entry": None,
            "PMaxScheduleEntry": PMaxScheduleEntryType,
            "RelativeTimeInterval": RelativeTimeIntervalType,
            "SAScheduleList": SAScheduleListType,
            "SASchedules": None,
            "SalesTariffEntry": SalesTariffEntryType,
            "TimeInterval": None,
        },
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    ("V2G_Message",),
)
