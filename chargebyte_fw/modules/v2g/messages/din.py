"""DIN SPEC 70121 messages: `V2G_Message(Header=..., Body=BodyType(BodyElement=...))`."""

from enum import StrEnum
from typing import Annotated, Any

from chargebyte_fw.modules.v2g.messages import xmldsig
from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Document,
    Group,
    Irregular,
    Occurs,
    Type,
    choice,
    element,
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


class DC_EVErrorCodeType(StrEnum):
    """Values of `DC_EVErrorCodeType`, in code order."""

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
    """Values of `DC_EVSEStatusCodeType`, in code order."""

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
    """Values of `EVRequestedEnergyTransferType`, in code order."""

    AC_single_phase_core = "AC_single_phase_core"
    AC_three_phase_core = "AC_three_phase_core"
    DC_core = "DC_core"
    DC_extended = "DC_extended"
    DC_combo_core = "DC_combo_core"
    DC_unique = "DC_unique"


class EVSENotificationType(StrEnum):
    """Values of `EVSENotificationType`, in code order."""

    None_ = "None"
    StopCharging = "StopCharging"
    ReNegotiation = "ReNegotiation"


class EVSEProcessingType(StrEnum):
    """Values of `EVSEProcessingType`, in code order."""

    Finished = "Finished"
    Ongoing = "Ongoing"


class EVSESupportedEnergyTransferType(StrEnum):
    """Values of `EVSESupportedEnergyTransferType`, in code order."""

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
    """Values of `costKindType`, in code order."""

    relativePricePercentage = "relativePricePercentage"
    RenewableGenerationPercentage = "RenewableGenerationPercentage"
    CarbonDioxideEmission = "CarbonDioxideEmission"


class faultCodeType(StrEnum):
    """Values of `faultCodeType`, in code order."""

    ParsingError = "ParsingError"
    NoTLSRootCertificatAvailable = "NoTLSRootCertificatAvailable"
    UnknownError = "UnknownError"


class isolationLevelType(StrEnum):
    """Values of `isolationLevelType`, in code order."""

    Invalid = "Invalid"
    Valid = "Valid"
    Warning = "Warning"
    Fault = "Fault"


class paymentOptionType(StrEnum):
    """Values of `paymentOptionType`, in code order."""

    Contract = "Contract"
    ExternalPayment = "ExternalPayment"


class responseCodeType(StrEnum):
    """Values of `responseCodeType`, in code order."""

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
    """Values of `serviceCategoryType`, in code order."""

    EVCharging = "EVCharging"
    Internet = "Internet"
    ContractCertificate = "ContractCertificate"
    OtherCustom = "OtherCustom"


class unitSymbolType(StrEnum):
    """Values of `unitSymbolType`, in code order."""

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
    """Values of `valueType`, in code order."""

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
evccIDType = Annotated[bytes, Coding("bin", longest=8)]
evseIDType = Annotated[bytes, Coding("bin", longest=32)]
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
sessionIDType = Annotated[bytes, Coding("bin", longest=8)]
sigMeterReadingType = Annotated[bytes, Coding("bin", longest=32)]
tariffDescriptionType = Annotated[str, Coding("string", longest=32)]
unitMultiplierType = Annotated[int, Coding("nbit", 3, low=-3, high=3)]


class DC_EVStatusType(Type, kw_only=True):
    """Wire type `DC_EVStatusType`."""

    EVReady: xs_boolean
    EVCabinConditioning: xs_boolean | None = None
    EVRESSConditioning: xs_boolean | None = None
    EVErrorCode: DC_EVErrorCodeType
    EVRESSSOC: percentValueType


class CableCheckReq(Type, kw_only=True):
    """Wire type `CableCheckReqType`."""

    DC_EVStatus: DC_EVStatusType


class DC_EVSEStatusType(Type, kw_only=True):
    """Wire type `DC_EVSEStatusType`."""

    EVSEIsolationStatus: isolationLevelType | None = None
    EVSEStatusCode: DC_EVSEStatusCodeType
    NotificationMaxDelay: xs_unsignedInt
    EVSENotification: EVSENotificationType


class CableCheckRes(Type, kw_only=True):
    """Wire type `CableCheckResType`."""

    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEProcessing: EVSEProcessingType


class ListOfRootCertificateIDsType(Type, kw_only=True):
    """Wire type `ListOfRootCertificateIDsType`."""

    RootCertificateID: Annotated[list[rootCertificateIDType], Occurs(1, None)]


