"""ISO 15118-20 messages of the main stream (clause 8.3.4.3): `SessionSetupReq(Header=..., EVCCID=...)`.

Their larger data types are in `iso20_schedules` and `iso20_contracts`.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages import iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_contracts import (
    CertificateChainType,
    EIM_AReqAuthorizationModeType,
    EIM_ASResAuthorizationModeType,
    EMAIDListType,
    PnC_AReqAuthorizationModeType,
    PnC_ASResAuthorizationModeType,
    SignedCertificateChainType,
    SignedInstallationDataType,
)
from chargebyte_fw.modules.v2g.messages.iso20_schedules import (
    Dynamic_SEReqControlModeType,
    Dynamic_SEResControlModeType,
    EVPowerProfileType,
    Scheduled_SEReqControlModeType,
    Scheduled_SEResControlModeType,
)
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    CommonMessagesType,
    EVSEStatusType,
    ListOfRootCertificateIDsType,
    MeterInfoType,
    RationalNumberType,
    ReceiptType,
    V2GRequestType,
    V2GResponseType,
    descriptionType,
    identifierType,
    nameType,
    numericIDType,
    processingType,
    sessionIDType,
)
from chargebyte_fw.modules.v2g.messages.model import (
    Attribute,
    Coding,
    Occurs,
    Schema,
    choice,
    element,
    seq,
    xs_boolean,
    xs_byte,
    xs_ID,
    xs_int,
    xs_short,
    xs_unsignedByte,
    xs_unsignedLong,
    xs_unsignedShort,
)

NAMESPACE = iso20_types.COMMON_MESSAGES


class authorizationType(StrEnum):
    EIM = "EIM"
    PnC = "PnC"


class channelSelectionType(StrEnum):
    Charge = "Charge"
    Discharge = "Discharge"


class chargeProgressType(StrEnum):
    Start = "Start"
    Stop = "Stop"
    Standby = "Standby"
    ScheduleRenegotiation = "ScheduleRenegotiation"


class chargingSessionType(StrEnum):
    Pause = "Pause"
    Terminate = "Terminate"
    ServiceRenegotiation = "ServiceRenegotiation"


class evCheckInStatusType(StrEnum):
    CheckIn = "CheckIn"
    Processing = "Processing"
    Completed = "Completed"


class evCheckOutStatusType(StrEnum):
    CheckOut = "CheckOut"
    Processing = "Processing"
    Completed = "Completed"


class evseCheckOutStatusType(StrEnum):
    Scheduled = "Scheduled"
    Completed = "Completed"


class parkingMethodType(StrEnum):
    AutoParking = "AutoParking"
    MVGuideManual = "MVGuideManual"
    Manual = "Manual"


maxSupportingPointsScheduleTupleType = Annotated[int, Coding("nbit", 10, low=12, high=1024)]
serviceIDType = Annotated[int, Coding("uint", low=0, high=65535)]


class SessionSetupReq(CommonMessagesType, V2GRequestType, kw_only=True):
    EVCCID: identifierType


class SessionSetupRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSEID: identifierType


class AuthorizationSetupReq(CommonMessagesType, V2GRequestType):
    pass


class AuthorizationSetupRes(CommonMessagesType, V2GResponseType, kw_only=True):
    AuthorizationServices: Annotated[list[authorizationType], Occurs(1, 2)]
    CertificateInstallationService: xs_boolean
    EIM_ASResAuthorizationMode: EIM_ASResAuthorizationModeType | None = None
    PnC_ASResAuthorizationMode: PnC_ASResAuthorizationModeType | None = None

    model = seq(
        "Header",
        "ResponseCode",
        element("AuthorizationServices", high=2),
        "CertificateInstallationService",
        choice("EIM_ASResAuthorizationMode", "PnC_ASResAuthorizationMode"),
    )


class CertificateInstallationReq(CommonMessagesType, V2GRequestType, kw_only=True):
    OEMProvisioningCertificateChain: SignedCertificateChainType
    ListOfRootCertificateIDs: ListOfRootCertificateIDsType
    MaximumContractCertificateChains: xs_unsignedByte
    PrioritizedEMAIDs: EMAIDListType | None = None


class CertificateInstallationRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    CPSCertificateChain: CertificateChainType
    SignedInstallationData: SignedInstallationDataType
    RemainingContractCertificateChains: xs_unsignedByte


class AuthorizationReq(CommonMessagesType, V2GRequestType, kw_only=True):
    SelectedAuthorizationService: authorizationType
    EIM_AReqAuthorizationMode: EIM_AReqAuthorizationModeType | None = None
    PnC_AReqAuthorizationMode: PnC_AReqAuthorizationModeType | None = None

    model = seq(
        "Header", "SelectedAuthorizationService", choice("EIM_AReqAuthorizationMode", "PnC_AReqAuthorizationMode")
    )


class AuthorizationRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType


class ServiceIDListType(CommonMessagesType, kw_only=True):
    ServiceID: Annotated[list[serviceIDType], Occurs(1, 16)]


class ServiceDiscoveryReq(CommonMessagesType, V2GRequestType, kw_only=True):
    SupportedServiceIDs: ServiceIDListType | None = None


class ServiceType(CommonMessagesType, kw_only=True):
    ServiceID: serviceIDType
    FreeService: xs_boolean


class ServiceListType(CommonMessagesType, kw_only=True):
    Service: Annotated[list[ServiceType], Occurs(1, 8)]


class ServiceDiscoveryRes(CommonMessagesType, V2GResponseType, kw_only=True):
    ServiceRenegotiationSupported: xs_boolean
    EnergyTransferServiceList: ServiceListType
    VASList: ServiceListType | None = None


class ServiceDetailReq(CommonMessagesType, V2GRequestType, kw_only=True):
    ServiceID: serviceIDType


class ParameterType(CommonMessagesType, kw_only=True):
    Name: Annotated[nameType, Attribute()]
    boolValue: xs_boolean | None = None
    byteValue: xs_byte | None = None
    shortValue: xs_short | None = None
    intValue: xs_int | None = None
    rationalNumber: RationalNumberType | None = None
    finiteString: nameType | None = None

    model = choice("boolValue", "byteValue", "shortValue", "intValue", "rationalNumber", "finiteString")


class ParameterSetType(CommonMessagesType, kw_only=True):
    ParameterSetID: serviceIDType
    Parameter: Annotated[list[ParameterType], Occurs(1, 32)]


class ServiceParameterListType(CommonMessagesType, kw_only=True):
    ParameterSet: Annotated[list[ParameterSetType], Occurs(1, 32)]


class ServiceDetailRes(CommonMessagesType, V2GResponseType, kw_only=True):
    ServiceID: serviceIDType
    ServiceParameterList: ServiceParameterListType


class SelectedServiceType(CommonMessagesType, kw_only=True):
    ServiceID: serviceIDType
    ParameterSetID: serviceIDType


class SelectedServiceListType(CommonMessagesType, kw_only=True):
    SelectedService: Annotated[list[SelectedServiceType], Occurs(1, 16)]


class ServiceSelectionReq(CommonMessagesType, V2GRequestType, kw_only=True):
    SelectedEnergyTransferService: SelectedServiceType
    SelectedVASList: SelectedServiceListType | None = None


class ServiceSelectionRes(CommonMessagesType, V2GResponseType):
    pass


class ScheduleExchangeReq(CommonMessagesType, V2GRequestType, kw_only=True):
    MaximumSupportingPoints: maxSupportingPointsScheduleTupleType
    Dynamic_SEReqControlMode: Dynamic_SEReqControlModeType | None = None
    Scheduled_SEReqControlMode: Scheduled_SEReqControlModeType | None = None

    model = seq("Header", "MaximumSupportingPoints", choice("Dynamic_SEReqControlMode", "Scheduled_SEReqControlMode"))


class ScheduleExchangeRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    GoToPause: xs_boolean | None = None
    Dynamic_SEResControlMode: Dynamic_SEResControlModeType | None = None
    Scheduled_SEResControlMode: Scheduled_SEResControlModeType | None = None

    model = seq(
        "Header",
        "ResponseCode",
        "EVSEProcessing",
        element("GoToPause", low=0),
        choice("Dynamic_SEResControlMode", "Scheduled_SEResControlMode"),
    )


class PowerDeliveryReq(CommonMessagesType, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    ChargeProgress: chargeProgressType
    EVPowerProfile: EVPowerProfileType | None = None
    BPT_ChannelSelection: channelSelectionType | None = None


class PowerDeliveryRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSEStatus: EVSEStatusType | None = None


class Dynamic_SMDTControlModeType(CommonMessagesType):
    pass


class Scheduled_SMDTControlModeType(CommonMessagesType, kw_only=True):
    SelectedScheduleTupleID: numericIDType


class SignedMeteringDataType(CommonMessagesType, kw_only=True):
    Id: Annotated[xs_ID, Attribute()]
    SessionID: sessionIDType
    MeterInfo: MeterInfoType
    Receipt: ReceiptType | None = None
    Dynamic_SMDTControlMode: Dynamic_SMDTControlModeType | None = None
    Scheduled_SMDTControlMode: Scheduled_SMDTControlModeType | None = None

    model = seq(
        "SessionID",
        "MeterInfo",
        element("Receipt", low=0),
        choice("Dynamic_SMDTControlMode", "Scheduled_SMDTControlMode"),
    )


class MeteringConfirmationReq(CommonMessagesType, V2GRequestType, kw_only=True):
    SignedMeteringData: SignedMeteringDataType


class MeteringConfirmationRes(CommonMessagesType, V2GResponseType):
    pass


class SessionStopReq(CommonMessagesType, V2GRequestType, kw_only=True):
    ChargingSession: chargingSessionType
    EVTerminationCode: nameType | None = None
    EVTerminationExplanation: descriptionType | None = None


class SessionStopRes(CommonMessagesType, V2GResponseType):
    pass


class VehicleCheckInReq(CommonMessagesType, V2GRequestType, kw_only=True):
    EVCheckInStatus: evCheckInStatusType
    ParkingMethod: parkingMethodType
    VehicleFrame: xs_short | None = None
    DeviceOffset: xs_short | None = None
    VehicleTravel: xs_short | None = None


class VehicleCheckInRes(CommonMessagesType, V2GResponseType, kw_only=True):
    ParkingSpace: xs_short | None = None
    DeviceLocation: xs_short | None = None
    TargetDistance: xs_short | None = None


class VehicleCheckOutReq(CommonMessagesType, V2GRequestType, kw_only=True):
    EVCheckOutStatus: evCheckOutStatusType
    CheckOutTime: xs_unsignedLong


class VehicleCheckOutRes(CommonMessagesType, V2GResponseType, kw_only=True):
    EVSECheckOutStatus: evseCheckOutStatusType


class TargetPositionType(CommonMessagesType, kw_only=True):
    TargetOffsetX: xs_unsignedShort
    TargetOffsetY: xs_unsignedShort


MESSAGES = (
    AuthorizationReq,
    AuthorizationRes,
    AuthorizationSetupReq,
    AuthorizationSetupRes,
    CertificateInstallationReq,
    CertificateInstallationRes,
    MeteringConfirmationReq,
    MeteringConfirmationRes,
    PowerDeliveryReq,
    PowerDeliveryRes,
    ScheduleExchangeReq,
    ScheduleExchangeRes,
    ServiceDetailReq,
    ServiceDetailRes,
    ServiceDiscoveryReq,
    ServiceDiscoveryRes,
    ServiceSelectionReq,
    ServiceSelectionRes,
    SessionSetupReq,
    SessionSetupRes,
    SessionStopReq,
    SessionStopRes,
    VehicleCheckInReq,
    VehicleCheckInRes,
    VehicleCheckOutReq,
    VehicleCheckOutRes,
)

SCHEMA = Schema(
    "iso20_common",
    {
        NAMESPACE: {
            **{cls.__name__: cls for cls in MESSAGES},
            "SignedInstallationData": SignedInstallationDataType,
            "SignedMeteringData": SignedMeteringDataType,
        },
        iso20_types.NAMESPACE: iso20_types.ELEMENTS,
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    tuple(cls.__name__ for cls in MESSAGES),
    (*iso20_types.TYPES, TargetPositionType),
)
