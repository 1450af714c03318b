"""ISO 15118-20 messages of automated connection devices (clause 8.3.4.7)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum

from chargebyte_fw.modules.v2g.messages import iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    RationalNumberType,
    V2GRequestType,
    V2GResponseType,
    percentValueType,
    processingType,
)
from chargebyte_fw.modules.v2g.messages.model import Schema, Type, xs_boolean, xs_short

NAMESPACE = "urn:iso:std:iso:15118:-20:ACDP"


class _Message(Type):
    namespace = NAMESPACE


class cpStatusType(StrEnum):
    StateA = "StateA"
    StateB = "StateB"
    StateC = "StateC"
    StateD = "StateD"
    StateE = "StateE"


class electricalChargingDeviceStatusType(StrEnum):
    State_A = "State_A"
    State_B = "State_B"
    State_C = "State_C"
    State_D = "State_D"


class errorCodeType(StrEnum):
    OK_NoEVError = "OK_NoEVError"
    FAILED = "FAILED"
    FAILED_EmergencyEvent = "FAILED_EmergencyEvent"
    FAILED_Breaker = "FAILED_Breaker"
    FAILED_RESSTemperatureInhibit = "FAILED_RESSTemperatureInhibit"
    FAILED_RESS = "FAILED_RESS"
    FAILED_ChargingCurrentDifferential = "FAILED_ChargingCurrentDifferential"
    FAILED_ChargingVoltageOutOfRange = "FAILED_ChargingVoltageOutOfRange"
    FAILED_Reserved1 = "FAILED_Reserved1"
    FAILED_Reserved2 = "FAILED_Reserved2"


class isolationStatusType(StrEnum):
    Invalid = "Invalid"
    Safe = "Safe"
    Warning = "Warning"
    Fault = "Fault"


class mechanicalChargingDeviceStatusType(StrEnum):
    Home = "Home"
    Moving = "Moving"
    EndPosition = "EndPosition"


class ACDP_VehiclePositioningReq(_Message, V2GRequestType, kw_only=True):
    EVMobilityStatus: xs_boolean
    EVPositioningSupport: xs_boolean


class ACDP_VehiclePositioningRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    EVSEPositioningSupport: xs_boolean
    EVRelativeXDeviation: xs_short
    EVRelativeYDeviation: xs_short
    ContactWindowXc: xs_short
    ContactWindowYc: xs_short
    EVInChargePosition: xs_boolean


class ACDP_ConnectReq(_Message, V2GRequestType, kw_only=True):
    EVElectricalChargingDeviceStatus: electricalChargingDeviceStatusType


class ACDP_ConnectRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType
    EVSEElectricalChargingDeviceStatus: electricalChargingDeviceStatusType
    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType


class EVTechnicalStatusType(_Message, kw_only=True):
    EVReadyToCharge: xs_boolean
    EVImmobilizationRequest: xs_boolean
    EVImmobilized: xs_boolean | None = None
    EVWLANStrength: RationalNumberType | None = None
    EVCPStatus: cpStatusType | None = None
    EVSOC: percentValueType | None = None
    EVErrorCode: errorCodeType | None = None
    EVTimeout: xs_boolean | None = None


class ACDP_SystemStatusReq(_Message, V2GRequestType, kw_only=True):
    EVTechnicalStatus: EVTechnicalStatusType


class ACDP_SystemStatusRes(_Message, V2GResponseType, kw_only=True):
    EVSEMechanicalChargingDeviceStatus: mechanicalChargingDeviceStatusType
    EVSEReadyToCharge: xs_boolean
    EVSEIsolationStatus: isolationStatusType
    EVSEDisabled: xs_boolean
    EVSEUtilityInterruptEvent: xs_boolean
    EVSEEmergencyShutdown: xs_boolean
    EVSEMalfunction: xs_boolean
    EVInChargePosition: xs_boolean
    EVAssociationStatus: xs_boolean


class ACDP_DisconnectReq(ACDP_ConnectReq):
    pass


class ACDP_DisconnectRes(ACDP_ConnectRes):
    pass


MESSAGES = (
    ACDP_ConnectReq,
    ACDP_ConnectRes,
    ACDP_DisconnectReq,
    ACDP_DisconnectRes,
    ACDP_SystemStatusReq,
    ACDP_SystemStatusRes,
    ACDP_VehiclePositioningReq,
    ACDP_VehiclePositioningRes,
)

SCHEMA = Schema(
    "iso20_acdp",
    {
        NAMESPACE: {cls.__name__: cls for cls in MESSAGES},
        iso20_types.NAMESPACE: iso20_types.ELEMENTS,
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    tuple(cls.__name__ for cls in MESSAGES),
    iso20_types.TYPES,
)