class CertificateInstallationReq(Type, kw_only=True):
    """Wire type `CertificateInstallationReqType`."""

    Id: Annotated[xs_IDREF, Attribute()] | None = None
    OEMProvisioningCert: certificateType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType
    DHParams: dHParamsType


class SubCertificatesType(Type, kw_only=True):
    """Wire type `SubCertificatesType`."""

    Certificate: Annotated[list[certificateType], Occurs(1, None)]


class CertificateChainType(Type, kw_only=True):
    """Wire type `CertificateChainType`."""

    Certificate: certificateType
    SubCertificates: SubCertificatesType | None = None


class CertificateInstallationRes(Type, kw_only=True):
    """Wire type `CertificateInstallationResType`."""

    Id: Annotated[xs_IDREF, Attribute()]
    ResponseCode: responseCodeType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: privateKeyType
    DHParams: dHParamsType
    ContractID: contractIDType


class CertificateUpdateReq(Type, kw_only=True):
    """Wire type `CertificateUpdateReqType`."""

    Id: Annotated[xs_IDREF, Attribute()] | None = None
    ContractSignatureCertChain: CertificateChainType
    ContractID: contractIDType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType
    DHParams: dHParamsType


class CertificateUpdateRes(Type, kw_only=True):
    """Wire type `CertificateUpdateResType`."""

    Id: Annotated[xs_IDREF, Attribute()]
    ResponseCode: responseCodeType
    ContractSignatureCertChain: CertificateChainType
    ContractSignatureEncryptedPrivateKey: privateKeyType
    DHParams: dHParamsType
    ContractID: contractIDType
    RetryCounter: xs_short


class PhysicalValueType(Type, kw_only=True):
    """Wire type `PhysicalValueType`."""

    Multiplier: unitMultiplierType
    Unit: unitSymbolType | None = None
    Value: xs_short


class AC_EVChargeParameterType(Type, kw_only=True):
    """Wire type `AC_EVChargeParameterType`."""

    DepartureTime: xs_unsignedInt
    EAmount: PhysicalValueType
    EVMaxVoltage: PhysicalValueType
    EVMaxCurrent: PhysicalValueType
    EVMinCurrent: PhysicalValueType


class DC_EVChargeParameterType(Type, kw_only=True):
    """Wire type `DC_EVChargeParameterType`."""

    DC_EVStatus: DC_EVStatusType
    EVMaximumCurrentLimit: PhysicalValueType
    EVMaximumPowerLimit: PhysicalValueType | None = None
    EVMaximumVoltageLimit: PhysicalValueType
    EVEnergyCapacity: PhysicalValueType | None = None
    EVEnergyRequest: PhysicalValueType | None = None
    FullSOC: percentValueType | None = None
    BulkSOC: percentValueType | None = None


class ChargeParameterDiscoveryReq(Type, kw_only=True):
    """Wire type `ChargeParameterDiscoveryReqType`."""

    EVRequestedEnergyTransferType: EVRequestedEnergyTransferType
    EVChargeParameter: Annotated[
        AC_EVChargeParameterType | DC_EVChargeParameterType,
        Group(
            (
                "AC_EVChargeParameter",
                "DC_EVChargeParameter",
                "EVChargeParameter",
            ),
            {"AC_EVChargeParameter": AC_EVChargeParameterType, "DC_EVChargeParameter": DC_EVChargeParameterType},
        ),
    ]


class AC_EVSEStatusType(Type, kw_only=True):
    """Wire type `AC_EVSEStatusType`."""

    PowerSwitchClosed: xs_boolean
    RCD: xs_boolean
    NotificationMaxDelay: xs_unsignedInt
    EVSENotification: EVSENotificationType


class AC_EVSEChargeParameterType(Type, kw_only=True):
    """Wire type `AC_EVSEChargeParameterType`."""

    AC_EVSEStatus: AC_EVSEStatusType
    EVSEMaxVoltage: PhysicalValueType
    EVSEMaxCurrent: PhysicalValueType
    EVSEMinCurrent: PhysicalValueType


