"""ISO 15118-20 messages of DC charging (clause 8.3.4.5): `DC_ChargeLoopReq(Header=..., ...)`.

MCS uses them as well. The modes `BPT_...` are those of bidirectional power transfer.
"""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from typing import Annotated

from chargebyte_fw.modules.v2g.messages import iso20_types, xmldsig
from chargebyte_fw.modules.v2g.messages.iso20_types import (
    ChargeLoopReqType,
    ChargeLoopResType,
    ChargeParameterDiscoveryReqType,
    ChargeParameterDiscoveryResType,
    Dynamic_CLReqControlModeType,
    Dynamic_CLResControlModeType,
    RationalNumberType,
    Scheduled_CLReqControlModeType,
    Scheduled_CLResControlModeType,
    V2GRequestType,
    V2GResponseType,
    percentValueType,
    processingType,
)
from chargebyte_fw.modules.v2g.messages.model import Group, Schema, Type, xs_boolean

NAMESPACE = "urn:iso:std:iso:15118:-20:DC"


class _Message(Type):
    namespace = NAMESPACE


class DC_CPDReqEnergyTransferModeType(_Message, kw_only=True):
    EVMaximumChargePower: RationalNumberType
    EVMinimumChargePower: RationalNumberType
    EVMaximumChargeCurrent: RationalNumberType
    EVMinimumChargeCurrent: RationalNumberType
    EVMaximumVoltage: RationalNumberType
    EVMinimumVoltage: RationalNumberType
    TargetSOC: percentValueType | None = None


