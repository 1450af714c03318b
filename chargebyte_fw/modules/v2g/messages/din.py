"""DIN SPEC 70121 messages: `V2G_Message(Header=MessageHeaderType(SessionID=...), Body=CurrentDemandReq(...))`."""

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
    Type,
    Within,
    choice,
    xs_boolean,
    xs_byte,
    xs_IDREF,
    xs_int,
    xs_long,
    xs_short,
    xs_string,
    xs_unsignedByte,
    xs_unsignedInt,
)

MESSAGE = "urn:din:70121:2012:MsgDef"
HEADER = "urn:din:70121:2012:MsgHeader"
BODY = "urn:din:70121:2012:MsgBody"
DATA = "urn:din:70121:2012:MsgDataTypes"


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


class EVRequestedEnergyTransferType(StrEnum):
    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"


class EVSENotificationType(StrEnum):
    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class EVSEProcessingType(StrEnum):
    Finished = "Finished"
    Ongoing = "Ongoing"


class EVSESupportedEnergyTransferType(StrEnum):
    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_dual = "DC_dual"
    AC_core1p_DC_extended = "AC_core1p_DC_extended"
    AC_single_DC_core = "AC_single_DC_core"
    AC_single_phase_three_phase_core_DC_extended = "AC_single_phase_three_phase_core_DC_extended"
    AC_core3p_DC_extended = "AC_core3p_DC_extended"


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
    FAILED_EVSEPresentVoltageToLow = "FAILED_EVSEPresentVoltageToLow"
    FAILED_MeteringSignatureNotValid = "FAILED_MeteringSignatureNotValid"
    FAILED_WrongEnergyTransferType = "FAILED_WrongEnergyTransferType"


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
    Ah = "Ah"
    V = "V"
    VA = "VA"
    W = "W"
    W_s = "W/s"
    Wh = "Wh"


class valueType(StrEnum):
    bool = "bool"
    byte = "byte"
    short = "short"
    int = "int"
    physicalValue = "physicalValue"
    string = "string"


PMaxType = Annotated[int, Coding("int", low=-32768, high=32767)]
SAIDType = Annotated[int, Coding("int", low=-32768, high=32767)]
certificateType = Annotated[bytes, Coding("bin", longest=1200)]
contractIDType = Annotated[str, Coding("string", longest=24)]
dHParamsType = Annotated[bytes, Coding("bin", longest=256)]
evccIDType = Annotated[bytes, Coding("bin", longest=8, text="hex")]
evseIDType = Annotated[bytes, Coding("bin", longest=32, text="hex")]
faultMsgType = Annotated[str, Coding("string", longest=64)]
genChallengeType = Annotated[str, Coding("string")]
meterIDType = Annotated[str, Coding("string", longest=32)]
meterStatusType = Annotated[int, Coding("int", low=-32768, high=32767)]
percentValueType = Annotated[int, Coding("nbit", 7, low=0, high=100)]
privateKeyType = Annotated[bytes, Coding("bin", longest=128)]
rootCertificateIDType = Annotated[str, Coding("string", longest=40)]
serviceIDType = Annotated[int, Coding("uint", low=0, high=65535)]
serviceNameType = Annotated[str, Coding("string", longest=32)]
serviceScopeType = Annotated[str, Coding("string", longest=32)]
sessionIDType = Annotated[bytes, Coding("bin", longest=8, text="hex")]
sigMeterReadingType = Annotated[bytes, Coding("bin", longest=32)]
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


class DC_EVStatusType(_Data, kw_only=True):
    EVReady: xs_boolean
    EVCabinConditioning: xs_boolean | None = None
    EVRESSConditioning: xs_boolean | None = None
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType


class CableCheckReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType


class DC_EVSEStatusType(_Data, kw_only=True):
    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType
    NotificationMaxDelay: xs_unsignedInt
    EVSENotification: EVSENotificationType


class CableCheckRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEProcessing: EVSEProcessingType


class ListOfRootCertificateIDsType(_Data, kw_only=True):
    RootCertificateID: Annotated[list[rootCertificateIDType], Occurs(1, None)]


class CertificateInstallationReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()] | None = None
    OEMProvisioningCert: certificateType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType
    DHParams: dHParamsType


class SubCertificatesType(_Data, kw_only=True):
    Certificate: Annotated[list[certificateType], Occurs(1, None)]


class CertificateChainType(_Data, kw_only=True):
    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class CertificateInstallationRes(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()]
    ResponseCode: responseCodeType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: privateKeyType
    DHParams: dHParamsType
    ContractID: contractIDType


class CertificateUpdateReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()] | None = None
    ContractSignatureCertChain: CertificateChainType
    ContractID: contractIDType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType
    DHParams: dHParamsType


class CertificateUpdateRes(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()]
    ResponseCode: responseCodeType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: privateKeyType
    DHParams: dHParamsType
    ContractID: contractIDType
    RetryCounter: xs_short


class PhysicalValueType(_Data, kw_only=True):
    Multiplier: unitMultiplierType
    Unit: unitSymbolType | None = None
    Value: xs_short