class DC_EVSEChargeParameterType(Type, kw_only=True):
    """Wire type `DC_EVSEChargeParameterType`."""

    DC_EVSEStatus: DC_EVSEStatusType
    EVSEMaximumCurrentLimit: PhysicalValueType
    EVSEMaximumPowerLimit: PhysicalValueType | None = None
    EVSEMaximumVoltageLimit: PhysicalValueType
    EVSEMinimumCurrentLimit: PhysicalValueType
    EVSEMinimumVoltageLimit: PhysicalValueType
    EVSECurrentRegulationTolerance: PhysicalValueType | None = None
    EVSEPeakCurrentRipple: PhysicalValueType
    EVSEEnergyToBeDelivered: PhysicalValueType | None = None


class RelativeTimeIntervalType(Type, kw_only=True):
    """Wire type `RelativeTimeIntervalType`."""

    start: xs_unsignedInt
    duration: xs_unsignedInt | None = None


class PMaxScheduleEntryType(Type, kw_only=True):
    """Wire type `PMaxScheduleEntryType`."""

    TimeInterval: Annotated[
        RelativeTimeIntervalType,
        Group(
            (
                "RelativeTimeInterval",
                "TimeInterval",
            ),
            {"RelativeTimeInterval": RelativeTimeIntervalType},
        ),
    ]
    PMax: PMaxType


class PMaxScheduleType(Type, kw_only=True):
    """Wire type `PMaxScheduleType`."""

    PMaxScheduleID: SAIDType
    PMaxScheduleEntry: Annotated[list[PMaxScheduleEntryType], Occurs(1, None)]


class CostType(Type, kw_only=True):
    """Wire type `CostType`."""

    costKind: costKindType
    amount: xs_unsignedInt
    amountMultiplier: unitMultiplierType | None = None


class ConsumptionCostType(Type, kw_only=True):
    """Wire type `ConsumptionCostType`."""

    startValue: xs_unsignedInt
    Cost: Annotated[list[CostType], Occurs(0, None)] = []


class SalesTariffEntryType(Type, kw_only=True):
    """Wire type `SalesTariffEntryType`."""

    TimeInterval: Annotated[
        RelativeTimeIntervalType,
        Group(
            (
                "RelativeTimeInterval",
                "TimeInterval",
            ),
            {"RelativeTimeInterval": RelativeTimeIntervalType},
        ),
    ]
    EPriceLevel: xs_unsignedByte
    ConsumptionCost: Annotated[list[ConsumptionCostType], Occurs(0, None)] = []


class SalesTariffType(Type, kw_only=True):
    """Wire type `SalesTariffType`."""

    Id: Annotated[xs_IDREF, Attribute()]
    SalesTariffID: SAIDType
    SalesTariffDescription: tariffDescriptionType | None = None
    NumEPriceLevels: xs_unsignedByte
    SalesTariffEntry: Annotated[list[SalesTariffEntryType], Occurs(1, None)]


class SAScheduleTupleType(Type, kw_only=True):
    """Wire type `SAScheduleTupleType`."""

    SAScheduleTupleID: SAIDType
    PMaxSchedule: PMaxScheduleType
    SalesTariff: SalesTariffType | None = None


class SAScheduleListType(Type, kw_only=True):
    """Wire type `SAScheduleListType`."""

    SAScheduleTuple: Annotated[list[SAScheduleTupleType], Occurs(1, None)]


class ChargeParameterDiscoveryRes(Type, kw_only=True):
    """Wire type `ChargeParameterDiscoveryResType`."""

    ResponseCode: responseCodeType
    EVSEProcessing: EVSEProcessingType
    SASchedules: Annotated[
        SAScheduleListType,
        Group(
            (
                "SAScheduleList",
                "SASchedules",
            ),
            {"SAScheduleList": SAScheduleListType},
        ),
    ]
    EVSEChargeParameter: Annotated[
        AC_EVSEChargeParameterType | DC_EVSEChargeParameterType,
        Group(
            (
                "AC_EVSEChargeParameter",
                "DC_EVSEChargeParameter",
                "EVSEChargeParameter",
            ),
            {
                "AC_EVSEChargeParameter": AC_EVSEChargeParameterType,
                "DC_EVSEChargeParameter": DC_EVSEChargeParameterType,
            },
        ),
    ]


class ChargingStatusReq(Type, kw_only=True):
    """Wire type `ChargingStatusReqType`."""


class MeterInfoType(Type, kw_only=True):
    """Wire type `MeterInfoType`."""

    MeterID: meterIDType
    MeterReading: PhysicalValueType | None = None
    SigMeterReading: sigMeterReadingType | None = None
    MeterStatus: meterStatusType | None = None
    TMeter: xs_long | None = None