class BPT_DC_CPDReqEnergyTransferModeType(DC_CPDReqEnergyTransferModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMinimumDischargePower: RationalNumberType
    EVMaximumDischargeCurrent: RationalNumberType
    EVMinimumDischargeCurrent: RationalNumberType


AnyDC_CPDReqEnergyTransferMode = Annotated[
    BPT_DC_CPDReqEnergyTransferModeType | DC_CPDReqEnergyTransferModeType,
    Group(
        "DC_CPDReqEnergyTransferMode",
        BPT_DC_CPDReqEnergyTransferMode=BPT_DC_CPDReqEnergyTransferModeType,
        DC_CPDReqEnergyTransferMode=DC_CPDReqEnergyTransferModeType,
    ),
]


class DC_ChargeParameterDiscoveryReq(_Message, ChargeParameterDiscoveryReqType, kw_only=True):
    DC_CPDReqEnergyTransferMode: AnyDC_CPDReqEnergyTransferMode


class DC_CPDResEnergyTransferModeType(_Message, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType
    EVSEMinimumChargePower: RationalNumberType
    EVSEMaximumChargeCurrent: RationalNumberType
    EVSEMinimumChargeCurrent: RationalNumberType
    EVSEMaximumVoltage: RationalNumberType
    EVSEMinimumVoltage: RationalNumberType
    EVSEPowerRampLimitation: RationalNumberType | None = None


class BPT_DC_CPDResEnergyTransferModeType(DC_CPDResEnergyTransferModeType, kw_only=True):
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMinimumDischargePower: RationalNumberType
    EVSEMaximumDischargeCurrent: RationalNumberType
    EVSEMinimumDischargeCurrent: RationalNumberType


AnyDC_CPDResEnergyTransferMode = Annotated[
    BPT_DC_CPDResEnergyTransferModeType | DC_CPDResEnergyTransferModeType,
    Group(
        "DC_CPDResEnergyTransferMode",
        BPT_DC_CPDResEnergyTransferMode=BPT_DC_CPDResEnergyTransferModeType,
        DC_CPDResEnergyTransferMode=DC_CPDResEnergyTransferModeType,
    ),
]


class DC_ChargeParameterDiscoveryRes(_Message, ChargeParameterDiscoveryResType, kw_only=True):
    DC_CPDResEnergyTransferMode: AnyDC_CPDResEnergyTransferMode


class DC_CableCheckReq(_Message, V2GRequestType):
    pass


class DC_CableCheckRes(_Message, V2GResponseType, kw_only=True):
    EVSEProcessing: processingType


class DC_PreChargeReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType
    EVPresentVoltage: RationalNumberType
    EVTargetVoltage: RationalNumberType


class DC_PreChargeRes(_Message, V2GResponseType, kw_only=True):
    EVSEPresentVoltage: RationalNumberType


class Scheduled_DC_CLReqControlModeType(_Message, Scheduled_CLReqControlModeType, kw_only=True):
    EVTargetCurrent: RationalNumberType
    EVTargetVoltage: RationalNumberType
    EVMaximumChargePower: RationalNumberType | None = None
    EVMinimumChargePower: RationalNumberType | None = None
    EVMaximumChargeCurrent: RationalNumberType | None = None
    EVMaximumVoltage: RationalNumberType | None = None
    EVMinimumVoltage: RationalNumberType | None = None


class BPT_Scheduled_DC_CLReqControlModeType(Scheduled_DC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType | None = None
    EVMinimumDischargePower: RationalNumberType | None = None
    EVMaximumDischargeCurrent: RationalNumberType | None = None


class Dynamic_DC_CLReqControlModeType(_Message, Dynamic_CLReqControlModeType, kw_only=True):
    EVMaximumChargePower: RationalNumberType
    EVMinimumChargePower: RationalNumberType
    EVMaximumChargeCurrent: RationalNumberType
    EVMaximumVoltage: RationalNumberType
    EVMinimumVoltage: RationalNumberType


class BPT_Dynamic_DC_CLReqControlModeType(Dynamic_DC_CLReqControlModeType, kw_only=True):
    EVMaximumDischargePower: RationalNumberType
    EVMinimumDischargePower: RationalNumberType
    EVMaximumDischargeCurrent: RationalNumberType
    EVMaximumV2XEnergyRequest: RationalNumberType | None = None
    EVMinimumV2XEnergyRequest: RationalNumberType | None = None


AnyCLReqControlMode = Annotated[
    BPT_Dynamic_DC_CLReqControlModeType
    | BPT_Scheduled_DC_CLReqControlModeType
    | Dynamic_DC_CLReqControlModeType
    | Scheduled_DC_CLReqControlModeType,
    Group(
        "CLReqControlMode",
        BPT_Dynamic_DC_CLReqControlMode=BPT_Dynamic_DC_CLReqControlModeType,
        BPT_Scheduled_DC_CLReqControlMode=BPT_Scheduled_DC_CLReqControlModeType,
        Dynamic_DC_CLReqControlMode=Dynamic_DC_CLReqControlModeType,
        Scheduled_DC_CLReqControlMode=Scheduled_DC_CLReqControlModeType,
    ),
]


class DC_ChargeLoopReq(_Message, ChargeLoopReqType, kw_only=True):
    EVPresentVoltage: RationalNumberType
    CLReqControlMode: AnyCLReqControlMode


class Scheduled_DC_CLResControlModeType(_Message, Scheduled_CLResControlModeType, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType | None = None
    EVSEMinimumChargePower: RationalNumberType | None = None
    EVSEMaximumChargeCurrent: RationalNumberType | None = None
    EVSEMaximumVoltage: RationalNumberType | None = None


class BPT_Scheduled_DC_CLResControlModeType(Scheduled_DC_CLResControlModeType, kw_only=True):
    EVSEMaximumDischargePower: RationalNumberType | None = None
    EVSEMinimumDischargePower: RationalNumberType | None = None
    EVSEMaximumDischargeCurrent: RationalNumberType | None = None
    EVSEMinimumVoltage: RationalNumberType | None = None


class Dynamic_DC_CLResControlModeType(_Message, Dynamic_CLResControlModeType, kw_only=True):
    EVSEMaximumChargePower: RationalNumberType
    EVSEMinimumChargePower: RationalNumberType
    EVSEMaximumChargeCurrent: RationalNumberType
    EVSEMaximumVoltage: RationalNumberType


class BPT_Dynamic_DC_CLResControlModeType(Dynamic_DC_CLResControlModeType, kw_only=True):
    EVSEMaximumDischargePower: RationalNumberType
    EVSEMinimumDischargePower: RationalNumberType
    EVSEMaximumDischargeCurrent: RationalNumberType
    EVSEMinimumVoltage: RationalNumberType


AnyCLResControlMode = Annotated[
    BPT_Dynamic_DC_CLResControlModeType
    | BPT_Scheduled_DC_CLResControlModeType
    | Dynamic_DC_CLResControlModeType
    | Scheduled_DC_CLResControlModeType,
    Group(
        "CLResControlMode",
        BPT_Dynamic_DC_CLResControlMode=BPT_Dynamic_DC_CLResControlModeType,
        BPT_Scheduled_DC_CLResControlMode=BPT_Scheduled_DC_CLResControlModeType,
        Dynamic_DC_CLResControlMode=Dynamic_DC_CLResControlModeType,
        Scheduled_DC_CLResControlMode=Scheduled_DC_CLResControlModeType,
    ),
]


class DC_ChargeLoopRes(_Message, ChargeLoopResType, kw_only=True):
    EVSEPresentCurrent: RationalNumberType
    EVSEPresentVoltage: RationalNumberType
    EVSEPowerLimitAchieved: xs_boolean
    EVSECurrentLimitAchieved: xs_boolean
    EVSEVoltageLimitAchieved: xs_boolean
    CLResControlMode: AnyCLResControlMode


class DC_WeldingDetectionReq(_Message, V2GRequestType, kw_only=True):
    EVProcessing: processingType


class DC_WeldingDetectionRes(_Message, V2GResponseType, kw_only=True):
    EVSEPresentVoltage: RationalNumberType


MESSAGES = (
    DC_CableCheckReq,
    DC_CableCheckRes,
    DC_ChargeLoopReq,
    DC_ChargeLoopRes,
    DC_ChargeParameterDiscoveryReq,
    DC_ChargeParameterDiscoveryRes,
    DC_PreChargeReq,
    DC_PreChargeRes,
    DC_WeldingDetectionReq,
    DC_WeldingDetectionRes,
)

SCHEMA = Schema(
    "iso20_dc",
    {
        NAMESPACE: {
            **{cls.__name__: cls for cls in MESSAGES},
            "BPT_DC_CPDReqEnergyTransferMode": BPT_DC_CPDReqEnergyTransferModeType,
            "BPT_DC_CPDResEnergyTransferMode": BPT_DC_CPDResEnergyTransferModeType,
            "BPT_Dynamic_DC_CLReqControlMode": BPT_Dynamic_DC_CLReqControlModeType,
            "BPT_Dynamic_DC_CLResControlMode": BPT_Dynamic_DC_CLResControlModeType,
            "BPT_Scheduled_DC_CLReqControlMode": BPT_Scheduled_DC_CLReqControlModeType,
            "BPT_Scheduled_DC_CLResControlMode": BPT_Scheduled_DC_CLResControlModeType,
            "DC_CPDReqEnergyTransferMode": DC_CPDReqEnergyTransferModeType,
            "DC_CPDResEnergyTransferMode": DC_CPDResEnergyTransferModeType,
            "Dynamic_DC_CLReqControlMode": Dynamic_DC_CLReqControlModeType,
            "Dynamic_DC_CLResControlMode": Dynamic_DC_CLResControlModeType,
            "Scheduled_DC_CLReqControlMode": Scheduled_DC_CLReqControlModeType,
            "Scheduled_DC_CLResControlMode": Scheduled_DC_CLResControlModeType,
        },
        iso20_types.NAMESPACE: iso20_types.ELEMENTS,
        xmldsig.NAMESPACE: xmldsig.ELEMENTS,
    },
    tuple(cls.__name__ for cls in MESSAGES),
    iso20_types.TYPES,
)