class AC_EVChargeParameterType(_Data, kw_only=True):
    DepartureTime: xs_unsignedInt
    EAmount: PhysicalValueType
    EVMaxVoltage: PhysicalValueType
    EVMaxCurrent: PhysicalValueType
    EVMinCurrent: PhysicalValueType


class DC_EVChargeParameterType(_Data, kw_only=True):
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
    EVRequestedEnergyTransferType: EVRequestedEnergyTransferType
    EVChargeParameter: AnyEVChargeParameter


class AC_EVSEStatusType(_Data, kw_only=True):
    PowerSwitchClosed: xs_boolean
    RCD: xs_boolean
    NotificationMaxDelay: xs_unsignedInt
    EVSENotification: EVSENotificationType


class AC_EVSEChargeParameterType(_Data, kw_only=True):
    AC_EVSEStatus: AC_EVSEStatusType
    EVSEMaxVoltage: PhysicalValueType
    EVSEMaxCurrent: PhysicalValueType
    EVSEMinCurrent: PhysicalValueType


class DC_EVSEChargeParameterType(_Data, kw_only=True):
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEMaximumCurrentLimit: PhysicalValueType
    EVSEMaximumPowerLimit: PhysicalValueType | None = None
    EVSEMaximumVoltageLimit: PhysicalValueType
    EVSEMinimumCurrentLimit: PhysicalValueType
    EVSEMinimumVoltageLimit: PhysicalValueType
    EVSECurrentRegulationTolerance: PhysicalValueType | None = None
    EVSEPeakCurrentRipple: PhysicalValueType
    EVSEEnergyToBeDelivered: PhysicalValueType | None = None


class RelativeTimeIntervalType(_Data, kw_only=True):
    start: xs_unsignedInt
    duration: xs_unsignedInt | None = None


AnyTimeInterval = Annotated[
    RelativeTimeIntervalType, Group("TimeInterval", RelativeTimeInterval=RelativeTimeIntervalType)
]


class PMaxScheduleEntryType(_Data, kw_only=True):
    TimeInterval: AnyTimeInterval
    PMax: PMaxType


class PMaxScheduleType(_Data, kw_only=True):
    PMaxScheduleID: SAIDType
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntryType], Occurs(1, None)]


class CostType(_Data, kw_only=True):
    costKind: costKindType
    amount: xs_unsignedInt
    amountMultiplier: unitMultiplierType | None = None


class ConsumptionCostType(_Data, kw_only=True):
    startValue: xs_unsignedInt
    Cost: Annotated[list[CostType], Occurs(0, None)] = []


class SalesTariffEntryType(_Data, kw_only=True):
    TimeInterval: AnyTimeInterval
    EPriceLevel: xs_unsignedByte
    ConsumptionCost: Annotated[list[ConsumptionCostType], Occurs(0, None)] = []


class SalesTariffType(_Data, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()]
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: xs_unsignedByte
    SalesTariffEntry: Annotated[list[SalesTariffEntryType], Occurs(1, None)]


class SAScheduleTupleType(_Data, kw_only=True):
    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleListType(_Data, kw_only=True):
    SAScheduleTuple: Annotated[list[SAScheduleTupleType], Occurs(1, None)]


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
    SASchedules: AnySASchedules
    EVSEChargeParameter: AnyEVSEChargeParameter


class ChargingStatusReq(BodyBaseType, kw_only=True):
    pass


class MeterInfoType(_Data, kw_only=True):
    MeterID: meterIDType
    MeterReading: PhysicalValueType | None = None
    SigMeterReading: sigMeterReadingType | None = None
    MeterStatus: meterStatusType | None = None
    TMeter: xs_long | None = None


class ChargingStatusRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEID: evseIDType
    SAScheduleTupleID: SAIDType
    EVSEMaxCurrent: PhysicalValueType | None = None
    MeterInfo: MeterInfoType | None = None
    ReceiptRequired: xs_boolean
    AC_EVSEStatus: AC_EVSEStatusType


class ContractAuthenticationReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()] | None = None
    GenChallenge: genChallengeType | None = None


class ContractAuthenticationRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEProcessing: EVSEProcessingType


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


class MeteringReceiptReq(BodyBaseType, kw_only=True):
    Id: Annotated[xs_IDREF, Attribute()] | None = None
    SessionID: sessionIDType
    SAScheduleTupleID: SAIDType | None = None
    MeterInfo: MeterInfoType


class MeteringReceiptRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    AC_EVSEStatus: AC_EVSEStatusType


class PaymentDetailsReq(BodyBaseType, kw_only=True):
    ContractID: contractIDType
    ContractSignatureCertChain: CertificateChainType


class PaymentDetailsRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    GenChallenge: genChallengeType
    DateTimeNow: xs_long


class ProfileEntryType(_Data, kw_only=True):
    ChargingProfileEntryStart: xs_unsignedInt
    ChargingProfileEntryMaxPower: PMaxType


class ChargingProfileType(_Data, kw_only=True):
    SAScheduleTupleID: SAIDType
    ProfileEntry: Annotated[list[ProfileEntryType], Occurs(1, None)]