class ChargingStatusRes(Type, kw_only=True):
    """Wire type `ChargingStatusResType`."""

    ResponseCode: responseCodeType
    EVSEID: evseIDType
    SAScheduleTupleID: SAIDType
    EVSEMaxCurrent: PhysicalValueType | None = None
    MeterInfo: MeterInfoType | None = None
    ReceiptRequired: xs_boolean
    AC_EVSEStatus: AC_EVSEStatusType


class ContractAuthenticationReq(Type, kw_only=True):
    """Wire type `ContractAuthenticationReqType`."""

    Id: Annotated[xs_IDREF, Attribute()] | None = None
    GenChallenge: genChallengeType | None = None


class ContractAuthenticationRes(Type, kw_only=True):
    """Wire type `ContractAuthenticationResType`."""

    ResponseCode: responseCodeType
    EVSEProcessing: EVSEProcessingType


class CurrentDemandReq(Type, kw_only=True):
    """Wire type `CurrentDemandReqType`."""

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


class CurrentDemandRes(Type, kw_only=True):
    """Wire type `CurrentDemandResType`."""

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


class MeteringReceiptReq(Type, kw_only=True):
    """Wire type `MeteringReceiptReqType`."""

    Id: Annotated[xs_IDREF, Attribute()] | None = None
    SessionID: sessionIDType
    SAScheduleTupleID: SAIDType | None = None
    MeterInfo: MeterInfoType


class MeteringReceiptRes(Type, kw_only=True):
    """Wire type `MeteringReceiptResType`."""

    ResponseCode: responseCodeType
    AC_EVSEStatus: AC_EVSEStatusType


class PaymentDetailsReq(Type, kw_only=True):
    """Wire type `PaymentDetailsReqType`."""

    ContractID: contractIDType
    ContractSignatureCertChain: CertificateChainType


class PaymentDetailsRes(Type, kw_only=True):
    """Wire type `PaymentDetailsResType`."""

    ResponseCode: responseCodeType
    GenChallenge: genChallengeType
    DateTimeNow: xs_long


class ProfileEntryType(Type, kw_only=True):
    """Wire type `ProfileEntryType`."""

    ChargingProfileEntryStart: xs_unsignedInt
    ChargingProfileEntryMaxPower: PMaxType


class ChargingProfileType(Type, kw_only=True):
    """Wire type `ChargingProfileType`."""

    SAScheduleTupleID: SAIDType
    ProfileEntry: Annotated[list[ProfileEntryType], Occurs(1, None)]


class DC_EVPowerDeliveryParameterType(Type, kw_only=True):
    """Wire type `DC_EVPowerDeliveryParameterType`."""

    DC_EVStatus: DC_EVStatusType
    BulkChargingComplete: xs_boolean | None = None
    ChargingComplete: xs_boolean


class PowerDeliveryReq(Type, kw_only=True):
    """Wire type `PowerDeliveryReqType`."""

    ReadyToChargeState: xs_boolean
    ChargingProfile: ChargingProfileType | None = None
    EVPowerDeliveryParameter: (
        Annotated[
            DC_EVPowerDeliveryParameterType,
            Group(
                (
                    "DC_EVPowerDeliveryParameter",
                    "EVPowerDeliveryParameter",
                ),
                {"DC_EVPowerDeliveryParameter": DC_EVPowerDeliveryParameterType},
            ),
        ]
        | None
    ) = None


class PowerDeliveryRes(Type, kw_only=True):
    """Wire type `PowerDeliveryResType`."""

    ResponseCode: responseCodeType
    EVSEStatus: Annotated[
        AC_EVSEStatusType | DC_EVSEStatusType,
        Group(
            (
                "AC_EVSEStatus",
                "DC_EVSEStatus",
                "EVSEStatus",
            ),
            {"AC_EVSEStatus": AC_EVSEStatusType, "DC_EVSEStatus": DC_EVSEStatusType},
        ),
    ]


class PreChargeReq(Type, kw_only=True):
    """Wire type `PreChargeReqType`."""

    DC_EVStatus: DC_EVStatusType
    EVTargetVoltage: PhysicalValueType
    EVTargetCurrent: PhysicalValueType


class PreChargeRes(Type, kw_only=True):
    """Wire type `PreChargeResType`."""

    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType


class ServiceDetailReq(Type, kw_only=True):
    """Wire type `ServiceDetailReqType`."""

    ServiceID: serviceIDType


class ParameterType(Irregular, kw_only=True):
    """Wire type `ParameterType`."""

    Name: Annotated[xs_string, Attribute()]
    ValueType: Annotated[valueType, Attribute()]
    content: list[tuple[str, Any]] = []
    particles = choice(
        element("boolValue", xs_boolean),
        element("byteValue", xs_byte),
        element("shortValue", xs_short),
        element("intValue", xs_int),
        element("physicalValue", PhysicalValueType),
        element("stringValue", xs_string),
    )


class ParameterSetType(Type, kw_only=True):
    """Wire type `ParameterSetType`."""

    ParameterSetID: xs_short
    Parameter: Annotated[list[ParameterType], Occurs(1, None)]


class ServiceParameterListType(Type, kw_only=True):
    """Wire type `ServiceParameterListType`."""

    ParameterSet: Annotated[list[ParameterSetType], Occurs(1, None)]


class ServiceDetailRes(Type, kw_only=True):
    """Wire type `ServiceDetailResType`."""

    ResponseCode: responseCodeType
    ServiceID: serviceIDType
    ServiceParameterList: ServiceParameterListType | None = None


class ServiceDiscoveryReq(Type, kw_only=True):
    """Wire type `ServiceDiscoveryReqType`."""

    ServiceScope: serviceScopeType | None = None
    ServiceCategory: serviceCategoryType | None = None


class PaymentOptionsType(Type, kw_only=True):
    """Wire type `PaymentOptionsType`."""

    PaymentOption: Annotated[list[paymentOptionType], Occurs(1, None)]


class ServiceTagType(Type, kw_only=True):
    """Wire type `ServiceTagType`."""

    ServiceID: serviceIDType
    ServiceName: serviceNameType | None = None
    ServiceCategory: serviceCategoryType
    ServiceScope: serviceScopeType | None = None


class ServiceChargeType(Type, kw_only=True):
    """Wire type `ServiceChargeType`."""

    ServiceTag: ServiceTagType
    FreeService: xs_boolean
    EnergyTransferType: EVSESupportedEnergyTransferType


class ServiceType(Type, kw_only=True):
    """Wire type `ServiceType`."""

    ServiceTag: ServiceTagType
    FreeService: xs_boolean


class ServiceTagListType(Type, kw_only=True):
    """Wire type `ServiceTagListType`."""

    Service: Annotated[list[ServiceType], Occurs(1, None)]


class ServiceDiscoveryRes(Type, kw_only=True):
    """Wire type `ServiceDiscoveryResType`."""

    ResponseCode: responseCodeType
    PaymentOptions: PaymentOptionsType
    ChargeService: ServiceChargeType
    ServiceList: ServiceTagListType | None = None


class SelectedServiceType(Type, kw_only=True):
    """Wire type `SelectedServiceType`."""

    ServiceID: serviceIDType
    ParameterSetID: xs_short | None = None


class SelectedServiceListType(Type, kw_only=True):
    """Wire type `SelectedServiceListType`."""

    SelectedService: Annotated[list[SelectedServiceType], Occurs(1, None)]


class ServicePaymentSelectionReq(Type, kw_only=True):
    """Wire type `ServicePaymentSelectionReqType`."""

    SelectedPaymentOption: paymentOptionType
    SelectedServiceList: SelectedServiceListType


class ServicePaymentSelectionRes(Type, kw_only=True):
    """Wire type `ServicePaymentSelectionResType`."""

    ResponseCode: responseCodeType


class SessionSetupReq(Type, kw_only=True):
    """Wire type `SessionSetupReqType`."""

    EVCCID: evccIDType


class SessionSetupRes(Type, kw_only=True):
    """Wire type `SessionSetupResType`."""

    ResponseCode: responseCodeType
    EVSEID: evseIDType
    DateTimeNow: xs_long | None = None


class SessionStopRes(Type, kw_only=True):
    """Wire type `SessionStopResType`."""

    ResponseCode: responseCodeType


class SessionStopType(Type, kw_only=True):
    """Wire type `SessionStopType`."""


class WeldingDetectionReq(Type, kw_only=True):
    """Wire type `WeldingDetectionReqType`."""

    DC_EVStatus: DC_EVStatusType


class WeldingDetectionRes(Type, kw_only=True):
    """Wire type `WeldingDetectionResType`."""

    ResponseCode: responseCodeType
    DC_EVSEStatus: DC_EVSEStatusType
    EVSEPresentVoltage: PhysicalValueType