class DC_EVPowerDeliveryParameterType(_Data, kw_only=True):
    DC_EVStatus: DC_EVStatusType
    BulkChargingComplete: xs_boolean | None = None
    ChargingComplete: xs_boolean


AnyEVPowerDeliveryParameter = Annotated[
    DC_EVPowerDeliveryParameterType,
    Group("EVPowerDeliveryParameter", DC_EVPowerDeliveryParameter=DC_EVPowerDeliveryParameterType),
]


class PowerDeliveryReq(BodyBaseType, kw_only=True):
    ReadyToChargeState: xs_boolean
    ChargingProfile: ChargingProfileType | None = None
    EVPowerDeliveryParameter: AnyEVPowerDeliveryParameter | None = None


AnyEVSEStatus = Annotated[
    AC_EVSEStatusType | DC_EVSEStatusType,
    Group("EVSEStatus", AC_EVSEStatus=AC_EVSEStatusType, DC_EVSEStatus=DC_EVSEStatusType),
]


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
    ValueType: Annotated[valueType, Attribute()]
    boolValue: xs_boolean | None = None
    byteValue: xs_byte | None = None
    shortValue: xs_short | None = None
    intValue: xs_int | None = None
    physicalValue: PhysicalValueType | None = None
    stringValue: xs_string | None = None

    model = choice("boolValue", "byteValue", "shortValue", "intValue", "physicalValue", "stringValue")


class ParameterSetType(_Data, kw_only=True):
    ParameterSetID: xs_short
    Parameter: Annotated[list[ParameterType], Occurs(1, None)]


class ServiceParameterListType(_Data, kw_only=True):
    ParameterSet: Annotated[list[ParameterSetType], Occurs(1, None)]


class ServiceDetailRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    ServiceID: serviceIDType
    ServiceParameterList: ServiceParameterListType | None = None


class ServiceDiscoveryReq(BodyBaseType, kw_only=True):
    ServiceScope: serviceScopeType | None = None
    ServiceCategory: serviceCategoryType | None = None


class PaymentOptionsType(_Data, kw_only=True):
    PaymentOption: Annotated[list[paymentOptionType], Occurs(1, None)]


class ServiceTagType(_Data, kw_only=True):
    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None


class ServiceChargeType(_Data, kw_only=True):
    ServiceTag: ServiceTagType
    FreeService: xs_boolean
    EnergyTransferType: EVSESupportedEnergyTransferType


class ServiceType(_Data, kw_only=True):
    ServiceTag: ServiceTagType
    FreeService: xs_boolean


class ServiceTagListType(_Data, kw_only=True):
    Service: Annotated[list[ServiceType], Occurs(1, None)]


class ServiceDiscoveryRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    PaymentOptions: PaymentOptionsType
    ChargeService: ServiceChargeType
    ServiceList: ServiceTagListType | None = None


class SelectedServiceType(_Data, kw_only=True):
    ServiceID: serviceIDType
    ParameterSetID: xs_short | None = None


class SelectedServiceListType(_Data, kw_only=True):
    SelectedService: Annotated[list[SelectedServiceType], Occurs(1, None)]


class ServicePaymentSelectionReq(BodyBaseType, kw_only=True):
    SelectedPaymentOption: paymentOptionType
    SelectedServiceList: SelectedServiceListType


class ServicePaymentSelectionRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType


class SessionSetupReq(BodyBaseType, kw_only=True):
    EVCCID: evccIDType


class SessionSetupRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    EVSEID: evseIDType
    DateTimeNow: xs_long | None = None


class SessionStopRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType


class SessionStopReq(BodyBaseType, kw_only=True):
    pass


class WeldingDetectionReq(BodyBaseType, kw_only=True):
    DC_EVStatus: DC_EVStatusType


class WeldingDetectionRes(BodyBaseType, kw_only=True):
    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType


BODY_ELEMENTS = (
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
    ContractAuthenticationReq,
    ContractAuthenticationRes,
    CurrentDemandReq,
    CurrentDemandRes,
    MeteringReceiptReq,
    MeteringReceiptRes,
    PaymentDetailsReq,
    PaymentDetailsRes,
    PowerDeliveryReq,
    PowerDeliveryRes,
    PreChargeReq,
    PreChargeRes,
    ServiceDetailReq,
    ServiceDetailRes,
    ServiceDiscoveryReq,
    ServiceDiscoveryRes,
    ServicePaymentSelectionReq,
    ServicePaymentSelectionRes,
    SessionSetupReq,
    SessionSetupRes,
    SessionStopReq,
    SessionStopRes,
    WeldingDetectionReq,
    WeldingDetectionRes,
)
AnyBodyElement = Annotated[BodyBaseType, Group("BodyElement", **{cls.__name__: cls for cls in BODY_ELEMENTS})]


class BodyType(_Message, kw_only=True):
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
    "din",
    {
        MESSAGE: {
            "BodyElement": None,
            "V2G_Message": V2G_Message,
        },
        BODY: {
            **{cls.__name__: cls for cls in BODY_ELEMENTS},
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
            "ServiceCharge": ServiceChargeType,
            "TimeInterval": None,
        },
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    ("V2G_Message",),
)