class BodyType(Type, kw_only=True):
    """Wire type `BodyType`."""

    BodyElement: (
        Annotated[
            Type,
            Group(
                (
                    "BodyElement",
                    "CableCheckReq",
                    "CableCheckRes",
                    "CertificateInstallationReq",
                    "CertificateInstallationRes",
                    "CertificateUpdateReq",
                    "CertificateUpdateRes",
                    "ChargeParameterDiscoveryReq",
                    "ChargeParameterDiscoveryRes",
                    "ChargingStatusReq",
                    "ChargingStatusRes",
                    "ContractAuthenticationReq",
                    "ContractAuthenticationRes",
                    "CurrentDemandReq",
                    "CurrentDemandRes",
                    "MeteringReceiptReq",
                    "MeteringReceiptRes",
                    "PaymentDetailsReq",
                    "PaymentDetailsRes",
                    "PowerDeliveryReq",
                    "PowerDeliveryRes",
                    "PreChargeReq",
                    "PreChargeRes",
                    "ServiceDetailReq",
                    "ServiceDetailRes",
                    "ServiceDiscoveryReq",
                    "ServiceDiscoveryRes",
                    "ServicePaymentSelectionReq",
                    "ServicePaymentSelectionRes",
                    "SessionSetupReq",
                    "SessionSetupRes",
                    "SessionStopReq",
                    "SessionStopRes",
                    "WeldingDetectionReq",
                    "WeldingDetectionRes",
                ),
                {
                    "CableCheckReq": CableCheckReq,
                    "CableCheckRes": CableCheckRes,
                    "CertificateInstallationReq": CertificateInstallationReq,
                    "CertificateInstallationRes": CertificateInstallationRes,
                    "CertificateUpdateReq": CertificateUpdateReq,
                    "CertificateUpdateRes": CertificateUpdateRes,
                    "ChargeParameterDiscoveryReq": ChargeParameterDiscoveryReq,
                    "ChargeParameterDiscoveryRes": ChargeParameterDiscoveryRes,
                    "ChargingStatusReq": ChargingStatusReq,
                    "ChargingStatusRes": ChargingStatusRes,
                    "ContractAuthenticationReq": ContractAuthenticationReq,
                    "ContractAuthenticationRes": ContractAuthenticationRes,
                    "CurrentDemandReq": CurrentDemandReq,
                    "CurrentDemandRes": CurrentDemandRes,
                    "MeteringReceiptReq": MeteringReceiptReq,
                    "MeteringReceiptRes": MeteringReceiptRes,
                    "PaymentDetailsReq": PaymentDetailsReq,
                    "PaymentDetailsRes": PaymentDetailsRes,
                    "PowerDeliveryReq": PowerDeliveryReq,
                    "PowerDeliveryRes": PowerDeliveryRes,
                    "PreChargeReq": PreChargeReq,
                    "PreChargeRes": PreChargeRes,
                    "ServiceDetailReq": ServiceDetailReq,
                    "ServiceDetailRes": ServiceDetailRes,
                    "ServiceDiscoveryReq": ServiceDiscoveryReq,
                    "ServiceDiscoveryRes": ServiceDiscoveryRes,
                    "ServicePaymentSelectionReq": ServicePaymentSelectionReq,
                    "ServicePaymentSelectionRes": ServicePaymentSelectionRes,
                    "SessionSetupReq": SessionSetupReq,
                    "SessionSetupRes": SessionSetupRes,
                    "SessionStopReq": SessionStopType,
                    "SessionStopRes": SessionStopRes,
                    "WeldingDetectionReq": WeldingDetectionReq,
                    "WeldingDetectionRes": WeldingDetectionRes,
                },
            ),
        ]
        | None
    ) = None


class NotificationType(Type, kw_only=True):
    """Wire type `NotificationType`."""

    FaultCode: faultCodeType
    FaultMsg: faultMsgType | None = None


class MessageHeaderType(Type, kw_only=True):
    """Wire type `MessageHeaderType`."""

    SessionID: sessionIDType
    Notification: NotificationType | None = None
    Signature: xmldsig.SignatureType | None = None


class V2G_Message(Type, kw_only=True):
    """Wire type `V2G_Message`."""

    Header: MessageHeaderType
    Body: BodyType


DOCUMENT = Document("din", 7, {77: V2G_Message})
